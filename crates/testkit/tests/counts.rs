//! Counters are exact: what is shown is what there is, after many did the same thing at once.

use serde_json::json;
use testkit::{Instance, on_both};

on_both! {
    /// Sixteen people favourite, boost, answer and take back at the same time.
    async fn sixteen_at_once(engine) {
        let maple = Instance::start("maple", engine).await;
        let author = maple.member("author").await;
        let post = author.publish("count me", "public").await;
        let id = post["id"].as_str().unwrap().to_owned();
        let mut people = Vec::new();
        for n in 0..16 {
            people.push(maple.member(&format!("fan{n}")).await);
        }
        let mut tasks = tokio::task::JoinSet::new();
        for (n, person) in people.into_iter().enumerate() {
            let id = id.clone();
            tasks.spawn(async move {
                let path = format!("/api/v1/statuses/{id}");
                // Twice, to be told apart from once.
                for _ in 0..2 {
                    person.post(&format!("{path}/favourite"), json!({})).await.ok();
                    person.post(&format!("{path}/reblog"), json!({})).await.ok();
                }
                person.post("/api/v1/statuses", json!({"status": "here", "in_reply_to_id": id})).await.ok();
                let author = format!("/api/v1/accounts/{}", person.get(&path).await.ok()["account"]["id"].as_str().unwrap());
                person.post(&format!("{author}/follow"), json!({})).await.ok();
                if n % 2 == 0 {
                    person.post(&format!("{path}/unfavourite"), json!({})).await.ok();
                    person.post(&format!("{path}/unreblog"), json!({})).await.ok();
                    person.post(&format!("{author}/unfollow"), json!({})).await.ok();
                }
            });
        }
        while let Some(task) = tasks.join_next().await {
            task.unwrap();
        }
        let post = author.get(&format!("/api/v1/statuses/{id}")).await.ok();
        assert_eq!(post["favourites_count"], 8);
        assert_eq!(post["reblogs_count"], 8);
        assert_eq!(post["replies_count"], 16);
        let me = author.get("/api/v1/accounts/verify_credentials").await.ok();
        assert_eq!(me["followers_count"], 8);
        assert_eq!(me["statuses_count"], 1);
        let fans = author.get(&format!("/api/v1/statuses/{id}/favourited_by?limit=80")).await.ok();
        assert_eq!(fans.as_array().unwrap().len(), 8);
    }
}

on_both! {
    /// "Save" and "Delete" pressed twice: each happens once, and is answered.
    async fn the_same_edit_and_the_same_deletion_twice_at_once(engine) {
        let maple = Instance::start("maple", engine).await;
        let dana = maple.member("dana").await;
        let root = dana.publish("who brings cake?", "public").await;
        for n in 0..8 {
            let draft = json!({"status": "me", "in_reply_to_id": root["id"]});
            let answer = dana.post("/api/v1/statuses", draft).await.ok();
            let path = format!("/api/v1/statuses/{}", answer["id"].as_str().unwrap());
            let words = json!({"status": format!("me, and {n} plates")});
            let (one, other) = tokio::join!(dana.put(&path, words.clone()), dana.put(&path, words));
            assert_eq!((one.status, other.status), (200, 200));
            let history = dana.get(&format!("{path}/history")).await.ok();
            assert_eq!(history.as_array().unwrap().len(), 2, "{history}");
            let (one, other) = tokio::join!(dana.delete(&path), dana.delete(&path));
            let mut answers = [one.status, other.status];
            answers.sort_unstable();
            assert!(answers == [200, 200] || answers == [200, 404], "{answers:?}");
        }
        let root = dana.get(&format!("/api/v1/statuses/{}", root["id"].as_str().unwrap())).await.ok();
        assert_eq!(root["replies_count"], 0);
        assert_eq!(dana.get("/api/v1/accounts/verify_credentials").await.ok()["statuses_count"], 1);
    }
}

on_both! {
    /// Counters are for everybody to see, and tell nobody when somebody writes to fewer than everybody.
    async fn what_is_for_fewer_moves_no_counter(engine) {
        let maple = Instance::start("maple", engine).await;
        let (dana, priya) = (maple.member("dana").await, maple.member("priya").await);
        let root = dana.publish("who brings cake?", "public").await;
        let answer = async |visibility: &str| {
            let draft = json!({"status": "@dana me", "visibility": visibility, "in_reply_to_id": root["id"]});
            priya.post("/api/v1/statuses", draft).await.ok()
        };
        let seen = async || {
            let profile = dana.get(&format!("/api/v1/accounts/{}", priya.id)).await.ok();
            let outbox = maple.request(http::Method::GET, "/users/priya/outbox").send().await.unwrap();
            let outbox: serde_json::Value = outbox.json().await.unwrap();
            let root = dana.get(&format!("/api/v1/statuses/{}", root["id"].as_str().unwrap())).await.ok();
            let weeks = dana.get("/api/v1/instance/activity").await.ok();
            json!([
                profile["statuses_count"],
                profile["last_status_at"],
                outbox["totalItems"],
                root["replies_count"],
                weeks[0]["statuses"],
            ])
        };
        assert_eq!(seen().await, json!([0, null, 0, 0, "1"]));
        let mut closed = Vec::new();
        for visibility in ["direct", "private"] {
            closed.push(answer(visibility).await);
            closed.push(priya.publish("@dana and only you", visibility).await);
        }
        assert_eq!(seen().await, json!([0, null, 0, 0, "1"]));
        let open = answer("public").await;
        let today = dana.get(&format!("/api/v1/accounts/{}", priya.id)).await.ok()["last_status_at"].clone();
        assert!(today.is_string());
        assert_eq!(seen().await, json!([1, today, 1, 1, "2"]));
        for post in closed {
            assert_eq!(priya.delete(&format!("/api/v1/statuses/{}", post["id"].as_str().unwrap())).await.status, 200);
            assert_eq!(seen().await, json!([1, today, 1, 1, "2"]));
        }
        assert_eq!(priya.delete(&format!("/api/v1/statuses/{}", open["id"].as_str().unwrap())).await.status, 200);
        let after = seen().await;
        assert_eq!((&after[0], &after[2], &after[3], &after[4]), (&json!(0), &json!(0), &json!(0), &json!("1")));
    }
}

