//! `/api/v1/lists*`.

use serde_json::json;
use testkit::{Instance, on_both};

use crate::api::{each, id};

on_both! {
    /// A list holds whom she follows, has a timeline, and is nobody else's.
    async fn lists_are_made_filled_and_read(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya, marisol) =
            (house.member("dana").await, house.member("priya").await, house.member("marisol").await);
        dana.follow(&priya).await;
        let list = dana.post("/api/v1/lists", json!({"title": " Night shift ", "replies_policy": "none"})).await.ok();
        assert_eq!((&list["title"], &list["replies_policy"], &list["exclusive"]), (&json!("Night shift"), &json!("none"), &json!(false)));
        let path = format!("/api/v1/lists/{}", id(&list));
        let accounts = format!("{path}/accounts");
        assert_eq!(dana.post(&accounts, json!({"account_ids": [marisol.id]})).await.status, 404, "not followed");
        dana.post(&accounts, json!({"account_ids": [priya.id]})).await.ok();
        assert_eq!(each(&dana.get(&accounts).await.ok(), "id"), [priya.id.as_str()]);
        assert_eq!(each(&dana.get(&format!("/api/v1/accounts/{}/lists", priya.id)).await.ok(), "id"), [id(&list)]);

        let post = id(&priya.publish("night", "private").await);
        marisol.publish("day", "public").await;
        let timeline = format!("/api/v1/timelines/list/{}", id(&list));
        assert_eq!(each(&dana.get(&timeline).await.ok(), "id"), [post]);
        for (status, answer) in [
            (404, priya.get(&path).await),
            (404, priya.get(&timeline).await),
            (404, priya.delete(&path).await),
            (422, dana.post("/api/v1/lists", json!({"title": " "})).await),
            (422, dana.put(&path, json!({"replies_policy": "some"})).await),
        ] {
            assert_eq!(answer.status, status, "{}", answer.text);
        }

        dana.post(&format!("/api/v1/accounts/{}/unfollow", priya.id), json!({})).await.ok();
        assert!(each(&dana.get(&accounts).await.ok(), "id").is_empty(), "followed no more");
        dana.follow(&priya).await;
        assert!(each(&dana.get(&accounts).await.ok(), "id").is_empty(), "followed anew is not put on it anew");
        dana.post(&accounts, json!({"account_ids": [priya.id]})).await.ok();
        priya.post(&format!("/api/v1/accounts/{}/remove_from_followers", dana.id), json!({})).await.ok();
        assert!(each(&dana.get(&accounts).await.ok(), "id").is_empty(), "a follow that the other ended");
        dana.follow(&priya).await;
        dana.post(&accounts, json!({"account_ids": [priya.id]})).await.ok();

        let changed = dana.put(&path, json!({"title": "Owls", "exclusive": true})).await.ok();
        assert_eq!((&changed["title"], &changed["exclusive"], &changed["replies_policy"]), (&json!("Owls"), &json!(true), &json!("none")));
        let quiet = id(&priya.publish("only on the list", "public").await);
        assert_eq!(each(&dana.get(&timeline).await.ok(), "id")[0], quiet);
        assert!(!dana.home().await.iter().any(|p| id(p) == quiet), "an exclusive list keeps it off the home timeline");
        let remove = dana.request(http::Method::DELETE, &format!("{accounts}?account_ids[]={}", priya.id));
        assert_eq!(remove.send().await.unwrap().status(), 200);
        assert!(dana.get(&accounts).await.ok().as_array().unwrap().is_empty());
        assert_eq!(dana.delete(&path).await.status, 200);
        assert!(dana.get("/api/v1/lists").await.ok().as_array().unwrap().is_empty());
    }
}
