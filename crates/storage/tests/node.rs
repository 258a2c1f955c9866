//! The number of a process on PostgreSQL, when the connection that holds it ends: PostgreSQL restarts, the network
//! fails.

use std::collections::HashSet;
use std::time::Duration;

use domain::event::Event;
use domain::job::Job;
use domain::{AccountId, PostId};
use sqlx::{Connection as _, PgConnection};
use storage::{Db, Error, Queue, jobs};
use tokio::sync::broadcast::Receiver;

use crate::both::Fresh;

/// Of our advisory locks.
const NUMBERS: &str = "locktype = 'advisory' AND classid = CAST(1886351971 AS oid) AND objsubid = 2
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

async fn watcher(fresh: &Fresh) -> PgConnection {
    PgConnection::connect(&fresh.config.url).await.unwrap()
}

async fn numbers(watcher: &mut PgConnection) -> Vec<i64> {
    those(watcher, "granted").await
}

async fn those(watcher: &mut PgConnection, condition: &str) -> Vec<i64> {
    let query = format!("SELECT CAST(objid AS bigint) FROM pg_locks WHERE {condition} AND {NUMBERS}");
    let rows: Vec<(i64,)> = sqlx::query_as(sqlx::AssertSqlSafe(query)).fetch_all(watcher).await.unwrap();
    rows.into_iter().map(|(number,)| number).collect()
}

/// Ends the session that holds this number.
async fn end_session(watcher: &mut PgConnection, number: u8) {
    let query =
        format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE objid = CAST($1 AS oid) AND {NUMBERS}");
    let ended: Vec<(bool,)> =
        sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(i64::from(number)).fetch_all(watcher).await.unwrap();
    assert_eq!(ended, [(true,)]);
}

/// Ends every session but the watcher's and one, as a restart of PostgreSQL does.
async fn end_all_sessions(watcher: &mut PgConnection, but: i32) {
    let query = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid <> $1";
    let ended: Vec<(bool,)> = sqlx::query_as(query).bind(but).fetch_all(watcher).await.unwrap();
    assert!(ended.len() > 1 && ended.iter().all(|(ended,)| *ended));
}

