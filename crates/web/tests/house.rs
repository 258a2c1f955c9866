//! A community of its own for each test, on a real socket, and a browser without script to walk through it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use app::App;
use app::accounts::create::{NewMember, create};
use app::posts::publish::{Draft, publish};
use axum::extract::{ConnectInfo, Request};
use axum::middleware::map_request;
use domain::account::{Account, Role};
use domain::instance::SignUp;
use domain::{Clock, PostId, Urls, Visibility};
use federation::Federation;
use ipnet::IpNet;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use tempfile::TempDir;
use testkit::{Database, Engine};
use tokio_util::sync::CancellationToken;
use web::limits::{Origin, address};
use web::{Config, Web};

pub const PASSWORD: &str = "three quiet words";

pub struct House {
    pub app: App,
    pub clock: Clock,
    pub base: String,
    /// Where its media are.
    _folder: TempDir,
    /// Its server ends before its database does.
    _server: Server,
    pub database: Database,
}

/// Ends with the test.
struct Server(tokio::task::JoinHandle<()>);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What differs between houses.
pub struct Plan {
    pub sign_up: SignUp,
    pub rate_limits: bool,
    /// What stands before it says where a visitor comes from.
    pub behind_a_proxy: bool,
    pub federation: federation::Config,
    /// The address it tells, where it is not the one it is reached at.
    pub public: Option<&'static str>,
    /// Where its program's source is, where it is not the project's.
    pub source_url: Option<&'static str>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            sign_up: SignUp::Approval,
            rate_limits: false,
            behind_a_proxy: false,
            federation: federation::Config::default(),
            public: None,
            source_url: None,
        }
    }
}

impl House {
    pub async fn open(engine: Engine) -> Self {
        Self::planned(engine, Plan::default()).await
    }

    pub async fn planned(engine: Engine, plan: Plan) -> Self {
        let database = Database::fresh(engine).await;
        let folder = tempfile::tempdir().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let clock = Clock::shifted();
        let config = storage::Config { url: database.url.clone(), max_connections: 4 };
        let db = storage::Db::connect(&config, clock.clone()).await.unwrap();
        let urls = Urls::new(&plan.public.unwrap_or(&base).parse().unwrap()).unwrap();
        let mut config = app::Config { sign_up: plan.sign_up, only_here: true, ..app::Config::default() };
        config.source_url = plan.source_url.map_or(config.source_url, str::to_owned);
        let media = media::MediaStore::on_disk(&folder.path().join("media")).unwrap();
        let app = App::open(db, urls, config, media).await.unwrap();
        let federation = Federation::new(app.clone(), plan.federation).unwrap();
        let web = Web::new(federation, Config { rate_limits: plan.rate_limits }, CancellationToken::new());
        let trusted: Vec<IpNet> = plan.behind_a_proxy.then(|| "127.0.0.0/8".parse().unwrap()).into_iter().collect();
        let introduced = map_request(move |ConnectInfo(peer): ConnectInfo<SocketAddr>, mut request: Request| {
            let origin = Origin::new(address(Some(peer.ip()), request.headers(), &trusted));
            request.extensions_mut().insert(origin);
            std::future::ready(request)
        });
        let service = web::router(web).layer(introduced).into_make_service_with_connect_info::<SocketAddr>();
        let server = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        Self { app, clock, base, _folder: folder, _server: Server(server), database }
    }

    /// A member who may sign in with [`PASSWORD`].
    pub async fn member(&self, username: &str) -> Account {
        self.member_as(username, Role::Member).await
    }

    pub async fn member_as(&self, username: &str, role: Role) -> Account {
        let new = NewMember {
            username: username.to_owned(),
            email: format!("{username}@mail.example"),
            password: PASSWORD.to_owned(),
            ..NewMember::default()
        };
        create(&self.app, &new, role).await.unwrap()
    }

    pub async fn post(&self, by: &Account, text: &str, visibility: Visibility) -> PostId {
        self.draft(by, Draft { text: text.to_owned(), visibility: Some(visibility), ..Draft::default() }).await
    }

