//! What a viewer sees of somebody, on every surface and for every way the two can stand to each other. A new surface or
//! relation gets its row here.
//!
//! The author is somebody elsewhere, the friend a member whom the viewer follows. The friend shares what the author said
//! and answers it; the author answers the friend. Each surface is also read with no more room than it should need: what
//! is left out must not take the place of what is not.

use domain::account::{Account, Role};
use domain::instance::DomainSeverity;
use domain::list::{List, RepliesPolicy};
use domain::notification::NotificationKind;
use domain::page::Page;
use domain::post::Post;
use domain::{AccountId, ListId, PostId, Viewer, Visibility};
use storage::homes::HomeEntry;
use storage::notifications::Filter;
use storage::posts::Links;
use storage::search::PostQuery;
use storage::timelines::{AccountFilter, PublicFilter, TagFilter};
use storage::walks::Part;
use storage::{
    Conn, Tx, accounts, audience, domain_blocks, domains, follows, homes, interactions, lists, members, notifications,
    posts, search, tags, threads, timelines,
};

use crate::people::{account, follow, host, write_member};
use crate::visible::write_post;

/// How the viewer and the author stand to each other, or the community and the author.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    None,
    Blocks,
    BlockedBy,
    Mutes,
    MutesWithNotifications,
    BlocksDomain,
    /// The author's community is suspended.
    Suspended,
    /// … or limited.
    Limited,
    /// The author is a member whose account is closed for now.
    Closed,
    /// The author's account is gone.
    Gone,
}

use Relation::{
    BlockedBy, Blocks, BlocksDomain, Closed, Gone, Limited, Mutes, MutesWithNotifications, None as Plain, Suspended,
};

const RELATIONS: [Relation; 10] =
    [Plain, Blocks, BlockedBy, Mutes, MutesWithNotifications, BlocksDomain, Suspended, Limited, Closed, Gone];

impl Relation {
    /// The author's posts may be seen.
    fn may_see(self) -> bool {
        !matches!(self, BlockedBy | Suspended | Closed | Gone)
    }

    /// … and the viewer wants to.
    fn wants(self) -> bool {
        !matches!(self, Blocks | Mutes | MutesWithNotifications | BlocksDomain)
    }

    /// The viewer still follows the author: `app` ends follows with these.
    fn follows(self) -> bool {
        !matches!(self, Blocks | BlockedBy | BlocksDomain)
    }
}

/// What is written, the oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Entry {
    /// The friend's own words.
    Words,
    /// The author's.
    Theirs,
    /// The author's answer to the friend.
    TheirAnswer,
    /// The friend's boost of the author's post.
    Boost,
    /// The friend's answer to the author.
    Answer,
}

use Entry::{Answer, Boost, TheirAnswer, Theirs, Words};

/// Every surface, what it shows of all that, and when.
fn expected(surface: &str, r: Relation) -> Vec<Entry> {
    let when = |condition: bool, entry: Entry| condition.then_some(entry);
    let both = r.may_see() && r.wants();
    let seen: Vec<Option<Entry>> = match surface {
        "home" => vec![
            Some(Words),
            when(r.follows() && both, TheirAnswer),
            when(both, Boost),
            when(r.follows() && r.wants(), Answer),
        ],
        // Nobody is followed: everything public that has it.
        "home by hashtag" => vec![
            Some(Words),
            when(both && r != Limited, Theirs),
            when(both && r != Limited, TheirAnswer),
            when(r.wants(), Answer),
        ],
        "list" | "list stream" => {
            vec![Some(Words), when(both, Theirs), when(both, TheirAnswer), when(both, Boost), when(r.wants(), Answer)]
        }
        "public" | "public stream" => vec![Some(Words), when(both && r != Limited, Theirs)],
        "hashtag" | "hashtag stream" => vec![
            Some(Words),
            when(both && r != Limited, Theirs),
            when(both && r != Limited, TheirAnswer),
            // The friend's own words; what they answer is not shown.
            Some(Answer),
        ],
        // Who opens a profile asks for that person.
        "profile of the author" => vec![when(r.may_see(), Theirs), when(r.may_see(), TheirAnswer)],
        "profile of the friend" => vec![Some(Words), when(both, Boost), Some(Answer)],
        "above the answer" => vec![when(both, Theirs)],
        "below the words" => vec![when(both, TheirAnswer)],
        "below the author's" => vec![Some(Answer)],
        "favourites" | "bookmarks" => vec![Some(Words), when(r.may_see(), Theirs)],
        // … or that names the viewer.
        "search" => vec![Some(Words), when(both, Theirs), when(both, TheirAnswer)],
        // Told after it was so: of those who are limited, followers are.
        "notifications" | "unread" => {
            vec![when(r.may_see() && matches!(r, Plain | Mutes | Limited), TheirAnswer)]
        }
        other => panic!("{other}"),
    };
    seen.into_iter().flatten().collect()
}

