//! Another server reports a member: it is kept for those who run the community, once, and only what is about that
//! member. A member reports somebody elsewhere: that server is told, where the member wants it, and not by whose wish.

use domain::report::Report;
use federation::inbound::Verdict;
use serde_json::{Value, json};
use storage::reports;
use testkit::{Engine, Instance, Remote, eventually, on_both};

use crate::strangers::{account_at, arrives, post_at, with};

async fn kept(home: &Instance, name: &str) -> Vec<Report> {
    let Some(member) = account_at(home, &format!("{}/users/{name}", home.base)).await else { return Vec::new() };
    let mut conn = home.app().db.read().await.unwrap();
    reports::about(&mut conn, member.id, 300).await.unwrap()
}

async fn community(engine: Engine) -> (Instance, Value, Value, Remote) {
    let maple = Instance::start("maple", engine).await;
    let (dana, erin) = (maple.member("dana").await, maple.member("erin").await);
    let hers = dana.publish("something rude", "public").await;
    let others = erin.publish("something kind", "public").await;
    (maple, hers, others, Remote::start("oak").await)
}

on_both! {
    async fn a_report_is_kept_with_what_it_names(engine) {
        let (maple, hers, others, oak) = community(engine).await;
        // In the name of the server itself, as most do.
        let carol = oak.person("instance");
        let dana = format!("{}/users/dana", maple.base);
        let objects = json!([dana, hers["uri"], others["uri"], "https://elm.example/notes/1"]);
        let flag = with(&carol.does("Flag", &objects), &json!({"content": "  not <b>nice</b> "}));
        for _ in 0..2 {
            assert_eq!(carol.post(&maple, &flag).await, 202);
        }
        let report = eventually("it is kept", async || kept(&maple, "dana").await.pop()).await;
        let known = account_at(&maple, &carol.uri).await.unwrap();
        let post = post_at(&maple, hers["uri"].as_str().unwrap()).await.unwrap();
        assert_eq!(report.posts, [post.id], "erin's is not about dana");
        assert_eq!((report.account_id, report.host.as_ref().unwrap().as_str()), (known.id, oak.domain.as_str()));
        assert_eq!((report.uri.as_str(), report.comment.as_str()), (flag["id"].as_str().unwrap(), "not <b>nice</b>"));
        // The same once more, past the inbox's memory: kept once.
        assert_eq!(maple.federation().process(&known, &flag).await, Verdict::Ignored("nothing changed"));
        assert_eq!(kept(&maple, "dana").await.len(), 1);
        assert!(kept(&maple, "erin").await.is_empty());
    }
}

on_both! {
    async fn reports_take_many_shapes_and_those_about_nobody_here_are_dropped(engine) {
        let (maple, hers, _others, oak) = community(engine).await;
        let carol = oak.person("carol");
        let note = carol.note("/notes/1", "<p>@dana</p>");
        let dana = format!("{}/users/dana", maple.base);
        let to_dana = with(&note, &json!({"to": [dana], "cc": []}));
        assert_eq!(carol.post(&maple, &carol.does("Create", &to_dana)).await, 202);
        arrives(&maple, &oak.url("/notes/1")).await;
        let (fed, known) = (maple.federation(), account_at(&maple, &carol.uri).await.unwrap());
        // The post alone, whole, by the address of its page, with its words in `summary`.
        for object in [json!(hers["uri"]), json!([{"type": "Note", "id": hers["uri"]}]), json!(hers["url"])] {
            let flag = with(&carol.does("Flag", &object), &json!({"summary": "spam"}));
            assert_eq!(fed.process(&known, &flag).await, Verdict::Done, "{object}");
        }
        let all = kept(&maple, "dana").await;
        assert_eq!(all.len(), 3);
        assert!(all.iter().all(|report| report.posts.len() == 1 && report.comment == "spam"), "{all:?}");
        for object in [json!(carol.uri), json!(oak.url("/notes/1")), json!(format!("{}/users/nobody", maple.base))] {
            let verdict = fed.process(&known, &carol.does("Flag", &object)).await;
            assert_eq!(verdict, Verdict::Ignored("nobody of this community"), "{object}");
        }
        // A server that floods is heard two hundred times a day.
        for n in 3..202 {
            let verdict = fed.process(&known, &carol.does("Flag", &json!(dana))).await;
            let expected = if n < 200 { Verdict::Done } else { Verdict::Ignored("too many reports from this server") };
            assert_eq!(verdict, expected, "{n}");
        }
        maple.clock.advance(std::time::Duration::from_secs(25 * 3600));
        assert_eq!(fed.process(&known, &carol.does("Flag", &json!(dana))).await, Verdict::Done);
    }
}

