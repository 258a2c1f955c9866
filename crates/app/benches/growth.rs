//! How the cost of an operation grows with the database: measured small, grown, measured again.
//!
//! `cargo bench -p porchlight-app [-- POSTS [DATABASE_URL]]`; a million posts and the embedded database unless said
//! otherwise (a `postgres://` address names an empty database). What counts is the processor time of this thread;
//! PostgreSQL works in other processes, so there it is the time that passes. Signatures, HTTP and JSON cost the same
//! at any size and are left out. Never a test: it asserts nothing about time.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench tells what it found, and stops at the first failure"
)]

use std::time::{Duration, Instant};

use app::App;
use app::accounts::create::{self, NewMember};
use app::fanout::News;
use app::posts::publish::{self, Draft};
use app::posts::receive::{Outcome, Received};
use domain::account::{Account, ActorKind, Role};
use domain::follow::FollowOptions;
use domain::page::Page;
use domain::post::Post;
use domain::{AccountId, Clock, PostId, ThreadId, Urls, Viewer, Visibility};
use storage::incoming::Boosted;
use storage::notifications::Filter;
use storage::posts::Links;
use storage::timelines::{AccountFilter, PublicFilter, TagFilter};
use storage::{Db, accounts, follows, homes, hydrate, notifications, posts, threads, timelines};

/// Remote accounts that write, and may follow.
const PEOPLE: usize = 6_000;
/// What the first measurement finds.
const SMALL: Size = Size { posts: 2_000, follows: 50, followers: 5 };
/// How often each operation is measured, after a tenth of it to warm up.
const ROUNDS: usize = 400;
/// Every so many posts one has a hashtag, or answers the one before it.
const TAGGED: usize = 20;

#[derive(Clone, Copy)]
struct Size {
    posts: usize,
    follows: usize,
    followers: usize,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let posts = arguments.next().map_or(1_000_000, |posts| posts.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite://{}", folder.path().join("growth.db").display());
    let url = arguments.next().unwrap_or(file);
    let in_place = url.starts_with("sqlite:");
    let mut community = Community::open(&url, folder.path()).await;

    community.grow(SMALL).await;
    let small = community.measure(in_place).await;
    let began = Instant::now();
    let large = Size { posts, follows: 5_000, followers: 5_000 };
    community.grow(large).await;
    println!("grown to {posts} posts in {:.0} s", began.elapsed().as_secs_f64());
    let large = community.measure(in_place).await;

    println!("| microseconds | small | large | times |\n|---|---:|---:|---:|");
    for ((what, before), (_, after)) in small.iter().zip(&large) {
        println!("| {what} | {before:.1} | {after:.1} | {:.2} |", after / before);
    }
}

/// One community, and the people elsewhere who write to it.
struct Community {
    app: App,
    /// Reads and is followed.
    alice: Account,
    people: Vec<Account>,
    posts: usize,
    follows: usize,
    followers: usize,
    /// Runs on with everything that must be new each time.
    next: usize,
    last: Option<Post>,
}

impl Community {
    async fn open(url: &str, folder: &std::path::Path) -> Self {
        let config = storage::Config { url: url.to_owned(), max_connections: 8 };
        let db = Db::connect(&config, Clock::System).await.unwrap();
        let urls = Urls::new(&url::Url::parse("https://maple.example").unwrap()).unwrap();
        let media = media::MediaStore::on_disk(folder).unwrap();
        let app = App::open(db, urls, app::Config::default(), media).await.unwrap();
        let new = NewMember {
            username: "alice".to_owned(),
            email: "alice@maple.example".to_owned(),
            password: "correct horse battery".to_owned(),
            ..NewMember::default()
        };
        let mut alice = create::create(&app, &new, Role::Member).await.unwrap();
        alice.locked = false;
        let mut people = Vec::new();
        let mut tx = app.db.write().await.unwrap();
        accounts::upsert(&mut tx, &alice).await.unwrap();
        for n in 0..PEOPLE {
            let account = somebody(app.ids().next(), n, &alice);
            accounts::upsert(&mut tx, &account).await.unwrap();
            people.push(account);
        }
        tx.commit().await.unwrap();
        Self { app, alice, people, posts: 0, follows: 0, followers: 0, next: 0, last: None }
    }

