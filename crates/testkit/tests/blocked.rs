//! Communities that are kept away: by those who run this one, or by one member for herself.

use app::accounts::By;
use app::moderation::domains::{block, limit, remove};
use domain::Clock;
use serde_json::{Value, json};
use testkit::{Engine, Instance, Person, eventually, on_both};

/// A server here and one there, with somebody at each; they follow each other.
async fn friends(engine: Engine) -> (Instance, Instance, Person, Person, String) {
    let (maple, willow) = tokio::join!(Instance::start("maple", engine), Instance::start("willow", engine));
    let (alice, bob) = tokio::join!(maple.member("alice"), willow.member("bob"));
    let bob_here = alice.follow(&bob).await;
    bob.follow(&alice).await;
    bob.publish("before", "public").await;
    alice.sees("bob's post arrives", |p| p["content"].as_str().unwrap().contains("before")).await;
    (maple, willow, alice, bob, bob_here)
}

fn host(of: &Instance) -> String {
    of.base.trim_start_matches("http://").to_owned()
}

async fn counts(of: &Person) -> (Value, Value) {
    let me = of.get("/api/v1/accounts/verify_credentials").await.ok();
    (me["followers_count"].clone(), me["following_count"].clone())
}

/// Whether a member finds an account at another server.
async fn finds(who: &Person, whom: &Person) -> bool {
    let found = who.get(&format!("/api/v2/search?type=accounts&resolve=true&q={}", whom.handle())).await.ok();
    found["accounts"].as_array().is_some_and(|list| !list.is_empty())
}

fn texts(list: &Value) -> String {
    list.as_array().unwrap().iter().map(|p| p["content"].as_str().unwrap_or_default()).collect()
}

on_both! {
    /// Follows end on this side with their counters, what is known is shown no more, nothing comes in and nothing
    /// goes out; taken back, the two may find each other again.
    async fn a_blocked_community_gets_nothing_and_is_refused(engine) {
        let (maple, willow, alice, bob, bob_here) = friends(engine).await;
        let mention = json!({"status": format!("@{} a question", alice.handle()), "visibility": "public"});
        bob.post("/api/v1/statuses", mention).await.ok();
        eventually("alice is told", async || (!alice.notifications("mention").await.is_empty()).then_some(())).await;
        let post = alice.publish("in the open", "public").await;
        bob.sees("alice's post arrives", |p| p["content"].as_str().unwrap().contains("in the open")).await;

        let domain = host(&willow);
        let done = block::block(maple.app(), By::Operator, &domain, Some("they will not leave us alone")).await.unwrap();
        assert_eq!((done.domain.as_str(), done.accounts, done.follows), (domain.as_str(), 1, 2));
        assert_eq!(counts(&alice).await, (json!(0), json!(0)));
        assert!(alice.notifications("mention").await.is_empty());
        let public = alice.get("/api/v1/timelines/public").await.ok();
        assert!(!texts(&public).contains("before"), "{public}");
        assert!(!texts(&Value::Array(alice.home().await)).contains("before"));
        let theirs = alice.get(&format!("/api/v1/accounts/{bob_here}/statuses")).await;
        assert_eq!(theirs.json(), json!([]));
        assert!(!finds(&alice, &bob).await);
        assert!(matches!(alice.post(&format!("/api/v1/accounts/{bob_here}/follow"), json!({})).await.status, 403 | 404));
        let mut conn = maple.app().db.read().await.unwrap();
        assert!(storage::community::peers(&mut conn).await.unwrap().is_empty());
        drop(conn);
        eventually("her home forgets", async || {
            let mut conn = maple.app().db.read().await.unwrap();
            let me = alice.account_id();
            let home = storage::timelines::home(&mut conn, me, &domain::page::Page::first(40)).await.unwrap();
            (home.len() == 1).then_some(())
        })
        .await;

        // Nothing goes out: not to the follower that its server still believes in, not when it is named.
        let named = json!({"status": format!("@{} can you hear me?", bob.handle()), "visibility": "public"});
        alice.post("/api/v1/statuses", named).await.ok();
        alice.publish("among ourselves", "public").await;
        eventually("there is nothing left to do", async || {
            let mut conn = maple.app().db.read().await.unwrap();
            (storage::jobs::backlog(&mut conn).await.unwrap().0 == 0).then_some(())
        })
        .await;
        let mut conn = maple.app().db.read().await.unwrap();
        assert_eq!(storage::deliveries::backlog(&mut conn).await.unwrap(), (0, 0));
        drop(conn);
        // Nothing comes in: what bob writes is refused for good, so that his server does not keep it.
        bob.publish("after", "public").await;
        eventually("it was refused", async || {
            let mut conn = willow.app().db.read().await.unwrap();
            let jobs = storage::jobs::backlog(&mut conn).await.unwrap().0;
            (jobs == 0 && storage::deliveries::backlog(&mut conn).await.unwrap().0 == 0).then_some(())
        })
        .await;
        assert!(!texts(&Value::Array(alice.home().await)).contains("after"));
        // Its fetches are signed, and are refused: even what anybody may see.
        let later = alice.publish("in the open again", "public").await;
        let url = later["uri"].as_str().unwrap();
        let fetched = bob.get(&format!("/api/v2/search?type=statuses&resolve=true&q={url}")).await.ok();
        assert_eq!(fetched["statuses"], json!([]));
        let home = texts(&Value::Array(bob.home().await));
        assert!(!home.contains("can you hear me") && !home.contains("among ourselves"), "{home}");
        assert!(home.contains("in the open"), "what it had before cannot be taken back: {post}");

        remove::remove(maple.app(), By::Operator, &domain).await.unwrap();
        assert!(finds(&alice, &bob).await);
        assert_eq!(counts(&alice).await, (json!(0), json!(0)), "follows that ended stay ended");
        alice.follow(&bob).await;
        bob.publish("welcome back", "public").await;
        alice.sees("bob's post arrives", |p| p["content"].as_str().unwrap().contains("welcome back")).await;
    }
}

