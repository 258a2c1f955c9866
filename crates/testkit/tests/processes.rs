//! Two server processes on one PostgreSQL database are one community: jobs are claimed once, live events and caches
//! agree, and when one dies the other takes over its work. What the command line changes beside a server holds for it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use testkit::listener::Listener;
use testkit::process::Process;
use testkit::{Database, Engine, Instance, Person, Remote, eventually, on_both};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

/// Two processes of one community (in this test: two whole servers that share nothing but the database).
async fn community() -> (Instance, Instance) {
    let database = Arc::new(Database::fresh(Engine::Postgres).await);
    let one = Instance::start_on("maple", Arc::clone(&database), |_| {}).await;
    let url = one.config.url.clone();
    let other = Instance::start_on("maple", database, |config| config.url = url).await;
    (one, other)
}

/// The same member, talking to the other process.
fn through(instance: &Instance, person: &Person) -> Person {
    person.at(testkit::instance::client("maple", instance.address), &instance.base)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_process_writes_the_other_streams() {
    let (one, other) = community().await;
    let dana = one.member("dana").await;
    let priya = one.member("priya").await;
    dana.follow(&priya).await;

    let url = format!("ws://{}/api/v1/streaming?stream=user&access_token={}", other.address, dana.token);
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("host", format!("maple.localhost:{}", one.address.port()).parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let written = priya.publish("over to the other side", "public").await;
    let event = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            let message = socket.next().await.unwrap().unwrap();
            if message.is_text() {
                let event: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
                if event["event"] == "update" {
                    return event;
                }
            }
        }
    })
    .await
    .expect("the event arrives");
    let payload: Value = serde_json::from_str(event["payload"].as_str().unwrap()).unwrap();
    assert_eq!(payload["id"], written["id"]);

    // Caches: what one process changes, the other shows.
    let there = through(&other, &dana);
    let path = format!("/api/v1/statuses/{}", written["id"].as_str().unwrap());
    assert_eq!(there.get(&path).await.ok()["favourites_count"], 0);
    dana.post(&format!("{path}/favourite"), json!({})).await.ok();
    priya.patch("/api/v1/accounts/update_credentials", json!({"display_name": "Priya P."})).await.ok();
    eventually("the other process shows both", async || {
        let seen = there.get(&path).await.ok();
        (seen["favourites_count"] == 1 && seen["account"]["display_name"] == "Priya P.").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_delivery_is_made_once_by_either() {
    let (one, other) = community().await;
    let willow = Instance::start("willow", Engine::Postgres).await;
    let dana = one.member("dana").await;
    let bob = willow.member("bob").await;
    // Bob's server reaches the community at the first process; posts are written through both.
    bob.follow(&dana).await;
    let there = through(&other, &dana);
    for n in 0..30 {
        let writer = if n % 2 == 0 { &dana } else { &there };
        writer.publish(&format!("number {n}"), "public").await;
    }
    eventually("all thirty arrive", async || {
        let home = bob.home().await;
        (home.iter().filter(|p| p["content"].as_str().unwrap().contains("number")).count() == 30).then_some(())
    })
    .await;
    // What has arrived is settled a moment later.
    eventually("nothing is left to do", async || {
        let mut conn = one.app().db.read().await.unwrap();
        let (jobs, _) = storage::jobs::backlog(&mut conn).await.unwrap();
        let (deliveries, _) = storage::deliveries::backlog(&mut conn).await.unwrap();
        (jobs == 0 && deliveries == 0).then_some(())
    })
    .await;
}

/// What a member does goes out in the order in which it was done, whichever process she talks to: who is sent an
/// `Undo` before its `Follow` thinks for ever that she follows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_member_does_through_several_processes_goes_out_in_its_order() {
    let (one, other) = community().await;
    let dana = one.member("dana").await;
    let there = through(&other, &dana);
    let oak = Remote::start("oak").await;
    let carol = oak.person("carol");
    carol.is_followed_by(&dana, &one).await;
    let id = dana.find(&format!("carol@{}", carol.domain())).await;
    let began = oak.received().len();
    for _ in 0..10 {
        there.post(&format!("/api/v1/accounts/{id}/unfollow"), json!({})).await.ok();
        dana.post(&format!("/api/v1/accounts/{id}/follow"), json!({})).await.ok();
    }
    for n in 0..30 {
        let writer = if n % 2 == 0 { &dana } else { &there };
        writer.publish(&format!("@carol@{} number {n} .", carol.domain()), "public").await;
    }
    let (mut kinds, mut posts) = (Vec::new(), Vec::new());
    eventually("all are sent", async || {
        (kinds, posts) = (Vec::new(), Vec::new());
        for activity in oak.received().into_iter().skip(began) {
            let kind = activity["type"].as_str().unwrap().to_owned();
            match activity["object"]["content"].as_str() {
                Some(content) if kind == "Create" => {
                    posts.extend((0..30).find(|n| content.contains(&format!("number {n} ."))));
                }
                _ => kinds.push(kind),
            }
        }
        (posts.len() == 30).then_some(())
    })
    .await;
    assert_eq!(posts, (0..30).collect::<Vec<_>>());
    let expected = ["Undo", "Follow"].into_iter().cycle();
    assert!(kinds.iter().map(String::as_str).eq(expected.take(kinds.len())), "{kinds:?}");
    assert_eq!(kinds.last().map(String::as_str), Some("Follow"), "she follows, in the end");
}

/// One of three processes is killed while members write through all of them: whoever listens at the others hears of
/// every post that was accepted, once, and finds it at home.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_event_is_lost_when_a_process_is_killed() {
    let database = Database::fresh(Engine::Postgres).await;
    let mut one = Process::start("maple", &database).await;
    let others = [Process::beside(&one, &database).await, Process::beside(&one, &database).await];
    let (dana, priya) = (one.member("dana").await, one.member("priya").await);
    dana.follow(&priya).await;
    let listeners = [
        Listener::start(&dana.at(others[0].http(), &others[0].base)).await,
        Listener::start(&dana.at(others[1].http(), &others[1].base)).await,
    ];

    let doors = [&one, &others[0], &others[1]].map(|process| priya.at(process.http(), &process.base));
    let writers = doors.map(|door| {
        tokio::spawn(async move {
            let mut accepted = Vec::new();
            for n in 0..40 {
                let body = json!({"status": format!("number {n}")}).to_string();
                let request = door.request(http::Method::POST, "/api/v1/statuses");
                // What a process that dies has not answered was not accepted.
                if let Ok(answer) = request.header("content-type", "application/json").body(body).send().await
                    && answer.status() == 200
                    && let Ok(text) = answer.text().await
                {
                    let post: Value = serde_json::from_str(&text).unwrap();
                    accepted.push(post["id"].as_str().unwrap().to_owned());
                }
            }
            accepted
        })
    });
    // Some of hers have come through the first process, and more are under way.
    eventually("they write", async || (listeners[0].updates().len() > 20).then_some(())).await;
    one.kill();
    let mut accepted = Vec::new();
    for writer in writers {
        accepted.push(writer.await.unwrap());
    }
    let survivors = &accepted[1..];
    assert!(survivors.iter().all(|posts| posts.len() == 40), "the others take over at once");
    let accepted: Vec<String> = accepted.into_iter().flatten().collect();
    for listener in &listeners {
        eventually("she hears of all", async || {
            let heard = listener.updates();
            accepted.iter().all(|id| heard.contains_key(id)).then_some(())
        })
        .await;
        assert!(listener.updates().values().all(|times| *times == 1), "none comes twice");
    }
    let reader = dana.at(others[0].http(), &others[0].base);
    let mut home = Vec::new();
    let mut path = "/api/v1/timelines/home?limit=40".to_owned();
    loop {
        let page = reader.get(&path).await.ok();
        let ids = page.as_array().unwrap().iter().map(|post| post["id"].as_str().unwrap().to_owned());
        let before = home.len();
        home.extend(ids);
        if home.len() == before {
            break;
        }
        path = format!("/api/v1/timelines/home?limit=40&max_id={}", home.last().unwrap());
    }
    for id in &accepted {
        assert_eq!(home.iter().filter(|other| *other == id).count(), 1, "{id}");
    }
}

on_both! {
    /// Closing an account on the command line, beside a server, ends what she listens to there.
    async fn an_account_closed_on_the_command_line_hears_nothing_more(engine) {
        let database = Database::fresh(engine).await;
        let house = Process::start("maple", &database).await;
        let dana = house.member("dana").await;
        let priya = house.member("priya").await;
        dana.follow(&priya).await;
        let mut streams = [
            dana.request(http::Method::GET, "/api/v1/streaming/user").send().await.unwrap(),
            priya.request(http::Method::GET, "/api/v1/streaming/user").send().await.unwrap(),
        ];
        let _ = house.ask(&["account", "disable", "dana"]);
        let ended = tokio::time::timeout(Duration::from_secs(10), async {
            while streams[0].chunk().await.is_ok_and(|chunk| chunk.is_some()) {}
        });
        ended.await.expect("her stream ends");
        priya.publish("for those who stayed", "private").await;
        // That she is followed may reach her stream only now.
        let told = tokio::time::timeout(Duration::from_secs(10), async {
            loop {
                let event = streams[1].chunk().await.unwrap().expect("nobody else's ended");
                if event.starts_with(b"event: update") {
                    break;
                }
            }
        });
        told.await.expect("an event in time");
    }
}
