//! `/api/v1/conversations*`.

use serde_json::json;
use testkit::{Instance, on_both};

use crate::api::{each, id};

on_both! {
    /// A private message is a conversation for both; reading and forgetting it is each one's own.
    async fn a_private_message_is_a_conversation_for_both(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya, marisol) =
            (house.member("dana").await, house.member("priya").await, house.member("marisol").await);
        let message = dana.publish("@priya can I call?", "direct").await;
        let hers = priya.get("/api/v1/conversations").await.ok();
        assert_eq!((&hers[0]["unread"], hers[0]["last_status"]["id"].as_str()), (&json!(true), message["id"].as_str()));
        assert_eq!(each(&hers[0]["accounts"], "acct"), ["dana"]);
        let mine = dana.get("/api/v1/conversations").await.ok();
        assert_eq!((&mine[0]["unread"], each(&mine[0]["accounts"], "acct")), (&json!(false), vec!["priya".to_owned()]));
        assert!(marisol.get("/api/v1/conversations").await.ok().as_array().unwrap().is_empty());

        let path = format!("/api/v1/conversations/{}", id(&hers[0]));
        assert_eq!(dana.post(&format!("{path}/read"), json!({})).await.status, 404, "not hers to read");
        assert_eq!(priya.post(&format!("{path}/read"), json!({})).await.ok()["unread"], false);
        let answer = json!({"status": "@dana yes", "in_reply_to_id": id(&message), "visibility": "direct"});
        let answer = priya.post("/api/v1/statuses", answer).await.ok();
        let mine = dana.get("/api/v1/conversations").await.ok();
        assert_eq!(mine.as_array().unwrap().len(), 1, "an answer stays in its conversation");
        assert_eq!((&mine[0]["unread"], &mine[0]["last_status"]["id"]), (&json!(true), &answer["id"]));
        assert_eq!(priya.delete(&path).await.status, 200);
        assert!(priya.get("/api/v1/conversations").await.ok().as_array().unwrap().is_empty());
        assert_eq!(dana.get("/api/v1/conversations").await.ok().as_array().unwrap().len(), 1);
        assert_eq!(priya.get(&format!("/api/v1/statuses/{}", id(&message))).await.status, 200, "the posts stay");
    }
}
