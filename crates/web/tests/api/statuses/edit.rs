//! Editing, history and source.

use serde_json::json;
use testkit::{Instance, on_both};

use crate::api::{each, id};

on_both! {
    /// An edit changes the text for everybody, and what it said before can be read.
    async fn an_edit_keeps_its_history(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        let post = dana.publish("first", "public").await;
        let path = format!("/api/v1/statuses/{}", id(&post));
        let history = dana.get(&format!("{path}/history")).await.ok();
        assert_eq!(each(&history, "content"), ["<p>first</p>"], "one version");
        let edited = dana.put(&path, json!({"status": "second", "spoiler_text": "careful"})).await.ok();
        assert_eq!((edited["content"].as_str(), edited["spoiler_text"].as_str()), (Some("<p>second</p>"), Some("careful")));
        assert!(edited["edited_at"].is_string());
        assert_eq!(priya.get(&path).await.ok()["content"], "<p>second</p>");
        let history = priya.get(&format!("{path}/history")).await.ok();
        assert_eq!(each(&history, "content"), ["<p>first</p>", "<p>second</p>"]);
        let source = dana.get(&format!("{path}/source")).await.ok();
        assert_eq!((source["text"].as_str(), source["spoiler_text"].as_str()), (Some("second"), Some("careful")));
        assert_eq!(priya.get(&format!("{path}/source")).await.status, 404, "what she typed is hers");
        assert_eq!(priya.put(&path, json!({"status": "mine now"})).await.status, 404);
    }
}
