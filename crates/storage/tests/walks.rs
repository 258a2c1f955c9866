//! Lists that leave posts out: a page looks at so many, whatever they are, and page after page has every post once.

use domain::account::{Account, Role};
use domain::list::{List, RepliesPolicy};
use domain::notification::NotificationKind;
use domain::page::Page;
use domain::{AccountId, ConversationId, ListId, PostId, Viewer, Visibility};
use storage::notifications::Filter;
use storage::posts::Links;
use storage::timelines::{self, AccountFilter, TagFilter};
use storage::walks::{Entry, Part};
use storage::{Conn, Db, Tx, conversations, follows, lists, notifications, posts, sql};

use crate::people::{follow, write_member};
use crate::visible::write_post;

/// A list that is asked for.
enum Asked {
    /// An account's posts, by nobody.
    Account(AccountId),
    /// The same, without answers to others.
    Words(AccountId),
    /// By nobody.
    Tag(TagFilter),
    /// By its owner.
    List(AccountId, ListId),
    /// A member's conversations, …
    Conversations(AccountId),
    /// … and the post that is shown of each.
    LastPosts(AccountId),
    Notifications(AccountId, Filter),
}

/// A page of it.
struct Seen {
    ids: Vec<i64>,
    cursors: Vec<i64>,
    ends: (Option<i64>, Option<i64>),
    reached: Option<i64>,
}

impl Seen {
    fn of<T: Entry>(part: &Part<T>, id: impl Fn(&T) -> i64) -> Self {
        let cursors = part.iter().map(Entry::cursor).collect();
        Self { ids: part.iter().map(id).collect(), cursors, ends: part.ends(), reached: part.reached() }
    }
}

impl Asked {
    async fn page(&self, conn: &mut Conn, page: &Page) -> Seen {
        let nobody = Viewer::Anonymous;
        let posts = match self {
            Self::Account(id) => timelines::account(conn, nobody, *id, &AccountFilter::default(), page).await,
            Self::Words(id) => {
                let filter = AccountFilter { exclude_replies: true, ..AccountFilter::default() };
                timelines::account(conn, nobody, *id, &filter, page).await
            }
            Self::Tag(filter) => timelines::tag(conn, nobody, filter, page).await,
            Self::List(owner, id) => timelines::list(conn, *owner, *id, page).await,
            Self::Conversations(owner) => {
                return Seen::of(&conversations::list(conn, *owner, page).await.unwrap(), |entry| entry.view.id.0);
            }
            Self::LastPosts(owner) => {
                let part = conversations::list(conn, *owner, page).await.unwrap();
                return Seen::of(&part, |entry| entry.view.last_post.id().0);
            }
            Self::Notifications(owner, filter) => {
                let part = notifications::list(conn, *owner, filter, page).await.unwrap();
                return Seen::of(&part, |view| view.notification.id.0);
            }
        };
        Seen::of(&posts.unwrap(), |found| found.id().0)
    }
}

/// Every page of a list from one end to the other, and how many there were.
async fn walk(db: &Db, mut page: Page, list: &Asked) -> (Vec<i64>, usize) {
    let mut conn = db.read().await.unwrap();
    let (mut all, mut pages) = (Vec::new(), 0);
    loop {
        let Seen { mut ids, cursors, ends: (newest, oldest), reached } = list.page(&mut conn, &page).await;
        pages += 1;
        assert!(ids.len() <= usize::try_from(page.limit).unwrap());
        assert!(cursors.is_sorted_by(|newer, older| newer > older), "newest first: {cursors:?}");
        let full = ids.len() == usize::try_from(page.limit).unwrap();
        assert!(!(full && reached.is_some()), "a full page ends with its last post");
        if page.upward() {
            ids.reverse();
        }
        all.extend(ids);
        let next = if page.upward() { newest } else { oldest };
        match next {
            Some(next) if page.upward() => page.min_id = Some(next),
            Some(next) => page.max_id = Some(next),
            None => return (all, pages),
        }
    }
}

