//! Deleting, and writing anew.

use serde_json::json;
use testkit::{Instance, on_both};

use crate::api::media::upload;
use crate::api::{each, id};

on_both! {
    /// The answer has what she typed; the picture can be used again; everybody else finds nothing.
    async fn deleting_to_write_anew(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        let picture = id(&upload(&dana, "a cup").await.ok());
        let post = dana.post("/api/v1/statuses", json!({"status": "tea *now*", "media_ids": [picture]})).await.ok();
        assert_eq!(each(&post["media_attachments"], "description"), ["a cup"]);
        let path = format!("/api/v1/statuses/{}", id(&post));
        assert_eq!(priya.delete(&path).await.status, 404, "not hers");
        let deleted = dana.delete(&path).await.ok();
        assert_eq!(deleted["text"], "tea *now*");
        assert_eq!(each(&deleted["media_attachments"], "id"), [picture.as_str()]);
        assert_eq!(priya.get(&path).await.status, 404);
        assert_eq!(dana.get("/api/v1/accounts/verify_credentials").await.ok()["statuses_count"], 0);
        let anew = dana.post("/api/v1/statuses", json!({"status": "tea, later", "media_ids": [picture]})).await.ok();
        assert_eq!(each(&anew["media_attachments"], "id"), [picture]);
    }
}
