//! A job is claimed by one worker at a time, and by another when the first was lost.

use std::collections::HashSet;
use std::time::Duration;

use domain::job::Job;
use domain::{JobId, PostId};
use storage::{Db, jobs};

async fn ask_for(db: &Db, n: i64) {
    let mut tx = db.write().await.unwrap();
    for post in 0..n {
        tx.enqueue(Job::DistributePost { post: PostId(post) });
    }
    tx.commit().await.unwrap();
}

both! {
    /// Two processes with four claimers each empty a queue of 200: every job is given out exactly once.
    async fn no_job_is_claimed_twice(fresh) {
        ask_for(&fresh.db, 200).await;
        let other = fresh.another().await;
        let mut tasks = Vec::new();
        for n in 0..8 {
            let db = if n % 2 == 0 { fresh.db.clone() } else { other.clone() };
            let clock = fresh.clock.clone();
            tasks.push(tokio::spawn(async move {
                let mut mine = Vec::new();
                loop {
                    let now = clock.now();
                    let mut tx = db.write().await.unwrap();
                    let claimed = jobs::claim(&mut tx, now.plus(Duration::from_secs(60)), 7).await.unwrap();
                    tx.commit().await.unwrap();
                    if claimed.is_empty() {
                        return mine;
                    }
                    mine.extend(claimed.into_iter().map(|c| c.id));
                }
            }));
        }
        let mut all: Vec<JobId> = Vec::new();
        for task in tasks {
            all.extend(task.await.unwrap());
        }
        let once: HashSet<JobId> = all.iter().copied().collect();
        assert_eq!((all.len(), once.len()), (200, 200));
        other.close().await;
    }

    /// Whoever watches a server sees by it whether somebody works.
    async fn what_is_due_longest_is_known_until_somebody_works_on_it(fresh) {
        let oldest = async || jobs::oldest_due(&mut fresh.db.read().await.unwrap(), fresh.clock.now()).await.unwrap();
        assert_eq!(oldest().await, None);
        ask_for(&fresh.db, 1).await;
        let first = oldest().await.unwrap();
        fresh.advance(Duration::from_secs(60));
        ask_for(&fresh.db, 1).await;
        assert_eq!(oldest().await, Some(first));
        let mut tx = fresh.db.write().await.unwrap();
        let claimed = jobs::claim(&mut tx, fresh.clock.now().plus(Duration::from_secs(60)), 2).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(oldest().await, None, "somebody works on it");
        let mut tx = fresh.db.write().await.unwrap();
        jobs::retry(&mut tx, claimed[0].id, fresh.clock.now().plus(Duration::from_secs(30)), "later").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(oldest().await, None, "it is not due yet");
        fresh.advance(Duration::from_secs(90));
        assert!(oldest().await.is_some());
    }

    /// What tells of a deletion is done first, and is no older than it is.
    async fn a_job_that_goes_first_is_due_since_it_was_asked_for(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        tx.enqueue(Job::DistributeDelete { post: PostId(1), unsent: Vec::new(), from_nobody: false });
        tx.commit().await.unwrap();
        let asked = fresh.clock.now();
        fresh.advance(Duration::from_secs(60));
        ask_for(&fresh.db, 1).await;
        let mut conn = fresh.db.read().await.unwrap();
        assert_eq!(jobs::oldest_due(&mut conn, fresh.clock.now()).await.unwrap(), Some(asked));
    }

    async fn a_lease_that_ran_out_gives_the_job_to_another(fresh) {
        ask_for(&fresh.db, 1).await;
        let lease = Duration::from_secs(60);
        let claim = || async {
            let now = fresh.clock.now();
            let mut tx = fresh.db.write().await.unwrap();
            let claimed = jobs::claim(&mut tx, now.plus(lease), 10).await.unwrap();
            tx.commit().await.unwrap();
            claimed
        };
        let first = claim().await;
        assert_eq!((first.len(), first[0].attempts), (1, 0));
        assert!(claim().await.is_empty(), "it is held");
        fresh.advance(lease);
        let second = claim().await;
        assert_eq!((second.len(), second[0].attempts, second[0].id), (1, 1, first[0].id));

        // A failed one waits for its time.
        let mut tx = fresh.db.write().await.unwrap();
        jobs::retry(&mut tx, second[0].id, fresh.clock.now().plus(lease), "no answer").await.unwrap();
        tx.commit().await.unwrap();
        assert!(claim().await.is_empty());
        fresh.advance(lease);
        assert_eq!(claim().await.len(), 1);

        let mut tx = fresh.db.write().await.unwrap();
        jobs::finish(&mut tx, second[0].id).await.unwrap();
        tx.commit().await.unwrap();
        fresh.advance(lease * 2);
        assert!(claim().await.is_empty());
        assert_eq!(jobs::backlog(&mut fresh.db.read().await.unwrap()).await.unwrap(), (0, None));
    }
}
