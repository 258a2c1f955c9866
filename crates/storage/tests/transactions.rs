//! A transaction is the only outbox: what it asked for happens with it, or not at all.

use std::collections::HashSet;
use std::time::Duration;

use domain::event::Event;
use domain::job::Job;
use domain::{AccountId, PostId};
use storage::{Db, Queue, jobs, sql};
use tokio::sync::broadcast::Receiver;

use crate::both::Engine;
use crate::people::{account, member};

const EVENT: Event = Event::PostCreated { post: PostId(1) };

async fn next(events: &mut Receiver<Event>) -> Option<Event> {
    tokio::time::timeout(Duration::from_secs(5), events.recv()).await.ok().map(Result::unwrap)
}

/// Nothing comes: another event, sent after what must not come, is the first to arrive.
async fn nothing_but(db: &Db, events: &mut Receiver<Event>) {
    let mut tx = db.write().await.unwrap();
    tx.emit(Event::SettingsChanged);
    tx.commit().await.unwrap();
    assert_eq!(next(events).await, Some(Event::SettingsChanged));
}

/// On PostgreSQL a statement could run for ever: it is ended, whoever asked hears that it did not work now, and the
/// connection is as good as before. At the stop nobody waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_statement_runs_for_ever() {
    crate::both::on(Engine::Postgres, |fresh| async move {
        let mut conn = fresh.db.read().await.unwrap();
        let limits =
            sql!("SELECT setting FROM pg_settings WHERE name IN ('statement_timeout', 'lock_timeout') ORDER BY name");
        let limits: Vec<(String,)> = limits.all(&mut conn).await.unwrap();
        assert_eq!(limits, [("10000".to_owned(),), ("30000".to_owned(),)], "milliseconds");
        sql!("SET statement_timeout = '100ms'").run(&mut conn).await.unwrap();
        let ended = sql!("SELECT CAST(1 AS bigint) FROM pg_sleep(60)").count(&mut conn).await;
        assert!(matches!(ended, Err(storage::Error::TooLong)), "{ended:?}");
        assert_eq!(sql!("SELECT CAST(2 AS bigint)").count(&mut conn).await.unwrap(), 2);
        sql!("SET statement_timeout = '30s'").run(&mut conn).await.unwrap();

        let asks =
            tokio::spawn(async move { sql!("SELECT CAST(1 AS bigint) FROM pg_sleep(25)").count(&mut conn).await });
        tokio::time::sleep(Duration::from_millis(200)).await;
        let closed = tokio::time::timeout(Duration::from_secs(15), fresh.db.close());
        closed.await.expect("nobody waits for what runs");
        assert!(asks.await.unwrap().is_err());
        assert!(fresh.db.read().await.is_err());
    })
    .await;
}

