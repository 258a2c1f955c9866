//! The computer's clock is set back: nothing loses its order, shows what it should not, or waits longer.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Instance, Remote, eventually, on_both};

const HOUR: Duration = Duration::from_secs(60 * 60);

fn id(of: &Value) -> String {
    of["id"].as_str().unwrap().to_owned()
}

on_both! {
    async fn new_posts_sort_after_old_ones_also_after_a_restart(engine) {
        let mut maple = Instance::start("maple", engine).await;
        let dana = maple.member("dana").await;
        dana.publish("first", "public").await;
        maple.clock.step_back(HOUR);
        dana.publish("second", "public").await;
        maple.stop().await;
        maple.start_again().await;
        dana.publish("third", "public").await;
        let order: Vec<String> = dana.home().await.iter().map(|p| p["content"].to_string()).collect();
        assert_eq!(order, ["\"<p>third</p>\"", "\"<p>second</p>\"", "\"<p>first</p>\""]);
    }
}

on_both! {
    /// Whom the last edit addresses first is shown the post from then on, whatever the clock says of the times before.
    async fn an_edit_shows_no_earlier_version_to_whom_it_addresses_first(engine) {
        let maple = Instance::start("maple", engine).await;
        let (dana, erin) = tokio::join!(maple.member("dana"), maple.member("erin"));
        let post = dana.publish("not for erin's eyes", "direct").await;
        let path = format!("/api/v1/statuses/{}", id(&post));
        for words in ["still not for erin", "hello @erin"] {
            maple.clock.step_back(HOUR);
            dana.put(&path, json!({"status": words})).await.ok();
        }
        let history = erin.get(&format!("{path}/history")).await.ok();
        assert!(!history.to_string().contains("not for"), "{history}");
        let versions = dana.get(&format!("{path}/history")).await.ok();
        let times: Vec<&str> =
            versions.as_array().unwrap().iter().map(|v| v["created_at"].as_str().unwrap()).collect();
        assert_eq!(times.len(), 3);
        assert!(times.is_sorted() && times[0] < times[1] && times[1] < times[2], "{times:?}");
    }
}

on_both! {
    /// What was to be tried again in a minute is not left for an hour.
    async fn what_waits_does_not_wait_longer(engine) {
        let (maple, oak) = (Instance::start("maple", engine).await, Remote::start("oak").await);
        let (dana, carol) = (maple.member("dana").await, oak.person("carol"));
        let follow = carol.does("Follow", &json!(format!("{}/users/dana", maple.base)));
        assert_eq!(carol.post(&maple, &follow).await, 202);
        eventually("it is accepted", async || oak.received().first().cloned()).await;
        maple.clock.advance(HOUR);
        oak.rest(true);
        dana.publish("hello", "public").await;
        eventually("oak is left alone", async || {
            let mut conn = maple.app().db.read().await.unwrap();
            let failing = storage::hosts::failing(&mut conn, &[domain::Host::parse(&oak.domain).unwrap()]).await.unwrap();
            (!failing.is_empty()).then_some(())
        })
        .await;
        oak.rest(false);
        // The clock was an hour ahead; it is set right, and a minute passes.
        maple.app().db.watch_clock().await.unwrap();
        maple.clock.step_back(HOUR);
        maple.app().db.watch_clock().await.unwrap();
        maple.clock.advance(Duration::from_secs(60));
        eventually("it arrives", async || oak.received().iter().any(|a| a["type"] == "Create").then_some(())).await;
    }
}
