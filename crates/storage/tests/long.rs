//! Questions that may take long: asked apart from all others, few at a time, and given up.

use std::time::Duration;

use storage::{Db, Error, sql};

/// Counts without an end.
async fn for_ever(db: &Db) -> Result<i64, Error> {
    let mut conn = db.read_long().await?;
    sql!("WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")
        .count(&mut conn)
        .await
}

async fn answers(db: &Db, n: i64) {
    let mut conn = db.read().await.unwrap();
    assert_eq!(sql!("SELECT CAST($1 AS BIGINT) + 1").bind(n).count(&mut conn).await.unwrap(), n + 1);
    let mut tx = db.write().await.unwrap();
    assert_eq!(sql!("SELECT CAST($1 AS BIGINT) + 1").bind(n).count(&mut tx).await.unwrap(), n + 1);
    tx.commit().await.unwrap();
}

both! {
    /// While two questions without an answer are asked all others are answered, a third waits for its turn, and all
    /// end.
    async fn who_asks_what_has_no_answer_holds_nobody_up(fresh) {
        let ask = || {
            let db = fresh.db.clone();
            tokio::spawn(async move { for_ever(&db).await })
        };
        let asked = [ask(), ask(), ask()];
        let mut n = 0;
        while !asked.iter().all(tokio::task::JoinHandle::is_finished) {
            answers(&fresh.db, n).await;
            n += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(n > 20, "others had {n} answers meanwhile");
        for ended in asked {
            assert!(matches!(ended.await.unwrap(), Err(Error::TooLong)));
        }
        // Nothing of it is left to whoever comes next.
        for n in 0..4 {
            let mut conn = fresh.db.read_long().await.unwrap();
            assert_eq!(sql!("SELECT CAST($1 AS BIGINT) + 1").bind(n).count(&mut conn).await.unwrap(), n + 1);
        }
    }

    /// Whoever stops waiting does not keep a place, nor do more run than may.
    async fn who_gives_up_gives_the_turn_back(fresh) {
        for _ in 0..6 {
            let gave_up = tokio::time::timeout(Duration::from_millis(30), for_ever(&fresh.db)).await;
            assert!(gave_up.is_err());
        }
        let mut conn = fresh.db.read_long().await.unwrap();
        assert_eq!(sql!("SELECT CAST($1 AS BIGINT)").bind(5).count(&mut conn).await.unwrap(), 5);
        drop(conn);
        fresh.db.close().await;
    }
}
