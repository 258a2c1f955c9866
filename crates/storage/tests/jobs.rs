//! A job is claimed by one worker at a time, and by another when the first was lost.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Mutex;
use std::time::Duration;

use domain::job::Job;
use domain::{AccountId, JobId, PostId, Timestamp};
use storage::{Db, jobs};

const LEASE: Duration = Duration::from_secs(60);

async fn ask_for(db: &Db, n: i64) {
    let mut tx = db.write().await.unwrap();
    for post in 0..n {
        tx.enqueue(Job::DistributePost { author: AccountId(post), post: PostId(post) });
    }
    tx.commit().await.unwrap();
}

/// As [`ask_for`], all by one author.
async fn ask_in_line(db: &Db, author: AccountId, posts: Range<i64>) {
    let mut tx = db.write().await.unwrap();
    for post in posts {
        tx.enqueue(Job::DistributePost { author, post: PostId(post) });
    }
    tx.commit().await.unwrap();
}

/// The posts whose jobs a claim of up to `limit` takes, and the jobs.
async fn claim(db: &Db, now: Timestamp, limit: i64) -> (Vec<i64>, Vec<jobs::Claimed>) {
    let mut tx = db.write().await.unwrap();
    let claimed = jobs::claim(&mut tx, now.plus(LEASE), limit).await.unwrap();
    tx.commit().await.unwrap();
    let posts = claimed.iter().map(|c| match c.job {
        Job::DistributePost { post, .. } => post.0,
        ref other => panic!("{other:?}"),
    });
    (posts.collect(), claimed)
}

async fn finish(db: &Db, claimed: &[jobs::Claimed]) {
    let mut tx = db.write().await.unwrap();
    for one in claimed {
        jobs::finish(&mut tx, one.id).await.unwrap();
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

    /// While something of an author is under way, nothing that comes after it is given out; others go on.
    async fn what_an_author_does_is_given_out_in_its_order(fresh) {
        let now = fresh.clock.now();
        ask_in_line(&fresh.db, AccountId(1), 0..3).await;
        ask_in_line(&fresh.db, AccountId(2), 3..5).await;
        let (first, of_first) = claim(&fresh.db, now, 2).await;
        assert_eq!(first, [0, 1], "together, in their order");
        let (others, of_others) = claim(&fresh.db, now, 10).await;
        assert_eq!(others, [3, 4], "the other author's");
        assert_eq!(claim(&fresh.db, now, 10).await.0, [0; 0]);
        finish(&fresh.db, &of_first[..1]).await;
        assert_eq!(claim(&fresh.db, now, 10).await.0, [0; 0], "one of the two is under way still");
        finish(&fresh.db, &of_others).await;
        finish(&fresh.db, &of_first[1..]).await;
        assert_eq!(claim(&fresh.db, now, 10).await.0, [2]);
    }

    /// A line of hundreds is in nobody's way, and a deletion waits for none of it.
    async fn a_line_that_waits_keeps_nobody_else_waiting(fresh) {
        let now = fresh.clock.now();
        ask_in_line(&fresh.db, AccountId(1), 0..300).await;
        let (first, _) = claim(&fresh.db, now, 1).await;
        assert_eq!(first, [0]);
        let mut tx = fresh.db.write().await.unwrap();
        tx.enqueue(Job::DistributeDelete { post: PostId(7), unsent: Vec::new(), from_nobody: false });
        tx.enqueue(Job::DistributePost { author: AccountId(2), post: PostId(900) });
        tx.commit().await.unwrap();
        let mut tx = fresh.db.write().await.unwrap();
        let claimed = jobs::claim(&mut tx, now.plus(LEASE), 16).await.unwrap();
        let names: Vec<_> = claimed.iter().map(|c| c.job.name()).collect();
        assert_eq!(names, ["distribute_delete", "distribute_post"]);
    }

    /// What failed and is tried again soon still goes first; what goes on failing lets the others by.
    async fn what_failed_keeps_its_place_for_a_while(fresh) {
        ask_in_line(&fresh.db, AccountId(1), 0..2).await;
        let fail = async |claimed: &[jobs::Claimed]| {
            let mut tx = fresh.db.write().await.unwrap();
            let later = fresh.clock.now().plus(Duration::from_secs(5));
            jobs::retry(&mut tx, claimed[0].id, later, "the database was away").await.unwrap();
            tx.commit().await.unwrap();
        };
        for _ in 0..jobs::PATIENCE {
            let (first, claimed) = claim(&fresh.db, fresh.clock.now(), 1).await;
            assert_eq!(first, [0]);
            fail(&claimed).await;
            assert_eq!(claim(&fresh.db, fresh.clock.now(), 2).await.0, [0; 0], "what comes after it waits with it");
            fresh.advance(Duration::from_secs(5));
        }
        let (first, claimed) = claim(&fresh.db, fresh.clock.now(), 1).await;
        assert_eq!(first, [0]);
        fail(&claimed).await;
        assert_eq!(claim(&fresh.db, fresh.clock.now(), 2).await.0, [1], "no longer");
    }

    /// Two processes with two claimers each, while four authors go on writing: of no author is a later post begun
    /// before an earlier one has ended.
    async fn no_two_processes_work_on_one_line(fresh) {
        const POSTS: i64 = 60;
        let other = fresh.another().await;
        // The next post of each author that may be begun: the first that has not ended, or comes after such in one hand.
        let next: Mutex<HashMap<AccountId, i64>> = Mutex::default();
        let ended = || next.lock().unwrap().values().sum::<i64>();
        let work = async |db: &Db| {
            while ended() < 4 * POSTS {
                let mut tx = db.write().await.unwrap();
                let claimed = jobs::claim(&mut tx, fresh.clock.now().plus(LEASE), 3).await.unwrap();
                tx.commit().await.unwrap();
                let mut mine = next.lock().unwrap().clone();
                for one in &claimed {
                    let Job::DistributePost { author, post } = one.job else { panic!("{:?}", one.job) };
                    let expected = mine.entry(author).or_default();
                    assert_eq!(post.0, *expected, "of {author:?}");
                    *expected += 1;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
                for one in &claimed {
                    let Job::DistributePost { author, .. } = one.job else { continue };
                    *next.lock().unwrap().entry(author).or_default() += 1;
                }
                finish(db, &claimed).await;
            }
        };
        let write = async |db: &Db| {
            for post in 0..POSTS {
                for author in 1..=4 {
                    ask_in_line(db, AccountId(author), post..post + 1).await;
                }
            }
        };
        tokio::join!(work(&fresh.db), work(&other), work(&fresh.db), work(&other), write(&fresh.db));
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