    async fn grow(&mut self, to: Size) {
        for n in self.follows..to.follows {
            let them = self.people[n].clone();
            app::follows::request::request(&self.app, &self.alice, them.id, FollowOptions::default()).await.unwrap();
            assert!(app::follows::accept::receive(&self.app, &them, None, Some(self.alice.id)).await.unwrap());
        }
        for n in self.followers..to.followers {
            self.is_followed_by(n).await;
        }
        (self.follows, self.followers) = (to.follows, to.followers);
        while self.posts < to.posts {
            let mut tx = self.app.db.write().await.unwrap();
            for _ in 0..500.min(to.posts - self.posts) {
                // Half of what is written comes from those who were there first: some have written very much.
                let n = self.posts;
                let author = &self.people[if n.is_multiple_of(2) { n / 2 % SMALL.follows } else { n % PEOPLE }];
                let parent = self.last.take().filter(|_| n % TAGGED > TAGGED / 2);
                let (post, links) = self.post(n, author, parent.as_ref());
                posts::insert(&mut tx, &post, &links).await.unwrap();
                let news = News::Of { watched: true };
                app::fanout::post_created(&mut tx, author, &post, &Links::default(), news).await.unwrap();
                self.last = Some(post);
                self.posts += 1;
            }
            if self.posts.is_multiple_of(50_000) || self.posts == to.posts {
                homes::trim(&mut tx).await.unwrap();
            }
            tx.commit().await.unwrap();
        }
        // The log is copied back into the file before anything is measured.
        tokio::time::sleep(Duration::from_secs(3)).await;
    }

    fn post(&self, n: usize, author: &Account, parent: Option<&Post>) -> (Post, Links) {
        let id: PostId = self.app.ids().next();
        let post = Post {
            id,
            uri: format!("{}/posts/{n}", author.uri),
            url: format!("{}/posts/{n}", author.url),
            account_id: author.id,
            boost_of_id: None,
            in_reply_to_id: parent.map(|p| p.id),
            in_reply_to_account_id: parent.map(|p| p.account_id),
            in_reply_to_uri: parent.map(|p| p.uri.clone()),
            thread_id: parent.map_or(ThreadId(id.0), |p| p.thread_id),
            visibility: Visibility::Public,
            content: format!("<p>Number {n}: {}</p>", "the little one has slept through the night. ".repeat(3)),
            source: None,
            spoiler_text: String::new(),
            sensitive: false,
            language: Some("en".to_owned()),
            local: false,
            app_id: None,
            created_at: self.app.now(),
            edited_at: None,
            replies_count: 0,
            boosts_count: 0,
            favourites_count: 0,
        };
        let tags = if n.is_multiple_of(TAGGED) { vec![("sleep".to_owned(), "Sleep".to_owned())] } else { Vec::new() };
        (post, Links { mentions: Vec::new(), tags, attachments: Vec::new() })
    }

    async fn is_followed_by(&self, n: usize) {
        let them = &self.people[n % PEOPLE];
        let uri = format!("{}/follows/{n}", them.uri);
        app::follows::request::receive(&self.app, them, &self.alice, &uri).await.unwrap();
    }

