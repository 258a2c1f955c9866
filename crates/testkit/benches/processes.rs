//! A community of ten thousand on PostgreSQL with one, two and three server processes: what reading and posting cost,
//! and what is lost when one of three is killed while they write (nothing may be).
//!
//! `cargo bench -p porchlight-testkit [-- MEMBERS]`, after `cargo build --release`, with `PORCHLIGHT_TEST_POSTGRES`
//! naming a server on this machine that runs nothing else. On few processors it is the processor time that tells: all
//! share them. `PORCHLIGHT_TEST_BINARY` may name a script that, with a share of a processor, becomes the program
//! (`exec`), as if each had a machine of its own. Never a test: it asserts nothing about time.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench tells what it found, and stops at the first failure"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use app::App;
use app::accounts::create::{self, NewMember};
use app::posts::publish::{self, Draft};
use domain::account::{Account, Role};
use domain::follow::FollowOptions;
use domain::scope::Scopes;
use domain::{AccountId, Clock, Urls};
use storage::{Db, accounts, counts, follows, members, oauth};
use testkit::instance::PASSWORD;
use testkit::listener::Listener;
use testkit::process::Process;
use testkit::{Database, Engine, Person};

const MEMBERS: usize = 10_000;
/// Whom each member follows, and who follows her.
const FOLLOWS: usize = 20;
const POSTS: usize = 20_000;
/// Those who read, write and listen here.
const ACTIVE: usize = 500;
const PROCESSES: usize = 3;
const CLIENTS: usize = 48;
const SECONDS: u64 = 8;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let members = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let members = members.map_or(MEMBERS, |members| members.parse().unwrap());
    let database = Database::fresh(Engine::Postgres).await;
    // The first process makes the tables; the community's address is its own.
    let mut processes = vec![Process::start("maple", &database).await];
    let began = Instant::now();
    let people = fill(&database, &processes[0].base, members).await;
    println!("{members} members who follow {FOLLOWS} each, {POSTS} posts: {:.0} s\n", began.elapsed().as_secs_f64());

    println!("| processes | what | per second | ms of the servers | ms of PostgreSQL |\n|---|---|---:|---:|---:|");
    for n in 1..=PROCESSES {
        if n > 1 {
            processes.push(Process::beside(&processes[0], &database).await);
        }
        // Reading once what all know by heart later.
        load(&processes, &people, Duration::from_secs(1), read).await;
        for (what, done) in [
            ("home timeline, 20 posts", load(&processes, &people, Duration::from_secs(SECONDS), read).await),
            ("posting", load(&processes, &people, Duration::from_secs(SECONDS), write).await),
        ] {
            println!("| {n} | {what} | {:.0} | {:.3} | {:.3} |", done.per_second, done.server_ms, done.database_ms);
        }
    }
    kill_one(processes, &people, members).await;
}

/// A member and her token, at no process yet.
struct Somebody {
    account: Account,
    token: String,
}

impl Somebody {
    fn at(&self, process: &Process) -> Person {
        Person::new(&process.base, process.http(), &self.account, self.token.clone())
    }
}

/// Whom a member follows: those after her, all around.
fn followed(n: usize, members: usize) -> impl Iterator<Item = usize> {
    (1..=FOLLOWS).map(move |step| (n + step * 37) % members)
}

