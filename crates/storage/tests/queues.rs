//! Queues that several processes work on at once: nothing is lost, nothing is given to two, everything keeps its order,
//! and a claim looks at few rows however many there are.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::{AccountId, DeliveryId, Host, Timestamp};
use storage::deliveries::{self, Claimed, Inbox, Kind, New, Urgency};
use storage::hosts::{self, Answered};
use storage::withdrawn::withdraw;
use storage::{Db, inbox_items, sql};

use crate::both::Fresh;
use crate::peers::held_by_another;
use crate::people::{host, member, plain};

const LEASE: Duration = Duration::from_secs(60);

fn inbox(n: u64) -> Inbox {
    let name = format!("h{n}.example");
    Inbox { host: host(&name), url: format!("https://{name}/inbox") }
}

async fn enqueue(db: &Db, new: New<'_>, to: &[Inbox]) {
    let mut tx = db.write().await.unwrap();
    deliveries::enqueue(&mut tx, new, to).await.unwrap();
    tx.commit().await.unwrap();
}

async fn claim(db: &Db) -> Vec<Claimed> {
    let mut tx = db.write().await.unwrap();
    let lease = tx.now().plus(LEASE);
    let claim = deliveries::claim(&mut tx, lease, 40, 4).await.unwrap();
    tx.commit().await.unwrap();
    claim.deliveries
}

/// All of a claim ended well, and its hosts are free.
async fn settle(db: &Db, claimed: &[Claimed]) {
    let mut tx = db.write().await.unwrap();
    let ids: Vec<DeliveryId> = claimed.iter().map(|delivery| delivery.id).collect();
    deliveries::hold_these(&mut tx, &ids).await.unwrap();
    deliveries::finish(&mut tx, &ids).await.unwrap();
    let hosts: Vec<Host> = claimed.iter().map(|delivery| delivery.host.clone()).collect();
    hosts::settle(&mut tx, &BTreeMap::new(), &hosts).await.unwrap();
    tx.commit().await.unwrap();
}

/// Numbers that are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// What the workers of all processes saw.
#[derive(Default)]
struct Seen {
    /// Under way now.
    held: HashSet<DeliveryId>,
    /// Delivered, by author and inbox, in the order it happened.
    sent: BTreeMap<(AccountId, String), Vec<String>>,
}

/// One process: claims, and settles as the dice fall.
async fn work(db: Db, seen: Arc<Mutex<Seen>>, done: Arc<AtomicBool>, mut dice: Dice) {
    loop {
        let claimed = claim(&db).await;
        if claimed.is_empty() {
            if done.load(Ordering::Acquire) && deliveries::backlog(&mut db.read().await.unwrap()).await.unwrap().0 == 0
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
            continue;
        }
        for delivery in &claimed {
            assert!(seen.lock().unwrap().held.insert(delivery.id), "{delivery:?} is under way twice");
        }
        let ids: Vec<_> = claimed.iter().map(|delivery| delivery.activity_id).collect();
        let bodies: HashMap<_, _> =
            deliveries::bodies(&mut db.read().await.unwrap(), &ids).await.unwrap().into_iter().collect();
        tokio::task::yield_now().await;

        let mut tx = db.write().await.unwrap();
        deliveries::hold_these(&mut tx, &claimed.iter().map(|d| d.id).collect::<Vec<_>>()).await.unwrap();
        let (mut ended, mut answers) = (Vec::new(), BTreeMap::new());
        for delivery in &claimed {
            let now = tx.now();
            match dice.roll(12) {
                0 => deliveries::retry(&mut tx, delivery.id, now.plus(Duration::from_secs(3)), "401").await.unwrap(),
                1 => {
                    let retry_at = now.plus(Duration::from_secs(2));
                    deliveries::retry(&mut tx, delivery.id, retry_at, "503").await.unwrap();
                    answers.insert(delivery.host.clone(), Answered::Not { retry_at, error: "503".to_owned() });
                }
                _ => {
                    ended.push(delivery);
                    answers.entry(delivery.host.clone()).or_insert(Answered::Well);
                }
            }
        }
        deliveries::finish(&mut tx, &ended.iter().map(|d| d.id).collect::<Vec<_>>()).await.unwrap();
        let free: Vec<Host> = claimed.iter().map(|d| d.host.clone()).collect();
        hosts::settle(&mut tx, &answers, &free).await.unwrap();
        {
            // Before others can claim what comes after it.
            let mut seen = seen.lock().unwrap();
            for delivery in &ended {
                if let Some(body) = bodies.get(&delivery.activity_id) {
                    let lane = (delivery.account_id, delivery.inbox_url.clone());
                    seen.sent.entry(lane).or_default().push(body.clone());
                }
            }
            for delivery in &claimed {
                seen.held.remove(&delivery.id);
            }
        }
        tx.commit().await.unwrap();
    }
}