/// Looks for those who are dead, once that can be done: a session of its own that has just ended may be noticed in the
/// middle of it.
async fn look_for_the_dead(db: &Db) {
    for _ in 0..100 {
        if db.end_leases_of_the_dead(false).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it could not look");
}

/// Ids that were committed with a job each, once that can be done again.
async fn ids(db: &Db, count: usize) -> Vec<i64> {
    let mut made = Vec::new();
    for _ in 0..600 {
        if made.len() == count {
            return made;
        }
        let Ok(mut tx) = db.write().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let id: i64 = tx.id();
        tx.enqueue(Job::DistributePost { author: AccountId(1), post: PostId(id) });
        if tx.commit().await.is_ok() {
            made.push(id);
        }
    }
    panic!("only {} of {count} could be written", made.len());
}

async fn a_job_is_claimed(db: &Db) {
    let mut tx = db.write().await.unwrap();
    tx.enqueue(Job::RefreshAccount { account: AccountId(1) });
    tx.commit().await.unwrap();
    let mut tx = db.write().await.unwrap();
    let lease = tx.now().plus(Duration::from_secs(60));
    assert_eq!(jobs::claim(&mut tx, lease, 10).await.unwrap().len(), 1);
    tx.commit().await.unwrap();
}

async fn is_free(db: &Db) -> bool {
    let mut tx = db.write().await.unwrap();
    let lease = tx.now().plus(Duration::from_secs(60));
    !jobs::claim(&mut tx, lease, 10).await.unwrap().is_empty()
}

both! {
    /// What was begun before it was lost does not become true; what is begun then waits until a number is held.
    async fn a_number_that_was_lost_is_taken_again(fresh) {
        if fresh.db.is_sqlite() {
            return;
        }
        let (mut watcher, number) = (watcher(&fresh).await, fresh.db.node());
        let mut begun = fresh.db.write().await.unwrap();
        begun.enqueue(Job::DistributePost { author: AccountId(1), post: PostId(1) });
        end_session(&mut watcher, number).await;
        let taken = async {
            while numbers(&mut watcher).await != [i64::from(number)] {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), taken).await.expect("the number is taken again");
        assert!(matches!(begun.commit().await, Err(Error::Unavailable(_))));
        ids(&fresh.db, 1).await;
        assert_eq!(jobs::backlog(&mut fresh.db.read().await.unwrap()).await.unwrap().0, 1);
    }

    /// What was done before PostgreSQL ended may be lost: it is not of the era in which it would be settled.
    async fn an_era_ends_with_the_session(fresh) {
        let before = fresh.db.era();
        let tx = fresh.db.write_repeatable().await.unwrap();
        assert!(tx.is_of(before));
        drop(tx);
        if fresh.db.is_sqlite() {
            return;
        }
        let (mut watcher, number) = (watcher(&fresh).await, fresh.db.node());
        end_session(&mut watcher, number).await;
        ids(&fresh.db, 1).await;
        for _ in 0..600 {
            if fresh.db.era() != before {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        ids(&fresh.db, 1).await;
        let tx = fresh.db.write_repeatable().await.unwrap();
        assert!(!tx.is_of(before) && tx.is_of(fresh.db.era()));
    }

    /// What a process holds without knowing is freed; what it knows of is not, nor what another holds.
    async fn jobs_that_nobody_knows_of_are_freed(fresh) {
        for n in 0..3 {
            let mut tx = fresh.db.write().await.unwrap();
            tx.enqueue(Job::DistributePost { author: AccountId(n), post: PostId(n) });
            tx.commit().await.unwrap();
        }
        let claimed = async |limit| {
            let mut tx = fresh.db.write().await.unwrap();
            let lease = tx.now().plus(Duration::from_secs(60));
            let all = jobs::claim(&mut tx, lease, limit).await.unwrap();
            tx.commit().await.unwrap();
            all.into_iter().map(|job| job.id).collect::<Vec<_>>()
        };
        let (known, _unknown) = (claimed(1).await, claimed(1).await);
        let mut tx = fresh.db.write().await.unwrap();
        assert_eq!(jobs::free_all_but(&mut tx, &known).await.unwrap(), 1);
        tx.commit().await.unwrap();
        assert_eq!(claimed(10).await.len(), 2);
        if !fresh.db.is_sqlite() {
            let other = fresh.another().await;
            let mut tx = other.write().await.unwrap();
            assert_eq!(jobs::free_all_but(&mut tx, &[]).await.unwrap(), 0);
        }
    }

    /// Another process takes the number in the moment in which a restart frees it.
    async fn no_two_processes_have_a_number_after_a_restart(fresh) {
        if fresh.db.is_sqlite() {
            return;
        }
        let (mut watcher, number) = (watcher(&fresh).await, fresh.db.node());
        ids(&fresh.db, 20).await;
        // It waits for the number, so that nobody is before it.
        let mut taker = PgConnection::connect(&fresh.config.url).await.unwrap();
        let (pid,): (i32,) = sqlx::query_as("SELECT pg_backend_pid()").fetch_one(&mut taker).await.unwrap();
        let taken = tokio::spawn(async move {
            let lock = sqlx::query("SELECT pg_advisory_lock(1886351971, $1)").bind(i32::from(number));
            lock.execute(&mut taker).await.map(|_| taker)
        });
        while those(&mut watcher, "NOT granted").await.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        end_all_sessions(&mut watcher, pid).await;
        let taker = taken.await.unwrap().unwrap();
        let other = fresh.another().await;
        let (mine, others) = tokio::join!(ids(&fresh.db, 500), ids(&other, 500));
        assert!(mine.iter().chain(&others).all(|id| id >> 10 & 0x3F != i64::from(number)), "the taker's");
        assert_ne!(fresh.db.node(), other.node());
        let all: HashSet<i64> = mine.iter().chain(&others).copied().collect();
        assert_eq!(all.len(), 1_000, "no id twice");
        let held: HashSet<i64> = numbers(&mut watcher).await.into_iter().collect();
        assert_eq!(held, [number, fresh.db.node(), other.node()].map(i64::from).into());
        other.close().await;
        taker.close().await.unwrap();
    }

    /// Whoever listens is told that something may be missing, and hears what comes after it.
    async fn listeners_are_told_that_something_was_missed(fresh) {
        if fresh.db.is_sqlite() {
            return;
        }
        let mut watcher = watcher(&fresh).await;
        let mut events = fresh.db.hub().subscribe();
        let hub = fresh.db.hub().clone();
        let woken = tokio::spawn(async move { hub.wait(Queue::Deliveries, Duration::from_secs(600)).await });
        end_all_sessions(&mut watcher, 0).await;
        let next = async |events: &mut Receiver<Event>| {
            tokio::time::timeout(Duration::from_secs(10), events.recv()).await.expect("an event").unwrap()
        };
        assert_eq!(next(&mut events).await, Event::SomeMissed);
        tokio::time::timeout(Duration::from_secs(10), woken).await.expect("the worker looks").unwrap();
        let other = fresh.another().await;
        let mut tx = other.write().await.unwrap();
        tx.emit(Event::SettingsChanged);
        tx.commit().await.unwrap();
        // It may be told more than once.
        let heard = async {
            while next(&mut events).await == Event::SomeMissed {}
        };
        tokio::time::timeout(Duration::from_secs(10), heard).await.expect("what comes after it");
        other.close().await;
    }

    /// A lock that is gone for a moment is no sign that its process died.
    async fn work_under_way_stays_with_who_does_it_through_a_restart(fresh) {
        if fresh.db.is_sqlite() {
            return;
        }
        let (mut watcher, other) = (watcher(&fresh).await, fresh.another().await);
        a_job_is_claimed(&fresh.db).await;
        end_session(&mut watcher, fresh.db.node()).await;
        look_for_the_dead(&fresh.db).await;
        assert!(!is_free(&other).await, "its own");
        a_job_is_claimed(&other).await;
        look_for_the_dead(&fresh.db).await;
        end_session(&mut watcher, other.node()).await;
        look_for_the_dead(&fresh.db).await;
        assert!(!is_free(&fresh.db).await, "the other's");
        // Closed, it holds no number; it was there when this was asked before, and then no more.
        let gone = other.node();
        other.close().await;
        drop(other);
        let ended = async {
            while numbers(&mut watcher).await.contains(&i64::from(gone)) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), ended).await.expect("it ends");
        look_for_the_dead(&fresh.db).await;
        look_for_the_dead(&fresh.db).await;
        assert!(is_free(&fresh.db).await, "of a process that is gone");
    }
}