on_both! {
    /// Who is not shown is not counted, and is counted once more when shown again; what goes with an account that is gone
    /// was taken out of the counters before.
    async fn counters_are_of_what_anybody_may_see(engine) {
        let maple = Instance::start("maple", engine).await;
        let (dana, priya, eve) = (maple.member("dana").await, maple.member("priya").await, maple.member("eve").await);
        let root = dana.publish("who brings cake?", "public").await;
        let path = format!("/api/v1/statuses/{}", root["id"].as_str().unwrap());
        for person in [&priya, &eve] {
            for visibility in ["public", "private", "direct"] {
                let draft = json!({"status": "@dana me", "visibility": visibility, "in_reply_to_id": root["id"]});
                person.post("/api/v1/statuses", draft).await.ok();
            }
            person.post(&format!("{path}/favourite"), json!({})).await.ok();
        }
        priya.post(&format!("{path}/reblog"), json!({"visibility": "public"})).await.ok();
        eve.post(&format!("{path}/reblog"), json!({"visibility": "private"})).await.ok();
        let counts = async || {
            let root = dana.get(&path).await.ok();
            json!([root["replies_count"], root["reblogs_count"], root["favourites_count"]])
        };
        assert_eq!(counts().await, json!([2, 1, 2]));
        let account = priya.account_id();
        let by = app::accounts::By::Operator;
        app::accounts::disable::disable(maple.app(), by, account).await.unwrap();
        assert_eq!(counts().await, json!([1, 0, 1]));
        app::accounts::disable::enable(maple.app(), by, account).await.unwrap();
        assert_eq!(counts().await, json!([2, 1, 2]));
        app::accounts::disable::disable(maple.app(), by, account).await.unwrap();
        app::accounts::delete::delete(maple.app(), by, account).await.unwrap();
        assert_eq!(counts().await, json!([1, 0, 1]));
        testkit::eventually("all of it is gone", async || {
            let mut conn = maple.app().db.read().await.unwrap();
            let left = storage::posts::living_of(&mut conn, account, 10).await.unwrap();
            (left.is_empty() && storage::jobs::backlog(&mut conn).await.unwrap().0 == 0).then_some(())
        })
        .await;
        assert_eq!(counts().await, json!([1, 0, 1]));
        assert_eq!(dana.get("/api/v1/accounts/verify_credentials").await.ok()["statuses_count"], 1);
    }
}

on_both! {
    /// Who hides their followers hides how many there are: each would be seen to come.
    async fn hidden_followers_are_not_counted_for_others(engine) {
        let maple = Instance::start("maple", engine).await;
        let (dana, priya) = (maple.member("dana").await, maple.member("priya").await);
        priya.follow(&dana).await;
        let seen = async || {
            let profile = priya.get(&format!("/api/v1/accounts/{}", dana.id)).await.ok();
            let list = maple.request(http::Method::GET, "/users/dana/followers").send().await.unwrap();
            let list: serde_json::Value = list.json().await.unwrap();
            json!([profile["followers_count"], list["totalItems"]])
        };
        assert_eq!(seen().await, json!([1, 1]));
        let mine = dana.patch("/api/v1/accounts/update_credentials", json!({"hide_collections": true})).await.ok();
        assert_eq!(mine["followers_count"], 1, "they know");
        assert_eq!(seen().await, json!([0, null]));
    }
}

on_both! {
    /// Paging through a timeline gives every post once, while somebody goes on writing.
    async fn pages_while_others_write(engine) {
        let maple = Instance::start("maple", engine).await;
        let reader = maple.member("reader").await;
        let writer = maple.member("writer").await;
        reader.follow(&writer).await;
        let mut written = Vec::new();
        for n in 0..60 {
            written.push(writer.publish(&format!("post {n}"), "public").await["id"].as_str().unwrap().to_owned());
        }
        let busy = writer.clone();
        let more = tokio::spawn(async move {
            for n in 0..40 {
                busy.publish(&format!("later {n}"), "public").await;
            }
        });
        let mut seen: Vec<String> = Vec::new();
        let mut path = "/api/v1/timelines/home?limit=7".to_owned();
        loop {
            let page = reader.get(&path).await.ok();
            let Some(last) = page.as_array().unwrap().last() else { break };
            path = format!("/api/v1/timelines/home?limit=7&max_id={}", last["id"].as_str().unwrap());
            seen.extend(page.as_array().unwrap().iter().map(|p| p["id"].as_str().unwrap().to_owned()));
        }
        more.await.unwrap();
        let mut once = seen.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), seen.len(), "an entry came twice");
        assert!(written.iter().all(|id| seen.contains(id)), "an entry is missing");
    }
}