    pub async fn draft(&self, by: &Account, draft: Draft) -> PostId {
        publish(&self.app, by, draft).await.unwrap()
    }

    /// The post as it is kept, with its addresses.
    pub async fn address(&self, id: PostId) -> domain::post::Post {
        storage::posts::unchecked(&mut self.app.db.read().await.unwrap(), id).await.unwrap()
    }

    pub fn browser(&self) -> Browser {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Browser { http, base: self.base.clone(), cookies: RefCell::default() }
    }

    /// A browser in which she is signed in.
    pub async fn browser_of(&self, username: &str) -> Browser {
        let browser = self.browser();
        let answer = browser.sign_in(username, PASSWORD).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        browser
    }
}

pub struct Browser {
    pub http: reqwest::Client,
    pub base: String,
    pub cookies: RefCell<BTreeMap<String, String>>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|v| v.to_str().unwrap()).unwrap_or_default()
    }

    pub fn location(&self) -> &str {
        self.header(LOCATION.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    /// The names and values of the hidden fields of the form that goes to `action`.
    pub fn hidden(&self, action: &str) -> Vec<(String, String)> {
        let form =
            self.body.split("<form").find(|f| f.contains(&format!("action=\"{action}\""))).unwrap_or_else(|| {
                panic!("no form to {action} in {}", self.body);
            });
        let form = form.split("</form>").next().unwrap();
        form.split("<input type=\"hidden\"")
            .skip(1)
            .map(|input| {
                let value = |name: &str| {
                    let text = input.split(&format!("{name}=\"")).nth(1).unwrap().split('"').next().unwrap();
                    text.replace("&amp;", "&").replace("&#38;", "&").replace("&#34;", "\"").replace("&#39;", "'")
                };
                (value("name"), value("value"))
            })
            .collect()
    }
}

impl Browser {
    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        let cookies: Vec<String> = self.cookies.borrow().iter().map(|(k, v)| format!("{k}={v}")).collect();
        let request = self.http.request(method, url);
        if cookies.is_empty() { request } else { request.header(COOKIE, cookies.join("; ")) }
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let text = cookie.to_str().unwrap();
            let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
            if text.contains("Max-Age=0") {
                self.cookies.borrow_mut().remove(name);
            } else {
                self.cookies.borrow_mut().insert(name.to_owned(), value.to_owned());
            }
        }
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.text().await.unwrap(),
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(reqwest::Method::GET, path)).await
    }

    /// Sends a form as a browser would, `Origin` included.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(self.form(path, fields).header("origin", &self.base)).await
    }

    pub fn form(&self, path: &str, fields: &[(&str, &str)]) -> reqwest::RequestBuilder {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.request(reqwest::Method::POST, path).header("content-type", "application/x-www-form-urlencoded").body(body)
    }

    /// Opens the page, fills in the form that goes to `action`, and sends it.
    pub async fn fill(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.get(page).await;
        self.fill_in(&page, action, fields).await
    }

    pub async fn fill_in(&self, page: &Answer, action: &str, fields: &[(&str, &str)]) -> Answer {
        let hidden = page.hidden(action);
        let mut all: Vec<(&str, &str)> = hidden.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        all.extend(fields);
        self.post(action, &all).await
    }

    /// As [`Browser::sign_in`], through a proxy that says which address asks.
    pub async fn sign_in_from(&self, address: &str, login: &str, password: &str) -> Answer {
        let page = self.get("/login").await;
        let hidden = page.hidden("/login");
        let mut fields: Vec<(&str, &str)> = hidden.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        fields.extend([("email", login), ("password", password)]);
        self.send(self.form("/login", &fields).header("origin", &self.base).header("x-forwarded-for", address)).await
    }

    pub async fn sign_in(&self, login: &str, password: &str) -> Answer {
        self.fill("/login", "/login", &[("email", login), ("password", password)]).await
    }

    /// With a bearer token, as an app asks.
    pub async fn get_as(&self, token: &str, path: &str) -> Answer {
        self.send(self.http.get(format!("{}{path}", self.base)).bearer_auth(token)).await
    }
}
