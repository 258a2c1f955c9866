//! `/api/v1/markers`.

use serde_json::json;
use testkit::{Instance, on_both};

on_both! {
    /// A marker moves, counts its moves, and is given back only when asked for.
    async fn markers_move(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        for asked in ["", "?timeline[]=home", "?timeline[]=home&timeline[]=notifications", "?timeline=home", "?timeline[]=x"] {
            assert_eq!(dana.get(&format!("/api/v1/markers{asked}")).await.ok(), json!({}), "{asked}: as in Mastodon");
        }
        let moved = dana.post("/api/v1/markers", json!({"home": {"last_read_id": "103"}})).await.ok();
        assert_eq!((&moved["home"]["last_read_id"], &moved["home"]["version"]), (&json!("103"), &json!(1)));
        dana.post("/api/v1/markers", json!({"home[last_read_id]": "0"})).await.ok();
        dana.post("/api/v1/markers", json!({"home": {"last_read_id": 104}, "notifications": {"last_read_id": "9"}})).await.ok();
        let read = dana.get("/api/v1/markers?timeline[]=home").await.ok();
        assert_eq!((&read["home"]["last_read_id"], &read["home"]["version"]), (&json!("104"), &json!(2)));
        assert!(read.get("notifications").is_none());
    }
}
