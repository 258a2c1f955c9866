//! Editing, history and source.

use serde_json::json;
use testkit::{Instance, on_both};

use crate::api::media::upload;
use crate::api::streaming::{connect, next};
use crate::api::{each, id};

on_both! {
    /// An edit changes the text for everybody, and what it said before can be read.
    async fn an_edit_keeps_its_history(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        let post = dana.publish("first", "public").await;
        let path = format!("/api/v1/statuses/{}", id(&post));
        let history = dana.get(&format!("{path}/history")).await.ok();
        assert_eq!(each(&history, "content"), ["<p>first</p>"], "one version");
        let edited = dana.put(&path, json!({"status": "second", "spoiler_text": "careful"})).await.ok();
        assert_eq!((edited["content"].as_str(), edited["spoiler_text"].as_str()), (Some("<p>second</p>"), Some("careful")));
        assert!(edited["edited_at"].is_string());
        assert_eq!(priya.get(&path).await.ok()["content"], "<p>second</p>");
        let history = priya.get(&format!("{path}/history")).await.ok();
        assert_eq!(each(&history, "content"), ["<p>first</p>", "<p>second</p>"]);
        let source = dana.get(&format!("{path}/source")).await.ok();
        assert_eq!((source["text"].as_str(), source["spoiler_text"].as_str()), (Some("second"), Some("careful")));
        assert_eq!(priya.get(&format!("{path}/source")).await.ok(), source, "whoever sees it may copy it");
        assert_eq!(priya.put(&path, json!({"status": "mine now"})).await.status, 404);
    }
}

on_both! {
    /// Whom an edit takes out of a private message sees it no more, nowhere, and is not told what it says now; whom it
    /// leaves in has it in the conversation of those who are left.
    async fn whom_an_edit_takes_out_of_a_private_message_sees_it_no_more(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya, olga) = (house.member("dana").await, house.member("priya").await, house.member("olga").await);
        priya.follow(&dana).await;
        let first = dana.publish("@priya @olga tea?", "direct").await;
        let shown = upload(&dana, "a cup").await.ok();
        let draft = json!({"status": "@priya @olga the kettle", "in_reply_to_id": id(&first), "visibility": "direct",
            "media_ids": [id(&shown)]});
        let post = dana.post("/api/v1/statuses", draft).await.ok();
        let path = format!("/api/v1/statuses/{}", id(&post));
        let before = priya.get(&path).await.ok();
        let picture = before["media_attachments"][0]["url"].as_str().unwrap().strip_prefix(&house.base).unwrap().to_owned();
        let file = async || house.request(http::Method::GET, &picture).send().await.unwrap().status().as_u16();
        assert_eq!(file().await, 200);
        priya.post(&format!("{path}/bookmark"), json!({})).await.ok();
        priya.post(&format!("{path}/favourite"), json!({})).await.ok();
        assert_eq!(priya.notifications("mention").await.len(), 2);
        assert!(priya.home().await.iter().any(|p| p["id"] == post["id"]));
        let talk = olga.get("/api/v1/conversations").await.ok()[0].clone();
        olga.post(&format!("/api/v1/conversations/{}/read", id(&talk)), json!({})).await.ok();
        let stream = |name: &str| format!("?stream={name}&access_token={}", priya.token);
        let mut home = connect(&house, &stream("user"), None).await.unwrap();
        let mut direct = connect(&house, &stream("direct"), None).await.unwrap();

        let edit = json!({"status": "@olga the secret kettle", "media_ids": [id(&shown)]});
        dana.put(&path, edit).await.ok();
        for way in ["", "/history", "/context", "/favourited_by"] {
            assert_eq!(priya.get(&format!("{path}{way}")).await.status, 404, "{way}");
        }
        assert_eq!(file().await, 404, "the picture");
        assert_eq!(each(&priya.get("/api/v1/notifications").await.ok(), "type"), ["mention"]);
        assert_eq!(priya.get("/api/v1/notifications/unread_count").await.ok()["count"], 1);
        for list in ["/api/v1/timelines/home", "/api/v1/bookmarks", "/api/v1/favourites", "/api/v2/search?q=kettle",
            "/api/v1/conversations", &format!("/api/v1/accounts/{}/statuses", dana.id),
            &format!("/api/v1/statuses/{}/context", id(&first))] {
            let found = priya.get(list).await.ok().to_string();
            assert!(!found.contains("kettle") && !found.contains(&id(&post)), "{list}: {found}");
        }
        let hers = priya.get("/api/v1/conversations").await.ok();
        assert_eq!(hers[0]["last_status"]["id"], first["id"], "what she still may see");
        let (_, event, payload) = next(&mut home).await;
        assert_eq!((event.as_str(), payload), ("delete", id(&post)), "as if it were gone");
        let (_, event, payload) = next(&mut direct).await;
        assert!(event == "conversation" && !payload.contains("kettle"), "{payload}");

        let hers = olga.get("/api/v1/conversations").await.ok();
        assert_eq!(hers.as_array().unwrap().len(), 2, "what was said to both, and what is said to her");
        assert_eq!((&hers[0]["last_status"]["id"], &hers[0]["unread"]), (&post["id"], &json!(false)));
        assert_eq!(each(&hers[0]["accounts"], "acct"), ["dana"]);
        assert!(hers[0]["last_status"]["content"].as_str().unwrap().contains("secret"));

        dana.put(&path, json!({"status": "@priya @olga the kettle again"})).await.ok();
        assert!(priya.get(&path).await.ok()["content"].as_str().unwrap().contains("again"));
        let hers = priya.get("/api/v1/conversations").await.ok();
        assert_eq!((&hers[0]["last_status"]["id"], &hers[0]["unread"]), (&post["id"], &json!(true)));
        assert_eq!(hers.as_array().unwrap().len(), 1);
    }
}

