//! `/api/v1/timelines/*`.

use serde_json::json;
use testkit::{Answer, Instance, on_both};

use crate::api::{each, id};

on_both! {
    /// Each timeline holds what it promises and nothing else.
    async fn timelines_hold_what_they_promise(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya, marisol) =
            (house.member("dana").await, house.member("priya").await, house.member("marisol").await);
        dana.follow(&priya).await;
        let open = id(&priya.publish("open #Tea #Cake", "public").await);
        let quiet = id(&priya.publish("quiet #tea", "unlisted").await);
        let hidden = id(&priya.publish("hidden", "private").await);
        let other = id(&marisol.publish("other #tea", "public").await);
        let home: Vec<String> = dana.home().await.iter().map(id).collect();
        assert_eq!(home, [&hidden, &quiet, &open].map(String::as_str));
        let anybody = async |path: &str| {
            Answer::read(house.request(http::Method::GET, path).send().await.unwrap()).await.ok()
        };
        assert_eq!(each(&anybody("/api/v1/timelines/public").await, "id"), [other.as_str(), open.as_str()]);
        assert_eq!(each(&anybody("/api/v1/timelines/public?local=true").await, "id").len(), 2);
        assert!(each(&anybody("/api/v1/timelines/public?remote=true").await, "id").is_empty());
        assert!(each(&anybody("/api/v1/timelines/public?only_media=true").await, "id").is_empty());
        assert_eq!(each(&anybody("/api/v1/timelines/tag/TEA").await, "id"), [other.as_str(), open.as_str()]);
        assert_eq!(each(&anybody("/api/v1/timelines/tag/tea?all[]=cake").await, "id"), [open.as_str()]);
        assert_eq!(each(&anybody("/api/v1/timelines/tag/tea?none[]=cake").await, "id"), [other.as_str()]);
        assert_eq!(each(&anybody("/api/v1/timelines/tag/nothing?any[]=cake").await, "id"), [open.as_str()]);
        assert_eq!(dana.post(&format!("/api/v1/accounts/{}/mute", marisol.id), json!({})).await.status, 200);
        assert_eq!(each(&dana.get("/api/v1/timelines/public").await.ok(), "id"), [open.as_str()]);
    }
}

on_both! {
    /// What a member wrote to somebody stays among their own posts, whatever they think of the other by now.
    async fn ones_own_answers_stay(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        for verb in ["mute", "block"] {
            let eve = house.member(&format!("eve_{verb}")).await;
            let post = id(&eve.publish("hello", "public").await);
            let draft = json!({"status": "an answer", "in_reply_to_id": post});
            let answer = id(&dana.post("/api/v1/statuses", draft).await.ok());
            dana.post(&format!("/api/v1/accounts/{}/{verb}", eve.id), json!({})).await.ok();
            assert!(dana.home().await.iter().any(|post| id(post) == answer), "{verb}");
        }
    }
}