/// Makes everybody; gives the first of them, signed in.
async fn fill(database: &Database, base: &str, count: usize) -> Vec<Somebody> {
    let folder = tempfile::tempdir().unwrap();
    let config = storage::Config { url: database.url.clone(), max_connections: 8 };
    let db = Db::connect(&config, Clock::System).await.unwrap();
    let urls = Urls::new(&url::Url::parse(base).unwrap()).unwrap();
    let media = media::MediaStore::on_disk(folder.path()).unwrap();
    let app = App::open(db, urls, app::Config::default(), media).await.unwrap();

    let new = NewMember {
        username: "member".to_owned(),
        email: "member@maple.example".to_owned(),
        password: PASSWORD.to_owned(),
        ..NewMember::default()
    };
    let mut like = create::create(&app, &new, Role::Member).await.unwrap();
    like.locked = false;
    // Key pairs and password hashes take a tenth of a second each: everybody has the first one's.
    let (member, key) = {
        let mut conn = app.db.read().await.unwrap();
        let key = members::private_key(&mut conn, like.id).await.unwrap();
        (members::get(&mut conn, like.id).await.unwrap(), key)
    };
    let mut people = Vec::new();
    let mut tx = app.db.write().await.unwrap();
    for n in 0..count {
        let account = somebody(&app, n, &like);
        accounts::upsert(&mut tx, &account).await.unwrap();
        let email = format!("{}@maple.example", account.username);
        let member = members_like(&member, account.id, email);
        members::insert(&mut tx, &member, &key, None).await.unwrap();
        people.push(account);
    }
    tx.commit().await.unwrap();

    let mut tx = app.db.write().await.unwrap();
    for (n, account) in people.iter().enumerate() {
        for other in followed(n, count) {
            let follow = follows::Follow {
                id: app.ids().next(),
                account_id: account.id,
                target_id: people[other].id,
                uri: format!("{}#follows/{other}", account.uri),
                options: FollowOptions::default(),
                created_at: app.now(),
            };
            assert!(follows::insert(&mut tx, &follow).await.unwrap());
        }
        let many = i64::try_from(FOLLOWS).unwrap();
        counts::following(&mut tx, account.id, many);
        counts::followers(&mut tx, account.id, many);
    }
    tx.commit().await.unwrap();

    let people = Arc::new(people);
    let next = Arc::new(AtomicUsize::new(0));
    let writers: Vec<_> =
        (0..8).map(|_| tokio::spawn(write_posts(app.clone(), people.clone(), next.clone()))).collect();
    for writer in writers {
        writer.await.unwrap();
    }
    until_idle(&app).await;

    let mut active = Vec::new();
    for account in people.iter().take(ACTIVE) {
        let token = token(&app, account.id).await;
        active.push(Somebody { account: account.clone(), token });
    }
    active
}

async fn write_posts(app: App, people: Arc<Vec<Account>>, next: Arc<AtomicUsize>) {
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        if n >= POSTS {
            return;
        }
        let text = format!("Number {n}: {}", "the little one has slept through the night. ".repeat(3));
        let author = &people[n * 7 % people.len()];
        publish::publish(&app, author, Draft { text, ..Draft::default() }).await.unwrap();
    }
}