on_both! {
    /// An edit that changes nothing is none; what is said of a picture is part of the post, changed with it or not at
    /// all.
    async fn an_edit_that_changes_nothing_is_none(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        let shown = id(&upload(&dana, "a cup").await.ok());
        let draft = json!({"status": "@priya #tea, anyone?", "media_ids": [shown], "language": "en"});
        let post = dana.post("/api/v1/statuses", draft).await.ok();
        let path = format!("/api/v1/statuses/{}", id(&post));
        let versions = async || dana.get(&format!("{path}/history")).await.ok().as_array().unwrap().len();
        let described = |text: &str| json!([{"id": shown, "description": text, "focus": "0.0,0.0"}]);
        dana.put(&path, json!({"media_ids": [shown], "media_attributes": described("a cup")})).await.ok();
        let first = dana.put(&path, json!({"media_ids": [shown], "media_attributes": described("a cup")})).await.ok();
        assert_eq!(versions().await, 2, "the focus is new, once");
        let same = json!({"status": "@priya #tea, anyone?", "media_ids": [shown], "media_attributes": described(" a cup ")});
        let again = dana.put(&path, same).await.ok();
        assert_eq!((&again["edited_at"], versions().await), (&first["edited_at"], 2));
        assert!(priya.notifications("mention").await.len() == 1);

        let too_long = json!({"status": "x".repeat(100_000), "media_ids": [shown], "media_attributes": described("cups")});
        assert_eq!(dana.put(&path, too_long).await.status, 422);
        let too_long = json!({"status": "new", "media_ids": [shown], "media_attributes": described(&"x".repeat(10_000))});
        assert_eq!(dana.put(&path, too_long).await.status, 422);
        let now = priya.get(&path).await.ok();
        assert_eq!((&now["content"], &now["media_attachments"]), (&post["content"], &first["media_attachments"]) , "{now}");
        assert_eq!(versions().await, 2);
        let other = id(&upload(&dana, "a spoon").await.ok());
        let edit = json!({"media_ids": [shown], "media_attributes": [{"id": other, "description": "a fork"}]});
        dana.put(&path, edit).await.ok();
        assert_eq!(versions().await, 2);
        assert_eq!(dana.get(&format!("/api/v1/media/{other}")).await.ok()["description"], "a spoon", "it is not shown");
        dana.put(&path, json!({"media_ids": [shown], "media_attributes": described("two cups")})).await.ok();
        assert_eq!(versions().await, 3);
        assert_eq!(priya.get(&path).await.ok()["media_attachments"][0]["description"], "two cups");
    }
}

