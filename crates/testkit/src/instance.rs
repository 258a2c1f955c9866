//! One server: `http://NAME.localhost:PORT`, in this process, stopped with the test.

use std::net::SocketAddr;
use std::path::PathBuf;

use app::accounts::create::{self, NewMember};
use domain::Clock;
use domain::account::Role;
use domain::instance::SignUp;
use domain::scope::Scopes;
use server::config::Config;
use server::serve::Server;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::database::{Database, Engine};
use crate::person::Person;

/// A community for a test.
#[derive(Debug)]
pub struct Instance {
    pub name: String,
    /// `http://NAME.localhost:PORT`
    pub base: String,
    pub address: SocketAddr,
    pub config: Config,
    pub clock: Clock,
    server: Option<Server>,
    http: reqwest::Client,
    /// Dropped after the server.
    _data: TempDir,
    pub database: std::sync::Arc<Database>,
}

/// Every member made for a test has this password.
pub const PASSWORD: &str = "correct horse battery";

impl Instance {
    /// Starts a community that anybody may join, whose members accept followers at once, with the loopback
    /// network open to it.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(name: &str, engine: Engine) -> Self {
        let database = std::sync::Arc::new(Database::fresh(engine).await);
        Self::start_on(name, database, |_| {}).await
    }

    /// As [`Instance::start`], on a database that is there already (another process's), with changes to the
    /// configuration.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_on(name: &str, database: std::sync::Arc<Database>, change: impl FnOnce(&mut Config)) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let data = tempfile::tempdir().unwrap();
        let base = format!("http://{name}.localhost:{}", address.port());
        let environment = [
            ("PORCHLIGHT_URL", base.clone()),
            ("PORCHLIGHT_BIND", address.to_string()),
            ("PORCHLIGHT_DATABASE_URL", database.url.clone()),
            ("PORCHLIGHT_DATABASE_CONNECTIONS", "8".to_owned()),
            ("PORCHLIGHT_DATA_DIR", data.path().display().to_string()),
            ("PORCHLIGHT_FEDERATION__ALLOW_HTTP", "true".to_owned()),
            ("PORCHLIGHT_FEDERATION__ALLOW_ADDRESSES", "127.0.0.0/8".to_owned()),
            ("PORCHLIGHT_RATE_LIMITS", "false".to_owned()),
        ];
        let environment = environment.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let mut config = Config::read(None, environment).expect("a good configuration");
        config.sign_up = SignUp::Open;
        change(&mut config);
        let clock = Clock::shifted();
        let server = Server::start_on(listener, &config, clock.clone()).await.expect("the server starts");
        let http = client(name, address);
        Self { name: name.to_owned(), base, address, config, clock, server: Some(server), http, _data: data, database }
    }

    fn server(&self) -> &Server {
        self.server.as_ref().expect("the server runs")
    }

    /// What its verbs work with, to look behind the scenes.
    #[must_use]
    pub fn app(&self) -> &app::App {
        &self.server().federation().app
    }

    #[must_use]
    pub fn federation(&self) -> &federation::Federation {
        self.server().federation()
    }

    /// Where uploads are kept.
    #[must_use]
    pub fn media_dir(&self) -> PathBuf {
        self.config.media_dir()
    }

    /// Lets time pass, and has done what is done every minute.
    ///
    /// # Panics
    /// When that fails.
    pub async fn pass(&self, time: std::time::Duration) {
        self.clock.advance(time);
        server::schedule::minutely(self.federation()).await.expect("the schedule runs");
    }

    /// Stops it, orderly.
    ///
    /// # Panics
    /// When something did not end well.
    pub async fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await.expect("the server ends well");
        }
    }

    /// Starts it again after [`Instance::stop`], at the same address.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_again(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("its address is free again");
        let server = Server::start_on(listener, &self.config, self.clock.clone()).await.expect("the server starts");
        self.server = Some(server);
    }

    /// A new member who lets anybody follow her, signed in with every scope.
    ///
    /// # Panics
    /// When the name is taken.
    pub async fn member(&self, name: &str) -> Person {
        let person = self.cautious_member(name).await;
        let answer = person.patch("/api/v1/accounts/update_credentials", serde_json::json!({"locked": false})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        person
    }

    /// A new member with the settings that every new member has: followers need her approval.
    ///
    /// # Panics
    /// When the name is taken.
    pub async fn cautious_member(&self, name: &str) -> Person {
        self.member_with(name, Role::Member).await
    }

    /// A new member with a role.
    ///
    /// # Panics
    /// When the name is taken.
    pub async fn member_with(&self, name: &str, role: Role) -> Person {
        let new = NewMember {
            username: name.to_owned(),
            email: format!("{name}@{}.example", self.name),
            password: PASSWORD.to_owned(),
            ..NewMember::default()
        };
        let account = create::create(self.app(), &new, role).await.expect("a new member");
        let token = self.token(account.id, "read write follow push").await;
        Person::new(&self.base, self.http.clone(), &account, token)
    }

    /// A token for a member.
    ///
    /// # Panics
    /// When the scopes are unknown.
    pub async fn token(&self, account: domain::AccountId, scopes: &str) -> String {
        self.token_until(account, scopes, None).await
    }

    /// As [`Instance::token`], that ends at a time.
    ///
    /// # Panics
    /// When the scopes are unknown.
    pub async fn token_until(
        &self,
        account: domain::AccountId,
        scopes: &str,
        expires_at: Option<domain::Timestamp>,
    ) -> String {
        let secret = app::secrets::generate();
        let app = self.app();
        let mut tx = app.db.write().await.unwrap();
        let token = storage::oauth::Token {
            id: app.ids().next(),
            client: None,
            account: Some(account),
            scopes: Scopes::parse(scopes).unwrap(),
            created_at: app.now(),
            expires_at,
        };
        storage::oauth::insert_token(&mut tx, &app::secrets::digest(&secret), &token).await.unwrap();
        tx.commit().await.unwrap();
        secret
    }

    /// A request without a token.
    pub fn request(&self, method: http::Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }
}

/// A browser or app that finds `NAME.localhost` on the loopback address.
#[must_use]
pub fn client(name: &str, address: SocketAddr) -> reqwest::Client {
    reqwest::Client::builder()
        .resolve(&format!("{name}.localhost"), address)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}
