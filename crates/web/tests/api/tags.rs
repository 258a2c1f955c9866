//! `/api/v1/tags/*`, `/api/v1/followed_tags`.

use serde_json::json;
use testkit::{Instance, on_both};

use crate::api::{each, id};

on_both! {
    /// Following a tag brings strangers' public posts home; its week is counted.
    async fn tags_are_followed(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        assert_eq!(dana.get("/api/v1/tags/tea").await.ok()["following"], false);
        let followed = dana.post("/api/v1/tags/Tea/follow", json!({})).await.ok();
        assert_eq!(followed["following"], true);
        let post = id(&priya.publish("more #tea", "public").await);
        priya.publish("quiet #tea", "unlisted").await;
        assert_eq!(dana.home().await.iter().map(id).collect::<Vec<_>>(), [post]);
        let tag = dana.get("/api/v1/tags/TEA").await.ok();
        assert_eq!(tag["history"].as_array().unwrap().len(), 7);
        assert_eq!((&tag["history"][0]["uses"], &tag["history"][0]["accounts"]), (&json!("1"), &json!("1")));
        assert_eq!(each(&dana.get("/api/v1/followed_tags").await.ok(), "name").len(), 1);
        assert_eq!(dana.post("/api/v1/tags/tea/unfollow", json!({})).await.ok()["following"], false);
        assert!(dana.get("/api/v1/followed_tags").await.ok().as_array().unwrap().is_empty());
        assert_eq!(dana.get("/api/v1/tags/no%20tag").await.status, 404);
    }
}

on_both! {
    /// That somebody uses a tag in private is seen neither in the tag, nor in its id, nor in how other posts spell it.
    async fn a_tag_used_in_private_looks_unused(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        let looks = async || priya.get("/api/v1/tags/opwillow").await.ok();
        let unused = looks().await;
        let post = id(&dana.publish("#OpWillow is off", "direct").await);
        dana.post("/api/v1/tags/OpWillow/follow", json!({})).await.ok();
        assert_eq!(looks().await, unused);
        dana.delete(&format!("/api/v1/statuses/{post}")).await.ok();
        assert_eq!(looks().await, unused);
        assert_eq!(priya.post("/api/v1/tags/OPWILLOW/unfollow", json!({})).await.ok(), unused);
        assert_eq!(priya.post("/api/v1/tags/opnobody/unfollow", json!({})).await.ok()["following"], false);
        let said = priya.publish("what is #opwillow", "public").await;
        assert_eq!(said["tags"][0]["name"], "opwillow");
        priya.publish("what is #OpWillow", "public").await;
        assert_eq!(looks().await["name"], "OpWillow", "posts for everybody say how it is spelt");
    }
}

on_both! {
    /// A tag that nobody ever used can be asked for, left and followed, in any script.
    async fn a_tag_that_nobody_used_is_a_tag(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        for name in ["nightfeeds", "%E5%86%AC", "Sch%C3%B6nerTee", "2am"] {
            let path = format!("/api/v1/tags/{name}");
            for answer in [dana.get(&path).await, dana.post(&format!("{path}/unfollow"), json!({})).await] {
                assert_eq!((answer.status, &answer.json()["following"]), (200, &json!(false)), "{name}: {}", answer.text);
            }
            assert_eq!(dana.post(&format!("{path}/follow"), json!({})).await.ok()["following"], true, "{name}");
        }
        for bad in ["no%20tag", "%20", "a%2Fb"] {
            assert_eq!(dana.post(&format!("/api/v1/tags/{bad}/unfollow"), json!({})).await.status, 404, "{bad}");
        }
    }
}
