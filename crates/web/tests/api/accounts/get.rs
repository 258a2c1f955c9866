//! Looking at somebody, and at what she wrote.

use serde_json::json;
use testkit::{Answer, Instance, on_both};

use crate::api::{each, id};

on_both! {
    /// By id, several at once, by handle; nobody needs to be signed in.
    async fn accounts_are_found_by_id_and_handle(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        let get = async |path: String| Answer::read(house.request(http::Method::GET, &path).send().await.unwrap()).await;
        assert_eq!(get(format!("/api/v1/accounts/{}", dana.id)).await.ok()["acct"], "dana");
        let both = get(format!("/api/v1/accounts?id[]={}&id[]={}&id[]=7", priya.id, dana.id)).await.ok();
        assert_eq!(each(&both, "username"), ["priya", "dana"]);
        for acct in ["dana", "@Dana", &dana.handle()] {
            assert_eq!(get(format!("/api/v1/accounts/lookup?acct={acct}")).await.ok()["id"], dana.id.as_str(), "{acct}");
        }
        assert_eq!(get("/api/v1/accounts/lookup?acct=nobody".into()).await.status, 404);
        assert_eq!(get("/api/v1/accounts/99".into()).await.status, 404);
    }
}

on_both! {
    /// Each filter keeps what it says, and strangers see only what is open.
    async fn what_somebody_wrote_is_filtered(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        let open = id(&dana.publish("about #tea", "public").await);
        let hidden = id(&dana.publish("for followers", "private").await);
        let secret = id(&dana.publish("to nobody", "direct").await);
        let theirs = id(&priya.publish("priya's", "public").await);
        let reply = json!({"status": "@priya yes", "in_reply_to_id": theirs});
        let reply = id(&dana.post("/api/v1/statuses", reply).await.ok());
        let boost = id(&dana.post(&format!("/api/v1/statuses/{theirs}/reblog"), json!({})).await.ok());
        dana.post(&format!("/api/v1/statuses/{open}/pin"), json!({})).await.ok();

        let list = |query: &str| format!("/api/v1/accounts/{}/statuses?{query}", dana.id);
        let all = [&boost, &reply, &secret, &hidden, &open].map(String::as_str);
        assert_eq!(each(&dana.get(&list("")).await.ok(), "id"), all);
        assert_eq!(each(&priya.get(&list("")).await.ok(), "id"), [&boost, &reply, &open].map(String::as_str));
        assert_eq!(each(&priya.get(&list("exclude_replies=true")).await.ok(), "id"), [boost.as_str(), open.as_str()]);
        assert_eq!(each(&priya.get(&list("exclude_reblogs=1")).await.ok(), "id"), [reply.as_str(), open.as_str()]);
        assert_eq!(each(&priya.get(&list("tagged=TEA")).await.ok(), "id"), [open.as_str()]);
        assert_eq!(each(&priya.get(&list("pinned=true")).await.ok(), "id"), [open.as_str()]);
        assert!(each(&priya.get(&list("only_media=true")).await.ok(), "id").is_empty());
        dana.post(&format!("/api/v1/statuses/{open}/unpin"), json!({})).await.ok();
        assert!(each(&priya.get(&list("pinned=true")).await.ok(), "id").is_empty());
    }
}
