//! A server is killed while it delivers and receives, again and again. What it had accepted is processed once, what
//! it had queued arrives.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::json;
use testkit::process::Process;
use testkit::{Database, Engine, Instance, Person, eventually};

const POSTS: usize = 40;

/// How often each post of a set is on a home timeline, read to its end.
async fn on_home(reader: &Person) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    let mut path = "/api/v1/timelines/home?limit=40".to_owned();
    loop {
        let page = reader.get(&path).await.ok();
        let page = page.as_array().unwrap().clone();
        let Some(last) = page.last() else { return counts };
        path = format!("/api/v1/timelines/home?limit=40&max_id={}", last["id"].as_str().unwrap());
        for post in page {
            *counts.entry(post["uri"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
}

async fn arrives_once(what: &str, reader: &Person, uris: &[String]) {
    eventually(what, async || {
        let seen = on_home(reader).await;
        uris.iter().all(|uri| seen.contains_key(uri)).then_some(())
    })
    .await;
    // Whatever was about to come a second time has had its chance.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let seen = on_home(reader).await;
    for uri in uris {
        assert_eq!(seen.get(uri), Some(&1), "{what}: {uri}");
    }
}

async fn story(engine: Engine) {
    let database = Database::fresh(engine).await;
    let mut maple = Process::start("maple", &database).await;
    let willow = Instance::start("willow", engine).await;
    let (alice, bob) = (maple.member("alice").await, willow.member("bob").await);
    alice.follow(&bob).await;
    bob.follow(&alice).await;

    let writer = bob.clone();
    let from_bob = tokio::spawn(async move {
        let mut uris = Vec::new();
        for n in 0..POSTS {
            let post = writer.publish(&format!("from bob {n}"), "public").await;
            uris.push(post["uri"].as_str().unwrap().to_owned());
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
        uris
    });
    let writer = alice.clone();
    let from_alice = tokio::spawn(async move {
        let mut uris = Vec::new();
        for n in 0..POSTS {
            // A request that breaks off when the server dies is not one that it accepted.
            let body = json!({"status": format!("from alice {n}")}).to_string();
            let request = writer.request(http::Method::POST, "/api/v1/statuses");
            let sent = request.header("content-type", "application/json").body(body).send().await;
            if let Ok(answer) = sent
                && answer.status() == 200
                && let Ok(text) = answer.text().await
            {
                let post: serde_json::Value = serde_json::from_str(&text).unwrap();
                uris.push(post["uri"].as_str().unwrap().to_owned());
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
        uris
    });
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(700)).await;
        maple.kill();
        maple.start_again().await;
    }
    let (from_bob, from_alice) = (from_bob.await.unwrap(), from_alice.await.unwrap());
    assert_eq!(from_bob.len(), POSTS);
    assert!(from_alice.len() > POSTS / 4, "only {} of alice's posts were accepted", from_alice.len());

    arrives_once("what alice's server had queued arrives at bob's", &bob, &from_alice).await;
    // Willow found maple dead and waits before it tries again: its clock is moved past the pause.
    for _ in 0..4 {
        willow.clock.advance(Duration::from_secs(5 * 60));
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    arrives_once("what bob's server sent is on alice's timeline", &alice, &from_bob).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_on_sqlite() {
    story(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_on_postgres() {
    story(Engine::Postgres).await;
}
