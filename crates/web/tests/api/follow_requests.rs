//! Who may follow somebody careful.

use serde_json::{Value, json};
use testkit::{Instance, on_both};

use crate::api::each;

on_both! {
    /// A request waits until she answers; only then is the other a follower.
    async fn a_request_waits_for_her_answer(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.cautious_member("priya").await);
        let path = format!("/api/v1/accounts/{}/follow", priya.id);
        let asked = dana.post(&path, json!({"reblogs": false, "notify": true, "languages": ["en"]})).await.ok();
        assert_eq!((&asked["requested"], &asked["following"]), (&json!(true), &json!(false)));
        let wants = |r: &Value| (r["showing_reblogs"].clone(), r["notifying"].clone(), r["languages"].clone());
        assert_eq!(wants(&asked), (json!(false), json!(true), json!(["en"])), "what she asked for");
        let asked = dana.post(&path, json!({"reblogs": true})).await.ok();
        assert_eq!(wants(&asked), (json!(true), json!(true), json!(["en"])));
        assert_eq!(wants(&priya.relationship(&dana.id).await), (json!(false), json!(false), json!(null)));
        assert_eq!(each(&priya.get("/api/v1/follow_requests").await.ok(), "id"), [dana.id.as_str()]);
        assert_eq!(priya.get("/api/v1/accounts/verify_credentials").await.ok()["source"]["follow_requests_count"], 1);
        assert_eq!(priya.notifications("follow_request").await.len(), 1);

        let answer = |verb: &str| format!("/api/v1/follow_requests/{}/{verb}", dana.id);
        assert_eq!(priya.post(&answer("reject"), json!({})).await.ok()["followed_by"], false);
        assert_eq!(dana.relationship(&priya.id).await["requested"], false);
        dana.post(&path, json!({})).await.ok();
        assert_eq!(priya.post(&answer("authorize"), json!({})).await.ok()["followed_by"], true);
        assert_eq!(dana.relationship(&priya.id).await["following"], true);
        assert_eq!(priya.post(&answer("authorize"), json!({})).await.status, 404, "nothing waits any more");
    }
}
