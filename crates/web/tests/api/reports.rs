//! `POST /api/v1/reports`.

use app::accounts::By;
use app::community::change::{self, Changes};
use domain::account::Role;
use serde_json::json;
use testkit::{Instance, on_both};

use crate::api::{each, id};

on_both! {
    /// Those who run the community are told, with all that was said; nobody else notices anything.
    async fn a_report_reaches_those_who_run_the_community(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, eve) = (house.member("dana").await, house.member("eve").await);
        let (priya, tess) =
            (house.member_with("priya", Role::Owner).await, house.member_with("tess", Role::Moderator).await);
        let rules = Some(vec!["Be kind.".to_owned(), "No photos of other people's children.".to_owned()]);
        change::change(house.app(), By::Operator, &Changes { rules, ..Changes::default() }).await.unwrap();
        let (one, two) = (id(&eve.publish("rude", "public").await), id(&eve.publish("ruder", "public").await));
        // A moderator who has muted and blocked the reporter still hears of it.
        tess.post(&format!("/api/v1/accounts/{}/mute", dana.id), json!({})).await.ok();
        tess.post(&format!("/api/v1/accounts/{}/block", dana.id), json!({})).await.ok();

        let before = eve.get("/api/v1/notifications").await.ok();
        let said = dana
            .post("/api/v1/reports", json!({
                "account_id": eve.id, "status_ids": [one, two, one], "comment": "  twice today ",
                "category": "spam", "rule_ids": ["2"], "forward": true,
            }))
            .await
            .ok();
        assert_eq!((&said["comment"], &said["category"]), (&json!("twice today"), &json!("violation")));
        assert_eq!((&said["action_taken"], &said["action_taken_at"]), (&json!(false), &json!(null)));
        assert_eq!(said["forwarded"], json!(false), "she lives here");
        assert_eq!((&said["status_ids"], &said["rule_ids"]), (&json!([one, two]), &json!(["2"])));
        assert_eq!(said["target_account"]["id"], eve.id.as_str());
        for staff in [&priya, &tess] {
            let told = staff.notifications("admin.report").await;
            assert_eq!(told.len(), 1);
            assert_eq!((&told[0]["account"]["id"], &told[0]["report"]), (&json!(dana.id), &said));
            let one = staff.get(&format!("/api/v1/notifications/{}", id(&told[0]))).await.ok();
            assert_eq!(one["report"]["id"], said["id"]);
        }
        assert_eq!(eve.get("/api/v1/notifications").await.ok(), before);
        assert!(dana.notifications("admin.report").await.is_empty());

        // Blocked after it as well.
        tess.post(&format!("/api/v1/accounts/{}/unblock", dana.id), json!({})).await.ok();
        tess.post(&format!("/api/v1/accounts/{}/block", dana.id), json!({})).await.ok();
        assert_eq!(tess.notifications("admin.report").await.len(), 1);

        // Another one by the same member is another notification; the rules may change meanwhile.
        let other = json!({"account_id": eve.id, "category": "legal"});
        let said = dana.post("/api/v1/reports/", other).await.ok();
        assert_eq!((&said["comment"], &said["category"]), (&json!(""), &json!("legal")));
        assert_eq!(priya.notifications("admin.report").await.len(), 2);
        change::change(house.app(), By::Operator, &Changes { rules: Some(Vec::new()), ..Changes::default() })
            .await
            .unwrap();
        let mut conn = house.app().db.read().await.unwrap();
        let kept = storage::reports::about(&mut conn, eve.account_id(), 10).await.unwrap();
        drop(conn);
        assert_eq!(kept[1].rules[0].text, "No photos of other people's children.");

        // Whoever does not run the community any more is not told any more.
        app::accounts::change_role::change_role(house.app(), By::Operator, tess.account_id(), Role::Member)
            .await
            .unwrap();
        assert!(tess.notifications("admin.report").await.is_empty());
    }
}