/// Who writes: each asks for activities to some of the inboxes, and now and then takes one back.
async fn write(db: Db, author: AccountId, posts: u64, mut dice: Dice, wanted: Arc<AtomicU64>) {
    for n in 0..posts {
        let body = format!("{:04}", n);
        let subject = format!("post {author} {n}");
        let new = New { author, body: &body, subject: Some(&subject), kind: Kind::Create, urgency: Urgency::Usual };
        let to: Vec<Inbox> = (0..9).filter(|_| dice.roll(2) == 0).map(inbox).collect();
        enqueue(&db, new, &to).await;
        wanted.fetch_add(to.len() as u64, Ordering::Relaxed);
        if dice.roll(8) == 0 {
            let mut tx = db.write().await.unwrap();
            withdraw(&mut tx, &subject).await.unwrap();
            // Beside it, something of the same author that goes first.
            let gone = New { author, body: "gone", subject: None, kind: Kind::Other, urgency: Urgency::Deletion };
            deliveries::enqueue(&mut tx, gone, &to).await.unwrap();
            tx.commit().await.unwrap();
        }
    }
}

/// Nothing is under way, and each author's to each inbox were sent once and in their order; how many.
fn in_order(seen: &Mutex<Seen>) -> u64 {
    let seen = seen.lock().unwrap();
    assert!(seen.held.is_empty());
    let mut sent = 0;
    for (lane, bodies) in &seen.sent {
        let posts: Vec<&String> = bodies.iter().filter(|body| *body != "gone").collect();
        assert!(posts.is_sorted(), "{lane:?}: {posts:?}");
        assert_eq!(posts.iter().collect::<HashSet<_>>().len(), posts.len(), "{lane:?}: {posts:?}");
        sent += posts.len() as u64;
    }
    sent
}