/// The server process works off what the posts left to do.
async fn until_idle(app: &App) {
    loop {
        let mut conn = app.db.read().await.unwrap();
        if storage::jobs::backlog(&mut conn).await.unwrap().0 == 0 {
            return;
        }
        drop(conn);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn somebody(app: &App, n: usize, like: &Account) -> Account {
    let username = format!("member{n}");
    let urls = &app.urls;
    Account {
        id: app.ids().next(),
        uri: urls.actor(&username),
        url: urls.profile(&username),
        inbox_url: urls.inbox(&username),
        outbox_url: Some(urls.outbox(&username)),
        followers_url: Some(urls.followers(&username)),
        following_url: Some(urls.following(&username)),
        featured_url: Some(urls.featured(&username)),
        public_key_id: urls.public_key(&username),
        username,
        ..like.clone()
    }
}

fn members_like(member: &domain::account::Member, account_id: AccountId, email: String) -> domain::account::Member {
    domain::account::Member { account_id, email, ..member.clone() }
}

async fn token(app: &App, account: AccountId) -> String {
    let secret = app::secrets::generate();
    let mut tx = app.db.write().await.unwrap();
    let token = oauth::Token {
        id: app.ids().next(),
        client: None,
        account: Some(account),
        scopes: Scopes::parse("read write").unwrap(),
        created_at: app.now(),
        expires_at: None,
    };
    oauth::insert_token(&mut tx, &app::secrets::digest(&secret), &token).await.unwrap();
    tx.commit().await.unwrap();
    secret
}

async fn read(person: &Person, _: usize) {
    let page = person.get("/api/v1/timelines/home?limit=20").await.ok();
    assert_eq!(page.as_array().unwrap().len(), 20);
}

async fn write(person: &Person, n: usize) {
    person.publish(&format!("Measured post {n}"), "public").await;
}

struct Done {
    per_second: f64,
    server_ms: f64,
    database_ms: f64,
}

/// Has all clients do the same for a time, each in turn at every process.
async fn load(
    processes: &[Process],
    people: &[Somebody],
    time: Duration,
    operation: impl AsyncFn(&Person, usize) + Copy,
) -> Done {
    let clients: Vec<Vec<Person>> =
        processes.iter().map(|process| people.iter().map(|person| person.at(process)).collect()).collect();
    let before = (servers_ms(processes), postgres_ms());
    let began = Instant::now();
    let next = AtomicUsize::new(0);
    let tasks = (0..CLIENTS).map(|_| async {
        while began.elapsed() < time {
            let n = next.fetch_add(1, Ordering::Relaxed);
            operation(&clients[n % clients.len()][n * 13 % people.len()], n).await;
        }
    });
    futures_util::future::join_all(tasks).await;
    let took = began.elapsed().as_secs_f64();
    // What the operations left to do is theirs too.
    tokio::time::sleep(Duration::from_secs(1)).await;
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let done = next.into_inner() as f64;
    Done {
        per_second: done / took,
        server_ms: (servers_ms(processes) - before.0) / done,
        database_ms: (postgres_ms() - before.1) / done,
    }
}

/// Kills one of the processes while members write at all of them and listen at the others.
async fn kill_one(mut processes: Vec<Process>, people: &[Somebody], members: usize) {
    let survivors = &processes[1..];
    let mut listeners = Vec::new();
    for (n, person) in people.iter().enumerate().take(ACTIVE / 2) {
        listeners.push(Listener::start(&person.at(&survivors[n % survivors.len()])).await);
    }
    let doors: Vec<Vec<Person>> =
        processes.iter().map(|process| people.iter().map(|person| person.at(process)).collect()).collect();
    let written = Arc::new(std::sync::Mutex::new(Vec::new()));
    let writers: Vec<_> = doors
        .into_iter()
        .enumerate()
        .map(|(door, people)| {
            let written = Arc::clone(&written);
            tokio::spawn(async move {
                for (n, person) in people.iter().enumerate() {
                    let body = serde_json::json!({"status": format!("{n} by door {door}")}).to_string();
                    let request = person.request(http::Method::POST, "/api/v1/statuses");
                    let sent = request.header("content-type", "application/json").body(body).send().await;
                    // What a process that dies has not answered was not accepted.
                    if let Ok(answer) = sent
                        && answer.status() == 200
                        && let Ok(text) = answer.text().await
                    {
                        let post: serde_json::Value = serde_json::from_str(&text).unwrap();
                        written.lock().unwrap().push((n, post["id"].as_str().unwrap().to_owned()));
                    }
                }
            })
        })
        .collect();
    while written.lock().unwrap().len() < people.len() / 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    processes[0].kill();
    for writer in writers {
        writer.await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(3)).await;

    let written = written.lock().unwrap().clone();
    let (mut due, mut lost, mut twice) = (0, 0, 0);
    for (reader, listener) in listeners.iter().enumerate() {
        let heard = listener.updates();
        let wanted: std::collections::HashSet<usize> = followed(reader, members).chain([reader]).collect();
        for (_, id) in written.iter().filter(|(author, _)| wanted.contains(author)) {
            due += 1;
            lost += usize::from(!heard.contains_key(id));
            twice += usize::from(heard.get(id).is_some_and(|times| *times > 1));
        }
    }
    println!(
        "\none of {PROCESSES} killed while they wrote: {} posts accepted, {due} live events due to those who listen at \
         the others, {lost} lost, {twice} twice",
        written.len()
    );
    assert_eq!((lost, twice), (0, 0));
}

/// Processor time that the server processes have used, in milliseconds.
fn servers_ms(processes: &[Process]) -> f64 {
    processes.iter().filter_map(Process::id).map(|id| used_ms(&format!("/proc/{id}/stat"), None)).sum()
}

/// The same of every process of PostgreSQL on this machine.
fn postgres_ms() -> f64 {
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    entries.map(|entry| used_ms(&entry.path().join("stat").display().to_string(), Some("postgres"))).sum()
}

/// `utime` and `stime` of proc(5), which come in ticks of 10 ms; 0 when the process is gone or is called otherwise.
fn used_ms(stat: &str, name: Option<&str>) -> f64 {
    let Ok(text) = std::fs::read_to_string(stat) else { return 0.0 };
    let Some((head, rest)) = text.rsplit_once(") ") else { return 0.0 };
    if name.is_some_and(|name| !head.ends_with(&format!("({name}"))) {
        return 0.0;
    }
    rest.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap() * 10.0).sum()
}
