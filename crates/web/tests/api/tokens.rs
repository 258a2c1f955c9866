//! Tokens as time passes: each ends at its time, and its use is noted now and then.

use std::time::Duration;

use domain::account::{Account, Member};
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

on_both! {
    /// However she came to hold one: a token is worth nothing to who may not sign in.
    async fn a_token_of_who_may_not_sign_in_is_refused_with_the_reason(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let mut tx = house.app().db.write().await.unwrap();
        let (account, member) = storage::members::with_account(&mut tx, dana.account_id()).await.unwrap();
        let now = tx.now();
        let mut others = Vec::new();
        for (name, disabled_at, approved_at, suspended_at, reason) in [
            ("closed", Some(now), Some(now), None, "Your login is currently disabled"),
            ("suspended", None, Some(now), Some(now), "Your login is currently disabled"),
            ("waiting", None, None, None, "Your login is currently pending approval"),
        ] {
            let (username, uri) = (name.to_owned(), format!("{}-{name}", account.uri));
            let account = Account { id: tx.id(), username, uri, suspended_at, ..account.clone() };
            let email = format!("{name}@mail.example");
            let member = Member { account_id: account.id, email, disabled_at, approved_at, ..member.clone() };
            storage::accounts::upsert(&mut tx, &account).await.unwrap();
            storage::members::insert(&mut tx, &member, "", None).await.unwrap();
            others.push((account.id, reason));
        }
        tx.commit().await.unwrap();
        for (account, reason) in others {
            let token = house.token_until(account, "read", None).await;
            let answer = house.request(http::Method::GET, ME).bearer_auth(&token).send().await.unwrap();
            assert_eq!(answer.status(), 403);
            assert_eq!(answer.json::<serde_json::Value>().await.unwrap(), json!({"error": reason}));
        }
    }
}