/// Downward and upward it is what was expected, newest first.
async fn holds<I: Copy>(db: &Db, limit: i64, expected: &[I], list: &Asked)
where
    i64: From<I>,
{
    let expected: Vec<i64> = expected.iter().copied().map(i64::from).collect();
    let (down, _) = walk(db, Page::first(limit), list).await;
    assert_eq!(down, expected, "downward, {limit} at a time");
    let (mut up, _) = walk(db, Page { min_id: Some(0), ..Page::first(limit) }, list).await;
    up.reverse();
    assert_eq!(up, expected, "upward, {limit} at a time");
}

/// So many more posts like this one, each newer than the other, all at once.
async fn many_like(tx: &mut Tx, post: PostId, count: i64) {
    sql!(
        "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $2)
         INSERT INTO posts (id, uri, url, account_id, thread_id, visibility, content, created_at, local)
         SELECT p.id + i, p.uri || '-' || i, p.url || i, p.account_id, p.id + i, p.visibility, p.content,
            p.created_at, p.local
         FROM posts p, n WHERE p.id = $1"
    )
    .bind(post)
    .bind(count)
    .run(tx)
    .await
    .unwrap();
}

async fn write_five(tx: &mut Tx, author: &Account) -> Vec<PostId> {
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(write_post(tx, author, Visibility::Public, &Links::default()).await.id);
    }
    ids
}