on_both! {
    /// A moderator who is reported does not hear of it, and cannot say that it was dealt with.
    async fn a_moderator_does_not_judge_over_themselves(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let (priya, tess) =
            (house.member_with("priya", Role::Owner).await, house.member_with("tess", Role::Moderator).await);
        let said = dana.post("/api/v1/reports", json!({"account_id": tess.id})).await.ok();
        assert_eq!(priya.notifications("admin.report").await.len(), 1);
        assert!(tess.notifications("admin.report").await.is_empty());
        let report = domain::ReportId(id(&said).parse().unwrap());
        let mut member = Vec::new();
        for who in [&tess, &dana, &priya] {
            let mut conn = house.app().db.read().await.unwrap();
            member.push(storage::members::get(&mut conn, who.account_id()).await.unwrap());
        }
        for refused in &member[..2] {
            let by = By::Member(refused);
            let answer = app::reports::resolve::resolve(house.app(), by, report).await;
            assert!(matches!(answer, Err(app::Error::Forbidden(_))), "{answer:?}");
        }
        app::reports::resolve::resolve(house.app(), By::Member(&member[2]), report).await.unwrap();
        let told = &priya.notifications("admin.report").await[0]["report"];
        assert_eq!(told["action_taken"], json!(true));
        assert!(told["action_taken_at"].is_string());
        app::reports::resolve::reopen(house.app(), By::Member(&member[2]), report).await.unwrap();
        assert_eq!(priya.notifications("admin.report").await[0]["report"]["action_taken_at"], json!(null));
    }
}

on_both! {
    async fn what_cannot_be_reported_is_refused(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, eve, bea) =
            (house.member("dana").await, house.member("eve").await, house.member("bea").await);
        let priya = house.member_with("priya", Role::Owner).await;
        let (open, hidden) = (id(&eve.publish("open", "public").await), id(&eve.publish("hers", "direct").await));
        let others = id(&bea.publish("kind", "public").await);
        let long = "x".repeat(1_001);
        for (status, body) in [
            (404, json!({"account_id": "1", "comment": "nobody"})),
            (404, json!({"comment": "nobody"})),
            (404, json!({"account_id": "x"})),
            // The reporter may not learn that it exists.
            (404, json!({"account_id": eve.id, "status_ids": [open, hidden]})),
            (404, json!({"account_id": eve.id, "status_ids": [others]})),
            (422, json!({"account_id": eve.id, "comment": long})),
            (422, json!({"account_id": eve.id, "category": "boring"})),
            (422, json!({"account_id": eve.id, "rule_ids": ["7"]})),
            (422, json!({"account_id": eve.id, "rule_ids": ["0"]})),
            (422, json!({"account_id": dana.id})),
            (422, json!({"account_id": eve.id, "status_ids": vec![open.as_str(); 101]})),
        ] {
            let answer = dana.post("/api/v1/reports", body.clone()).await;
            assert_eq!(answer.status, status, "{body}: {}", answer.text);
        }
        let path = "/api/v1/reports";
        let token = house.token(dana.account_id(), "read write:statuses").await;
        let ask = |token: Option<&str>| {
            let request = house.request(http::Method::POST, path).json(&json!({"account_id": eve.id}));
            token.map_or_else(|| request.try_clone().unwrap(), |token| request.try_clone().unwrap().bearer_auth(token))
        };
        assert_eq!(ask(None).send().await.unwrap().status(), 401);
        assert_eq!(ask(Some(&token)).send().await.unwrap().status(), 403);
        assert!(priya.notifications("admin.report").await.is_empty());
        // A form, as apps send it, and a hundred a day.
        let form = format!("account_id={}&status_ids[]={open}&comment=no&forward=0", eve.id);
        let sent = dana.request(http::Method::POST, path).header("content-type", "application/x-www-form-urlencoded");
        let said: serde_json::Value = sent.body(form).send().await.unwrap().json().await.unwrap();
        assert_eq!((each(&json!([said]), "category"), &said["status_ids"]), (vec!["other".to_owned()], &json!([open])));
        for _ in 1..100 {
            dana.post(path, json!({"account_id": eve.id})).await.ok();
        }
        assert_eq!(dana.post(path, json!({"account_id": eve.id})).await.status, 429);
        house.clock.advance(std::time::Duration::from_secs(25 * 3600));
        dana.post(path, json!({"account_id": eve.id})).await.ok();
    }
}
