//! Following within one community.

use serde_json::json;
use testkit::{Instance, on_both};

use crate::api::each;

on_both! {
    /// Following fills both lists and counts, and unfollowing empties them; what she wants to see is kept.
    async fn following_and_unfollowing(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        let path = |verb: &str| format!("/api/v1/accounts/{}/{verb}", priya.id);
        let now = dana.post(&path("follow"), json!({"reblogs": false, "notify": true})).await.ok();
        assert_eq!((&now["following"], &now["showing_reblogs"], &now["notifying"]), (&json!(true), &json!(false), &json!(true)));
        let again = dana.post(&path("follow"), json!({"reblogs": true})).await.ok();
        assert_eq!((&again["showing_reblogs"], &again["notifying"]), (&json!(true), &json!(true)), "what is not named stays");
        assert_eq!(each(&dana.get(&path("followers")).await.ok(), "id"), [dana.id.as_str()]);
        assert_eq!(each(&dana.get(&format!("/api/v1/accounts/{}/following", dana.id)).await.ok(), "id"), [priya.id.as_str()]);
        assert_eq!(priya.get(&format!("/api/v1/accounts/{}", priya.id)).await.ok()["followers_count"], 1);
        assert_eq!(priya.relationship(&dana.id).await["followed_by"], true);

        let removed = priya.post(&format!("/api/v1/accounts/{}/remove_from_followers", dana.id), json!({})).await.ok();
        assert_eq!(removed["followed_by"], false);
        assert_eq!(dana.relationship(&priya.id).await["following"], false);
        dana.post(&path("follow"), json!({})).await.ok();
        assert_eq!(dana.post(&path("unfollow"), json!({})).await.ok()["following"], false);
        assert_eq!(priya.get(&format!("/api/v1/accounts/{}", priya.id)).await.ok()["followers_count"], 0);

        assert_eq!(dana.post(&format!("/api/v1/accounts/{}/follow", dana.id), json!({})).await.status, 403, "oneself");
        assert_eq!(dana.post("/api/v1/accounts/12345/follow", json!({})).await.status, 404);
        assert_eq!(dana.post("/api/v1/accounts/nonsense/follow", json!({})).await.status, 404);
    }
}