    async fn measure(&mut self, in_place: bool) -> Vec<(&'static str, f64)> {
        let app = self.app.clone();
        let alice = self.alice.clone();
        let me = Viewer::Account(alice.id);
        let mut own = Vec::new();
        for n in 0..ROUNDS * 2 {
            let text = format!("Post {} of mine", self.next + n);
            own.push(publish::publish(&app, &alice, Draft { text, ..Draft::default() }).await.unwrap());
        }
        let mut addresses = Vec::new();
        for id in &own {
            addresses.push(posts::unchecked(&mut app.db.read().await.unwrap(), *id).await.unwrap().uri);
        }
        let (people, writers, next) = (&self.people, self.posts.min(PEOPLE), self.next);
        let thread = {
            let mut conn = app.db.read().await.unwrap();
            let page = Page::first(40);
            let found = timelines::public(&mut conn, Viewer::Anonymous, PublicFilter::default(), &page).await.unwrap();
            // Nobody answers in what alice wrote last: the thread is looked for among the others' posts.
            let by_others =
                timelines::account(&mut conn, me, people[1].id, &AccountFilter::default(), &page).await.unwrap();
            by_others.first().or(found.first()).unwrap().id()
        };
        let mut costs = Vec::new();
        let timer = Timer { in_place };
        macro_rules! cost {
            ($what:literal, |$n:ident, $conn:ident| $body:expr) => {
                costs.push((
                    $what,
                    timer
                        .each(async |$n: usize| {
                            let mut $conn = app.db.read().await.unwrap();
                            let $conn = &mut $conn;
                            $body
                        })
                        .await,
                ));
            };
            ($what:literal, |$n:ident| $body:expr) => {
                costs.push(($what, timer.each(async |$n: usize| $body).await));
            };
        }

        cost!("home", |_n, conn| {
            let found = timelines::home(conn, alice.id, &Page::first(20)).await.unwrap();
            assert_eq!(hydrate::found(conn, me, &found).await.unwrap().len(), 20);
        });
        cost!("home, further and further back", |n, conn| {
            let mut page = Page::first(20);
            page.max_id = own.get(n).map(|id| id.0);
            let found = timelines::home(conn, alice.id, &page).await.unwrap();
            assert_eq!(hydrate::found(conn, me, &found).await.unwrap().len(), 20);
        });
        cost!("public timeline", |_n, conn| {
            let found = timelines::public(conn, me, PublicFilter::default(), &Page::first(20)).await.unwrap();
            assert_eq!(hydrate::found(conn, me, &found).await.unwrap().len(), 20);
        });
        cost!("public timeline, other communities", |_n, conn| {
            let filter = PublicFilter { remote: true, ..PublicFilter::default() };
            let found = timelines::public(conn, me, filter, &Page::first(20)).await.unwrap();
            assert_eq!(hydrate::found(conn, me, &found).await.unwrap().len(), 20);
        });
        cost!("a hashtag", |_n, conn| {
            let filter = TagFilter { any: vec!["sleep".to_owned()], ..TagFilter::default() };
            let found = timelines::tag(conn, me, &filter, &Page::first(20)).await.unwrap();
            assert_eq!(hydrate::found(conn, me, &found).await.unwrap().len(), 20);
        });
        cost!("an account's posts", |_n, conn| {
            let filter = AccountFilter::default();
            let found = timelines::account(conn, me, people[0].id, &filter, &Page::first(20)).await.unwrap();
            assert_eq!(hydrate::found(conn, me, &found).await.unwrap().len(), 20);
        });
        cost!("an account's posts, another each time", |n, conn| {
            let filter = AccountFilter::default();
            let author = people[(n * 7 + 1) % writers].id;
            let found = timelines::account(conn, me, author, &filter, &Page::first(20)).await.unwrap();
            hydrate::found(conn, me, &found).await.unwrap();
        });
        cost!("a thread", |_n, conn| {
            let mut ids = threads::ancestors(conn, me, thread, 40).await.unwrap();
            ids.push(thread);
            ids.extend(threads::descendants(conn, me, thread, 60).await.unwrap());
            hydrate::posts(conn, me, &ids).await.unwrap();
        });
        cost!("relationships with 40", |n, conn| {
            let others: Vec<AccountId> = (0..40).map(|i| people[(n * 40 + i) % PEOPLE].id).collect();
            assert_eq!(storage::relationships::many(conn, alice.id, &others).await.unwrap().len(), 40);
        });
        cost!("followers, 40", |_n, conn| {
            assert!(!follows::followers(conn, alice.id, &Page::first(40)).await.unwrap().is_empty());
        });
        cost!("posting", |n| {
            let draft = Draft { text: format!("Measured post {}", next + n), ..Draft::default() };
            publish::publish(&app, &alice, draft).await.unwrap();
        });
        cost!("Create received", |n| {
            let author = &people[n % SMALL.follows];
            let outcome =
                app::posts::receive::receive(&app, author, note(&app, author, next + n), false).await.unwrap();
            assert!(matches!(outcome, Outcome::Created(_)));
        });
        cost!("Like received", |n| {
            let who = &people[(n * 11) % PEOPLE];
            let uri = format!("{}/likes/{}", who.uri, next + n);
            assert!(app::posts::favourite::receive(&app, who, &addresses[n], &uri).await.unwrap());
        });
        cost!("Announce received", |n| {
            let who = &people[n % SMALL.follows];
            let uri = format!("{}/boosts/{}", who.uri, next + n);
            let (now, to) = (app.now(), Visibility::Public);
            let boosted = Boosted::Found(own[n]);
            assert!(app::posts::boost::receive(&app, who, &uri, boosted, now, to).await.unwrap().is_some());
        });
        let first = self.followers;
        cost!("Follow received", |n| self.is_followed_by(first + n).await);
        cost!("notifications, 40", |_n, conn| {
            let found = notifications::list(conn, alice.id, &Filter::default(), &Page::first(40)).await.unwrap();
            assert_eq!(found.len(), 40);
        });
        self.followers += timer.rounds();
        self.next += ROUNDS * 2;
        costs
    }
}

/// An account elsewhere, on one of 200 servers.
fn somebody(id: AccountId, n: usize, like: &Account) -> Account {
    let domain = format!("p{:03}.example", n % 200);
    let uri = format!("https://{domain}/users/person{n}");
    Account {
        id,
        username: format!("person{n}"),
        url: format!("https://{domain}/@person{n}"),
        inbox_url: format!("{uri}/inbox"),
        shared_inbox_url: Some(format!("https://{domain}/inbox")),
        public_key_id: format!("{uri}#main-key"),
        followers_url: Some(format!("{uri}/followers")),
        following_url: None,
        featured_url: None,
        outbox_url: None,
        domain: domain::Host::parse(&domain).ok(),
        uri,
        kind: ActorKind::Person,
        locked: false,
        ..like.clone()
    }
}

fn note(app: &App, author: &Account, n: usize) -> Received {
    Received {
        uri: format!("{}/received/{n}", author.uri),
        url: format!("{}/received/{n}", author.url),
        content: format!("<p>Received {n}: it rained all day, and nobody minded.</p>"),
        spoiler_text: String::new(),
        sensitive: false,
        language: Some("en".to_owned()),
        visibility: Visibility::Public,
        in_reply_to_uri: None,
        published: app.now(),
        edited: None,
        mentions: Vec::new(),
        tags: Vec::new(),
        attachments: Vec::new(),
    }
}

struct Timer {
    in_place: bool,
}

impl Timer {
    fn rounds(&self) -> usize {
        ROUNDS + ROUNDS / 10
    }

    /// Microseconds of one round: the middle of tens of them.
    async fn each(&self, mut operation: impl AsyncFnMut(usize)) -> f64 {
        let mut tens = Vec::new();
        for ten in 0..self.rounds() / 10 {
            let before = self.now();
            for n in 0..10 {
                operation(ten * 10 + n).await;
            }
            tens.push((self.now() - before).as_secs_f64() * 1e5);
        }
        // The first ones warm up.
        let mut tens = tens.split_off(ROUNDS / 100);
        tens.sort_by(f64::total_cmp);
        tens[tens.len() / 2]
    }

    /// Processor time of this thread, or time as such.
    fn now(&self) -> Duration {
        if !self.in_place {
            return Duration::from_nanos(nanos_since_start());
        }
        Duration::try_from(rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime)).unwrap()
    }
}

fn nanos_since_start() -> u64 {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_nanos()).unwrap()
}
