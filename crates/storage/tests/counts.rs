//! Counters that an earlier version kept are brought in line with what anybody may see.

use domain::account::{Account, Role};
use domain::post::Post;
use domain::{PostId, Visibility};
use storage::posts::Links;
use storage::{Tx, accounts, interactions, members, posts};

use crate::people::write_member;
use crate::visible::write_post;

async fn also(tx: &mut Tx, by: &Account, like: &Post, visibility: Visibility, boost: bool) -> Post {
    let id: PostId = tx.id();
    let (boost_of_id, in_reply_to_id) = if boost { (Some(like.id), None) } else { (None, Some(like.id)) };
    let uri = format!("{}/statuses/{id}", by.uri);
    let post = Post { id, uri, account_id: by.id, boost_of_id, in_reply_to_id, visibility, ..like.clone() };
    posts::insert(tx, &post, &Links::default()).await.unwrap();
    post
}

both! {
    async fn a_migration_counts_anew(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let dana = write_member(&mut tx, "dana", Role::Member).await.unwrap();
        let priya = write_member(&mut tx, "priya", Role::Member).await.unwrap();
        let eve = write_member(&mut tx, "eve", Role::Member).await.unwrap();
        let root = write_post(&mut tx, &dana, Visibility::Public, &Links::default()).await;
        let narrowed = write_post(&mut tx, &dana, Visibility::Followers, &Links::default()).await;
        let stale = also(&mut tx, &priya, &narrowed, Visibility::Public, true).await;
        for who in [&priya, &eve] {
            for visibility in [Visibility::Public, Visibility::Unlisted, Visibility::Followers, Visibility::Direct] {
                also(&mut tx, who, &root, visibility, false).await;
            }
            also(&mut tx, who, &root, Visibility::Public, true).await;
            let like: i64 = tx.id();
            interactions::favourite(&mut tx, like, who.id, who.is_local(), root.id, "").await.unwrap();
        }
        let now = tx.now();
        members::set_disabled(&mut tx, eve.id, Some(now)).await.unwrap();
        tx.commit().await.unwrap();
        const WRONG: &str = "UPDATE posts SET replies_count = 9, boosts_count = 9, favourites_count = 9;
            UPDATE accounts SET posts_count = 9, last_post_at = 99;";
        fresh.run(WRONG, WRONG).await;
        fresh
            .run(
                include_str!("../../../migrations/sqlite/0014__counts__of_what_is_seen.sql"),
                include_str!("../../../migrations/postgres/0014__counts__of_what_is_seen.sql"),
            )
            .await;
        let mut conn = fresh.db.read().await.unwrap();
        let root = posts::unchecked(&mut conn, root.id).await.unwrap();
        assert_eq!((root.replies_count, root.boosts_count, root.favourites_count), (2, 1, 1));
        assert_eq!(posts::unchecked(&mut conn, stale.id).await.unwrap().visibility, Visibility::Followers);
        let priya = accounts::get(&mut conn, priya.id).await.unwrap();
        assert_eq!((priya.posts_count, priya.last_post_at), (3, Some(root.created_at)));
        let dana = accounts::get(&mut conn, dana.id).await.unwrap();
        assert_eq!(dana.posts_count, 1);
    }
}
