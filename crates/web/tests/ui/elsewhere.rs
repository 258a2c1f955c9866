//! From other servers to ours and from ours to others: the page where members follow, like and share what they found
//! elsewhere, and the form that takes people home from here. Whole servers, real sockets.

use serde_json::json;
use std::cell::RefCell;
use testkit::instance::{PASSWORD, client};
use testkit::{Instance, Remote, eventually, on_both};

use crate::house::{Answer, Browser, House, Plan};

fn browser(at: &Instance) -> Browser {
    Browser { http: client(&at.name, at.address), base: at.base.clone(), cookies: RefCell::default() }
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn page_for(uri: &str) -> String {
    format!("/authorize_interaction?uri={}", encoded(uri))
}

async fn signed_in(at: &Instance, name: &str) -> Browser {
    let browser = browser(at);
    assert_eq!(browser.sign_in(name, PASSWORD).await.status, 303);
    browser
}

const ACT: &str = "/authorize_interaction";

/// Where the page leads that asks whether to leave. It sends nobody there by itself, and tells nobody there where its
/// reader came from.
fn taken_to(answer: &Answer) -> String {
    assert_eq!((answer.status, answer.location(), answer.header("refresh")), (200, "", ""), "{}", answer.body);
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert!(!answer.body.contains("http-equiv") && !answer.body.contains("<script"), "{}", answer.body);
    let link = answer.body.split("<a class=\"deed\" href=\"").nth(1).expect("a way on").split('"').next().unwrap();
    link.replace("&#38;", "&").replace("&amp;", "&")
}

on_both! {
    /// Marisol finds Dana on a page of Dana's server, and follows her and likes and shares what she said, from her own.
    async fn from_a_page_elsewhere_to_ones_own_server_and_it_is_done(engine) {
        let (maple, willow) = (Instance::start("maple", engine).await, Instance::start("willow", engine).await);
        let dana = maple.cautious_member("dana").await;
        willow.member("marisol").await;
        let post = dana.publish("First frost tonight.", "public").await;
        let post_path = format!("/@dana/{}", post["id"].as_str().unwrap());
        let handle = format!("@marisol@willow.localhost:{}", willow.address.port());

        let stranger = browser(&maple);
        assert!(stranger.get("/@dana").await.body.contains("action=\"/from-home\""));
        let going = stranger.get(&format!("/from-home?of=/@dana&handle={}", encoded(&handle))).await;
        let there = taken_to(&going);
        assert_eq!(there, format!("{}{}", willow.base, page_for(&format!("{}/users/dana", maple.base))));
        assert!(going.body.contains(&format!("<span class=\"code\">willow.localhost:{}</span>", willow.address.port())));
        assert!(!going.body.contains("says that this goes on at"), "it is the server that she named");

        // Signed out there: she is asked to sign in, and comes back.
        let marisol = browser(&willow);
        let way = marisol.get(&there).await;
        assert_eq!(way.status, 303);
        let login = way.location().to_owned();
        assert!(login.starts_with("/login?next=%2Fauthorize_interaction%3F"), "{login}");
        let back = marisol.fill(&login, "/login", &[("email", "marisol"), ("password", PASSWORD)]).await;
        assert_eq!(back.status, 303);
        let page = marisol.get(back.location()).await;
        assert_eq!(page.status, 200, "{}", page.body);
        assert!(page.body.contains("Ask to follow") && page.body.contains("says yes or no"), "{}", page.body);
        assert_eq!(page.header("cache-control"), "no-store");

        let done = marisol.fill_in(&page, ACT, &[("deed", "follow")]).await;
        assert_eq!(done.status, 303, "{}", done.body);
        let asked = marisol.get(done.location()).await;
        assert!(asked.body.contains("You asked to follow <bdi>dana</bdi>") && !asked.body.contains("<button class=\"deed\""));
        let request = eventually("dana is asked", async || {
            dana.get("/api/v1/follow_requests").await.ok().as_array()?.first().cloned()
        })
        .await;
        let answer = format!("/api/v1/follow_requests/{}/authorize", request["id"].as_str().unwrap());
        dana.post(&answer, json!({})).await.ok();
        eventually("marisol follows her", async || {
            marisol.get(done.location()).await.body.contains("You follow <bdi>dana</bdi>").then_some(())
        })
        .await;
        let again = marisol.fill_in(&page, ACT, &[("deed", "follow")]).await;
        assert_eq!(again.location(), done.location(), "twice is once");

        // By handle, as other programs ask.
        for uri in ["acct:dana", "@dana", "dana"] {
            let uri = format!("{uri}@maple.localhost:{}", maple.address.port());
            assert!(marisol.get(&page_for(&uri)).await.body.contains("You follow <bdi>dana</bdi>"), "{uri}");
        }

        // A post, likewise, by the address of its page.
        let shown = stranger.get(&post_path).await;
        assert!(shown.body.contains("Answer, like or share it from your own server"));
        let there = taken_to(&stranger.get(&format!("/from-home?of={post_path}&handle={}", encoded(&handle))).await);
        assert!(there.contains(&encoded(post["uri"].as_str().unwrap())), "{there}");
        let page = marisol.get(&page_for(post["url"].as_str().unwrap())).await;
        assert!(page.body.contains("First frost tonight.") && page.body.contains(post["uri"].as_str().unwrap()));
        let liked = marisol.fill_in(&page, ACT, &[("deed", "like")]).await;
        assert_eq!(liked.status, 303, "{}", liked.body);
        let page = marisol.get(liked.location()).await;
        assert!(page.body.contains("You like this.") && !page.body.contains("value=\"like\""), "{}", page.body);
        marisol.fill_in(&page, ACT, &[("deed", "share")]).await;
        let page = marisol.get(liked.location()).await;
        assert!(page.body.contains("You like this, and you shared it again."), "{}", page.body);
        eventually("dana sees both", async || {
            let seen = dana.get(&format!("/api/v1/statuses/{}", post["id"].as_str().unwrap())).await.ok();
            (seen["favourites_count"] == 1 && seen["reblogs_count"] == 1).then_some(())
        })
        .await;
    }
}

on_both! {
    /// What she may not see is not there, what cannot be found says so, and nothing happens without a form of ours.
    async fn the_page_shows_what_she_may_see_and_does_what_she_pressed(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        let hers = priya.publish("for two", "direct").await;
        let close = priya.publish("for those who follow", "private").await;
        let open = priya.publish("for everyone", "public").await;
        let id = |post: &serde_json::Value| post["id"].as_str().unwrap().to_owned();
        let marisol = signed_in(&house, "dana").await;
        for post in [&hers, &close] {
            for name in ["uri", "url"] {
                let answer = marisol.get(&page_for(post[name].as_str().unwrap())).await;
                assert_eq!(answer.status, 404, "{}", answer.body);
                assert!(answer.body.contains("We could not find that") && !answer.body.contains("for t"));
            }
        }
        let long = "x".repeat(3_000);
        for nothing in ["", "nobody", "@nobody@maple.localhost", "javascript:alert(1)", "https://127.0.0.1:1/x", &long] {
            assert_eq!(marisol.get(&page_for(nothing)).await.status, 404, "{nothing}");
        }
        assert!(marisol.get(&page_for("@dana")).await.body.contains("This is you."));

        let page = marisol.get(&page_for(open["uri"].as_str().unwrap())).await;
        let csrf = page.hidden(ACT)[0].1.clone();
        let (secret, shown) = (id(&hers), id(&open));
        for (fields, status) in [
            (vec![("deed", "like"), ("id", shown.as_str())], 403),
            (vec![("deed", "like"), ("id", shown.as_str()), ("csrf", "0")], 403),
            (vec![("deed", "like"), ("id", secret.as_str()), ("csrf", csrf.as_str())], 404),
            (vec![("deed", "share"), ("id", secret.as_str()), ("csrf", csrf.as_str())], 404),
            (vec![("deed", "follow"), ("id", "12345"), ("csrf", csrf.as_str())], 404),
            (vec![("deed", "follow"), ("id", dana.id.as_str()), ("csrf", csrf.as_str())], 403),
            (vec![("deed", "dance"), ("id", shown.as_str()), ("csrf", csrf.as_str())], 400),
            (vec![("deed", "like"), ("id", "x"), ("csrf", csrf.as_str())], 400),
        ] {
            assert_eq!(marisol.post(ACT, &fields).await.status, status, "{fields:?}");
        }
        let fields = [("deed", "like"), ("id", shown.as_str()), ("csrf", csrf.as_str())];
        let foreign = marisol.form(ACT, &fields).header("origin", "https://evil.example");
        assert_eq!(marisol.send(foreign).await.status, 403);
        let seen = dana.get(&format!("/api/v1/statuses/{shown}")).await.ok();
        assert_eq!((&seen["favourites_count"], &seen["reblogs_count"]), (&json!(0), &json!(0)));

        // Of those who follow, she sees more, and may not share it.
        dana.follow(&priya).await;
        let page = marisol.get(&page_for(close["uri"].as_str().unwrap())).await;
        assert!(page.body.contains("value=\"like\"") && !page.body.contains("value=\"share\""), "{}", page.body);
        priya.post(&format!("/api/v1/accounts/{}/block", dana.id), json!({})).await.ok();
        let page = marisol.get(&page_for("@priya")).await;
        assert!(page.body.contains("You cannot follow <bdi>priya</bdi>") && !page.body.contains("value=\"follow\""));
        assert_eq!(marisol.get(&page_for(open["uri"].as_str().unwrap())).await.status, 404);
    }
}

on_both! {
    /// The form says what is wrong beside the field, asks nobody who may not be asked, and sends nobody anywhere but where
    /// her own server said.
    async fn the_form_takes_people_home_and_nowhere_else(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let open = dana.publish("for everyone", "unlisted").await;
        let close = dana.publish("for those who follow", "private").await;
        let path = |post: &serde_json::Value| format!("/@dana/{}", post["id"].as_str().unwrap());
        let stranger = browser(&house);
        for of in ["", "dana", "/@nobody", "https://evil.example", "//evil.example", &path(&close), "/@dana/1"] {
            let answer = stranger.get(&format!("/from-home?of={}&handle=a@b.example", encoded(of))).await;
            assert_eq!(answer.status, 404, "{of}");
        }
        for of in ["/@dana".to_owned(), path(&open)] {
            let empty = stranger.get(&format!("/from-home?of={of}")).await;
            assert!(empty.status == 200 && !empty.body.contains("aria-invalid"), "{}", empty.body);
            assert!(empty.header("set-cookie").is_empty() && empty.header("refresh").is_empty());
        }
        let ask = async |handle: &str| stranger.get(&format!("/from-home?of=/@dana&handle={}", encoded(handle))).await;
        for wrong in ["marisol", "@marisol@", "marisol willow", "https://willow.example/@marisol"] {
            let answer = ask(wrong).await;
            assert_eq!(answer.status, 422, "{wrong}");
            let says = ["Please write both parts", "id=\"handle-amiss\"", "aria-describedby=\"handle-amiss", "aria-invalid"];
            assert!(says.iter().all(|part| answer.body.contains(part)), "{wrong}: {}", answer.body);
            assert!(answer.body.contains(&format!("value=\"{wrong}\"")), "{wrong}: {}", answer.body);
        }

        // At home here after all.
        let here = ask(&format!("@priya@maple.localhost:{}", house.address.port())).await;
        assert_eq!((here.status, here.location()), (303, page_for(&format!("{}/users/dana", house.base)).as_str()));

        let oak = Remote::start("oak").await;
        let jrd = |template: &str| json!({
            "subject": format!("acct:eve@{}", oak.domain),
            "links": [{"rel": "http://ostatus.org/schema/1.0/subscribe", "template": template}],
        });
        let resource = encoded(&format!("acct:eve@{}", oak.domain));
        let finger = "/.well-known/webfinger";
        let answers = async |document: &serde_json::Value| {
            oak.answer(finger, 200, "application/jrd+json", document.to_string());
            ask(&format!("eve@{}", oak.domain)).await
        };
        for template in ["javascript:alert({uri})", "https://oak.example/follow", "ftp://oak.example/{uri}", "//{uri}",
            "https://me:secret@oak.example/{uri}", "https://169.254.169.254/{uri}", ""] {
            let answer = answers(&jrd(template)).await;
            assert_eq!(answer.status, 422, "{template}");
            assert!(answer.body.contains("did not tell us where to take you") && answer.header("refresh").is_empty());
        }
        assert_eq!(answers(&json!({"subject": "acct:eve@oak.example", "links": []})).await.status, 422);
        let good = answers(&jrd("https://oak.example/follow?who={uri}&x=%22><script>")).await;
        let there = taken_to(&good);
        assert!(good.body.contains("<span class=\"code\">oak.example</span>"), "{}", good.body);
        assert!(good.body.contains(&format!("<strong>{}</strong> says that this goes on at", oak.domain)), "{}", good.body);
        // One Cyrillic letter.
        let other = answers(&jrd("https://o\u{430}k.example/{uri}")).await;
        assert!(taken_to(&other).starts_with("https://xn--"), "{}", other.body);
        assert!(other.body.contains("<span class=\"code\">xn--") && !other.body.contains('\u{430}'), "{}", other.body);
        assert!(there.starts_with(&format!("https://oak.example/follow?who={}", encoded(&format!("{}/users/dana", house.base)))));
        assert!(!good.body.contains("<script>"), "{}", good.body);
        assert!(oak.asked().iter().any(|asked| asked.target.contains(&resource) || asked.target.contains("eve")));

        // A page elsewhere cannot have its readers make us ask.
        let times = oak.times_asked(finger);
        let path = format!("/from-home?of=/@dana&handle=eve@{}", oak.domain);
        let sent = stranger.request(reqwest::Method::GET, &path).header("sec-fetch-site", "cross-site");
        assert_eq!(stranger.send(sent).await.status, 403);
        app::moderation::domains::block::block(house.app(), app::accounts::By::Operator, &oak.domain, None).await.unwrap();
        assert_eq!(ask(&format!("eve@{}", oak.domain)).await.status, 422);
        assert_eq!(oak.times_asked(finger), times, "a community that is blocked is not asked");
    }
}

on_both! {
    /// What a member shared from elsewhere has its page there: the address of the boost asks before it leads to it.
    async fn a_shared_post_leads_elsewhere_only_when_asked(engine) {
        let (maple, willow) = (Instance::start("maple", engine).await, Instance::start("willow", engine).await);
        let (dana, marisol) = (maple.member("dana").await, willow.member("marisol").await);
        let post = marisol.publish("Lanterns at six.", "public").await;
        let found = dana.get(&format!("/api/v2/search?resolve=true&type=statuses&q={}", encoded(post["uri"].as_str().unwrap()))).await;
        let id = found.ok()["statuses"][0]["id"].as_str().unwrap().to_owned();
        let boost = dana.post(&format!("/api/v1/statuses/{id}/reblog"), json!({})).await.ok();
        let page = browser(&maple).get(&format!("/@dana/{}", boost["id"].as_str().unwrap())).await;
        assert_eq!(taken_to(&page), post["url"].as_str().unwrap());
        assert!(page.body.contains(&format!("<span class=\"code\">willow.localhost:{}</span>", willow.address.port())));
    }
}

on_both! {
    /// Neither page makes us ask others without end.
    async fn looking_things_up_is_limited(engine) {
        let house = House::planned(engine, Plan { rate_limits: true, ..Plan::default() }).await;
        house.member("dana").await;
        let browser = house.browser();
        let mut last = 0;
        for _ in 0..22 {
            // Nobody may be asked there.
            last = browser.get("/from-home?of=/@dana&handle=eve@127.0.0.1").await.status;
        }
        assert_eq!(last, 429);
        let dana = house.browser_of("dana").await;
        assert_eq!(dana.get(&page_for("@dana")).await.status, 429);
        assert_eq!(dana.get("/@dana").await.status, 200);
    }
}
