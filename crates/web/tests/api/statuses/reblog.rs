//! Boosts.

use serde_json::json;
use testkit::{Instance, on_both};

use crate::api::{each, id};

on_both! {
    /// A boost brings the post to her followers, once; taking it back takes it away; private posts are not boosted.
    async fn boosting_and_taking_it_back(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya, marisol) =
            (house.member("dana").await, house.member("priya").await, house.member("marisol").await);
        marisol.follow(&dana).await;
        let post = id(&priya.publish("worth sharing", "public").await);
        let boost = dana.post(&format!("/api/v1/statuses/{post}/reblog"), json!({"visibility": "public"})).await.ok();
        assert_eq!(boost["reblog"]["id"], post.as_str());
        assert_eq!((&boost["reblog"]["reblogged"], &boost["reblog"]["reblogs_count"]), (&json!(true), &json!(1)));
        let again = dana.post(&format!("/api/v1/statuses/{post}/reblog"), json!({})).await.ok();
        assert_eq!(again["id"], boost["id"], "twice is once");
        assert_eq!(marisol.home().await[0]["reblog"]["id"], post.as_str());
        assert_eq!(each(&priya.get(&format!("/api/v1/statuses/{post}/reblogged_by")).await.ok(), "id"), [dana.id.as_str()]);

        let back = dana.post(&format!("/api/v1/statuses/{post}/unreblog"), json!({})).await.ok();
        assert_eq!((&back["id"], &back["reblogs_count"]), (&json!(post), &json!(0)));
        assert!(marisol.home().await.is_empty());
        let private = id(&priya.publish("not for sharing", "private").await);
        assert_eq!(dana.post(&format!("/api/v1/statuses/{private}/reblog"), json!({})).await.status, 404);
    }
}

on_both! {
    /// What two whom she follows share, and what she read before, is on her home timeline once.
    async fn what_many_share_is_shown_once(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya, marisol) =
            (house.member("dana").await, house.member("priya").await, house.member("marisol").await);
        let writer = house.member("lena").await;
        marisol.follow(&dana).await;
        marisol.follow(&priya).await;
        let post = id(&writer.publish("worth sharing", "public").await);
        for who in [&dana, &priya] {
            who.post(&format!("/api/v1/statuses/{post}/reblog"), json!({})).await.ok();
        }
        let home = marisol.home().await;
        assert_eq!(home.len(), 1, "{home:?}");
        assert_eq!((&home[0]["account"]["username"], &home[0]["reblog"]["id"]), (&json!("dana"), &json!(post)));

        let read = id(&dana.publish("read already", "public").await);
        priya.post(&format!("/api/v1/statuses/{read}/reblog"), json!({})).await.ok();
        assert_eq!(each(&json!(marisol.home().await), "id")[0], read, "the post itself, no boost of it");
        assert_eq!(priya.home().await[0]["reblog"]["id"], read.as_str(), "who shares it sees that she did");
    }
}