both! {
    /// Ten thousand posts that are not asked for, or not for the viewer, lie between five that are and five more.
    async fn a_page_looks_at_so_many_posts_and_the_next_goes_on_there(fresh) {
        let db = &fresh.db;
        let mut tx = db.write().await.unwrap();
        let dana = write_member(&mut tx, "dana", Role::Member).await.unwrap();
        let older = write_five(&mut tx, &dana).await;
        let hidden = write_post(&mut tx, &dana, Visibility::Followers, &Links::default()).await.id;
        let newer = write_five(&mut tx, &dana).await;
        // Room for ten thousand between them.
        sql!("UPDATE posts SET id = id + 65536 WHERE account_id = $1 AND deleted_at IS NULL AND id > $2")
            .bind(dana.id)
            .bind(hidden)
            .run(&mut tx)
            .await
            .unwrap();
        many_like(&mut tx, hidden, 9_999).await;
        tx.commit().await.unwrap();
        let moved = newer.into_iter().map(|id| PostId(id.0 + 65_536));
        let mut expected: Vec<PostId> = older.into_iter().chain(moved).collect();
        expected.reverse();
        for limit in [3, 7, 40] {
            holds(db, limit, &expected, &Asked::Account(dana.id)).await;
        }
        let mut tx = db.write().await.unwrap();
        sql!(
            "UPDATE posts SET visibility = 'public', in_reply_to_uri = 'https://maple.example/1'
             WHERE account_id = $1 AND deleted_at IS NULL AND visibility = 'followers'"
        )
        .bind(dana.id)
        .run(&mut tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
        for limit in [3, 7, 40] {
            holds(db, limit, &expected, &Asked::Words(dana.id)).await;
        }
        let (_, pages) = walk(db, Page::first(40), &Asked::Words(dana.id)).await;
        assert!((5..=12).contains(&pages), "{pages} pages for ten thousand posts that are not shown");
    }

    /// Where a page ends does not tell of posts that are not for the viewer, nor of when they were written.
    async fn a_page_ends_where_it_would_without_what_is_hidden(fresh) {
        let db = &fresh.db;
        let mut tx = db.write().await.unwrap();
        let dana = write_member(&mut tx, "dana", Role::Member).await.unwrap();
        let open = write_post(&mut tx, &dana, Visibility::Public, &Links::default()).await.id;
        many_like(&mut tx, open, 2_500).await;
        // Room between them; and all answer somebody, so that a page without answers is empty.
        sql!("UPDATE posts SET id = id + 1000000000 WHERE account_id = $1 AND deleted_at IS NULL")
            .bind(dana.id)
            .run(&mut tx)
            .await
            .unwrap();
        sql!(
            "UPDATE posts SET id = $2 + 1000 + (id - $2 - 1000000000) * 8, in_reply_to_uri = 'https://maple.example/1'
             WHERE account_id = $1 AND deleted_at IS NULL"
        )
        .bind(dana.id)
        .bind(open)
        .run(&mut tx)
        .await
        .unwrap();
        let filter = AccountFilter { exclude_replies: true, ..AccountFilter::default() };
        let mut ends = Vec::new();
        for (n, visibility) in [None, Some(Visibility::Direct), Some(Visibility::Followers)].into_iter().enumerate() {
            // One in the middle, and one that is the newest.
            for place in [10_003, 30_000] {
                if let Some(visibility) = visibility {
                    let hidden = write_post(&mut tx, &dana, visibility, &Links::default()).await.id;
                    let id = open.0 + place + i64::try_from(n).unwrap();
                    sql!("UPDATE posts SET id = $2 WHERE id = $1").bind(hidden).bind(id).run(&mut tx).await.unwrap();
                }
            }
            for page in [Page::first(40), Page { min_id: Some(0), ..Page::first(40) }] {
                let part = timelines::account(&mut tx, Viewer::Anonymous, dana.id, &filter, &page).await.unwrap();
                assert!(part.is_empty());
                ends.push(part.reached().unwrap());
            }
        }
        assert_eq!(ends[..2], ends[2..4]);
        assert_eq!(ends[..2], ends[4..]);
    }

    /// Those that two members follow both, and who may be told of it.
    async fn familiar_followers_are_those_whom_both_know(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let mut people = Vec::new();
        for name in ["dana", "erin", "friend", "stranger", "other"] {
            people.push(write_member(&mut tx, name, Role::Member).await.unwrap().id);
        }
        let [dana, erin, friend, stranger, other] = people[..] else { panic!() };
        let follows_of =
            [(dana, friend), (friend, erin), (stranger, erin), (dana, other), (other, dana), (erin, erin)];
        for (who, followed) in follows_of {
            follow(&mut tx, who, followed).await;
        }
        let found = follows::familiar_followers(&mut tx, dana, erin, 10).await.unwrap();
        assert_eq!(found.iter().map(|account| account.id).collect::<Vec<_>>(), [friend]);
    }

    /// Posts with every mixture of three hashtags, asked for in every way, are those that a look at each one gives.
    async fn hashtags_in_every_mixture_give_each_post_once(fresh) {
        let db = &fresh.db;
        let mixture = |n: usize| -> Vec<&str> {
            let all = ["cats", "dogs", "sleep"].into_iter().enumerate();
            all.filter(|(bit, _)| n >> bit & 1 == 1).map(|(_, tag)| tag).collect()
        };
        let mut tx = db.write().await.unwrap();
        let dana = write_member(&mut tx, "dana", Role::Member).await.unwrap();
        let mut written: Vec<(PostId, Vec<&str>)> = Vec::new();
        for n in 0..48_usize {
            let tags = mixture(n);
            let links = Links { tags: tags.iter().map(|t| ((*t).into(), (*t).into())).collect(), ..Links::default() };
            let post = write_post(&mut tx, &dana, Visibility::Public, &links).await;
            written.push((post.id, tags));
        }
        tx.commit().await.unwrap();
        written.reverse();
        let mixtures: Vec<Vec<&str>> =
            (0..8).map(mixture).chain([vec!["nobody"], vec!["nobody", "cats"]]).collect();
        let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
        for any in mixtures.iter().filter(|any| !any.is_empty()) {
            for all in &mixtures {
                for none in [&mixtures[0], &mixtures[1], &mixtures[6]] {
                    let (any_of, all_of, none_of) = (texts(any), texts(all), texts(none));
                    let filter = TagFilter { any: any_of, all: all_of, none: none_of, ..TagFilter::default() };
                    let expected: Vec<PostId> = written
                        .iter()
                        .filter(|(_, tags)| any.iter().any(|t| tags.contains(t)))
                        .filter(|(_, tags)| all.iter().all(|t| tags.contains(t)))
                        .filter(|(_, tags)| !none.iter().any(|t| tags.contains(t)))
                        .map(|(id, _)| *id)
                        .collect();
                    let posts = Asked::Tag(filter);
                    for limit in [5, 40] {
                        holds(db, limit, &expected, &posts).await;
                    }
                }
            }
        }
    }

    /// One who writes more than one look at a list takes in, some who write now and then, and one who never did.
    async fn a_list_has_the_posts_of_all_on_it_in_their_order(fresh) {
        let db = &fresh.db;
        let mut tx = db.write().await.unwrap();
        let reader = write_member(&mut tx, "reader", Role::Member).await.unwrap();
        let list = List {
            id: ListId(1),
            account_id: reader.id,
            title: "Friends".to_owned(),
            replies_policy: RepliesPolicy::None,
            exclusive: false,
        };
        lists::insert(&mut tx, &list).await.unwrap();
        let mut people: Vec<Account> = Vec::new();
        for n in 0..8 {
            let person = write_member(&mut tx, &format!("person{n}"), Role::Member).await.unwrap();
            follow(&mut tx, reader.id, person.id).await;
            people.push(person);
        }
        // The last one is not on the list.
        let on_it: Vec<_> = people[..7].iter().map(|p| p.id).collect();
        lists::add(&mut tx, list.id, &on_it).await.unwrap();
        let mut expected = Vec::new();
        for n in 0..600 {
            let author = if n % 10 < 7 { 0 } else if n % 100 == 8 { 1 + n / 100 % 5 } else { 7 };
            let post = write_post(&mut tx, &people[author], Visibility::Followers, &Links::default()).await;
            if author != 7 {
                expected.push(post.id);
            }
        }
        tx.commit().await.unwrap();
        expected.reverse();
        assert!(expected.len() > 420);
        for limit in [7, 40] {
            holds(db, limit, &expected, &Asked::List(reader.id, list.id)).await;
        }
        let mut conn = db.read().await.unwrap();
        for id in &expected[..20] {
            assert!(timelines::is_on_list(&mut conn, reader.id, list.id, *id).await.unwrap());
            assert!(!timelines::is_on_list(&mut conn, people[0].id, list.id, *id).await.unwrap(), "nobody else's");
        }
        let other = sql!("SELECT id FROM posts WHERE account_id = $1 AND deleted_at IS NULL LIMIT 1").bind(people[7].id);
        let other = other.ids::<PostId>(&mut conn).await.unwrap()[0];
        assert!(!timelines::is_on_list(&mut conn, reader.id, list.id, other).await.unwrap());
    }

    /// In the order of their newest posts, which the member may not see all; each once, whatever the page is.
    async fn conversations_come_in_the_order_of_their_newest_posts(fresh) {
        let db = &fresh.db;
        let mut tx = db.write().await.unwrap();
        let dana = write_member(&mut tx, "dana", Role::Member).await.unwrap();
        let mut talks = Vec::new();
        for n in 0..9 {
            let other = write_member(&mut tx, &format!("friend{n}"), Role::Member).await.unwrap();
            let mut posts = Vec::new();
            let mut id = None;
            for author in [&other, &dana, &other] {
                let links = Links { mentions: vec![(dana.id, false), (other.id, false)], ..Links::default() };
                let post = write_post(&mut tx, author, Visibility::Direct, &links).await;
                let thread = posts.first().map_or(post.thread_id, |first: &PostId| domain::ThreadId(first.0));
                let place = (thread, post.id);
                let filed = conversations::add_post(&mut tx, dana.id, &[other.id], place, false, false).await.unwrap();
                id = Some(filed.conversation);
                posts.push(post.id);
            }
            talks.push((id.unwrap(), posts));
            // Of this one the member may see only the member's own, and of that one nothing at all.
            if n == 4 {
                follows::insert_block(&mut tx, other.id, dana.id, "a block").await.unwrap();
            }
            if n == 6 {
                for post in talks.pop().unwrap().1 {
                    let now = tx.now();
                    posts::bury(&mut tx, post, now).await.unwrap();
                }
            }
        }
        // The newest goes: its conversation is as old as what is left.
        let left = conversations::remove_post(&mut tx, talks[7].1[2]).await.unwrap();
        assert_eq!(left.len(), 1);
        let older = conversations::remove_post(&mut tx, talks[0].1[0]).await.unwrap();
        assert_eq!(older.len(), 1);
        tx.commit().await.unwrap();
        let mut conn = db.read().await.unwrap();
        let expected: Vec<ConversationId> = talks.iter().rev().map(|(id, _)| *id).collect();
        let shown = |n: usize, posts: &[PostId]| if n == 4 || n == 7 { posts[1] } else { posts[2] };
        let last: Vec<PostId> = talks.iter().enumerate().rev().map(|(n, (_, posts))| shown(n, posts)).collect();
        for limit in [1, 3, 40] {
            holds(db, limit, &expected, &Asked::Conversations(dana.id)).await;
            holds(db, limit, &last, &Asked::LastPosts(dana.id)).await;
        }
        assert_eq!(conversations::get(&mut conn, dana.id, talks[7].0).await.unwrap().last_post.id(), talks[7].1[1]);
    }

    /// The migration finds the conversations that are as new as a post of somebody who blocks the member.
    async fn conversations_of_before_are_as_new_as_what_may_be_seen(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let dana = write_member(&mut tx, "dana", Role::Member).await.unwrap();
        let mut talks = Vec::new();
        for n in 0..3 {
            let other = write_member(&mut tx, &format!("friend{n}"), Role::Member).await.unwrap();
            let links = Links { mentions: vec![(dana.id, false), (other.id, false)], ..Links::default() };
            let mut id = None;
            for author in [&dana, &other] {
                let post = write_post(&mut tx, author, Visibility::Direct, &links).await.id;
                let place = (domain::ThreadId(n), post);
                let filed = conversations::add_post(&mut tx, dana.id, &[other.id], place, false, false).await.unwrap();
                id = Some((filed.conversation, post));
                if n == 1 {
                    break;
                }
            }
            talks.push(id.unwrap());
            if n > 0 {
                follows::insert_block(&mut tx, other.id, dana.id, &format!("block {n}")).await.unwrap();
            }
        }
        const NEWEST: &str = "SELECT last_post_id FROM conversations WHERE account_id = $1 ORDER BY thread_id";
        let before = sql!(NEWEST).bind(dana.id).ids::<PostId>(&mut tx).await.unwrap();
        assert_eq!(before, talks.iter().map(|(_, post)| *post).collect::<Vec<_>>());
        tx.commit().await.unwrap();
        fresh
            .run(
                include_str!("../../../migrations/sqlite/0020__conversations.sql"),
                include_str!("../../../migrations/postgres/0020__conversations.sql"),
            )
            .await;
        let mut conn = fresh.db.read().await.unwrap();
        let after = sql!(NEWEST).bind(dana.id).ids::<PostId>(&mut conn).await.unwrap();
        assert_eq!((after[0], after[1]), (before[0], before[1]));
        assert!(after[2] < before[2] && after[2].0 > 0, "{after:?}");
    }

    /// Whichever kinds are asked for, by whomever: page after page each once, newest first.
    async fn notifications_of_some_kinds_come_each_once(fresh) {
        let db = &fresh.db;
        let kinds = [NotificationKind::Mention, NotificationKind::Follow, NotificationKind::Favourite];
        let mut tx = db.write().await.unwrap();
        let dana = write_member(&mut tx, "dana", Role::Member).await.unwrap();
        let mut told = Vec::new();
        let mut people = Vec::new();
        for n in 0..30_usize {
            let other = write_member(&mut tx, &format!("person{n}"), Role::Member).await.unwrap();
            people.push(other.id);
            for kind in &kinds[..=n % 3] {
                let post = write_post(&mut tx, &dana, Visibility::Public, &Links::default()).await.id;
                let id = notifications::insert(&mut tx, dana.id, other.id, *kind, Some(post), None).await.unwrap();
                told.push((id.unwrap(), *kind, other.id));
            }
        }
        tx.commit().await.unwrap();
        told.reverse();
        for (only, exclude, from) in [
            (vec![], vec![], None),
            (vec![kinds[0]], vec![], None),
            (vec![kinds[1], kinds[2]], vec![], None),
            (vec![], vec![kinds[1]], None),
            (vec![NotificationKind::Poll], vec![], None),
            (vec![], vec![], Some(people[5])),
            (vec![kinds[2]], vec![], Some(people[5])),
        ] {
            let expected: Vec<_> = told
                .iter()
                .filter(|(_, kind, by)| {
                    (only.is_empty() || only.contains(kind)) && !exclude.contains(kind) && from.is_none_or(|f| f == *by)
                })
                .map(|(id, ..)| *id)
                .collect();
            let told = Asked::Notifications(dana.id, Filter { kinds: only, exclude, from });
            for limit in [4, 80] {
                holds(db, limit, &expected, &told).await;
            }
        }
    }
}
