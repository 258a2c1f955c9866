//! What is kept from earlier reads never shows what is no longer so, or never was.

use domain::Visibility;
use storage::posts::Links;
use storage::{Db, accounts, counts, hydrate};

use crate::people::member;
use crate::visible::write_post;

async fn shown_name(db: &Db, id: domain::AccountId) -> String {
    hydrate::account(&mut db.read().await.unwrap(), id).await.unwrap().account.display_name.clone()
}

both! {
    /// A change that is taken back was never made, although somebody looked at it from inside.
    async fn what_was_rolled_back_is_not_kept(fresh) {
        let mut dana = member(&fresh.db, "dana").await;
        assert_eq!(shown_name(&fresh.db, dana.id).await, "");
        let mut tx = fresh.db.write().await.unwrap();
        dana.display_name = "Never".to_owned();
        accounts::upsert(&mut tx, &dana).await.unwrap();
        assert_eq!(hydrate::account(&mut tx, dana.id).await.unwrap().account.display_name, "Never");
        drop(tx);
        let mut tx = fresh.db.write().await.unwrap();
        dana.display_name = "Dana".to_owned();
        accounts::upsert(&mut tx, &dana).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(shown_name(&fresh.db, dana.id).await, "Dana");
    }

    /// What another process changed is seen at once: the version says so.
    async fn another_process_changes_are_seen_at_once(fresh) {
        let mut dana = member(&fresh.db, "dana").await;
        let other = fresh.another().await;
        assert_eq!(shown_name(&other, dana.id).await, "");
        let mut tx = fresh.db.write().await.unwrap();
        dana.display_name = "Dana".to_owned();
        accounts::upsert(&mut tx, &dana).await.unwrap();
        counts::followers(&mut tx, dana.id, 2);
        let post = write_post(&mut tx, &dana, Visibility::Public, &Links::default()).await;
        tx.commit().await.unwrap();
        assert_eq!(shown_name(&other, dana.id).await, "Dana");
        let mut conn = other.read().await.unwrap();
        let view = hydrate::post(&mut conn, domain::Viewer::Anonymous, post.id).await.unwrap();
        assert_eq!((view.account.account.followers_count, view.post().boosts_count), (2, 0));
        let mut tx = fresh.db.write().await.unwrap();
        counts::boosts(&mut tx, post.id, 1, dana.id);
        tx.commit().await.unwrap();
        let view = hydrate::post(&mut conn, domain::Viewer::Anonymous, post.id).await.unwrap();
        assert_eq!(view.post().boosts_count, 1);
        drop(conn);
        other.close().await;
    }
}
