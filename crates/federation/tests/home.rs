//! A small community on a real socket: database, routes and workers, without the client API.

use std::future::Future;
use std::time::Duration;

use app::App;
use app::accounts::create::{NewMember, create};
use domain::account::{Account, Role};
use domain::{Clock, Urls};
use federation::jobs::Handled;
use federation::{Config, Federation};
use media::store::MediaStore;
use storage::{Db, Queue};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Stops when it is dropped.
pub struct Home {
    pub fed: Federation,
    pub base: String,
    pub domain: String,
    pub clock: Clock,
    stop: CancellationToken,
    _folder: tempfile::TempDir,
}

impl Drop for Home {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Home {
    /// `http://NAME.localhost:PORT` with workers at work.
    pub async fn start(name: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let domain = format!("{name}.localhost:{}", listener.local_addr().unwrap().port());
        let base = format!("http://{domain}");
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::shifted();
        let database = storage::Config {
            url: format!("sqlite://{}", folder.path().join("test.sqlite").display()),
            max_connections: 4,
        };
        let db = Db::connect(&database, clock.clone()).await.unwrap();
        let urls = Urls::new(&Url::parse(&base).unwrap()).unwrap();
        let media = MediaStore::on_disk(&folder.path().join("media")).unwrap();
        let app = App::open(db, urls, app::Config::default(), media).await.unwrap();
        let config =
            Config { allow_http: true, allow_addresses: vec!["127.0.0.0/8".parse().unwrap()], ..Config::default() };
        let fed = Federation::new(app, config).unwrap();
        let stop = CancellationToken::new();
        let router = federation::routes::router(fed.clone());
        let told = stop.clone();
        tokio::spawn(async move {
            axum::serve(listener, router).with_graceful_shutdown(told.cancelled_owned()).await.unwrap();
        });
        tokio::spawn({
            let (fed, stop) = (fed.clone(), stop.clone());
            async move { fed.process_until(stop).await }
        });
        tokio::spawn({
            let (fed, stop) = (fed.clone(), stop.clone());
            async move { fed.deliver_until(stop).await }
        });
        tokio::spawn(jobs(fed.clone(), stop.clone()));
        Self { fed, base, domain, clock, stop, _folder: folder }
    }

    pub async fn member(&self, name: &str) -> Account {
        let new = NewMember {
            username: name.to_owned(),
            email: format!("{name}@example.com"),
            password: "a long enough password".to_owned(),
            locale: "en".to_owned(),
            reason: String::new(),
        };
        create(&self.fed.app, &new, Role::Member).await.unwrap()
    }

    /// Changes whether followers need her approval.
    pub async fn lock(&self, account: &Account, locked: bool) -> Account {
        let mut changed = account.clone();
        changed.locked = locked;
        let mut tx = self.fed.app.db.write().await.unwrap();
        storage::accounts::upsert(&mut tx, &changed).await.unwrap();
        tx.emit(domain::event::Event::AccountChanged { account: account.id });
        tx.commit().await.unwrap();
        changed
    }

    pub async fn conn(&self) -> storage::Conn {
        self.fed.app.db.read().await.unwrap()
    }

    pub async fn post_by_uri(&self, uri: &str) -> Option<domain::post::Post> {
        storage::posts::unchecked_by_uri(&mut self.conn().await, uri).await.unwrap()
    }
}

async fn jobs(fed: Federation, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let mut tx = fed.app.db.write().await.unwrap();
        let now = tx.now();
        let claimed = storage::jobs::claim(&mut tx, now.plus(Duration::from_secs(60)), 10).await.unwrap();
        tx.commit().await.unwrap();
        for job in &claimed {
            if fed.run_job(&job.job, job.attempts > 0).await.unwrap() == Handled::NotOurs {
                assert!(matches!(
                    job.job,
                    domain::job::Job::PurgeAccount { .. }
                        | domain::job::Job::ForgetDomain { .. }
                        | domain::job::Job::DeleteMedia { .. }
                ));
            }
            let mut tx = fed.app.db.write().await.unwrap();
            storage::jobs::finish(&mut tx, job.id).await.unwrap();
            tx.commit().await.unwrap();
        }
        if claimed.is_empty() {
            fed.app.db.hub().wait(Queue::Jobs, Duration::from_millis(50)).await;
        }
    }
}

/// Waits until it is so; fails after 15 s.
pub async fn eventually<F, T>(what: &str, mut check: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    for _ in 0..300 {
        if let Some(found) = check().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never came to be that {what}");
}
