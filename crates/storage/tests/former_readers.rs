//! Who is told of a deletion though she may read nothing any more.

use domain::account::{Account, Role};
use domain::instance::DomainSeverity;
use domain::post::Post;
use domain::{PostId, Timestamp, Visibility};
use storage::posts::Links;
use storage::{Tx, accounts, domains, follows, former_readers, posts, purges, recipients};

use crate::people::{account, follow, host, write_member};
use crate::visible::write_post;

async fn somebody(tx: &mut Tx, name: &str, domain: &str) -> Account {
    let account = account(tx.id(), name, domain);
    accounts::upsert(tx, &account).await.unwrap();
    account
}

/// The hosts that hear of a deletion because somebody there read the post once.
async fn told(tx: &mut Tx, post: PostId) -> Vec<String> {
    hosts(former_readers::inboxes(tx, post).await.unwrap())
}

fn hosts(inboxes: Vec<String>) -> Vec<String> {
    let mut hosts: Vec<String> =
        inboxes.iter().map(|url| url.strip_prefix("https://").unwrap().split('/').next().unwrap().to_owned()).collect();
    hosts.sort();
    hosts
}

async fn later(tx: &mut Tx, like: &Post) -> Post {
    let id: PostId = tx.id();
    let post =
        Post { id, uri: format!("{}/later", like.uri), created_at: Timestamp(tx.now().0 + 3_600_000), ..like.clone() };
    posts::insert(tx, &post, &Links::default()).await.unwrap();
    post
}

both! {
    /// Whichever way a follow ends, the community hears of the deletion of what was there before, and of nothing later.
    async fn a_follow_that_ended_is_remembered(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let dana = write_member(&mut tx, "dana", Role::Member).await.unwrap();
        let mut readers = Vec::new();
        for host in ["unfollows.example", "goes.example", "blocked.example"] {
            for name in ["one", "two"] {
                let reader = somebody(&mut tx, name, host).await;
                follow(&mut tx, reader.id, dana.id).await;
                readers.push(reader);
            }
        }
        let mut written = Vec::new();
        for visibility in [Visibility::Public, Visibility::Unlisted, Visibility::Followers, Visibility::Direct] {
            written.push(write_post(&mut tx, &dana, visibility, &Links::default()).await);
        }
        for post in &written {
            assert!(told(&mut tx, post.id).await.is_empty(), "they follow");
        }
        for reader in &readers[..2] {
            assert!(follows::remove(&mut tx, reader.id, dana.id).await.unwrap());
        }
        for reader in &readers[2..4] {
            let now = tx.now();
            accounts::bury(&mut tx, reader.id, now).await.unwrap();
            purges::relations(&mut tx, reader.id).await.unwrap();
        }
        domains::sever(&mut tx, &[host("blocked.example")]).await.unwrap();
        assert!(recipients::follower_inboxes(&mut tx, dana.id).await.unwrap().is_empty());
        let all = ["blocked.example", "goes.example", "unfollows.example"];
        for post in &written {
            let expected: &[&str] = if post.visibility == Visibility::Direct { &[] } else { &all };
            assert_eq!(told(&mut tx, post.id).await, expected, "{:?}", post.visibility);
            let later = later(&mut tx, post).await;
            assert!(told(&mut tx, later.id).await.is_empty(), "they never had it");
        }
        let name = host("blocked.example");
        domains::set(&mut tx, &name, DomainSeverity::Suspend, None).await.unwrap();
        assert_eq!(told(&mut tx, written[0].id).await, all[1..], "a suspended community hears nothing");
        assert_eq!(hosts(former_readers::inboxes_of_author(&mut tx, dana.id).await.unwrap()), all[1..]);

        let now = tx.now();
        former_readers::forget(&mut tx, Timestamp(now.0 + 1)).await.unwrap();
        assert_eq!(told(&mut tx, written[0].id).await.len(), 2, "the member and her posts are there");
        accounts::bury(&mut tx, dana.id, now).await.unwrap();
        former_readers::forget(&mut tx, now).await.unwrap();
        assert_eq!(told(&mut tx, written[0].id).await.len(), 2, "not long enough");
        former_readers::forget(&mut tx, Timestamp(now.0 + 1)).await.unwrap();
        assert!(told(&mut tx, written[0].id).await.is_empty());
    }

    /// Of one post, and forgotten with it: whom an edit takes out, or who is gone though the post is still addressed to her.
    async fn whom_a_post_addressed_is_remembered(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let dana = write_member(&mut tx, "dana", Role::Member).await.unwrap();
        let here = write_member(&mut tx, "here", Role::Member).await.unwrap();
        let out = somebody(&mut tx, "out", "out.example").await;
        let stays = somebody(&mut tx, "stays", "stays.example").await;
        let goes = somebody(&mut tx, "goes", "goes.example").await;
        let mentions = [&here, &out, &stays, &goes].map(|a| (a.id, false)).to_vec();
        let post = write_post(&mut tx, &dana, Visibility::Direct, &Links { mentions, ..Links::default() }).await;
        let other = write_post(&mut tx, &dana, Visibility::Direct, &Links::default()).await;
        let links = Links { mentions: [&stays, &goes].map(|a| (a.id, false)).to_vec(), ..Links::default() };
        let edit = posts::Edit {
            visibility: post.visibility,
            content: "", source: None, spoiler_text: "", sensitive: false, language: None, edited_at: tx.now(), links: &links,
        };
        posts::update(&mut tx, post.id, &edit).await.unwrap();
        assert_eq!(told(&mut tx, post.id).await, ["out.example"]);
        let audience = recipients::audience_inboxes(&mut tx, post.id).await.unwrap();
        assert_eq!(hosts(audience), ["goes.example", "stays.example"]);
        let now = tx.now();
        accounts::bury(&mut tx, goes.id, now).await.unwrap();
        purges::relations(&mut tx, goes.id).await.unwrap();
        assert_eq!(told(&mut tx, post.id).await, ["goes.example", "out.example"]);
        assert!(told(&mut tx, other.id).await.is_empty());
        assert!(posts::bury(&mut tx, post.id, now).await.unwrap());
        assert_eq!(told(&mut tx, post.id).await.len(), 2, "now they are to be told");
        former_readers::forget(&mut tx, Timestamp(now.0 + 1)).await.unwrap();
        assert!(told(&mut tx, post.id).await.is_empty());
    }
}