const SURFACES: [&str; 18] = [
    "home",
    "home by hashtag",
    "list",
    "public",
    "hashtag",
    "profile of the author",
    "profile of the friend",
    "above the answer",
    "below the words",
    "below the author's",
    "favourites",
    "bookmarks",
    "search",
    "notifications",
    "unread",
    "public stream",
    "hashtag stream",
    "list stream",
];

struct Scene {
    viewer: Account,
    /// A member who stands to the author as the viewer does, and follows nobody but the hashtag.
    reader: Account,
    friend: Account,
    author: Account,
    list: ListId,
    written: Vec<(Entry, PostId)>,
}

impl Scene {
    fn id(&self, entry: Entry) -> PostId {
        self.written.iter().find(|(e, _)| *e == entry).unwrap().1
    }

    fn entries(&self, ids: &[PostId]) -> Vec<Entry> {
        let mut entries: Vec<Entry> =
            ids.iter().map(|id| self.written.iter().find(|(_, other)| other == id).unwrap().0).collect();
        entries.sort();
        entries
    }

    /// What the surface holds in a page of so many.
    async fn read(&self, conn: &mut Conn, surface: &str, limit: i64) -> Vec<Entry> {
        let (me, viewer, page) = (self.viewer.id, Viewer::Account(self.viewer.id), Page::first(limit));
        let all = AccountFilter::default();
        let found = match surface {
            "home" => timelines::home(conn, me, &page).await.unwrap(),
            "home by hashtag" => timelines::home(conn, self.reader.id, &page).await.unwrap(),
            "list" => timelines::list(conn, me, self.list, &page).await.unwrap(),
            "public" => timelines::public(conn, viewer, PublicFilter::default(), &page).await.unwrap(),
            "hashtag" => {
                let tea = TagFilter { any: vec!["tea".to_owned()], ..TagFilter::default() };
                timelines::tag(conn, viewer, &tea, &page).await.unwrap()
            }
            "profile of the author" => timelines::account(conn, viewer, self.author.id, &all, &page).await.unwrap(),
            "profile of the friend" => timelines::account(conn, viewer, self.friend.id, &all, &page).await.unwrap(),
            _ => Part::default(),
        };
        let mut ids: Vec<PostId> = found.iter().map(storage::hydrate::Found::id).collect();
        match surface {
            "above the answer" => ids = threads::ancestors(conn, viewer, self.id(Answer), limit).await.unwrap(),
            "below the words" => ids = threads::descendants(conn, viewer, self.id(Words), limit).await.unwrap(),
            "below the author's" => ids = threads::descendants(conn, viewer, self.id(Theirs), limit).await.unwrap(),
            "favourites" => ids = second(interactions::favourites_of(conn, me, &page).await.unwrap()),
            "bookmarks" => ids = second(interactions::bookmarks_of(conn, me, &page).await.unwrap()),
            "search" => {
                let query = PostQuery { text: "hello", by: None, max_id: None, min_id: None, limit, offset: 0 };
                ids = search::posts(conn, me, &query).await.unwrap();
            }
            "notifications" => {
                let told = notifications::list(conn, me, &Filter::default(), &page).await.unwrap();
                ids = told.iter().filter_map(|n| n.notification.post_id).collect();
            }
            "public stream" | "hashtag stream" | "list stream" => ids = self.streamed(conn, surface).await,
            "unread" => {
                let n = notifications::unread(conn, me, limit).await.unwrap();
                ids = vec![self.id(TheirAnswer); usize::try_from(n).unwrap()];
            }
            _ => {}
        }
        // What a list gives is what is shown of it: nothing is left out later.
        let shown = storage::hydrate::posts(conn, viewer, &ids).await.unwrap();
        if surface != "unread" {
            assert_eq!(shown.len(), ids.len(), "{surface}: {ids:?}");
        }
        self.entries(&ids)
    }

