//! Favourites, bookmarks, pins, muted discussions.

use serde_json::{Value, json};
use testkit::{Instance, on_both};

use crate::api::{each, id};

on_both! {
    /// Each mark shows for whoever made it, in her list, and can be undone; counts stay exact when repeated.
    async fn marks_are_made_and_undone(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        let post = id(&priya.publish("hello", "public").await);
        let act = async |verb: &str| -> Value {
            dana.post(&format!("/api/v1/statuses/{post}/{verb}"), json!({})).await.ok()
        };
        for _ in 0..2 {
            let marked = act("favourite").await;
            assert_eq!((&marked["favourited"], &marked["favourites_count"]), (&json!(true), &json!(1)));
        }
        assert_eq!(act("bookmark").await["bookmarked"], true);
        assert_eq!(act("mute").await["muted"], true);
        assert_eq!(each(&dana.get("/api/v1/favourites").await.ok(), "id"), [post.as_str()]);
        assert_eq!(each(&dana.get("/api/v1/bookmarks").await.ok(), "id"), [post.as_str()]);
        assert_eq!(each(&priya.get(&format!("/api/v1/statuses/{post}/favourited_by")).await.ok(), "id"), [dana.id.as_str()]);
        assert_eq!(priya.notifications("favourite").await.len(), 1);
        let hers = priya.get(&format!("/api/v1/statuses/{post}")).await.ok();
        assert_eq!((&hers["favourited"], &hers["bookmarked"]), (&json!(false), &json!(false)));

        for _ in 0..2 {
            let unmarked = act("unfavourite").await;
            assert_eq!((&unmarked["favourited"], &unmarked["favourites_count"]), (&json!(false), &json!(0)));
        }
        assert_eq!(act("unbookmark").await["bookmarked"], false);
        assert_eq!(act("unmute").await["muted"], false);
        assert!(each(&dana.get("/api/v1/bookmarks").await.ok(), "id").is_empty());
        let refused = dana.post(&format!("/api/v1/statuses/{post}/pin"), json!({})).await;
        assert_eq!(refused.status, 422, "another's post: {}", refused.text);
    }
}