on_both! {
    /// Limited: whoever follows goes on following; strangers neither see them in public nor are told anything.
    async fn a_limited_community_is_heard_by_its_followers_alone(engine) {
        let (maple, willow, alice, bob, _) = friends(engine).await;
        let (carol, dave) = tokio::join!(maple.member("carol"), willow.member("dave"));
        limit::limit(maple.app(), By::Operator, &host(&willow), None).await.unwrap();
        // Dave was not known when it was decided.
        for who in [&bob, &dave] {
            let text = format!("@{} @{} hello from {}", alice.handle(), carol.handle(), who.username);
            who.post("/api/v1/statuses", json!({"status": text, "visibility": "public"})).await.ok();
        }
        alice.sees("bob is heard", |p| p["content"].as_str().unwrap().contains("hello from bob")).await;
        eventually("both came", async || {
            let found = carol.get("/api/v2/search?type=statuses&q=hello").await.ok();
            (found["statuses"].as_array()?.len() == 2).then_some(())
        })
        .await;
        assert!(!texts(&carol.get("/api/v1/timelines/public").await.ok()).contains("hello from"));
        assert!(carol.notifications("mention").await.is_empty());
        assert_eq!(alice.notifications("mention").await.len(), 1);
        // They have to ask, even her who lets anybody follow.
        let carol_there = dave.find(&carol.handle()).await;
        dave.post(&format!("/api/v1/accounts/{carol_there}/follow"), json!({})).await.ok();
        let asked = eventually("dave asks", async || {
            let list = carol.get("/api/v1/follow_requests").await.ok();
            (!list.as_array()?.is_empty()).then_some(list)
        })
        .await;
        assert_eq!(asked[0]["limited"], true);
    }
}

on_both! {
    /// What another process decides (a second server, or the command line beside this one) holds here.
    async fn a_decision_made_elsewhere_is_heard_of(engine) {
        let (maple, willow, alice, bob, _) = friends(engine).await;
        let config = storage::Config { url: maple.database.url.clone(), max_connections: 3 };
        let db = storage::Db::connect(&config, Clock::System).await.unwrap();
        let app = maple.app();
        let other = app::App::open(db, app.urls.clone(), app.config.clone(), app.media.clone()).await.unwrap();
        block::block(&other, By::Operator, &host(&willow), None).await.unwrap();
        bob.publish("too late", "public").await;
        alice.publish("not for you", "public").await;
        eventually("this process refuses", async || {
            maple.federation().is_suspended(&domain::Host::parse(&host(&willow)).unwrap()).await.unwrap().then_some(())
        })
        .await;
        eventually("everything was looked at", async || {
            let mut conn = maple.app().db.read().await.unwrap();
            let left = storage::jobs::backlog(&mut conn).await.unwrap().0
                + storage::inbox_items::backlog(&mut conn).await.unwrap()
                + storage::deliveries::backlog(&mut conn).await.unwrap().0;
            (left == 0).then_some(())
        })
        .await;
        assert!(!texts(&Value::Array(alice.home().await)).contains("too late"));
        assert!(!texts(&Value::Array(bob.home().await)).contains("not for you"));
        other.db.close().await;
    }
}