    /// What is told to the viewer of what was written: asked for all who listen at once.
    async fn streamed(&self, conn: &mut Conn, surface: &str) -> Vec<PostId> {
        let tea = TagFilter { any: vec!["tea".to_owned()], ..TagFilter::default() };
        let others = [self.reader.id, self.viewer.id, self.friend.id];
        let mut told = Vec::new();
        for (entry, id) in &self.written {
            let by = if matches!(entry, Theirs | TheirAnswer) { self.author.id } else { self.friend.id };
            let (nobody, just_it) = (Viewer::Anonymous, Page::only(id.0));
            let on = match surface {
                "public stream" => {
                    !timelines::public(conn, nobody, PublicFilter::default(), &just_it).await.unwrap().is_empty()
                }
                "hashtag stream" => !timelines::tag(conn, nobody, &tea, &just_it).await.unwrap().is_empty(),
                _ => !audience::lists_with(conn, by, &[self.list]).await.unwrap().is_empty(),
            };
            let wanted = match surface {
                "list stream" => timelines::is_on_list(conn, self.viewer.id, self.list, *id).await.unwrap(),
                _ => audience::wanted_by(conn, by, &others).await.unwrap().contains(&self.viewer.id),
            };
            // Each gets it as if it were asked for alone.
            let written = storage::hydrate::post_for(conn, *id, &others).await.unwrap();
            for other in others {
                let alone = storage::hydrate::post(conn, Viewer::Account(other), *id).await.ok();
                let together = written.iter().find(|(member, _)| *member == other).map(|(_, view)| view.clone());
                assert_eq!(together, alone, "{entry:?}");
            }
            if on && wanted && written.iter().any(|(member, _)| *member == self.viewer.id) {
                told.push(*id);
            }
        }
        told.reverse();
        told
    }
}

fn second(entries: Vec<interactions::PostEntry>) -> Vec<PostId> {
    entries.into_iter().map(|(_, id)| id).collect()
}

/// As `app::fanout` does.
async fn to_homes(tx: &mut Tx, post: &Post, boost_of: Option<(AccountId, PostId)>) {
    let entry = HomeEntry {
        post: post.id,
        author: post.account_id,
        boost_of,
        reply_to: post.in_reply_to_account_id,
        language: None,
        mentioned_only: false,
    };
    homes::add(tx, &entry).await.unwrap();
}

/// A post that says `like`, in another place.
async fn also(tx: &mut Tx, by: &Account, answers: Option<&Post>, boosts: Option<&Post>, links: &Links) -> Post {
    let id: PostId = tx.id();
    let post = Post {
        id,
        uri: format!("{}/statuses/{id}", by.uri),
        in_reply_to_id: answers.map(|p| p.id),
        in_reply_to_account_id: answers.map(|p| p.account_id),
        in_reply_to_uri: answers.map(|p| p.uri.clone()),
        boost_of_id: boosts.map(|p| p.id),
        ..template(tx, by)
    };
    posts::insert(tx, &post, links).await.unwrap();
    post
}

fn template(tx: &Tx, by: &Account) -> Post {
    Post {
        id: PostId(0),
        uri: String::new(),
        url: String::new(),
        account_id: by.id,
        boost_of_id: None,
        in_reply_to_id: None,
        in_reply_to_account_id: None,
        in_reply_to_uri: None,
        thread_id: domain::ThreadId(1),
        visibility: Visibility::Public,
        content: "<p>Hello</p>".to_owned(),
        source: None,
        spoiler_text: String::new(),
        sensitive: false,
        language: None,
        local: by.is_local(),
        app_id: None,
        created_at: tx.now(),
        edited_at: None,
        replies_count: 0,
        boosts_count: 0,
        favourites_count: 0,
    }
}

