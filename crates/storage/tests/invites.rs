//! A link is never used more often than it says, whoever comes at once.

use std::time::Duration;

use domain::{InviteId, Timestamp};
use storage::invites::{Invite, insert, take};
use storage::{Db, invites};

use crate::people::member;

async fn invite(db: &Db, code: &str, max_uses: Option<i64>, expires_at: Option<Timestamp>) -> InviteId {
    let mut tx = db.write().await.unwrap();
    let id = tx.id();
    let invite = Invite {
        id,
        code: code.to_owned(),
        created_by: None,
        max_uses,
        uses: 0,
        expires_at,
        revoked_at: None,
        created_at: tx.now(),
    };
    insert(&mut tx, &invite).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn takes(db: &Db, code: &str) -> bool {
    let mut tx = db.write().await.unwrap();
    let taken = take(&mut tx, code).await.unwrap().is_some();
    tx.commit().await.unwrap();
    taken
}

both! {
    async fn three_uses_admit_three_of_sixteen(fresh) {
        invite(&fresh.db, "three", Some(3), None).await;
        let mut tasks = Vec::new();
        for _ in 0..16 {
            let db = fresh.db.clone();
            tasks.push(tokio::spawn(async move { takes(&db, "three").await }));
        }
        let mut admitted = 0;
        for task in tasks {
            admitted += usize::from(task.await.unwrap());
        }
        assert_eq!(admitted, 3);
        let mut conn = fresh.db.read().await.unwrap();
        let read = invites::by_code(&mut conn, "three").await.unwrap().unwrap();
        assert_eq!(read.uses, 3);
        assert!(!read.is_usable(fresh.clock.now()));
    }

    /// A use whose transaction fails is no use.
    async fn a_use_that_came_to_nothing_is_not_counted(fresh) {
        invite(&fresh.db, "once", Some(1), None).await;
        let mut tx = fresh.db.write().await.unwrap();
        assert!(take(&mut tx, "once").await.unwrap().is_some());
        drop(tx);
        assert!(takes(&fresh.db, "once").await);
        assert!(!takes(&fresh.db, "once").await);
    }

    async fn expired_revoked_and_unknown_links_admit_nobody(fresh) {
        let expires = fresh.clock.now().plus(Duration::from_secs(60));
        invite(&fresh.db, "short", None, Some(expires)).await;
        assert!(takes(&fresh.db, "short").await);
        fresh.advance(Duration::from_secs(60));
        assert!(!takes(&fresh.db, "short").await, "it expires at the moment it says");

        let id = invite(&fresh.db, "open", None, None).await;
        assert!(takes(&fresh.db, "open").await);
        let mut tx = fresh.db.write().await.unwrap();
        assert!(invites::revoke(&mut tx, id).await.unwrap());
        assert!(!invites::revoke(&mut tx, id).await.unwrap());
        tx.commit().await.unwrap();
        assert!(!takes(&fresh.db, "open").await);
        assert!(!takes(&fresh.db, "unheard-of").await);
    }

    async fn a_deleted_members_links_end_and_others_do_not(fresh) {
        let dana = member(&fresh.db, "dana").await;
        let id = invite(&fresh.db, "others", None, None).await;
        let mut tx = fresh.db.write().await.unwrap();
        let hers = Invite {
            id: tx.id(),
            code: "hers".to_owned(),
            created_by: Some(dana.id),
            max_uses: Some(5),
            uses: 0,
            expires_at: None,
            revoked_at: None,
            created_at: tx.now(),
        };
        insert(&mut tx, &hers).await.unwrap();
        assert_eq!(invites::list(&mut tx, Some(dana.id), 10).await.unwrap(), std::slice::from_ref(&hers));
        assert_eq!(invites::list(&mut tx, None, 10).await.unwrap().len(), 2);
        invites::revoke_all(&mut tx, dana.id).await.unwrap();
        tx.commit().await.unwrap();
        assert!(!takes(&fresh.db, "hers").await);
        assert!(takes(&fresh.db, "others").await);
        assert_eq!(invites::get(&mut fresh.db.read().await.unwrap(), id).await.unwrap().uses, 1);
    }
}
