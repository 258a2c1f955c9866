//! A member as an app sees her: a token and the client API.

use domain::AccountId;
use domain::account::Account;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use crate::eventually;

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    /// # Panics
    /// When it is no JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{} is no JSON ({e}): {}", self.status, self.text))
    }

    /// The JSON of an answer that must be a success.
    ///
    /// # Panics
    /// When it is none.
    pub fn ok(&self) -> Value {
        assert!((200..300).contains(&self.status), "{}: {}", self.status, self.text);
        self.json()
    }

    /// Reads a response.
    ///
    /// # Panics
    /// When it breaks off.
    pub async fn read(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }
}

/// Signed in, with every scope.
#[derive(Debug, Clone)]
pub struct Person {
    pub base: String,
    pub username: String,
    /// Empty for members of a server that is another process.
    pub id: String,
    pub token: String,
    pub http: reqwest::Client,
}

impl Person {
    #[must_use]
    pub fn new(base: &str, http: reqwest::Client, account: &Account, token: String) -> Self {
        let id = account.id.to_string();
        Self { base: base.to_owned(), username: account.username.clone(), id, token, http }
    }

    /// The same person, asking at another address.
    #[must_use]
    pub fn at(&self, http: reqwest::Client, base: &str) -> Self {
        Self { base: base.to_owned(), http, ..self.clone() }
    }

    /// The id that the database knows.
    ///
    /// # Panics
    /// When the API gave another one.
    #[must_use]
    pub fn account_id(&self) -> AccountId {
        AccountId(self.id.parse().unwrap_or_else(|e| panic!("{} is no id ({e})", self.id)))
    }

    /// `name@domain`, as others write it.
    #[must_use]
    pub fn handle(&self) -> String {
        format!("{}@{}", self.username, self.base.trim_start_matches("http://"))
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        Answer::read(request.send().await.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        let request = self.request(Method::POST, path).header("content-type", "application/json");
        self.send(request.body(body.to_string())).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        let request = self.request(Method::PUT, path).header("content-type", "application/json");
        self.send(request.body(body.to_string())).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        let request = self.request(Method::PATCH, path).header("content-type", "application/json");
        self.send(request.body(body.to_string())).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Publishes a post and gives it.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn publish(&self, text: &str, visibility: &str) -> Value {
        self.post("/api/v1/statuses", json!({"status": text, "visibility": visibility})).await.ok()
    }

    /// The id that her server gives an account, looked up by handle.
    ///
    /// # Panics
    /// When it is not found.
    pub async fn find(&self, handle: &str) -> String {
        let found = self.get(&format!("/api/v2/search?type=accounts&resolve=true&q={handle}")).await.ok();
        found["accounts"][0]["id"].as_str().unwrap_or_else(|| panic!("{handle} was not found: {found}")).to_owned()
    }

    /// Follows somebody and waits until that is so; her id here.
    ///
    /// # Panics
    /// When it is never accepted.
    pub async fn follow(&self, other: &Person) -> String {
        let id = self.find(&other.handle()).await;
        self.post(&format!("/api/v1/accounts/{id}/follow"), json!({})).await.ok();
        eventually("the follow is accepted", async || {
            (self.relationship(&id).await["following"] == true).then_some(())
        })
        .await;
        id
    }

    /// How she stands to an account of her server's.
    pub async fn relationship(&self, id: &str) -> Value {
        self.get(&format!("/api/v1/accounts/relationships?id[]={id}")).await.ok()[0].clone()
    }

    /// Her home timeline.
    pub async fn home(&self) -> Vec<Value> {
        self.get("/api/v1/timelines/home?limit=40").await.ok().as_array().cloned().unwrap_or_default()
    }

    /// Waits for a post on her home timeline that satisfies a condition.
    ///
    /// # Panics
    /// When it never comes.
    pub async fn sees(&self, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
        eventually(what, async || self.home().await.into_iter().find(|post| condition(post))).await
    }

    /// Her notifications of a kind.
    pub async fn notifications(&self, kind: &str) -> Vec<Value> {
        let all = self.get(&format!("/api/v1/notifications?types[]={kind}")).await.ok();
        all.as_array().cloned().unwrap_or_default()
    }
}