async fn scene(tx: &mut Tx, relation: Relation) -> Scene {
    let viewer = write_member(tx, "viewer", Role::Member).await.unwrap();
    let friend = write_member(tx, "friend", Role::Member).await.unwrap();
    let author = match relation {
        Closed => write_member(tx, "author", Role::Member).await.unwrap(),
        _ => {
            let author = account(tx.id(), "author", "willow.example");
            accounts::upsert(tx, &author).await.unwrap();
            author
        }
    };
    follow(tx, viewer.id, friend.id).await;
    if relation.follows() {
        follow(tx, viewer.id, author.id).await;
    }
    let reader = write_member(tx, "reader", Role::Member).await.unwrap();
    for member in [viewer.id, reader.id] {
        let uri = format!("https://maple.example/b/{member}");
        match relation {
            Blocks => assert!(follows::insert_block(tx, member, author.id, &uri).await.unwrap()),
            BlockedBy => assert!(follows::insert_block(tx, author.id, member, &uri).await.unwrap()),
            Mutes => follows::upsert_mute(tx, member, author.id, false, None).await.unwrap(),
            MutesWithNotifications => follows::upsert_mute(tx, member, author.id, true, None).await.unwrap(),
            BlocksDomain => assert!(domain_blocks::insert(tx, member, &host("willow.example")).await.unwrap()),
            Plain | Suspended | Limited | Closed | Gone => {}
        }
    }
    if relation == Limited {
        domains::set(tx, &host("willow.example"), DomainSeverity::Silence, None).await.unwrap();
    }
    let hashtag = posts::tag(tx, "tea", None).await.unwrap();
    tags::follow(tx, reader.id, hashtag).await.unwrap();

    let list = List {
        id: tx.id(),
        account_id: viewer.id,
        title: "both".to_owned(),
        replies_policy: RepliesPolicy::List,
        exclusive: false,
    };
    lists::insert(tx, &list).await.unwrap();
    lists::add(tx, list.id, &[friend.id, author.id]).await.unwrap();

    let tea = Links { tags: vec![("tea".to_owned(), "tea".to_owned())], ..Links::default() };
    let words = write_post(tx, &friend, Visibility::Public, &tea).await;
    let theirs = also(tx, &author, None, None, &tea).await;
    let named = Links { mentions: vec![(viewer.id, false)], ..tea.clone() };
    let their_answer = also(tx, &author, Some(&words), None, &named).await;
    let boost = also(tx, &friend, None, Some(&theirs), &Links::default()).await;
    let answer = also(tx, &friend, Some(&theirs), None, &tea).await;
    // (What is in a home timeline itself is not shown there again as somebody's boost.)
    for post in [&words, &their_answer, &answer] {
        to_homes(tx, post, None).await;
    }
    to_homes(tx, &boost, Some((author.id, theirs.id))).await;
    for post in [&words, &theirs, &their_answer, &answer] {
        homes::add_for_tags(tx, post.id, post.account_id).await.unwrap();
    }
    let told = homes::owners(tx, answer.id, &[reader.id]).await.unwrap();
    assert_eq!(told.len(), usize::from(relation.wants()), "not on the stream either: {relation:?}");
    for post in [words.id, theirs.id] {
        let like: i64 = tx.id();
        interactions::favourite(tx, like, viewer.id, true, post, "").await.unwrap();
        interactions::bookmark(tx, viewer.id, post).await.unwrap();
    }
    notifications::insert(tx, viewer.id, author.id, NotificationKind::Mention, Some(their_answer.id), None)
        .await
        .unwrap();

    let now = tx.now();
    match relation {
        Suspended => {
            let name = host("willow.example");
            domains::set(tx, &name, DomainSeverity::Suspend, None).await.unwrap();
        }
        Closed => members::set_disabled(tx, author.id, Some(now)).await.unwrap(),
        Gone => assert!(accounts::bury(tx, author.id, now).await.unwrap()),
        _ => {}
    }
    let written = vec![
        (Words, words.id),
        (Theirs, theirs.id),
        (TheirAnswer, their_answer.id),
        (Boost, boost.id),
        (Answer, answer.id),
    ];
    Scene { viewer, reader, friend, author, list: list.id, written }
}

