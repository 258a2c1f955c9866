//! Two communities meet: alice at maple and bob at willow follow, post, answer, and write to each other in private,
//! over real HTTP.

use serde_json::{Value, json};
use testkit::{Engine, Instance, Person, eventually, on_both};

fn id(of: &Value) -> String {
    of["id"].as_str().unwrap().to_owned()
}

fn content(of: &Value) -> String {
    of["content"].as_str().unwrap_or_default().to_owned()
}

/// A server here and one there, with somebody at each.
async fn two(engine: Engine) -> (Instance, Instance, Person, Person) {
    let (maple, willow) = tokio::join!(Instance::start("maple", engine), Instance::start("willow", engine));
    let (alice, bob) = tokio::join!(maple.member("alice"), willow.member("bob"));
    (maple, willow, alice, bob)
}

on_both! {
    /// A locked account decides who follows it; refusing is final, accepting is seen on both sides.
    async fn asking_to_follow_a_locked_account(engine) {
        let (maple, willow) = tokio::join!(Instance::start("maple", engine), Instance::start("willow", engine));
        let (alice, bob) = tokio::join!(maple.member("alice"), willow.cautious_member("bob"));
        let carol = maple.member("carol").await;
        for asker in [&alice, &carol] {
            let bob_here = asker.find(&bob.handle()).await;
            let relationship = asker.post(&format!("/api/v1/accounts/{bob_here}/follow"), json!({})).await.ok();
            assert_eq!(relationship["requested"], true);
            assert_eq!(relationship["following"], false);
        }
        let requests = eventually("both requests arrive", async || {
            let list = bob.get("/api/v1/follow_requests").await.ok();
            (list.as_array()?.len() == 2).then_some(list)
        })
        .await;
        let of = |name: &str| {
            let found = requests.as_array().unwrap().iter().find(|a| a["username"] == name);
            id(found.unwrap())
        };
        assert_eq!(bob.notifications("follow_request").await.len(), 2);
        bob.post(&format!("/api/v1/follow_requests/{}/authorize", of("alice")), json!({})).await.ok();
        bob.post(&format!("/api/v1/follow_requests/{}/reject", of("carol")), json!({})).await.ok();

        let bob_at_maple = alice.find(&bob.handle()).await;
        eventually("alice follows", async || {
            (alice.relationship(&bob_at_maple).await["following"] == true).then_some(())
        })
        .await;
        eventually("carol's request is gone", async || {
            let now = carol.relationship(&bob_at_maple).await;
            (now["requested"] == false && now["following"] == false).then_some(())
        })
        .await;
        let profile = bob.get("/api/v1/accounts/verify_credentials").await.ok();
        assert_eq!(profile["followers_count"], 1);
        let seen = alice.get(&format!("/api/v1/accounts/{}", alice.id)).await.ok();
        assert_eq!(seen["following_count"], 1);
    }
}

on_both! {
    /// A follower sees public and followers-only posts, and not the private ones to others.
    async fn what_a_follower_sees(engine) {
        let (_maple, willow, alice, bob) = two(engine).await;
        let dave = willow.member("dave").await;
        alice.follow(&bob).await;
        bob.publish("for everybody", "public").await;
        bob.publish("for my followers", "private").await;
        bob.publish("@dave between us", "direct").await;
        bob.publish("the last one", "unlisted").await;
        alice.sees("the last post", |p| content(p).contains("the last one")).await;
        let home: Vec<String> = alice.home().await.iter().map(content).collect();
        assert!(home.iter().any(|c| c.contains("for everybody")), "{home:?}");
        assert!(home.iter().any(|c| c.contains("for my followers")), "{home:?}");
        assert!(!home.iter().any(|c| c.contains("between us")), "{home:?}");
        let public = alice.get("/api/v1/timelines/public").await.ok();
        let public: Vec<String> = public.as_array().unwrap().iter().map(content).collect();
        assert!(public.iter().any(|c| c.contains("for everybody")), "{public:?}");
        assert_eq!(public.len(), 1, "neither followers-only nor unlisted posts are in public: {public:?}");
        let private = dave.get("/api/v1/conversations").await.ok();
        assert_eq!(private.as_array().unwrap().len(), 1);
    }
}

