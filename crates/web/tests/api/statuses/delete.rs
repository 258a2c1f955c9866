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

on_both! {
    /// Where the parameter stands does not matter: in the query, in a form, in JSON.
    async fn media_go_with_the_post_where_that_is_asked_for(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        for (query, kind, body, stays) in [
            ("", "", "", true),
            ("?delete_media=true", "", "", false),
            ("", "application/x-www-form-urlencoded", "delete_media=1", false),
            ("", "application/json", r#"{"delete_media": true}"#, false),
            ("?delete_media=true", "application/json", r#"{"delete_media": false}"#, true),
            ("", "application/json", "", true),
        ] {
            let picture = id(&upload(&dana, "a cup").await.ok());
            let post = dana.post("/api/v1/statuses", json!({"status": "tea", "media_ids": [picture]})).await.ok();
            let mut request = dana.request(http::Method::DELETE, &format!("/api/v1/statuses/{}{query}", id(&post)));
            if !kind.is_empty() {
                request = request.header("content-type", kind).body(body);
            }
            assert_eq!(request.send().await.unwrap().status(), 200, "{query} {body}");
            let found = dana.get(&format!("/api/v1/media/{picture}")).await.status;
            assert_eq!(found, if stays { 200 } else { 404 }, "{query} {body}");
        }
    }
}