both! {
    async fn every_surface_obeys_every_relation(fresh) {
        let mut rows = 0;
        for relation in RELATIONS {
            // Nothing is kept: the next relation begins anew.
            let mut tx = fresh.db.write().await.unwrap();
            let scene = scene(&mut tx, relation).await;
            for surface in SURFACES {
                let expected = expected(surface, relation);
                let room = i64::try_from(expected.len()).unwrap();
                for limit in [100, room] {
                    let seen = if limit == 0 { Vec::new() } else { scene.read(&mut tx, surface, limit).await };
                    assert_eq!(seen, expected, "{surface}, {relation:?}, in a page of {limit}");
                    rows += 1;
                }
            }
        }
        assert_eq!(rows, SURFACES.len() * 10 * 2);
    }

    /// However many answers the viewer may not see there are, at whatever place: those that the viewer may see are found,
    /// and an answer to one that is not seen stands where that would.
    async fn what_is_not_seen_takes_no_place_in_a_discussion(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let dana = write_member(&mut tx, "dana", Role::Member).await.unwrap();
        let root = write_post(&mut tx, &dana, Visibility::Public, &Links::default()).await;
        let mut above = root.clone();
        for n in 0..160 {
            let id: PostId = tx.id();
            let (parent, visibility) = (if n < 80 { &root } else { &above }, Visibility::Direct);
            let hidden = Post {
                id,
                uri: format!("{}/statuses/{id}", dana.uri),
                in_reply_to_id: Some(parent.id),
                visibility,
                ..root.clone()
            };
            posts::insert(&mut tx, &hidden, &Links::default()).await.unwrap();
            above = hidden;
        }
        let below = Post { visibility: Visibility::Public, ..above.clone() };
        let mut open = Vec::new();
        for parent in [root.id, above.id, above.id] {
            let id: PostId = tx.id();
            let uri = format!("{}/statuses/{id}", dana.uri);
            let answer = Post { id, uri, in_reply_to_id: Some(parent), ..below.clone() };
            posts::insert(&mut tx, &answer, &Links::default()).await.unwrap();
            open.push(id);
        }
        let stranger = Viewer::Anonymous;
        assert_eq!(threads::descendants(&mut tx, stranger, root.id, 3).await.unwrap(), open);
        assert_eq!(threads::descendants(&mut tx, stranger, root.id, 1).await.unwrap(), open[..1]);
        assert_eq!(threads::ancestors(&mut tx, stranger, open[2], 1).await.unwrap(), [root.id]);
        let all = threads::descendants(&mut tx, Viewer::Account(dana.id), root.id, 500).await.unwrap();
        assert_eq!(all.len(), 163);
        let nearest = threads::ancestors(&mut tx, Viewer::Account(dana.id), open[2], 2).await.unwrap();
        assert_eq!(nearest[1], above.id);
    }

    /// A hashtag that only posts use that the viewer may not see is not found, and its use by those who are not shown is not counted.
    async fn hashtags_tell_nothing_of_private_posts(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let dana = write_member(&mut tx, "dana", Role::Member).await.unwrap();
        let eve = write_member(&mut tx, "eve", Role::Member).await.unwrap();
        let tagged = |name: &str| Links { tags: vec![(name.to_owned(), name.to_owned())], ..Links::default() };
        for visibility in [Visibility::Followers, Visibility::Direct] {
            write_post(&mut tx, &dana, visibility, &tagged("teahouse")).await;
        }
        write_post(&mut tx, &dana, Visibility::Public, &tagged("teapot")).await;
        write_post(&mut tx, &eve, Visibility::Public, &tagged("teapot")).await;
        let now = tx.now();
        members::set_disabled(&mut tx, eve.id, Some(now)).await.unwrap();
        let mut found = Vec::new();
        for (viewer, names) in [(Viewer::Account(dana.id), &["teapot", "teahouse"][..]), (Viewer::Anonymous, &["teapot"])] {
            found = storage::tags::starting_with(&mut tx, viewer, "tea", 10, 0).await.unwrap();
            assert_eq!(found.iter().map(|tag| tag.name.as_str()).collect::<Vec<_>>(), names);
        }
        let week = storage::tags::history(&mut tx, &[found[0].id], now).await.unwrap();
        assert_eq!((week[&found[0].id][0].posts, week[&found[0].id][0].accounts), (1, 1));
    }
}