both! {
    async fn a_dropped_transaction_leaves_no_row_no_job_and_no_event(fresh) {
        let mut events = fresh.db.hub().subscribe();
        let mut tx = fresh.db.write().await.unwrap();
        let dana = account(tx.id(), "dana", "");
        storage::accounts::upsert(&mut tx, &dana).await.unwrap();
        tx.enqueue(Job::DistributeAccount { account: dana.id });
        tx.emit(EVENT);
        drop(tx);
        nothing_but(&fresh.db, &mut events).await;
        let mut conn = fresh.db.read().await.unwrap();
        assert!(storage::accounts::get(&mut conn, dana.id).await.is_err());
        assert_eq!(jobs::backlog(&mut conn).await.unwrap(), (0, None));
    }

    /// Whoever hears of a change finds it, and the job that came with it.
    async fn an_event_comes_after_the_change_it_tells_of(fresh) {
        let mut events = fresh.db.hub().subscribe();
        let mut tx = fresh.db.write().await.unwrap();
        let dana = account(tx.id(), "dana", "");
        storage::accounts::upsert(&mut tx, &dana).await.unwrap();
        tx.enqueue(Job::DistributeAccount { account: dana.id });
        tx.emit(EVENT);
        assert!(events.try_recv().is_err(), "told before it happened");
        tx.commit().await.unwrap();
        assert_eq!(next(&mut events).await, Some(EVENT));
        let mut conn = fresh.db.read().await.unwrap();
        assert!(storage::accounts::get(&mut conn, dana.id).await.is_ok());
        assert_eq!(jobs::backlog(&mut conn).await.unwrap().0, 1);
    }

    async fn events_keep_their_order(fresh) {
        let mut events = fresh.db.hub().subscribe();
        let mut tx = fresh.db.write().await.unwrap();
        for n in 0..100 {
            tx.emit(Event::PostCreated { post: PostId(n) });
        }
        tx.commit().await.unwrap();
        for n in 0..100 {
            assert_eq!(next(&mut events).await, Some(Event::PostCreated { post: PostId(n) }));
        }
    }

    async fn a_job_wakes_the_worker_that_waits(fresh) {
        let hub = fresh.db.hub().clone();
        let waiting = tokio::spawn(async move {
            // Woken, not timed out: the limit is far beyond the test's.
            hub.wait(Queue::Jobs, Duration::from_secs(600)).await;
        });
        let mut tx = fresh.db.write().await.unwrap();
        tx.enqueue(Job::DistributePost { author: AccountId(1), post: PostId(1) });
        tx.commit().await.unwrap();
        tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("nobody woke it").unwrap();
    }

    /// Two processes on one database never make the same id.
    async fn processes_take_different_node_numbers(fresh) {
        let other = fresh.another().await;
        let mine: HashSet<i64> = (0..2_000).map(|_| fresh.db.ids().next()).collect();
        assert!((0..2_000).all(|_| !mine.contains(&other.ids().next::<i64>())));
        other.close().await;
    }

    /// Writers that read before they write: on SQLite the second waits for the first instead of failing.
    async fn sixteen_who_read_and_then_write_all_succeed(fresh) {
        let dana = member(&fresh.db, "dana").await;
        let mut tasks = Vec::new();
        for _ in 0..16 {
            let db = fresh.db.clone();
            tasks.push(tokio::spawn(async move {
                for _ in 0..10 {
                    let mut tx = db.write().await.unwrap();
                    storage::accounts::get(&mut tx, dana.id).await.unwrap();
                    storage::counts::followers(&mut tx, dana.id, 1);
                    tx.commit().await.unwrap();
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        let mut conn = fresh.db.read().await.unwrap();
        assert_eq!(storage::accounts::get(&mut conn, dana.id).await.unwrap().followers_count, 160);
    }

    async fn a_reader_cannot_write(fresh) {
        if fresh.db.is_sqlite() {
            for mut conn in [fresh.db.read().await.unwrap(), fresh.db.glance().await.unwrap()] {
                let dana = account(domain::AccountId(1), "dana", "");
                assert!(storage::accounts::upsert(&mut conn, &dana).await.is_err());
            }
        }
    }
}

/// What one process changes, listeners of another hear of.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_reach_other_processes() {
    crate::both::on(Engine::Postgres, |fresh| async move {
        let other = fresh.another().await;
        let (mut here, mut there) = (fresh.db.hub().subscribe(), other.hub().subscribe());
        let mut tx = fresh.db.write().await.unwrap();
        tx.emit(EVENT);
        tx.commit().await.unwrap();
        assert_eq!(next(&mut there).await, Some(EVENT));
        assert_eq!(next(&mut here).await, Some(EVENT), "once to whoever changed it, too");
        nothing_but(&other, &mut here).await;
        other.close().await;
    })
    .await;
}

/// PostgreSQL keeps the plan of a statement: making it anew for each set of values takes longer than running it.
#[tokio::test]
async fn postgres_plans_a_statement_once() {
    crate::both::on(Engine::Postgres, |fresh| async move {
        let mut conn = fresh.db.read().await.unwrap();
        for _ in 0..20 {
            let found = storage::sql!("SELECT account_id FROM members WHERE account_id = ANY($1) ORDER BY account_id");
            assert!(found.bind(vec![1_i64, 2]).all::<(i64,)>(&mut conn).await.unwrap().is_empty());
        }
        let plans = storage::sql!(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements
             WHERE statement = 'SELECT account_id FROM members WHERE account_id = ANY($1) ORDER BY account_id'"
        );
        assert_eq!(plans.one::<(i64, i64)>(&mut conn).await.unwrap(), (20, 0));
    })
    .await;
}

/// Why the database cannot be reached is said at once, not after half a minute of trying.
#[tokio::test]
async fn a_closed_port_is_told_at_once() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = storage::Config { url: format!("postgres://porchlight@{free}/porchlight"), max_connections: 3 };
    let tried = tokio::time::timeout(Duration::from_secs(10), Db::connect(&config, domain::Clock::System)).await;
    let error = tried.expect("an answer in time").expect_err("nobody listens there");
    assert!(matches!(&error, storage::Error::Unavailable(why) if why.contains("refused")), "{error}");
}
