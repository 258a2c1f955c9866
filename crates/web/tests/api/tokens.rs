//! Tokens as time passes: each ends at its time, and its use is noted now and then.

use std::time::Duration;

use domain::{AccountId, Timestamp};
use serde_json::json;
use testkit::{Instance, on_both};

const ME: &str = "/api/v1/accounts/verify_credentials";

on_both! {
    /// Also while it is remembered from a moment ago.
    async fn a_token_ends_at_its_time(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let until = house.app().now().plus(Duration::from_secs(600));
        let short = house.token_until(dana.account_id(), "read", Some(until)).await;
        let asked = async || house.request(http::Method::GET, ME).bearer_auth(&short).send().await.unwrap().status();
        assert_eq!(asked().await, 200);
        house.clock.advance(Duration::from_secs(500));
        assert_eq!(asked().await, 200);
        house.clock.advance(Duration::from_secs(101));
        assert_eq!(asked().await, 401);
    }
}

async fn last_active(house: &Instance, member: AccountId) -> Option<Timestamp> {
    let mut conn = house.app().db.read().await.unwrap();
    storage::members::get(&mut conn, member).await.unwrap().last_active_at
}

on_both! {
    /// When a token is looked up, and at most every six hours: reading does not write each time.
    async fn the_use_of_a_token_is_noted_every_six_hours(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        // A change of the account has her token looked up anew.
        let used = async |name: &str| {
            dana.patch("/api/v1/accounts/update_credentials", json!({"display_name": name})).await.ok();
            dana.get(ME).await.ok();
        };
        let noted_since = async |before: Option<Timestamp>| {
            testkit::eventually("her use is noted", async || {
                last_active(&house, dana.account_id()).await.filter(|at| before.is_none_or(|before| *at > before))
            })
            .await
        };
        used("Dana").await;
        let first = noted_since(None).await;
        house.clock.advance(hours(5));
        used("Dana B").await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(last_active(&house, dana.account_id()).await, Some(first), "not yet");
        house.clock.advance(hours(2));
        used("Dana C").await;
        noted_since(Some(first.plus(hours(6)))).await;
    }
}
