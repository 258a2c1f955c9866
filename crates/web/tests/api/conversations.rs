//! `/api/v1/conversations*`.

use serde_json::{Value, json};
use testkit::{Instance, Person, Remote, eventually, on_both};

use crate::api::streaming::{connect, next, nothing};
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

on_both! {
    /// A conversation is listed while she may see something of it, with the newest that she may see.
    async fn a_conversation_is_listed_by_what_she_may_see(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        let olga = house.member("olga").await;
        dana.publish("@priya can I call?", "direct").await;
        let other = dana.publish("@priya are you awake?", "direct").await;
        let draft = json!({"status": "@dana yes", "in_reply_to_id": id(&other), "visibility": "direct"});
        let mine = priya.post("/api/v1/statuses", draft).await.ok();
        let draft = json!({"status": "@priya good", "in_reply_to_id": id(&mine), "visibility": "direct"});
        dana.post("/api/v1/statuses", draft).await.ok();
        let newest = olga.publish("@priya tea?", "direct").await;
        let all = priya.get("/api/v1/conversations").await.ok();
        assert_eq!(all.as_array().unwrap().len(), 3);
        let silent = id(&all[2]);
        dana.post(&format!("/api/v1/accounts/{}/block", priya.id), json!({})).await.ok();
        let all = priya.get("/api/v1/conversations").await.ok();
        let last: Vec<_> = all.as_array().unwrap().iter().map(|c| c["last_status"]["id"].clone()).collect();
        assert_eq!(last, [newest["id"].clone(), mine["id"].clone()]);
        assert_eq!(priya.post(&format!("/api/v1/conversations/{silent}/read"), json!({})).await.status, 404);
        let first = priya.get("/api/v1/conversations?limit=1").await;
        let next = first.headers["link"].to_str().unwrap().split(['<', '>']).nth(1).unwrap().to_owned();
        let next = priya.get(next.strip_prefix(&house.base).unwrap()).await.ok();
        assert_eq!((next.as_array().unwrap().len(), &next[0]["last_status"]["id"]), (1, &mine["id"]));
        dana.post(&format!("/api/v1/accounts/{}/unblock", priya.id), json!({})).await.ok();
        assert_eq!(priya.get("/api/v1/conversations").await.ok().as_array().unwrap().len(), 3);
    }
}

/// A member's conversations, once the first of them shows a post with these words.
async fn shown(who: &Person, words: &str) -> Value {
    eventually(&format!("the message comes: {words}"), async || {
        let talks = who.get("/api/v1/conversations").await.ok();
        talks[0]["last_status"]["content"].as_str().is_some_and(|text| text.contains(words)).then_some(talks)
    })
    .await
}

on_both! {
    /// What somebody writes who blocks the member, to that member and others, moves and marks nothing of the member's,
    /// and neither it nor its deletion is told.
    async fn who_blocks_her_moves_nothing_in_her_conversations(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        let oak = Remote::start("oak").await;
        let eve = oak.person("eve");
        let address = |who: &Person| format!("{}/users/{}", house.base, who.username);
        let first = priya.publish(&format!("@dana @eve@{} who brings cake?", eve.domain()), "direct").await;
        let draft = json!({
            "status": format!("@dana @eve@{} or biscuits?", eve.domain()), "visibility": "direct",
            "in_reply_to_id": id(&first),
        });
        let seen = priya.post("/api/v1/statuses", draft).await.ok();
        let talks = dana.get("/api/v1/conversations").await.ok();
        dana.post(&format!("/api/v1/conversations/{}/read", id(&talks[0])), json!({})).await.ok();
        assert_eq!(eve.post(&house, &eve.does("Block", &json!(address(&dana)))).await, 202);
        let id_of_eve = dana.find(&format!("eve@{}", eve.domain())).await;
        eventually("the block is known", async || {
            (dana.relationship(&id_of_eve).await["blocked_by"] == true).then_some(())
        })
        .await;
        let mut sockets = Vec::new();
        for stream in ["user", "direct"] {
            let query = format!("?stream={stream}&access_token={}", dana.token);
            sockets.push(connect(&house, &query, None).await.unwrap());
        }
        let before = dana.get("/api/v1/conversations").await;

        let mut kept = Vec::new();
        for words in ["not for her", "again"] {
            let mut note = eve.note(&format!("/notes/{}", kept.len()), words);
            let name = |who: &Person| format!("@{}", who.handle());
            let named = |who: &Person| json!({"type": "Mention", "href": address(who), "name": name(who)});
            note["to"] = json!([address(&priya), address(&dana)]);
            note["cc"] = json!([]);
            note["tag"] = json!([named(&priya), named(&dana)]);
            note["inReplyTo"] = first["uri"].clone();
            assert_eq!(eve.post(&house, &eve.does("Create", &note)).await, 202);
            let talks = shown(&priya, words).await;
            assert_eq!(talks.as_array().unwrap().len(), 1);
            kept.push((id(&talks[0]["last_status"]), note));
        }
        let after = dana.get("/api/v1/conversations").await;
        assert_eq!(after.headers["link"], before.headers["link"], "the page begins where it did");
        assert_eq!(after.ok(), before.ok());
        // The member is taken out of it, too.
        let mut edited = kept[1].1.clone();
        edited["to"] = json!([address(&priya)]);
        edited["tag"] = json!([edited["tag"][0]]);
        (edited["content"], edited["updated"]) = (json!("edited"), json!("2200-01-01T00:00:00Z"));
        assert_eq!(eve.post(&house, &eve.does("Update", &edited)).await, 202);
        shown(&priya, "edited").await;
        let gone = json!({"id": kept[1].1["id"], "type": "Tombstone"});
        assert_eq!(eve.post(&house, &eve.does("Delete", &gone)).await, 202);
        shown(&priya, "not for her").await;
        for socket in &mut sockets {
            nothing(socket).await;
        }

        // What is left is the newest again, and not what lies between.
        priya.delete(&format!("/api/v1/statuses/{}", id(&seen))).await.ok();
        let now = dana.get("/api/v1/conversations").await;
        let links = now.headers["link"].to_str().unwrap().to_owned();
        assert!(links.contains(&id(&first)) && !links.contains(&kept[0].0), "{links}");
        assert_eq!(now.ok()[0]["last_status"]["id"], first["id"]);
        assert_eq!(next(&mut sockets[0]).await.1, "delete");
        assert_eq!(next(&mut sockets[1]).await.1, "conversation");
    }
}

on_both! {
    /// A conversation with nobody has its author, as in Mastodon: apps show a conversation by its accounts.
    async fn a_message_to_nobody_has_its_author(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        let note = dana.publish("buy oats", "direct").await;
        let answer = json!({"status": "and tea", "in_reply_to_id": id(&note), "visibility": "direct"});
        dana.post("/api/v1/statuses", answer).await.ok();
        dana.publish("@dana call the school", "direct").await;
        let all = dana.get("/api/v1/conversations").await.ok();
        assert_eq!(all.as_array().unwrap().len(), 2);
        for talk in all.as_array().unwrap() {
            assert_eq!(each(&talk["accounts"], "acct"), ["dana"]);
            let read = dana.post(&format!("/api/v1/conversations/{}/read", id(talk)), json!({})).await.ok();
            assert_eq!(each(&read["accounts"], "acct"), ["dana"]);
        }
        dana.publish("@priya hello", "direct").await;
        assert_eq!(each(&dana.get("/api/v1/conversations").await.ok()[0]["accounts"], "acct"), ["priya"]);
        assert_eq!(each(&priya.get("/api/v1/conversations").await.ok()[0]["accounts"], "acct"), ["dana"]);
    }
}
