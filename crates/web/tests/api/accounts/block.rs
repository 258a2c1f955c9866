//! Blocks, mutes and private notes.

use serde_json::json;
use testkit::{Instance, on_both};

use crate::api::{each, id};

on_both! {
    /// A block ends the follow both ways and hides even what she was addressed by; a mute only hides from timelines.
    async fn keeping_somebody_away(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        dana.follow(&priya).await;
        let post = priya.publish("for followers", "private").await;
        let post = format!("/api/v1/statuses/{}", id(&post));
        assert_eq!(dana.get(&post).await.status, 200);

        let muted = dana.post(&format!("/api/v1/accounts/{}/mute", priya.id), json!({"duration": 3600})).await.ok();
        assert_eq!((&muted["muting"], &muted["muting_notifications"]), (&json!(true), &json!(true)));
        let mutes = dana.get("/api/v1/mutes").await.ok();
        assert_eq!(each(&mutes, "id"), [priya.id.as_str()]);
        assert!(mutes[0]["mute_expires_at"].is_string(), "{mutes}");
        assert!(dana.home().await.is_empty());
        assert_eq!(dana.get(&post).await.status, 200, "a mute takes nothing away");
        assert_eq!(dana.post(&format!("/api/v1/accounts/{}/unmute", priya.id), json!({})).await.ok()["muting"], false);

        let blocked = priya.post(&format!("/api/v1/accounts/{}/block", dana.id), json!({})).await.ok();
        assert_eq!((&blocked["blocking"], &blocked["followed_by"]), (&json!(true), &json!(false)));
        assert_eq!(each(&priya.get("/api/v1/blocks").await.ok(), "id"), [dana.id.as_str()]);
        assert_eq!(dana.get(&post).await.status, 404);
        assert_eq!(dana.relationship(&priya.id).await["blocked_by"], true);
        assert_eq!(dana.post(&format!("/api/v1/accounts/{}/follow", priya.id), json!({})).await.status, 403);
        assert_eq!(priya.post(&format!("/api/v1/accounts/{}/unblock", dana.id), json!({})).await.ok()["blocking"], false);

        let noted = dana.post(&format!("/api/v1/accounts/{}/note", priya.id), json!({"comment": " met at the park "})).await;
        assert_eq!(noted.ok()["note"], "met at the park");
        assert_eq!(priya.relationship(&dana.id).await["note"], "", "nobody else reads it");
        assert_eq!(dana.post(&format!("/api/v1/accounts/{}/note", priya.id), json!({"comment": ""})).await.ok()["note"], "");
    }
}