on_both! {
    /// Whom an edit names first hears of it, and has the message in a conversation with all whom it is for now.
    async fn whom_an_edit_names_first_has_a_conversation(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya, olga) = (house.member("dana").await, house.member("priya").await, house.member("olga").await);
        let post = dana.publish("@priya tea?", "direct").await;
        let talk = priya.get("/api/v1/conversations").await.ok()[0].clone();
        priya.delete(&format!("/api/v1/conversations/{}", id(&talk))).await.ok();
        let mut direct =
            connect(&house, &format!("?stream=direct&access_token={}", olga.token), None).await.unwrap();
        let edited = json!({"status": "@priya @olga tea?"});
        dana.put(&format!("/api/v1/statuses/{}", id(&post)), edited).await.ok();
        assert_eq!(olga.notifications("mention").await.len(), 1);
        let hers = olga.get("/api/v1/conversations").await.ok();
        assert_eq!((&hers[0]["last_status"]["id"], &hers[0]["unread"]), (&post["id"], &json!(true)));
        let mut with = each(&hers[0]["accounts"], "acct");
        with.sort();
        assert_eq!(with, ["dana", "priya"]);
        assert_eq!(next(&mut direct).await.1, "conversation");
        let mine = dana.get("/api/v1/conversations").await.ok();
        let mut with = each(&mine[0]["accounts"], "acct");
        with.sort();
        assert_eq!((mine.as_array().unwrap().len(), with), (1, vec!["olga".to_owned(), "priya".to_owned()]));
        assert_eq!(mine[0]["unread"], false);
        assert_eq!(priya.get("/api/v1/conversations").await.ok(), json!([]), "she wanted it out of her list");
    }
}

on_both! {
    /// What somebody typed is for those who may see the post, and for nobody else.
    async fn a_source_is_for_whom_the_post_is(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya, olga) = (house.member("dana").await, house.member("priya").await, house.member("olga").await);
        priya.follow(&dana).await;
        for (visibility, follower, other) in [("public", 200, 200), ("private", 200, 404), ("direct", 404, 404)] {
            let post = dana.publish("two *cups* & a saucer", visibility).await;
            let path = format!("/api/v1/statuses/{}/source", id(&post));
            for (who, status) in [(&dana, 200), (&priya, follower), (&olga, other)] {
                let answer = who.get(&path).await;
                assert_eq!(answer.status, status, "{visibility} {}", who.username);
                if status == 200 {
                    assert_eq!(answer.json()["text"], "two *cups* & a saucer");
                }
            }
            let stranger = house.request(http::Method::GET, &path).send().await.unwrap();
            assert_eq!(stranger.status(), 401);
        }
    }
}

on_both! {
    /// An edit that leaves nothing but a content warning makes it the text; one that leaves nothing to see is refused.
    async fn an_edit_leaves_something_to_see(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let path = format!("/api/v1/statuses/{}", id(&dana.publish("first", "public").await));
        let edited = dana.put(&path, json!({"status": "", "spoiler_text": "only this"})).await.ok();
        assert_eq!((&edited["content"], &edited["spoiler_text"]), (&json!("<p>only this</p>"), &json!("")));
        for blank in ["\u{200b}", "\u{2800} \u{fe0f}", "\u{3164}\n"] {
            let refused = dana.put(&path, json!({"status": blank})).await;
            assert_eq!(refused.status, 422, "{blank:?}: {}", refused.text);
        }
        let edited = dana.put(&path, json!({"status": "second", "spoiler_text": "\u{200b}"})).await.ok();
        assert_eq!((&edited["content"], &edited["spoiler_text"]), (&json!("<p>second</p>"), &json!("")));
    }
}
