//! A clock that steps back, or is behind: ids never do, and nothing waits for hours.

use std::time::Duration;

use domain::job::Job;
use domain::{Clock, PostId, Visibility};
use storage::posts::Links;
use storage::{Db, jobs};

use crate::people::member;
use crate::visible::write_post;

const HOUR: Duration = Duration::from_secs(60 * 60);

both! {
    async fn ids_continue_in_a_process_whose_clock_is_behind(fresh) {
        let account = member(&fresh.db, "dana").await;
        let behind = Clock::manual(fresh.clock.now().minus(HOUR));
        let other = Db::connect(&fresh.config, behind).await.unwrap();
        let next: i64 = other.ids().next();
        assert!(next > account.id.0, "{next}");
        let after: i64 = other.ids().next();
        assert!(after > next);
        other.close().await;
    }

    async fn a_job_and_a_lease_of_a_later_time_are_brought_forward(fresh) {
        fresh.db.watch_clock().await.unwrap();
        let mut tx = fresh.db.write().await.unwrap();
        tx.enqueue(Job::FetchThread { post: PostId(1) });
        tx.enqueue(Job::FetchThread { post: PostId(2) });
        tx.commit().await.unwrap();
        let mut tx = fresh.db.write().await.unwrap();
        let lease = tx.now().plus(Duration::from_secs(300));
        let held = jobs::claim(&mut tx, lease, 1).await.unwrap();
        assert_eq!(held.len(), 1);
        tx.commit().await.unwrap();

        fresh.clock.step_back(HOUR);
        fresh.db.watch_clock().await.unwrap();
        let claim = async || {
            let mut tx = fresh.db.write().await.unwrap();
            let lease = tx.now().plus(Duration::from_secs(300));
            let claimed = jobs::claim(&mut tx, lease, 10).await.unwrap();
            tx.commit().await.unwrap();
            claimed.len()
        };
        assert_eq!(claim().await, 1, "the one that nobody holds is due");
        assert_eq!(claim().await, 0);
        fresh.advance(Duration::from_secs(40 * 60));
        assert_eq!(claim().await, 2, "no lease is longer");
    }

    /// Several processes on PostgreSQL, each with a clock of its own.
    async fn a_process_learns_what_others_clocks_show(fresh) {
        let behind = Clock::manual(fresh.clock.now().minus(HOUR));
        let other = Db::connect(&fresh.config, behind).await.unwrap();
        fresh.advance(HOUR);
        let author = member(&fresh.db, "dana").await;
        let mut tx = fresh.db.write().await.unwrap();
        let post = write_post(&mut tx, &author, Visibility::Public, &Links::default()).await;
        tx.commit().await.unwrap();
        if !other.is_sqlite() {
            other.watch_clock().await.unwrap();
            let next: i64 = other.ids().next();
            assert!(next > post.id.0);
        }
        other.close().await;
    }
}
