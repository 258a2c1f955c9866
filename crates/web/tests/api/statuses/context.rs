//! Discussions.

use serde_json::json;
use testkit::{Instance, on_both};

use crate::api::{each, id};

on_both! {
    /// Above: what it answers, from the start. Below: each answer followed by its own. Never what she may not see.
    async fn a_discussion_is_read_in_order(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        let reply = async |to: &str, text: &str, visibility: &str| {
            let draft = json!({"status": text, "in_reply_to_id": to, "visibility": visibility});
            id(&dana.post("/api/v1/statuses", draft).await.ok())
        };
        let root = id(&dana.publish("root", "public").await);
        let first = reply(&root, "first", "public").await;
        let second = reply(&root, "second", "public").await;
        let below = reply(&first, "below the first", "public").await;
        let hidden = reply(&first, "for followers", "private").await;
        let context = priya.get(&format!("/api/v1/statuses/{root}/context")).await.ok();
        assert!(each(&context["ancestors"], "id").is_empty());
        assert_eq!(each(&context["descendants"], "id"), [&first, &below, &second].map(String::as_str));
        let context = priya.get(&format!("/api/v1/statuses/{below}/context")).await.ok();
        assert_eq!(each(&context["ancestors"], "id"), [root.as_str(), first.as_str()]);
        let hers = dana.get(&format!("/api/v1/statuses/{root}/context")).await.ok();
        assert!(each(&hers["descendants"], "id").contains(&hidden));
        assert_eq!(priya.get(&format!("/api/v1/statuses/{root}")).await.ok()["replies_count"], 3 - 1);
    }
}
