//! What the stories about other programs' servers share.

use domain::account::Account;
use domain::post::Post;
use serde_json::{Value, json};
use storage::{accounts, posts};
use testkit::remote::Somebody;
use testkit::{Engine, Instance, Person, Remote, eventually};

/// A post as a community has it.
pub async fn post_at(home: &Instance, uri: &str) -> Option<Post> {
    let mut conn = home.app().db.read().await.unwrap();
    posts::unchecked_by_uri(&mut conn, uri).await.unwrap()
}

/// An account as a community has it.
pub async fn account_at(home: &Instance, uri: &str) -> Option<Account> {
    let mut conn = home.app().db.read().await.unwrap();
    accounts::by_uri(&mut conn, uri).await.unwrap()
}

/// Waits for a post.
pub async fn arrives(home: &Instance, uri: &str) -> Post {
    eventually(&format!("{uri} arrives"), async || post_at(home, uri).await).await
}

/// The note with some properties changed.
pub fn with(note: &Value, changes: &Value) -> Value {
    let mut note = note.clone();
    for (key, value) in changes.as_object().unwrap() {
        note[key] = value.clone();
    }
    note
}

/// What a note of a private kind is addressed to.
pub fn only_to(uri: &str) -> Value {
    json!({"to": [uri], "cc": []})
}

/// A member at maple, and carol at oak, whom the member follows.
pub async fn follower_and_followed(engine: Engine, member: &str) -> (Instance, Person, Remote, Somebody) {
    let maple = Instance::start("maple", engine).await;
    let member = maple.member(member).await;
    let oak = Remote::start("oak").await;
    let carol = oak.person("carol");
    carol.is_followed_by(&member, &maple).await;
    (maple, member, oak, carol)
}

/// Posts an activity, and waits until it was processed.
pub async fn says(who: &Somebody, home: &Instance, activity: &Value) {
    assert_eq!(who.post(home, activity).await, 202);
    settled(home).await;
}

/// Waits until all that came was processed.
pub async fn settled(home: &Instance) {
    eventually("everything is processed", async || {
        let mut conn = home.app().db.read().await.unwrap();
        (storage::inbox_items::backlog(&mut conn).await.unwrap() == 0).then_some(())
    })
    .await;
}
