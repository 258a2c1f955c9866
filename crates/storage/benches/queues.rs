//! What a claim costs when much waits: a million deliveries to 10,000 hosts, as many received activities and a tenth as
//! many jobs, of each one in a hundred due.
//!
//! `cargo bench -p porchlight-storage [-- ROWS [DATABASE_URL]]`; the embedded database unless said otherwise (a
//! `postgres://` address names an empty database, which is left full). On PostgreSQL with statistics that are missing,
//! true, and of another time. Milliseconds that pass until the claim is committed. Never a test: it asserts nothing
//! about time.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench tells what it found, and stops at the first failure"
)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use domain::Clock;
use storage::{Config, Db, deliveries, hosts, inbox_items, jobs, sql};

/// Claims of each kind.
const ROUNDS: usize = 20;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let rows: i64 = arguments.next().map_or(1_000_000, |rows| rows.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite://{}", folder.path().join("queues.db").display());
    let config = Config { url: arguments.next().unwrap_or(file), max_connections: 8 };
    let db = Db::connect(&config, Clock::System).await.unwrap();
    println!("| {rows} wait, statistics | deliveries | received | jobs |\n|---|---:|---:|---:|");
    if db.is_sqlite() {
        fill(&db, rows).await;
        measure(&db, "none are kept").await;
        return;
    }
    let mut tx = db.write().await.unwrap();
    // Statistics stay as they are made here.
    for query in [
        sql!("ALTER TABLE deliveries SET (autovacuum_enabled = off)"),
        sql!("ALTER TABLE inbox_items SET (autovacuum_enabled = off)"),
        sql!("ALTER TABLE jobs SET (autovacuum_enabled = off)"),
        sql!("ALTER TABLE hosts SET (autovacuum_enabled = off)"),
    ] {
        query.run(&mut tx).await.unwrap();
    }
    tx.commit().await.unwrap();
    // As after a quiet night: one row to one host.
    fill(&db, 1).await;
    analyse(&db).await;
    fill(&db, rows).await;
    measure(&db, "of one row").await;
    analyse(&db).await;
    measure(&db, "true").await;
    let mut tx = db.write().await.unwrap();
    for query in [
        sql!(
            "DELETE FROM pg_statistic WHERE starelid IN
                ('deliveries'::regclass, 'inbox_items'::regclass, 'jobs'::regclass, 'hosts'::regclass)"
        ),
        sql!(
            "UPDATE pg_class SET reltuples = -1, relpages = 0
             WHERE relname IN ('deliveries', 'inbox_items', 'jobs', 'hosts')"
        ),
    ] {
        query.run(&mut tx).await.unwrap();
    }
    tx.commit().await.unwrap();
    measure(&db, "none").await;
}

async fn analyse(db: &Db) {
    let mut conn = db.read().await.unwrap();
    sql!("ANALYZE deliveries, inbox_items, jobs, hosts").run(&mut conn).await.unwrap();
}

/// Rows of each queue, a hundredth of them due now and the others in an hour; each host has a hundred.
async fn fill(db: &Db, rows: i64) {
    let mut tx = db.write().await.unwrap();
    let (now, later) = (tx.now(), tx.now().plus(Duration::from_secs(3600)));
    for query in [
        sql!("DELETE FROM deliveries /* scan */"),
        sql!("DELETE FROM outgoing_activities /* scan */"),
        sql!("DELETE FROM inbox_items /* scan */"),
        sql!("DELETE FROM jobs /* scan */"),
        sql!("DELETE FROM hosts /* scan */"),
    ] {
        query.run(&mut tx).await.unwrap();
    }
    sql!("INSERT INTO outgoing_activities (id, account_id, body, created_at) VALUES (1, 1, '{}', $1)")
        .bind(now)
        .run(&mut tx)
        .await
        .unwrap();
    for (fill, rows) in [
        (
            sql!(
                "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT i + 1 FROM n WHERE i < $1)
                 INSERT INTO deliveries (id, activity_id, account_id, host, inbox_url, run_at, created_at)
                 SELECT i, 1, i / 10000 % 7, 'h' || (i % 10000), 'https://h' || (i % 10000) || '/inbox',
                    CASE WHEN i / 10000 % 100 = 0 THEN $2 ELSE $3 END, $2 FROM n"
            ),
            rows,
        ),
        (
            sql!(
                "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT i + 1 FROM n WHERE i < $1)
                 INSERT INTO inbox_items (id, activity_uri, actor_id, host, body, received_at, run_at, put_off)
                 SELECT i, 'https://h' || i, i % 10000 * 50 + i / 10000 % 50, 'h' || (i % 10000), '{}', $2,
                    CASE WHEN i / 10000 % 100 = 0 THEN $2 ELSE $3 END, i / 10000 % 100 <> 0 FROM n"
            ),
            rows,
        ),
        (
            sql!(
                "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT i + 1 FROM n WHERE i < $1)
                 INSERT INTO jobs (id, payload, run_at, created_at, line)
                 SELECT i, '{\"job\":\"distribute_post\",\"post\":1}', CASE WHEN i % 100 = 0 THEN $2 ELSE $3 END,
                    $2, i / 100 % 1000 FROM n"
            ),
            rows / 10,
        ),
    ] {
        fill.bind(rows).bind(now).bind(later).run(&mut tx).await.unwrap();
    }
    sql!("INSERT INTO hosts (host, due_at) SELECT DISTINCT host, $1 FROM deliveries")
        .bind(now)
        .run(&mut tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

async fn measure(db: &Db, statistics: &str) {
    let mut columns = Vec::new();
    for queue in ["deliveries", "received", "jobs"] {
        let mut times = Vec::new();
        let (mut found, mut after) = (0, String::new());
        for _ in 0..ROUNDS {
            let began = Instant::now();
            let mut tx = db.write().await.unwrap();
            let lease = tx.now().plus(Duration::from_secs(60));
            match queue {
                "deliveries" => {
                    let claim = deliveries::claim(&mut tx, lease, 500, 16).await.unwrap();
                    found += claim.deliveries.len();
                }
                "received" => {
                    let claim = inbox_items::claim(&mut tx, lease, 256, 32, &[], &after).await.unwrap();
                    found += claim.items.len();
                    after = claim.after.unwrap_or_default();
                }
                _ => found += jobs::claim(&mut tx, lease, 16).await.unwrap().len(),
            }
            tx.commit().await.unwrap();
            times.push(began.elapsed().as_secs_f64() * 1000.0);
        }
        times.sort_by(f64::total_cmp);
        columns.push(format!("{:.1} (max {:.1}, {found} found)", times[ROUNDS / 2], times[ROUNDS - 1]));
    }
    println!("| {statistics} | {} |", columns.join(" | "));
    // As it was.
    let mut tx = db.write().await.unwrap();
    for query in [
        sql!("UPDATE deliveries /* scan */ SET leased_until = 0, attempts = 0 WHERE leased_until > 0"),
        sql!("UPDATE inbox_items /* scan */ SET leased_until = 0, attempts = 0 WHERE leased_until > 0"),
        sql!("UPDATE jobs /* scan */ SET leased_until = 0, attempts = 0 WHERE leased_until > 0"),
    ] {
        query.run(&mut tx).await.unwrap();
    }
    let all = sql!("SELECT host FROM hosts /* scan */").all::<(domain::Host,)>(&mut tx).await.unwrap();
    let free: Vec<_> = all.into_iter().map(|(host,)| host).collect();
    hosts::settle(&mut tx, &BTreeMap::new(), &free).await.unwrap();
    tx.commit().await.unwrap();
}
