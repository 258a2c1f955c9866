//! `GET /api/v2/search`.

use serde_json::json;
use testkit::{Instance, on_both};

use crate::api::{each, id};

on_both! {
    /// People by name, posts she has to do with, tags by their beginning, anything by its address.
    async fn people_posts_and_tags_are_found(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        let mine = id(&dana.publish("Chamomile in the evening #TeaTime", "private").await);
        let hers = id(&priya.publish("chamomile for me too", "public").await);
        let told = id(&priya.publish("@dana 100% chamomile", "direct").await);
        let found = dana.get("/api/v2/search?q=chamomile").await.ok();
        assert_eq!(each(&found["statuses"], "id"), [told.as_str(), mine.as_str()], "not a stranger's post: {hers}");
        assert_eq!(each(&dana.get("/api/v2/search?q=100%25").await.ok()["statuses"], "id"), [told.as_str()]);
        assert!(each(&dana.get("/api/v2/search?q=1%25c").await.ok()["statuses"], "id").is_empty(), "% means itself");
        assert_eq!(each(&dana.get("/api/v2/search?q=pri&type=accounts").await.ok()["accounts"], "id"), [priya.id.as_str()]);
        assert_eq!(each(&dana.get("/api/v1/accounts/search?q=@priya").await.ok(), "id"), [priya.id.as_str()]);
        let name = serde_json::json!({"display_name": "Príya O'Neil 🌻"});
        assert_eq!(priya.patch("/api/v1/accounts/update_credentials", name).await.status, 200);
        for (q, found) in [("oneil", false), ("NEIL", true), ("neil%20PRIY", true), ("priya%20smith", false), ("iya", false), ("príyá", true), ("@pri@wil", false)] {
            let people = each(&dana.get(&format!("/api/v1/accounts/search?q={q}")).await.ok(), "id");
            assert_eq!(people.contains(&priya.id), found, "{q}");
        }
        let tags = dana.get("/api/v2/search?q=%23teat").await.ok();
        assert_eq!(each(&tags["hashtags"], "name"), ["teatime"], "how a private post spells it is kept to itself");
        assert!(tags["accounts"].as_array().unwrap().is_empty());

        let by = async |address: String| dana.get(&format!("/api/v2/search?resolve=true&q={address}")).await.ok();
        assert_eq!(each(&by(format!("{}/@priya", house.base)).await["accounts"], "id"), [priya.id.as_str()]);
        assert_eq!(each(&by(format!("{}/users/priya", house.base)).await["accounts"], "id"), [priya.id.as_str()]);
        assert_eq!(each(&by(format!("{}/@priya/{hers}", house.base)).await["statuses"], "id"), [hers.as_str()]);
        let private = priya.publish("private", "private").await;
        assert!(each(&by(private["url"].as_str().unwrap().to_owned()).await["statuses"], "id").is_empty());
        assert_eq!(dana.get("/api/v2/search?q=x&type=everything").await.status, 422);
    }
}

on_both! {
    /// Whom she keeps away she can find, to let them come again; who keeps her away is not found.
    async fn whom_she_blocks_is_found_and_who_blocks_her_is_not(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let (blocked, muted, blocking) =
            (house.member("petra").await, house.member("petunia").await, house.member("peter").await);
        dana.post(&format!("/api/v1/accounts/{}/block", blocked.id), json!({})).await.ok();
        dana.post(&format!("/api/v1/accounts/{}/mute", muted.id), json!({})).await.ok();
        blocking.post(&format!("/api/v1/accounts/{}/block", dana.id), json!({})).await.ok();
        for path in ["/api/v1/accounts/search?q=pet", "/api/v1/accounts/search?q=@PET"] {
            let mut found = each(&dana.get(path).await.ok(), "username");
            found.sort();
            assert_eq!(found, ["petra", "petunia"], "{path}");
        }
        let found = dana.get("/api/v2/search?type=accounts&q=petra").await.ok();
        assert_eq!(each(&found["accounts"], "id"), [blocked.id.as_str()]);
        let found = blocked.get("/api/v1/accounts/search?q=dana").await.ok();
        assert_eq!(found, json!([]), "whom dana blocks does not find her");
    }
}
