//! Another server reports a member: it is kept for those who run the community, once, and only what is about her.

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
        assert_eq!((report.account_id, report.host.as_str()), (known.id, oak.domain.as_str()));
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
