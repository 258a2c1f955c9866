//! Blocks, mutes and private notes.

use serde_json::json;
use std::time::{Duration, Instant};
use testkit::{Instance, eventually, on_both};

use crate::api::streaming::opened;
use crate::api::{each, id};

on_both! {
    /// A block ends the follow both ways and hides even what she was addressed by; a mute only hides from timelines.
    async fn keeping_somebody_away(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        dana.follow(&priya).await;
        let post = priya.publish("for followers", "private").await;
        let post = format!("/api/v1/statuses/{}", id(&post));
        assert_eq!(dana.get(&post).await.status, 200);

        let muted = dana.post(&format!("/api/v1/accounts/{}/mute", priya.id), json!({"duration": 3600})).await.ok();
        assert_eq!((&muted["muting"], &muted["muting_notifications"]), (&json!(true), &json!(true)));
        let mutes = dana.get("/api/v1/mutes").await.ok();
        assert_eq!(each(&mutes, "id"), [priya.id.as_str()]);
        assert!(mutes[0]["mute_expires_at"].is_string(), "{mutes}");
        assert_eq!(muted["muting_expires_at"], mutes[0]["mute_expires_at"]);
        assert!(dana.home().await.is_empty());
        assert_eq!(dana.get(&post).await.status, 200, "a mute takes nothing away");
        assert_eq!(dana.post(&format!("/api/v1/accounts/{}/unmute", priya.id), json!({})).await.ok()["muting"], false);

        let blocked = priya.post(&format!("/api/v1/accounts/{}/block", dana.id), json!({})).await.ok();
        assert_eq!((&blocked["blocking"], &blocked["followed_by"]), (&json!(true), &json!(false)));
        assert_eq!(each(&priya.get("/api/v1/blocks").await.ok(), "id"), [dana.id.as_str()]);
        assert_eq!(dana.get(&post).await.status, 404);
        assert_eq!(dana.relationship(&priya.id).await["blocked_by"], true);
        assert_eq!(dana.post(&format!("/api/v1/accounts/{}/follow", priya.id), json!({})).await.status, 403);
        assert_eq!(priya.post(&format!("/api/v1/accounts/{}/unblock", dana.id), json!({})).await.ok()["blocking"], false);

        let noted = dana.post(&format!("/api/v1/accounts/{}/note", priya.id), json!({"comment": " met at the park "})).await;
        assert_eq!(noted.ok()["note"], "met at the park");
        assert_eq!(priya.relationship(&dana.id).await["note"], "", "nobody else reads it");
        assert_eq!(dana.post(&format!("/api/v1/accounts/{}/note", priya.id), json!({"comment": ""})).await.ok()["note"], "");
    }
}

on_both! {
    /// Nobody waits for a minute: what she mutes for an hour is back when the hour is over, in what is listed and in what
    /// arrives.
    async fn a_mute_ends_by_the_second(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        dana.follow(&priya).await;
        dana.post(&format!("/api/v1/accounts/{}/mute", priya.id), json!({"duration": 3600})).await.ok();
        priya.publish("hello", "public").await;
        let mut stream = dana.request(http::Method::GET, "/api/v1/streaming/user").send().await.unwrap();
        opened(&mut stream).await;
        house.clock.advance(Duration::from_secs(3601));
        let began = Instant::now();
        eventually("the mute is over", async || {
            let public = dana.get("/api/v1/timelines/public").await.ok();
            (each(&public, "url").len() == 1).then_some(())
        })
        .await;
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        assert_eq!(dana.relationship(&priya.id).await["muting"], false);
        priya.publish("good morning", "public").await;
        let told = tokio::time::timeout(Duration::from_secs(10), stream.chunk()).await.expect("an event in time");
        assert!(told.unwrap().unwrap().starts_with(b"event: update"));
    }
}

on_both! {
    /// A mute for a while ends by itself, and one without an end does not.
    async fn a_mute_ends_when_it_says(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya, eve) = (house.member("dana").await, house.member("priya").await, house.member("eve").await);
        for who in [&priya, &eve] {
            who.publish("hello", "public").await;
        }
        let verb = |who: &str| format!("/api/v1/accounts/{who}/mute");
        dana.post(&verb(&priya.id), json!({"duration": 3600})).await.ok();
        let lasting = dana.post(&verb(&eve.id), json!({"duration": 0})).await.ok();
        assert_eq!((&lasting["muting"], &lasting["muting_expires_at"]), (&json!(true), &json!(null)));
        let public = async || each(&dana.get("/api/v1/timelines/public").await.ok(), "url").len();
        for (later, muting, seen) in [(3500, true, 0), (200, false, 1)] {
            house.pass(std::time::Duration::from_secs(later)).await;
            assert_eq!(dana.relationship(&priya.id).await["muting"], muting, "after {later} s more");
            assert_eq!(dana.relationship(&eve.id).await["muting"], true);
            assert_eq!(public().await, seen);
        }
        assert_eq!(each(&dana.get("/api/v1/mutes").await.ok(), "id"), [eve.id.as_str()]);
    }
}