on_both! {
    /// Boosts, answers, favourites, edits and deletions arrive on the other side, and so do the counters.
    async fn what_happens_to_a_post_elsewhere(engine) {
        let (_maple, _willow, alice, bob) = two(engine).await;
        alice.follow(&bob).await;
        bob.follow(&alice).await;
        let original = bob.publish("The kettle is on.", "public").await;
        let here = alice.sees("bob's post", |p| content(p).contains("kettle")).await;
        assert_eq!(here["uri"], original["uri"]);

        alice.post(&format!("/api/v1/statuses/{}/favourite", id(&here)), json!({})).await.ok();
        alice.post(&format!("/api/v1/statuses/{}/reblog", id(&here)), json!({})).await.ok();
        let handle = bob.handle();
        let answer = json!({"status": format!("@{handle} on my way"), "in_reply_to_id": id(&here)});
        alice.post("/api/v1/statuses", answer).await.ok();
        let path = format!("/api/v1/statuses/{}", id(&original));
        eventually("the counters arrive", async || {
            let post = bob.get(&path).await.ok();
            (post["favourites_count"] == 1 && post["reblogs_count"] == 1 && post["replies_count"] == 1).then_some(())
        })
        .await;
        for kind in ["favourite", "reblog", "mention"] {
            assert_eq!(bob.notifications(kind).await.len(), 1, "{kind}");
        }
        let thread = bob.get(&format!("{path}/context")).await.ok();
        assert!(content(&thread["descendants"][0]).contains("on my way"));

        bob.put(&path, json!({"status": "The kettle is singing."})).await.ok();
        eventually("the edit arrives", async || {
            let post = alice.get(&format!("/api/v1/statuses/{}", id(&here))).await.ok();
            (content(&post).contains("singing") && !post["edited_at"].is_null()).then_some(())
        })
        .await;
        let history = alice.get(&format!("/api/v1/statuses/{}/history", id(&here))).await.ok();
        assert_eq!(history.as_array().unwrap().len(), 2);

        alice.post(&format!("/api/v1/statuses/{}/unfavourite", id(&here)), json!({})).await.ok();
        alice.post(&format!("/api/v1/statuses/{}/unreblog", id(&here)), json!({})).await.ok();
        eventually("taking back arrives", async || {
            let post = bob.get(&path).await.ok();
            (post["favourites_count"] == 0 && post["reblogs_count"] == 0).then_some(())
        })
        .await;

        bob.delete(&path).await.ok();
        eventually("the deletion arrives", async || {
            (alice.get(&format!("/api/v1/statuses/{}", id(&here))).await.status == 404).then_some(())
        })
        .await;
        assert!(!alice.home().await.iter().any(|p| content(p).contains("kettle")));
    }
}

on_both! {
    /// A private message and its answer stand in both conversations; blocking ends it.
    async fn a_private_round_trip_and_its_end(engine) {
        let (maple, _willow, alice, bob) = two(engine).await;
        let carol = maple.member("carol").await;
        bob.follow(&alice).await;
        let asked = alice.publish(&format!("@{} can I tell you something?", bob.handle()), "direct").await;
        let arrived = eventually("the message arrives", async || {
            let list = bob.get("/api/v1/conversations").await.ok();
            list.as_array()?.first().cloned()
        })
        .await;
        assert_eq!(arrived["unread"], true);
        assert_eq!(arrived["accounts"][0]["username"], "alice");
        let last = &arrived["last_status"];
        assert_eq!(last["visibility"], "direct");
        let answer =
            json!({"status": format!("@{} always", alice.handle()), "in_reply_to_id": id(last), "visibility": "direct"});
        bob.post("/api/v1/statuses", answer).await.ok();
        eventually("the answer arrives", async || {
            let list = alice.get("/api/v1/conversations").await.ok();
            let list = list.as_array()?.clone();
            (list.len() == 1 && content(&list[0]["last_status"]).contains("always")).then_some(())
        })
        .await;
        let read = bob.post(&format!("/api/v1/conversations/{}/read", id(&arrived)), json!({})).await.ok();
        assert_eq!(read["unread"], false);

        // Nobody else can see it, however she asks.
        assert_eq!(carol.get(&format!("/api/v1/statuses/{}", id(&asked))).await.status, 404);
        assert_eq!(maple.request(http::Method::GET, &format!("/api/v1/statuses/{}", id(&asked))).send().await.unwrap().status(), 404);

        let bob_here = alice.find(&bob.handle()).await;
        alice.post(&format!("/api/v1/accounts/{bob_here}/block"), json!({})).await.ok();
        let alice_there = bob.find(&alice.handle()).await;
        eventually("the block arrives", async || {
            let now = bob.relationship(&alice_there).await;
            (now["blocked_by"] == true && now["following"] == false).then_some(())
        })
        .await;
        bob.publish(&format!("@{} please", alice.handle()), "direct").await;
        bob.publish(&format!("@{} in the open then", alice.handle()), "public").await;
        let quiet = alice.publish("nothing from bob above this", "public").await;
        alice.sees("her own post", |p| p["id"] == quiet["id"]).await;
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        let conversations = alice.get("/api/v1/conversations").await.ok();
        assert!(!conversations.to_string().contains("please"), "{conversations}");
        assert!(alice.notifications("mention").await.iter().all(|n| !n.to_string().contains("in the open")));
        assert!(!alice.home().await.iter().any(|p| content(p).contains("in the open")));
    }
}
