//! What was accepted is processed in the order it came, each as what was said before it left things.

use domain::account::Account;
use domain::follow::FollowOptions;
use domain::page::Page;
use serde_json::{Value, json};
use storage::follows::{self, Follow};
use storage::{Tx, accounts, inbox_items, timelines};

use crate::home::{Home, eventually};

const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

/// Somebody of NAME.example, as their profile was read a moment ago, followed by a member.
async fn followed(tx: &mut Tx, home: &Home, member: &Account, name: &str) -> Account {
    let host = format!("{name}.example");
    let uri = format!("https://{host}/{name}");
    let account = Account {
        id: tx.id(),
        username: name.to_owned(),
        domain: Some(domain::Host::parse(&host).unwrap()),
        uri: uri.clone(),
        url: uri.clone(),
        inbox_url: format!("{uri}/inbox"),
        followers_url: Some(format!("{uri}/followers")),
        public_key_id: format!("{uri}#key"),
        fetched_at: Some(home.fed.app.now()),
        ..member.clone()
    };
    accounts::upsert(tx, &account).await.unwrap();
    let follow = Follow {
        id: tx.id(),
        account_id: member.id,
        target_id: account.id,
        uri: format!("{}/follows/{name}", home.base),
        options: FollowOptions::default(),
        created_at: tx.now(),
    };
    assert!(follows::insert(tx, &follow).await.unwrap());
    account
}

/// What came to the inbox, signed by its actor.
async fn came(tx: &mut Tx, actor: &Account, n: u8, activity: &Value) {
    let about = activity["object"].as_str().filter(|_| activity["type"] == "Create");
    let host = actor.domain.clone().unwrap();
    let item = inbox_items::New {
        fingerprint: [n; 16],
        activity_uri: "",
        actor: actor.id,
        host: &host,
        body: &activity.to_string(),
        about,
        forwarded: false,
        again: false,
    };
    assert!(inbox_items::accept(tx, item).await.unwrap());
}

fn posts(actor: &Account, n: u8) -> Value {
    let (cc, id) = (json!([actor.followers_url]), format!("{}/notes/{n}", actor.uri));
    let note = json!({"id": id, "type": "Note", "attributedTo": actor.uri, "content": "hi", "to": [PUBLIC], "cc": cc});
    json!({"id": format!("{id}/create"), "type": "Create", "actor": actor.uri, "object": note})
}

async fn all_is_processed(home: &Home) {
    eventually("all is processed", async || {
        let waiting = inbox_items::backlog(&mut home.conn().await).await.unwrap();
        (waiting == 0).then_some(())
    })
    .await;
}

/// Many at once, of many: they stand in the home timeline about as they came, though each is worked on by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_is_shown_about_in_its_order() {
    let home = Home::start("maple").await;
    let dana = home.member("dana").await;
    let mut tx = home.fed.app.db.write().await.unwrap();
    let mut people = Vec::new();
    for n in 0..40 {
        people.push(followed(&mut tx, &home, &dana, &format!("p{n}")).await);
    }
    let mut expected = Vec::new();
    for n in 0..200_u8 {
        let actor = &people[usize::from(n) % people.len()];
        came(&mut tx, actor, n, &posts(actor, n)).await;
        expected.push(format!("{}/notes/{n}", actor.uri));
    }
    tx.commit().await.unwrap();
    all_is_processed(&home).await;
    let mut conn = home.conn().await;
    let page = timelines::home(&mut conn, dana.id, &Page::first(400)).await.unwrap();
    let mut shown: Vec<String> = Vec::new();
    for found in page.iter().rev() {
        shown.push(storage::posts::unchecked(&mut conn, found.id()).await.unwrap().uri);
    }
    assert_eq!(shown.len(), 200);
    let away = |(n, uri): (usize, &String)| expected.iter().position(|other| other == uri).unwrap().abs_diff(n);
    let far = shown.iter().enumerate().map(away).filter(|by| *by > 32).count();
    assert!(far <= 6, "{far} of 200 are far from where they came");
}

/// An actor is read once for all that waits of it; but not after it has said something of itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_actor_says_after_its_end_is_not_kept() {
    let home = Home::start("maple").await;
    let dana = home.member("dana").await;
    let mut tx = home.fed.app.db.write().await.unwrap();
    let (bob, carol) = (followed(&mut tx, &home, &dana, "bob").await, followed(&mut tx, &home, &dana, "carol").await);
    came(&mut tx, &bob, 1, &posts(&bob, 1)).await;
    let gone = json!({"id": format!("{}#gone", bob.uri), "type": "Delete", "actor": bob.uri, "object": bob.uri});
    came(&mut tx, &bob, 2, &gone).await;
    came(&mut tx, &bob, 3, &posts(&bob, 3)).await;
    came(&mut tx, &carol, 4, &posts(&carol, 4)).await;
    tx.commit().await.unwrap();
    all_is_processed(&home).await;
    assert!(home.post_by_uri(&format!("{}/notes/3", bob.uri)).await.is_none());
    assert!(home.post_by_uri(&format!("{}/notes/4", carol.uri)).await.is_some());
    assert!(accounts::is_deleted(&mut home.conn().await, &bob.uri).await.unwrap());
}

/// What is taken back is not done later, though it is only put off when its turn to be taken back has come.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_put_off_is_taken_back_by_what_stands_behind_it() {
    let home = Home::start("maple").await;
    let dana = home.member("dana").await;
    let mut tx = home.fed.app.db.write().await.unwrap();
    let bob = followed(&mut tx, &home, &dana, "bob").await;
    // It is to be fetched from where nobody answers.
    let id = format!("{}/notes/1", bob.uri);
    came(&mut tx, &bob, 1, &json!({"id": format!("{id}/create"), "type": "Create", "actor": bob.uri, "object": id}))
        .await;
    came(&mut tx, &bob, 2, &json!({"id": format!("{id}/delete"), "type": "Delete", "actor": bob.uri, "object": id}))
        .await;
    tx.commit().await.unwrap();
    all_is_processed(&home).await;
}

/// A post and its answer came at the same moment, and neither saw the other: the look for what is answered mends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_missed_what_it_answers_is_hung_under_it() {
    let home = Home::start("maple").await;
    let dana = home.member("dana").await;
    let mut tx = home.fed.app.db.write().await.unwrap();
    let (bob, carol) = (followed(&mut tx, &home, &dana, "bob").await, followed(&mut tx, &home, &dana, "carol").await);
    came(&mut tx, &bob, 1, &posts(&bob, 1)).await;
    came(&mut tx, &carol, 2, &posts(&carol, 2)).await;
    tx.commit().await.unwrap();
    all_is_processed(&home).await;
    let first = home.post_by_uri(&format!("{}/notes/1", bob.uri)).await.unwrap();
    let other = home.post_by_uri(&format!("{}/notes/2", carol.uri)).await.unwrap();
    let mut tx = home.fed.app.db.write().await.unwrap();
    let id: domain::PostId = tx.id();
    let answer = domain::post::Post {
        id,
        uri: format!("{}/notes/3", carol.uri),
        thread_id: domain::ThreadId(id.0),
        in_reply_to_uri: Some(first.uri.clone()),
        ..other
    };
    storage::posts::insert(&mut tx, &answer, &storage::posts::Links::default()).await.unwrap();
    tx.commit().await.unwrap();
    home.fed.run_job(&domain::job::Job::FetchThread { post: answer.id }, false).await.unwrap();
    let now = home.post_by_uri(&answer.uri).await.unwrap();
    assert_eq!((now.in_reply_to_id, now.thread_id), (Some(first.id), first.thread_id));
}