on_both! {
    /// One member blocks a community: for her it is as if it were not there; the others go on.
    async fn a_member_keeps_a_whole_community_away(engine) {
        let (maple, willow, alice, bob, bob_here) = friends(engine).await;
        let carol = maple.member("carol").await;
        carol.follow(&bob).await;
        let reply = alice.publish("a question to all", "public").await;
        let reply = reply["id"].as_str().unwrap().to_owned();
        let seen = bob.sees("it arrives", |p| p["content"].as_str().unwrap().contains("a question")).await;
        let answer = json!({"status": format!("@{} an answer", alice.handle()), "in_reply_to_id": seen["id"]});
        bob.post("/api/v1/statuses", answer).await.ok();
        eventually("alice is told", async || (!alice.notifications("mention").await.is_empty()).then_some(())).await;

        let domain = host(&willow);
        assert_eq!(alice.post("/api/v1/domain_blocks", json!({"domain": domain})).await.ok(), json!({}));
        assert_eq!(alice.get("/api/v1/domain_blocks").await.ok(), json!([domain]));
        let between = alice.relationship(&bob_here).await;
        let told = (&between["domain_blocking"], &between["following"], &between["followed_by"]);
        assert_eq!(told, (&json!(true), &json!(false), &json!(false)));
        assert_eq!(counts(&alice).await, (json!(0), json!(0)));
        eventually("bob's server hears that both follows ended", async || {
            let (followers, following) = counts(&bob).await;
            // (Carol still follows him.)
            (followers == 1 && following == 0).then_some(())
        })
        .await;
        assert!(alice.notifications("mention").await.is_empty());
        for path in [
            "/api/v1/timelines/home".to_owned(),
            "/api/v1/timelines/public".to_owned(),
            "/api/v2/search?q=bob".to_owned(),
            "/api/v2/search?q=answer".to_owned(),
            format!("/api/v1/statuses/{reply}/context"),
            "/api/v1/notifications".to_owned(),
        ] {
            let list = alice.get(&path).await.ok().to_string();
            assert!(!list.contains(&bob_here), "{path}: {list}");
        }
        assert!(carol.get(&format!("/api/v1/statuses/{reply}/context")).await.ok().to_string().contains("an answer"));
        // He may not follow her, nor she him; carol shares what he says, which does not reach her.
        let alice_there = bob.find(&alice.handle()).await;
        bob.post(&format!("/api/v1/accounts/{alice_there}/follow"), json!({})).await.ok();
        eventually("his request is refused", async || {
            let now = bob.relationship(&alice_there).await;
            (now["requested"] == false && now["following"] == false).then_some(())
        })
        .await;
        assert_eq!(alice.post(&format!("/api/v1/accounts/{bob_here}/follow"), json!({})).await.status, 403);
        alice.follow(&carol).await;
        bob.publish("something new", "public").await;
        let new = carol.sees("it reaches carol", |p| p["content"].as_str().unwrap().contains("something new")).await;
        carol.post(&format!("/api/v1/statuses/{}/reblog", new["id"].as_str().unwrap()), json!({})).await.ok();
        let text = json!({"status": format!("@{} between us?", alice.handle()), "visibility": "direct"});
        bob.post("/api/v1/statuses", text).await.ok();
        let last = json!({"status": format!("@{} @{} the last one", alice.handle(), carol.handle())});
        bob.post("/api/v1/statuses", last).await.ok();
        eventually("the last one is here", async || {
            (carol.notifications("mention").await.len() == 1).then_some(())
        })
        .await;
        assert!(!texts(&Value::Array(alice.home().await)).contains("something new"));
        assert_eq!(alice.get("/api/v1/notifications").await.ok().to_string().matches(&bob_here).count(), 0);
        assert_eq!(alice.get("/api/v1/conversations").await.ok(), json!([]));

        let path = format!("/api/v1/domain_blocks?domain={domain}");
        assert_eq!(alice.delete(&path).await.ok(), json!({}));
        assert_eq!(alice.get("/api/v1/domain_blocks").await.ok(), json!([]));
        assert_eq!(alice.relationship(&bob_here).await["domain_blocking"], false);
        assert!(texts(&alice.get("/api/v1/timelines/public").await.ok()).contains("something new"));
        alice.follow(&bob).await;
    }
}
