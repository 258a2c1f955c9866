//! The rule of who may see a post is written twice: in `domain`, and in SQL for lists. Here the two are held together,
//! case by case.

use domain::account::{Account, Role};
use domain::attachment::{Attachment, AttachmentKind};
use domain::page::Page;
use domain::post::Post;
use domain::visibility::Access;
use domain::{AttachmentId, PostId, ThreadId, Viewer, Visibility};
use storage::posts::Links;
use storage::timelines::{AccountFilter, PublicFilter};
use storage::{Conn, Tx, accounts, attachments, follows, hydrate, members, peers, posts, recipients, timelines};

use crate::people::{account, follow, write_member};

/// A post of an account that answers nothing.
pub async fn write_post(tx: &mut Tx, author: &Account, visibility: Visibility, links: &Links) -> Post {
    let id: PostId = tx.id();
    let post = Post {
        id,
        uri: format!("{}/statuses/{id}", author.uri),
        url: format!("{}/{id}", author.url),
        account_id: author.id,
        boost_of_id: None,
        in_reply_to_id: None,
        in_reply_to_account_id: None,
        in_reply_to_uri: None,
        thread_id: ThreadId(id.0),
        visibility,
        content: "<p>Hello</p>".to_owned(),
        source: None,
        spoiler_text: String::new(),
        sensitive: false,
        language: Some("en".to_owned()),
        local: author.is_local(),
        app_id: None,
        created_at: tx.now(),
        edited_at: None,
        replies_count: 0,
        boosts_count: 0,
        favourites_count: 0,
    };
    posts::insert(tx, &post, links).await.unwrap();
    post
}

const VISIBILITIES: [Visibility; 4] =
    [Visibility::Public, Visibility::Unlisted, Visibility::Followers, Visibility::Direct];

/// A picture that somebody uploaded, shown by `post` or by nothing.
async fn write_picture(tx: &mut Tx, owner: &Account, post: Option<PostId>) -> AttachmentId {
    let id: AttachmentId = tx.id();
    let picture = Attachment {
        id,
        account_id: owner.id,
        post_id: post,
        kind: AttachmentKind::Image,
        mime: "image/png".to_owned(),
        key: Some(format!("posts/{id}.png")),
        preview_key: Some(format!("posts/{id}-small.png")),
        remote_url: None,
        description: String::new(),
        blurhash: None,
        focus: None,
        width: None,
        height: None,
        preview_width: None,
        preview_height: None,
        size: None,
        created_at: tx.now(),
    };
    attachments::insert(tx, &picture).await.unwrap();
    id
}

/// An edit that takes all pictures out of a post, and leaves the rest.
async fn edit_away(tx: &mut Tx, post: &Post, links: &Links) {
    let edit = posts::Edit {
        visibility: post.visibility,
        content: &post.content,
        source: None,
        spoiler_text: "",
        sensitive: false,
        language: None,
        edited_at: tx.now(),
        links,
    };
    posts::update(tx, post.id, &edit).await.unwrap();
}

/// Whether each way of reading shows the post to the viewer.
async fn shown(conn: &mut Conn, viewer: Viewer, post: &Post) -> Vec<(&'static str, bool)> {
    let by_id = posts::get(conn, viewer, post.id).await.is_ok();
    let hydrated = !hydrate::posts(conn, viewer, &[post.id]).await.unwrap().is_empty();
    let of_account =
        timelines::account(conn, viewer, post.account_id, &AccountFilter::default(), &Page::first(500)).await.unwrap();
    let mut pictures = Vec::new();
    for picture in attachments::of_versions(conn, post.id).await.unwrap() {
        pictures.push(("attachments::may_see", attachments::may_see(conn, viewer, picture.id).await.unwrap()));
    }
    assert_eq!(pictures.len(), 2);
    vec![
        pictures[0],
        pictures[1],
        ("posts::get", by_id),
        ("hydrate::posts", hydrated),
        ("timelines::account", of_account.iter().any(|found| *found == post.id)),
    ]
}