on_both! {
    /// Between two communities: the other's moderators are told by the server, and nothing names the reporter.
    async fn a_report_is_forwarded_without_the_reporters_name(engine) {
        let (maple, willow) = (Instance::start("maple", engine).await, Instance::start("willow", engine).await);
        let (dana, bob) = tokio::join!(maple.member("dana"), willow.member("bob"));
        let priya = maple.member_with("priya", domain::account::Role::Owner).await;
        let walt = willow.member_with("walt", domain::account::Role::Owner).await;
        let here = dana.follow(&bob).await;
        let rude = bob.publish("something rude", "public").await;
        let seen = dana.sees("bob's post", |post| post["uri"] == rude["uri"]).await;
        let quiet = json!({"account_id": here, "comment": "only for you"});
        assert_eq!(dana.post("/api/v1/reports", quiet).await.ok()["forwarded"], json!(false));
        // A message to dana alone would say who reported it.
        let whisper = bob.publish(&format!("@{} whispered", dana.handle()), "direct").await;
        let heard = eventually("the message", async || {
            let told = dana.notifications("mention").await.pop();
            told.filter(|told| told["status"]["uri"] == whisper["uri"]).map(|told| told["status"]["id"].clone())
        })
        .await;
        let said = json!({
            "account_id": here, "status_ids": [seen["id"], heard], "comment": "not nice", "forward": true,
        });
        assert_eq!(dana.post("/api/v1/reports", said).await.ok()["forwarded"], json!(true));
        assert_eq!(priya.notifications("admin.report").await.len(), 2);
        let told = eventually("walt is told", async || walt.notifications("admin.report").await.pop()).await;
        let report = &told["report"];
        assert_eq!((&report["comment"], &report["target_account"]["id"]), (&json!("not nice"), &json!(bob.id)));
        assert_eq!(report["status_ids"], json!([rude["id"]]));
        assert_eq!(told["account"]["uri"], format!("{}/actor", maple.base));
        assert!(!told.to_string().contains("dana"), "{told}");
        let kept = kept(&willow, "bob").await;
        assert_eq!(kept.len(), 1, "what was for her own community alone stayed there");
        assert!(!kept[0].uri.contains("dana"), "{}", kept[0].uri);
    }
}

on_both! {
    /// A server that does not answer is told later; one that is blocked here is told nothing.
    async fn a_report_waits_for_a_server_that_rests(engine) {
        let maple = Instance::start("maple", engine).await;
        let dana = maple.member("dana").await;
        let (oak, elm) = (Remote::start("oak").await, Remote::start("elm").await);
        let (carol, eli) = (oak.person("carol"), elm.person("eli"));
        let carol_id = dana.find(&format!("carol@{}", carol.domain())).await;
        let eli_id = dana.find(&format!("eli@{}", eli.domain())).await;
        oak.rest(true);
        app::moderation::domains::block::block(maple.app(), app::accounts::By::Operator, elm.domain.as_str(), None)
            .await
            .unwrap();
        for id in [&carol_id, &eli_id] {
            let said = json!({"account_id": id, "comment": "see for yourselves", "forward": true});
            dana.post("/api/v1/reports", said).await;
        }
        eventually("it was tried", async || (oak.turned_away() > 0).then_some(())).await;
        assert!(oak.received().is_empty());
        oak.rest(false);
        maple.pass(std::time::Duration::from_secs(60)).await;
        let flag = eventually("it comes", async || oak.received().into_iter().find(|a| a["type"] == "Flag")).await;
        assert_eq!(flag["actor"], format!("{}/actor", maple.base));
        assert_eq!((&flag["object"], &flag["content"]), (&json!([carol.uri]), &json!("see for yourselves")));
        assert!(!flag.to_string().contains("dana"), "{flag}");
        assert!(elm.received().iter().all(|activity| activity["type"] != "Flag"));
    }
}