both! {
    /// Three processes work, four members write and take back, hosts fail: what is left at the end is nothing, each was
    /// sent once, an author's in their order.
    async fn several_processes_send_each_once_and_in_its_order(fresh) {
        let databases = [fresh.db.clone(), fresh.another().await, fresh.another().await];
        let (seen, done, wanted) = (Arc::<Mutex<Seen>>::default(), Arc::new(AtomicBool::new(false)), Arc::default());
        let mut writers = tokio::task::JoinSet::new();
        for (n, name) in (1..).zip(["dana", "erin", "fay", "gwen"]) {
            let author = member(&fresh.db, name).await.id;
            let db = databases[usize::try_from(n).unwrap() % 3].clone();
            writers.spawn(write(db, author, 40, Dice(n), Arc::clone(&wanted)));
        }
        let mut workers = tokio::task::JoinSet::new();
        for (n, db) in (10..).zip(&databases) {
            workers.spawn(work(db.clone(), Arc::clone(&seen), Arc::clone(&done), Dice(n)));
        }
        let clock = fresh.clone();
        let ticking = tokio::spawn(async move {
            loop {
                clock.advance(Duration::from_millis(500));
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        while let Some(written) = writers.join_next().await {
            written.unwrap();
        }
        done.store(true, Ordering::Release);
        let all = async {
            while let Some(worked) = workers.join_next().await {
                worked.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(90), all).await.expect("everything is sent");
        ticking.abort();
        let sent = in_order(&seen);
        let wanted = wanted.load(Ordering::Relaxed);
        assert!(sent <= wanted && sent > wanted / 2, "{sent} of {wanted}");
        let mut tx = fresh.db.write().await.unwrap();
        deliveries::forget_sent(&mut tx, Timestamp(i64::MAX)).await.unwrap();
        let left = sql!("SELECT count(*) FROM outgoing_activities /* scan */").count(&mut tx).await.unwrap();
        let rows = sql!("SELECT count(*) FROM hosts /* scan */ WHERE failures = 0").count(&mut tx).await.unwrap();
        assert_eq!((left, rows), (0, 0), "nothing is kept of what was sent, nor of hosts that answer");
        drop(tx);
        for db in &databases[1..] {
            db.close().await;
        }
    }

    /// What waits for another is not looked at each time; when that is taken back, it goes within ten minutes.
    async fn what_waits_for_another_is_put_off_and_not_forgotten(fresh) {
        let dana = member(&fresh.db, "dana").await.id;
        let to = [inbox(1)];
        let new = |body, subject| New { body, subject: Some(subject), kind: Kind::Create, ..plain(dana) };
        enqueue(&fresh.db, new("one", "post 1"), &to).await;
        let first = claim(&fresh.db).await;
        let mut tx = fresh.db.write().await.unwrap();
        let late = tx.now().plus(Duration::from_secs(12 * 3600));
        deliveries::retry(&mut tx, first[0].id, late, "401").await.unwrap();
        hosts::settle(&mut tx, &BTreeMap::new(), &[to[0].host.clone()]).await.unwrap();
        tx.commit().await.unwrap();
        enqueue(&fresh.db, new("two", "post 2"), &to).await;
        assert!(claim(&fresh.db).await.is_empty(), "it waits for the first");
        let mut conn = fresh.db.read().await.unwrap();
        let due = sql!("SELECT min(run_at) FROM deliveries /* scan */").count(&mut conn).await.unwrap();
        drop(conn);
        assert!(due > fresh.clock.now().0, "it is put off");
        let mut tx = fresh.db.write().await.unwrap();
        withdraw(&mut tx, "post 1").await.unwrap();
        tx.commit().await.unwrap();
        fresh.advance(Duration::from_secs(601));
        assert_eq!(claim(&fresh.db).await.len(), 1, "nothing keeps it back any more");
    }

    /// A host in trouble is asked by one delivery, when it may be asked; once it answered, all goes.
    async fn a_host_in_trouble_is_asked_by_one_delivery(fresh) {
        let dana = member(&fresh.db, "dana").await.id;
        let erin = member(&fresh.db, "erin").await.id;
        let to = [inbox(1)];
        for author in [dana, erin] {
            enqueue(&fresh.db, plain(author), &to).await;
        }
        let both = claim(&fresh.db).await;
        assert_eq!(both.len(), 2);
        let mut tx = fresh.db.write().await.unwrap();
        let retry_at = tx.now().plus(Duration::from_secs(30));
        let now = tx.now();
        for delivery in &both {
            deliveries::retry(&mut tx, delivery.id, now, "no answer").await.unwrap();
        }
        let failed = Answered::Not { retry_at, error: "no answer".to_owned() };
        let host = &to[0].host;
        hosts::settle(&mut tx, &[(host.clone(), failed)].into(), std::slice::from_ref(host)).await.unwrap();
        tx.commit().await.unwrap();
        enqueue(&fresh.db, plain(dana), &to).await;
        assert!(claim(&fresh.db).await.is_empty(), "it is left alone, whatever is new");
        fresh.advance(Duration::from_secs(30));
        let probe = claim(&fresh.db).await;
        assert_eq!(probe.len(), 1);
        let mut tx = fresh.db.write().await.unwrap();
        hosts::settle(&mut tx, &[(to[0].host.clone(), Answered::Well)].into(), &[]).await.unwrap();
        tx.commit().await.unwrap();
        settle(&fresh.db, &probe).await;
        assert_eq!(claim(&fresh.db).await.len(), 2, "one of each author, whose first has gone");
    }

    /// A deletion that failed while the host was away goes before what was asked for before it, once the host is back.
    async fn a_deletion_that_failed_goes_first_when_the_host_is_back(fresh) {
        let (dana, erin) = (member(&fresh.db, "dana").await.id, member(&fresh.db, "erin").await.id);
        let to = [inbox(1)];
        enqueue(&fresh.db, New { urgency: Urgency::Deletion, ..plain(dana) }, &to).await;
        let deletion = claim(&fresh.db).await.remove(0);
        let fail = async |delivery: &Claimed, answers: Answered| {
            let mut tx = fresh.db.write().await.unwrap();
            let later = tx.now().plus(Duration::from_secs(3600));
            deliveries::retry(&mut tx, delivery.id, later, "no answer").await.unwrap();
            hosts::settle(&mut tx, &[(to[0].host.clone(), answers)].into(), &[to[0].host.clone()]).await.unwrap();
            tx.commit().await.unwrap();
        };
        let retry_at = fresh.clock.now().plus(Duration::from_secs(30));
        fail(&deletion, Answered::Not { retry_at, error: "no answer".to_owned() }).await;
        for _ in 0..2 {
            enqueue(&fresh.db, plain(erin), &to).await;
        }
        fresh.advance(Duration::from_secs(30));
        let probe = claim(&fresh.db).await;
        assert_eq!(probe.iter().map(|d| d.account_id).collect::<Vec<_>>(), [erin], "the deletion is not due");
        let mut tx = fresh.db.write().await.unwrap();
        deliveries::finish(&mut tx, &[probe[0].id]).await.unwrap();
        let host = &to[0].host;
        hosts::settle(&mut tx, &[(host.clone(), Answered::Well)].into(), std::slice::from_ref(host)).await.unwrap();
        tx.commit().await.unwrap();
        let next: Vec<AccountId> = claim(&fresh.db).await.iter().map(|delivery| delivery.account_id).collect();
        assert_eq!(next, [dana, erin], "it is due now, and first");
    }

    /// A version that knows nothing of turns served beside this one, and left deliveries to a host that has none.
    async fn a_host_that_was_forgotten_has_its_turn_at_the_next_start(fresh) {
        let dana = member(&fresh.db, "dana").await.id;
        enqueue(&fresh.db, plain(dana), &[inbox(1), inbox(2)]).await;
        let mut tx = fresh.db.write().await.unwrap();
        sql!("DELETE FROM hosts WHERE host = 'h1.example'").run(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        settle(&fresh.db, &claim(&fresh.db).await).await;
        assert!(claim(&fresh.db).await.is_empty(), "nobody knows of it");
        fresh.db.end_leases_of_the_dead(true).await.unwrap();
        assert_eq!(claim(&fresh.db).await.len(), 1);
    }

    /// A process died while deliveries were under way: others take them over, and those that came meanwhile.
    async fn what_the_dead_held_has_its_turn_at_once(fresh) {
        let dana = member(&fresh.db, "dana").await.id;
        let other = fresh.another().await;
        enqueue(&fresh.db, plain(dana), &[inbox(1), inbox(2)]).await;
        assert_eq!(claim(&other).await.len(), 2);
        enqueue(&fresh.db, plain(dana), &[inbox(1)]).await;
        assert!(claim(&fresh.db).await.is_empty(), "a host with deliveries under way has no other turn");
        if fresh.db.is_sqlite() {
            // One process serves: what is held under its own number was held by one before it.
            fresh.db.end_leases_of_the_dead(true).await.unwrap();
        } else {
            other.close().await;
            drop(other);
            for _ in 0..50 {
                // Those who held a number at the look before may only have lost it for a moment.
                fresh.db.end_leases_of_the_dead(false).await.unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        let taken = claim(&fresh.db).await;
        assert_eq!(taken.len(), 2);
        settle(&fresh.db, &taken).await;
        assert_eq!(claim(&fresh.db).await.len(), 1);
    }

    /// An actor who says much that takes long keeps nobody else of the same server waiting.
    async fn one_actor_s_flood_does_not_hide_what_others_of_her_server_say(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        fill_inbox(&mut tx, 200, 1, "1").await;
        fill_inbox(&mut tx, 1, 2, "2").await;
        let lease = tx.now().plus(LEASE);
        let first = inbox_items::claim(&mut tx, lease, 256, 32, &[], "").await.unwrap().items;
        assert_eq!(first.len(), 32, "as many as one server may have");
        if !fresh.db.is_sqlite() {
            // A process that has nothing of that server under way.
            held_by_another(&mut tx).await;
            let others = inbox_items::claim(&mut tx, lease, 256, 32, &[], "").await.unwrap().items;
            assert_eq!(others.iter().map(|item| item.actor_id).collect::<Vec<_>>(), [AccountId(2)]);
            assert!(inbox_items::claim(&mut tx, lease, 256, 32, &[], "").await.unwrap().items.is_empty());
        }
        inbox_items::finish(&mut tx, &first.iter().map(|item| item.id).collect::<Vec<_>>()).await.unwrap();
        let next = inbox_items::claim(&mut tx, lease, 256, 32, &[], "").await.unwrap().items;
        assert_eq!(next.len(), 32);
        assert!(next[0].id > first[31].id && next.is_sorted_by_key(|item| item.id), "in her order");
        // The process that has them under way puts what follows behind them.
        let behind = inbox_items::claim(&mut tx, lease, 256, 32, &[], "").await.unwrap().items;
        assert!(behind.len() == 32 && behind[0].id > next[31].id);
    }

    /// Of a claim whose end a process did not hear of, nothing stays under way.
    async fn what_nobody_knows_that_it_is_held_is_freed(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        fill_inbox(&mut tx, 3, 11, "oak").await;
        let lease = tx.now().plus(LEASE);
        let held = inbox_items::claim(&mut tx, lease, 256, 32, &[], "").await.unwrap().items;
        assert_eq!(held.len(), 3);
        assert_eq!(inbox_items::free_all_but(&mut tx, &[held[1].id]).await.unwrap(), 2);
        let again = inbox_items::claim(&mut tx, lease, 256, 32, &[], "").await.unwrap().items;
        assert_eq!(again.iter().map(|item| item.id).collect::<Vec<_>>(), [held[0].id, held[2].id]);
    }

    /// What has just come is taken in the order it came, whoever sent it; of what waits longer, each server has its
    /// turn.
    async fn who_sends_much_keeps_others_waiting_for_a_moment(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        fill_inbox(&mut tx, 4, 11, "oak").await;
        fill_inbox(&mut tx, 1, 12, "elm").await;
        let lease = tx.now().plus(LEASE);
        let first = inbox_items::claim(&mut tx, lease, 3, 32, &[], "").await.unwrap().items;
        assert_eq!(first.iter().map(|item| item.actor_id.0).collect::<Vec<_>>(), [11, 11, 11]);
        inbox_items::finish(&mut tx, &first.iter().map(|item| item.id).collect::<Vec<_>>()).await.unwrap();
        fill_inbox(&mut tx, 4, 11, "oak").await;
        fresh.advance(Duration::from_secs(2));
        let lease = tx.now().plus(LEASE);
        let next = inbox_items::claim(&mut tx, lease, 2, 32, &[], "").await.unwrap().items;
        assert_eq!(next.iter().map(|item| item.actor_id.0).collect::<Vec<_>>(), [11, 12]);
    }

    /// Three hundred servers, of which a claim looks at some: all have their turns.
    async fn servers_that_had_no_turn_are_next(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        for n in 100..400 {
            fill_inbox(&mut tx, 2, n, &format!("{n}")).await;
        }
        let lease = tx.now().plus(LEASE);
        // Those that failed are tried again when it is time.
        let failed = inbox_items::claim(&mut tx, lease, 1, 1, &[], "").await.unwrap().items;
        let later = tx.now().plus(Duration::from_secs(5));
        inbox_items::retry(&mut tx, failed[0].id, later, "no answer").await.unwrap();
        assert_eq!(inbox_items::bring_back(&mut tx).await.unwrap(), 0);
        let (mut after, mut taken, mut looks) = (String::new(), 0, 0);
        loop {
            let claim = inbox_items::claim(&mut tx, lease, 256, 1, &[], &after).await.unwrap();
            taken += claim.items.len();
            looks += 1;
            match claim.after {
                Some(last) => after = last,
                None => break,
            }
        }
        assert_eq!((taken, looks), (300, 2), "one of each server, whether one of it had failed or not");
        fresh.advance(Duration::from_secs(5));
        assert_eq!(inbox_items::bring_back(&mut tx).await.unwrap(), 1);
    }
}

/// Activities of one actor, and of the server named after the last argument.
async fn fill_inbox(tx: &mut storage::Tx, many: u16, actor: i64, name: &str) {
    for _ in 0..many {
        let id: i64 = tx.id();
        let now = tx.now();
        sql!(
            "INSERT INTO inbox_items (id, activity_uri, actor_id, host, body, received_at, run_at)
             VALUES ($1, '', $2, $3, '{}', $4, $4)"
        )
        .bind(id)
        .bind(actor)
        .bind(format!("{}.example", if actor < 3 { "h" } else { name }))
        .bind(now)
        .run(tx)
        .await
        .unwrap();
    }
}

/// What a transaction has read of a table so far: rows in the order they lie, and by an index.
pub async fn read_of(tx: &mut storage::Tx, table: &str) -> (i64, i64) {
    sql!(
        "SELECT coalesce(sum(seq_tup_read), 0)::bigint, coalesce(sum(idx_tup_fetch), 0)::bigint
         FROM pg_stat_xact_user_tables WHERE relname = $1"
    )
    .bind(table)
    .one::<(i64, i64)>(tx)
    .await
    .unwrap()
}

/// 60,000 deliveries to 2,000 hosts, of which one in a hundred is due, and as many received activities.
async fn fill(fresh: &Fresh) {
    let mut tx = fresh.db.write().await.unwrap();
    let (now, later) = (tx.now(), tx.now().plus(Duration::from_secs(3600)));
    sql!("INSERT INTO outgoing_activities (id, account_id, body, created_at) VALUES (1, 1, '{}', $1)")
        .bind(now)
        .run(&mut tx)
        .await
        .unwrap();
    for fill in [
        sql!(
            "INSERT INTO deliveries (id, activity_id, account_id, host, inbox_url, run_at, created_at)
             SELECT i, 1, i % 7, 'h' || i % 2000, 'https://h' || i % 2000 || '/inbox',
                CASE WHEN (i - 1) / 2000 = 0 THEN $1 ELSE $2 END, $1 FROM generate_series(1, 60000) AS i"
        ),
        sql!(
            "INSERT INTO inbox_items (id, activity_uri, actor_id, host, body, received_at, run_at, put_off)
             SELECT i, '', i % 500, 'h' || i % 2000, '{}', $1,
                CASE WHEN (i - 1) / 2000 = 0 THEN $1 ELSE $2 END, (i - 1) / 2000 <> 0
             FROM generate_series(1, 60000) AS i"
        ),
        sql!(
            "INSERT INTO jobs (id, payload, run_at, created_at, line)
             SELECT i, '{\"job\":\"distribute_post\",\"post\":1}', CASE WHEN i / 600 = 0 THEN $1 ELSE $2 END, $1,
                i / 6 % 1000
             FROM generate_series(1, 60000) AS i"
        ),
    ] {
        fill.bind(now).bind(later).run(&mut tx).await.unwrap();
    }
    sql!("INSERT INTO hosts (host, due_at) SELECT DISTINCT host, $1 FROM deliveries")
        .bind(now)
        .run(&mut tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// Statistics of a queue are of another time. However wrong they are, a claim looks at the rows it takes and a few
/// more.
async fn a_claim_reads_few_rows_whatever_is_believed(fresh: Fresh) {
    let analyse = async || {
        let mut conn = fresh.db.read().await.unwrap();
        sql!("ANALYZE deliveries, inbox_items, jobs, hosts").run(&mut conn).await.unwrap();
    };
    analyse().await;
    fill(&fresh).await;
    for believed in ["they are empty", "the truth", "all is for one host", "nothing"] {
        if believed == "the truth" {
            analyse().await;
        }
        let mut tx = fresh.db.write().await.unwrap();
        match believed {
            "all is for one host" => {
                // True for a moment: then the other rows are back.
                sql!("CREATE TEMPORARY TABLE others ON COMMIT DROP AS SELECT * FROM deliveries WHERE host <> 'h1'")
                    .run(&mut tx)
                    .await
                    .unwrap();
                sql!("DELETE FROM deliveries WHERE host <> 'h1'").run(&mut tx).await.unwrap();
                sql!("ANALYZE deliveries").run(&mut tx).await.unwrap();
                sql!("INSERT INTO deliveries SELECT * FROM others").run(&mut tx).await.unwrap();
            }
            "nothing" => {
                sql!(
                    "DELETE FROM pg_statistic WHERE starelid IN
                        ('deliveries'::regclass, 'inbox_items'::regclass, 'jobs'::regclass, 'hosts'::regclass)"
                )
                .run(&mut tx)
                .await
                .unwrap();
            }
            _ => {}
        }
        tx.commit().await.unwrap();

        // A connection that has planned nothing yet.
        let db = fresh.another().await;
        let mut tx = db.write().await.unwrap();
        let lease = tx.now().plus(LEASE);
        let sent = deliveries::claim(&mut tx, lease, 500, 16).await.unwrap().deliveries.len();
        let received = inbox_items::claim(&mut tx, lease, 256, 32, &[], "").await.unwrap().items.len();
        let jobs = storage::jobs::claim(&mut tx, lease, 16).await.unwrap().len();
        assert_eq!((sent, received, jobs), (64, 256, 16), "{believed}");
        // What a claim reads in all: the rows before each in its index, and each some three times.
        for (table, most) in [("deliveries", 600), ("inbox_items", 2_000), ("jobs", 200), ("hosts", 4_400)] {
            let (in_order, by_index) = read_of(&mut tx, table).await;
            assert!(in_order == 0 || table == "hosts", "{believed}: {in_order} rows of {table} in the order they lie");
            assert!(in_order + by_index <= most, "{believed}: {in_order} and {by_index} rows of {table}");
        }
        drop(tx);
        db.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_read_few_rows() {
    crate::both::on(crate::both::Engine::Postgres, a_claim_reads_few_rows_whatever_is_believed).await;
}
