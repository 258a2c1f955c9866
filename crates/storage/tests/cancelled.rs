//! Whoever asks may stop waiting at any moment: an app closes its connection, a deadline passes. Nothing of what was
//! under way then stays in the way of whoever comes next.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use domain::event::Event;
use domain::job::Job;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection};
use storage::{Config, Db, Queue, Result, accounts, counts, jobs};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::both::Fresh;
use crate::people::{account, member};

/// When somebody stops waiting.
#[derive(Debug, Clone, Copy)]
enum Stop {
    /// As soon as there is something to wait for, for the n-th time.
    Asking(usize),
    /// When what was waited for has come.
    Answered(usize),
}

/// `None` when it was given up before its end.
async fn until<T>(stop: Stop, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut waits = 0;
    poll_fn(|cx| {
        if matches!(stop, Stop::Answered(at) if waits == at) {
            return Poll::Ready(None);
        }
        match work.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => {
                waits += 1;
                if matches!(stop, Stop::Asking(at) if waits == at) { Poll::Ready(None) } else { Poll::Pending }
            }
        }
    })
    .await
}

/// Statements of every kind, a job, an event and a wake-up call.
async fn write(db: &Db, name: &str) -> Result<()> {
    let mut tx = db.write().await?;
    let new = account(tx.id(), name, "");
    accounts::upsert(&mut tx, &new).await?;
    accounts::get(&mut tx, new.id).await?;
    accounts::is_taken(&mut tx, name).await?;
    counts::followers(&mut tx, new.id, 1);
    tx.alone("anything").await?;
    let lease = tx.now().plus(Duration::from_secs(60));
    jobs::claim(&mut tx, lease, 10).await?;
    tx.enqueue(Job::DistributeAccount { account: new.id });
    tx.emit(Event::AccountChanged { account: new.id });
    tx.wake(Queue::Deliveries);
    tx.commit().await
}

/// One statement fails, and the transaction with it.
async fn fail(db: &Db, _: &str) -> Result<()> {
    let mut tx = db.write().await?;
    let mut taken = account(tx.id(), "dana", "");
    taken.uri.push_str("/another");
    assert!(accounts::upsert(&mut tx, &taken).await.is_err());
    accounts::is_taken(&mut tx, "dana").await.map(drop)
}

async fn read(db: &Db, _: &str) -> Result<()> {
    let mut conn = db.read().await?;
    accounts::is_taken(&mut conn, "dana").await?;
    jobs::backlog(&mut conn).await?;
    drop(conn);
    accounts::is_taken(&mut db.glance().await?, "dana").await.map(drop)
}

/// No connection of this database is in a transaction, or comes out of it by itself.
async fn nothing_is_open(fresh: &Fresh, after: &str) {
    if fresh.db.is_sqlite() {
        return;
    }
    let mut watcher = PgConnection::connect(&fresh.config.url).await.unwrap();
    for _ in 0..200 {
        let (open,): (i64,) = sqlx::query_as(
            "SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND (state LIKE 'idle in transaction%' OR state = 'active')
               AND pid <> pg_backend_pid()",
        )
        .fetch_one(&mut watcher)
        .await
        .unwrap();
        if open == 0 {
            return watcher.close().await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("a transaction stays open after {after}");
}

type Work = for<'a> fn(&'a Db, &'a str) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// Has `work` given up wherever it waits, once for each place; how often that was.
async fn give_up_everywhere(fresh: &Fresh, db: &Db, name: &'static str, work: Work) -> usize {
    let mut times = 0;
    for kind in [Stop::Asking, Stop::Answered] {
        let mut at = 0;
        loop {
            at += 1;
            let stop = kind(at);
            let who = format!("{name}{}", format!("{stop:?}").replace(['(', ')'], ""));
            let ended = until(stop, work(db, &who)).await;
            nothing_is_open(fresh, &format!("{name}, {stop:?}")).await;
            // Whoever is next writes and keeps it, and sees it from elsewhere.
            let next = member(db, &format!("next{who}")).await;
            let mut conn = fresh.db.read().await.unwrap();
            assert!(accounts::get(&mut conn, next.id).await.is_ok());
            if let Some(ended) = ended {
                assert!(ended.is_ok() || name == "fail", "{name}: {ended:?}");
                break;
            }
            times += 1;
        }
    }
    times
}

/// The same database, and every answer of PostgreSQL takes two milliseconds on its way: so each is waited for.
async fn far_away(fresh: &Fresh) -> Db {
    if fresh.db.is_sqlite() {
        return fresh.db.clone();
    }
    let real: PgConnectOptions = fresh.config.url.parse().unwrap();
    let (host, port) = (real.get_host().to_owned(), real.get_port());
    let relay = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let here = relay.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((near, _)) = relay.accept().await {
            let far = TcpStream::connect((host.as_str(), port)).await.unwrap();
            let ((mut from_us, mut to_us), (mut from_it, mut to_it)) = (near.into_split(), far.into_split());
            tokio::spawn(async move { tokio::io::copy(&mut from_us, &mut to_it).await });
            tokio::spawn(async move {
                let mut some = vec![0; 16 * 1024];
                while let Ok(n @ 1..) = from_it.read(&mut some).await {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                    if to_us.write_all(&some[..n]).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    let url = fresh.config.url.replace(&format!("{}:{port}", real.get_host()), &here.to_string());
    assert_ne!(url, fresh.config.url);
    Db::connect(&Config { url, ..fresh.config.clone() }, fresh.clock.clone()).await.unwrap()
}

both! {
    async fn what_is_given_up_leaves_nothing_open(fresh) {
        let db = far_away(&fresh).await;
        member(&db, "dana").await;
        let times = give_up_everywhere(&fresh, &db, "write", |db, name| Box::pin(write(db, name))).await
            + give_up_everywhere(&fresh, &db, "fail", |db, name| Box::pin(fail(db, name))).await
            + give_up_everywhere(&fresh, &db, "read", |db, name| Box::pin(read(db, name))).await;
        // The embedded database answers at once: there is nothing to wait for.
        assert!(fresh.db.is_sqlite() || times > 30, "given up {times} times");
        // Every connection is there for the next.
        let mut all = Vec::new();
        for _ in 0..4 {
            let one = tokio::time::timeout(Duration::from_secs(5), db.read()).await;
            all.push(one.expect("a connection").unwrap());
        }
        drop(all);
        db.close().await;
    }
}
