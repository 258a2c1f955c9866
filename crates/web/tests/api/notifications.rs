//! `/api/v1/notifications*`.

use serde_json::json;
use testkit::{Instance, on_both};

use crate::api::{each, id};

on_both! {
    /// Listed, filtered, counted, dismissed and cleared; never another's.
    async fn notifications_are_hers_to_read_and_dismiss(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        let post = id(&dana.publish("hello", "public").await);
        priya.follow(&dana).await;
        priya.post(&format!("/api/v1/statuses/{post}/favourite"), json!({})).await.ok();
        priya.publish("@dana hi", "public").await;
        let all = dana.get("/api/v1/notifications").await.ok();
        assert_eq!(each(&all, "type"), ["mention", "favourite", "follow"]);
        assert_eq!(all[1]["status"]["id"], post.as_str());
        assert_eq!(all[0]["account"]["id"], priya.id.as_str());
        let only = dana.get("/api/v1/notifications?types[]=follow&types[]=poll").await.ok();
        assert_eq!(each(&only, "type"), ["follow"]);
        let but = dana.get("/api/v1/notifications?exclude_types[]=follow").await.ok();
        assert_eq!(each(&but, "type"), ["mention", "favourite"]);
        let nobody = dana.get(&format!("/api/v1/notifications?account_id={}", dana.id)).await.ok();
        assert!(nobody.as_array().unwrap().is_empty());
        assert_eq!(dana.get("/api/v1/notifications/unread_count").await.ok()["count"], 3);
        dana.post("/api/v1/markers", json!({"notifications": {"last_read_id": all[1]["id"]}})).await.ok();
        assert_eq!(dana.get("/api/v1/notifications/unread_count").await.ok()["count"], 1);

        let first = id(&all[0]);
        assert_eq!(dana.get(&format!("/api/v1/notifications/{first}")).await.ok()["type"], "mention");
        assert_eq!(priya.get(&format!("/api/v1/notifications/{first}")).await.status, 404);
        assert_eq!(priya.post(&format!("/api/v1/notifications/{first}/dismiss"), json!({})).await.status, 404);
        dana.post(&format!("/api/v1/notifications/{first}/dismiss"), json!({})).await.ok();
        assert_eq!(dana.get("/api/v1/notifications").await.ok().as_array().unwrap().len(), 2);
        dana.post("/api/v1/notifications/clear", json!({})).await.ok();
        assert!(dana.get("/api/v1/notifications").await.ok().as_array().unwrap().is_empty());
    }
}