both! {
    /// Every combination of audience, being addressed, following, being blocked, suspension and a closed account, for a stranger
    /// without an account, the viewer, another member and the author herself.
    async fn sql_and_domain_agree_on_who_may_see_what(fresh) {
        let mut cases = 0;
        for n in 0..16 {
            let (follows_author, blocked, suspended, closed) = (n & 1 != 0, n & 2 != 0, n & 4 != 0, n & 8 != 0);
            let mut tx = fresh.db.write().await.unwrap();
            let mut author = write_member(&mut tx, &format!("author{n}"), Role::Member).await.unwrap();
            let viewer = write_member(&mut tx, &format!("viewer{n}"), Role::Member).await.unwrap();
            let other = write_member(&mut tx, &format!("other{n}"), Role::Member).await.unwrap();
            if follows_author {
                follow(&mut tx, viewer.id, author.id).await;
            }
            if blocked {
                // (`app` ends the follow, too; the rule must hold even where it did not.)
                follows::insert_block(&mut tx, author.id, viewer.id, "https://maple.example/b").await.unwrap();
            }
            let mut written = Vec::new();
            for visibility in VISIBILITIES {
                for addressed in [None, Some(false), Some(true)] {
                    let mentions = addressed.map(|silent| (viewer.id, silent)).into_iter().collect();
                    let links = Links { mentions, ..Links::default() };
                    let post = write_post(&mut tx, &author, visibility, &links).await;
                    write_picture(&mut tx, &author, Some(post.id)).await;
                    // … which an edit replaces.
                    edit_away(&mut tx, &post, &links).await;
                    write_picture(&mut tx, &author, Some(post.id)).await;
                    written.push((post, addressed.is_some()));
                }
            }
            if suspended {
                author.suspended_at = Some(tx.now());
                assert!(accounts::bury(&mut tx, author.id, author.suspended_at.unwrap()).await.unwrap());
            }
            if closed {
                let now = tx.now();
                members::set_disabled(&mut tx, author.id, Some(now)).await.unwrap();
            }
            tx.commit().await.unwrap();

            let mut conn = fresh.db.read().await.unwrap();
            for (post, addressed) in &written {
                for who in [
                    Viewer::Anonymous,
                    Viewer::Account(viewer.id),
                    Viewer::Account(other.id),
                    Viewer::Account(author.id),
                ] {
                    let is_viewer = who == Viewer::Account(viewer.id);
                    let expected = Access {
                        visibility: post.visibility,
                        author: author.id,
                        addressed: *addressed && is_viewer,
                        follows_author: follows_author && is_viewer,
                        blocked_by_author: blocked && is_viewer,
                        author_suspended: suspended || closed,
                    }
                    .allows(who);
                    for (way, seen) in shown(&mut conn, who, post).await {
                        assert_eq!(seen, expected, "{way}: {post:?} {who:?} follows={follows_author} blocked={blocked} suspended={suspended} closed={closed} addressed={addressed}");
                        cases += 1;
                    }
                }
            }
        }
        assert_eq!(cases, 16 * 12 * 4 * 5);
    }

    /// Who answered a post, shared it, was addressed or follows its author is sent it and its edits exactly while she
    /// may see it: every combination, for somebody elsewhere whose server has nobody else.
    async fn a_post_is_sent_to_those_who_may_see_it_now(fresh) {
        let mut sent = 0;
        for n in 0..16 {
            let (follows_author, blocked, answered, shared) = (n & 1 != 0, n & 2 != 0, n & 4 != 0, n & 8 != 0);
            let mut tx = fresh.db.write().await.unwrap();
            let author = write_member(&mut tx, &format!("author{n}"), Role::Member).await.unwrap();
            let reader = account(tx.id(), "reader", &format!("elsewhere{n}.example"));
            accounts::upsert(&mut tx, &reader).await.unwrap();
            if follows_author {
                follow(&mut tx, reader.id, author.id).await;
            }
            if blocked {
                follows::insert_block(&mut tx, author.id, reader.id, "https://maple.example/b").await.unwrap();
            }
            for visibility in VISIBILITIES {
                for addressed in [None, Some(false), Some(true)] {
                    let mentions = addressed.map(|silent| (reader.id, silent)).into_iter().collect();
                    let post = write_post(&mut tx, &author, visibility, &Links { mentions, ..Links::default() }).await;
                    for (is_so, boost) in [(answered, false), (shared, true)] {
                        if is_so {
                            let id: PostId = tx.id();
                            let uri = format!("{}/statuses/{id}", reader.uri);
                            let (boost_of_id, in_reply_to_id) = if boost { (Some(post.id), None) } else { (None, Some(post.id)) };
                            let hers = Post { id, uri, account_id: reader.id, boost_of_id, in_reply_to_id, local: false, ..post.clone() };
                            posts::insert(&mut tx, &hers, &Links::default()).await.unwrap();
                        }
                    }
                    let sees = posts::get(&mut tx, Viewer::Account(reader.id), post.id).await.is_ok();
                    let concerns = follows_author || answered || shared || addressed.is_some();
                    let to = recipients::audience_inboxes(&mut tx, post.id).await.unwrap();
                    let expected: Vec<String> = reader.shared_inbox_url.clone().into_iter().filter(|_| sees && concerns).collect();
                    assert_eq!(to, expected, "{post:?} follows={follows_author} blocked={blocked} answered={answered} shared={shared} addressed={addressed:?}");
                    sent += expected.len();
                    // Her server may fetch it in the name of another there, while she may see it.
                    let fetches = peers::addresses_domain(&mut tx, post.id, reader.domain.as_ref().unwrap()).await.unwrap();
                    assert_eq!(fetches, addressed.is_some() && sees, "{post:?} blocked={blocked} addressed={addressed:?}");
                }
            }
            tx.commit().await.unwrap();
        }
        // Not blocked: addressed, all; else the open ones where anything is so, and those for followers where she follows.
        assert_eq!(sent, 8 * 8 + 7 * 2 + 4);
    }

    /// What no post shows, yet or any more, is its owner's; a file is found by either of its names, and what lies
    /// outside the folder for posts cannot be one.
    async fn a_picture_of_no_post_is_its_owners(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let dana = write_member(&mut tx, "dana", Role::Member).await.unwrap();
        let priya = write_member(&mut tx, "priya", Role::Member).await.unwrap();
        let upload = write_picture(&mut tx, &dana, None).await;
        let post = write_post(&mut tx, &dana, Visibility::Public, &Links::default()).await;
        let released = write_picture(&mut tx, &dana, Some(post.id)).await;
        let priya_sees = Viewer::Account(priya.id);
        assert!(attachments::may_see(&mut tx, priya_sees, released).await.unwrap());
        attachments::release(&mut tx, post.id).await.unwrap();
        for (viewer, sees) in [(Viewer::Anonymous, false), (priya_sees, false), (Viewer::Account(dana.id), true)] {
            for picture in [upload, released] {
                assert_eq!(attachments::may_see(&mut tx, viewer, picture).await.unwrap(), sees, "{viewer:?} {picture}");
            }
        }
        for key in [format!("posts/{upload}.png"), format!("posts/{upload}-small.png")] {
            assert_eq!(attachments::unchecked_by_key(&mut tx, &key).await.unwrap().unwrap().id, upload);
        }
        assert!(attachments::unchecked_by_key(&mut tx, "posts/0.png").await.unwrap().is_none());
        tx.commit().await.unwrap();
        for (key, small) in [("aa/bb/c.png", None), ("posts/c.png", Some("aa/bb/c.png"))] {
            let mut tx = fresh.db.write().await.unwrap();
            assert!(attachments::keep_file(&mut tx, upload, key, small).await.is_err(), "{key}");
        }
    }

    /// Public lists hold public posts alone, and nothing of those whom the viewer does not want to see.
    async fn public_lists_hold_public_posts_that_the_viewer_wants(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let mut names = Vec::new();
        for name in ["viewer", "blocked", "muted", "blocks", "plain"] {
            names.push(write_member(&mut tx, name, Role::Member).await.unwrap());
        }
        let [viewer, blocked, muted, blocks, plain] = names.try_into().unwrap();
        let mut by = Vec::new();
        for author in [&blocked, &muted, &blocks, &plain, &viewer] {
            for visibility in VISIBILITIES {
                by.push(write_post(&mut tx, author, visibility, &Links::default()).await);
            }
        }
        follows::insert_block(&mut tx, viewer.id, blocked.id, "https://maple.example/1").await.unwrap();
        follows::insert_block(&mut tx, blocks.id, viewer.id, "https://maple.example/2").await.unwrap();
        follows::upsert_mute(&mut tx, viewer.id, muted.id, true, None).await.unwrap();
        tx.commit().await.unwrap();

        let mut conn = fresh.db.read().await.unwrap();
        let public = |author: &Account| {
            by.iter().find(|p| p.account_id == author.id && p.visibility == Visibility::Public).unwrap().id
        };
        let page = Page::first(100);
        let seen = timelines::public(&mut conn, Viewer::Account(viewer.id), PublicFilter::default(), &page).await.unwrap();
        assert_eq!(seen[..], [public(&viewer), public(&plain)]);
        let seen = timelines::public(&mut conn, Viewer::Anonymous, PublicFilter::default(), &page).await.unwrap();
        assert_eq!(seen[..], [public(&viewer), public(&plain), public(&blocks), public(&muted), public(&blocked)]);
    }
}
