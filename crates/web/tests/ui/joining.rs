//! The first visit, and the four ways of joining: open, by asking, by an invite link, not at all.

use std::time::Duration;
use testkit::{Engine, on_both};

use app::accounts::By;
use app::community::change::{Changes, change};
use domain::InviteId;
use domain::account::Role;
use domain::instance::SignUp;
use storage::invites::Invite;

use crate::house::{Browser, House, PASSWORD, Plan};

const DANA: &[(&str, &str)] =
    &[("username", "dana"), ("email", "dana@mail.example"), ("password", PASSWORD), ("reason", "Two teens, no sleep.")];

async fn planned(engine: Engine, sign_up: SignUp) -> House {
    let house = House::planned(engine, Plan { sign_up, ..Plan::default() }).await;
    house.member_as("priya", Role::Owner).await;
    house
}

fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = DANA.iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
    kept.chain(more).copied().collect()
}

async fn is_signed_in(browser: &Browser) -> bool {
    browser.get("/").await.body.contains("Hello, ")
}

on_both! {
    async fn the_first_visit_makes_the_owner_and_nobody_after_her(engine) {
        let house = House::open(engine).await;
        let browser = house.browser();
        let answer = browser.get("/").await;
        assert_eq!((answer.status, answer.location()), (303, "/set-up"));
        let other = house.browser();
        let others_page = other.get("/set-up").await;

        let short = browser.fill("/set-up", "/set-up", &with(&[("title", "Maple <Street>"), ("password", "short")])).await;
        assert_eq!(short.status, 422);
        assert!(short.body.contains("at least 8 characters") && short.body.contains("value=\"Maple &#60;Street&#62;\""));
        let unnamed = browser.fill("/set-up", "/set-up", &with(&[("title", "  ")])).await;
        assert_eq!(unnamed.status, 422);

        let answer = browser.fill("/set-up", "/set-up", &with(&[("title", "Maple <Street>")])).await;
        assert_eq!((answer.status, answer.location()), (303, "/"));
        let front = browser.get("/").await;
        assert!(front.body.contains("Hello, <bdi>dana"), "{}", front.body);
        assert!(front.body.contains("Maple &#60;Street&#62;") && !front.body.contains("Maple <Street>"));
        assert!(browser.get("/@dana").await.body.contains("Looks after this place"));

        assert_eq!(house.browser().get("/set-up").await.status, 404);
        let late = other.fill_in(&others_page, "/set-up", &with(&[("title", "Mine"), ("username", "eve")])).await;
        assert_eq!(late.status, 404, "a form that was opened before");
        assert_eq!(house.browser().get("/@eve").await.status, 404);
    }
}

on_both! {
    async fn on_a_public_address_the_first_visitor_shows_the_code_that_the_server_printed(engine) {
        let plan = Plan { public: Some("https://maple.example"), rate_limits: true, ..Plan::default() };
        let house = House::planned(engine, plan).await;
        let printed = app::accounts::set_up::address(&house.app).await.unwrap();
        let (way, code) = printed.strip_prefix("https://maple.example").unwrap().split_once("?code=").unwrap();
        assert_eq!(way, "/set-up");
        let wanted = with(&[("title", "Maple Street")]);

        let stranger = house.browser();
        assert_eq!(stranger.get("/").await.location(), "/set-up");
        let page = stranger.get("/set-up").await;
        assert!(page.body.contains("Set-up code") && !page.body.contains(code), "{}", page.body);
        let without = stranger.fill_in(&page, "/set-up", &wanted).await;
        assert_eq!(without.status, 422);
        let guess = [&wanted[..], &[("code", "00000000000000000000")]].concat();
        let guessed = stranger.fill_in(&page, "/set-up", &guess).await;
        assert_eq!(guessed.status, 422);
        assert!(guessed.body.contains("This code is not the one that the server printed when it started."));
        assert!(!guessed.body.contains(code));

        // A guesser is slowed down, and whoever comes from elsewhere with the code is not.
        let mut last = guessed.status;
        for _ in 0..5 {
            last = stranger.fill_in(&page, "/set-up", &guess).await.status;
        }
        assert_eq!(last, 429);
        let mut tx = house.app.db.write().await.unwrap();
        assert!(!storage::members::any_ever(&mut tx).await.unwrap());
        drop(tx);
    }
}

on_both! {
    /// With members and no owner (they were made on the command line) the front page is theirs, and no stranger who comes by
    /// is offered to become their owner. Before, nobody joins.
    async fn who_has_members_is_not_offered_to_strangers(engine) {
        let house = House::planned(engine, Plan { sign_up: SignUp::Open, ..Plan::default() }).await;
        let stranger = house.browser();
        assert_eq!(stranger.get("/sign-up").await.location(), "/");
        let page = stranger.get("/set-up").await;
        house.member("priya").await;
        let front = stranger.get("/").await;
        assert!(front.status == 200 && front.body.contains("Join us"), "{}", front.body);
        assert_eq!(stranger.get("/set-up").await.status, 404);
        let sent = stranger.fill_in(&page, "/set-up", &with(&[("title", "Mine"), ("username", "eve")])).await;
        assert_eq!(sent.status, 404);
        assert_eq!(stranger.get("/@eve").await.status, 404);
        assert_eq!(stranger.fill("/sign-up", "/sign-up", DANA).await.status, 303);
    }
}

on_both! {
    /// A page elsewhere whose name suddenly leads to this machine (DNS rebinding) reaches it under that name.
    async fn at_home_the_first_visit_comes_by_the_right_name_only(engine) {
        let house = House::open(engine).await;
        let browser = house.browser();
        let page = browser.get("/set-up").await;
        assert_eq!(page.status, 200);
        let port = house.base.rsplit_once(':').unwrap().1;
        let hidden = page.hidden("/set-up");
        let hidden = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let form: Vec<_> = hidden.chain(with(&[("title", "Mine"), ("username", "eve")])).collect();
        for name in [&format!("evil.example:{port}"), "evil.example", "localhost", "127.0.0.1.evil.example"] {
            let shown = browser.send(browser.request(reqwest::Method::GET, "/set-up").header("host", name)).await;
            assert_eq!(shown.status, 403, "{name}");
            assert!(shown.body.contains(&format!("{}/set-up", house.base)), "{name}: {}", shown.body);
            assert!(!shown.body.contains("name=\"password\""), "{name}: {}", shown.body);
            let sent = browser.form("/set-up", &form).header("host", name).header("origin", format!("http://{name}"));
            assert_eq!(browser.send(sent).await.status, 403, "{name}");
            assert!(app::accounts::set_up::is_open(&house.app).await.unwrap(), "{name}");
        }
        // The port may be another's, who passes it on.
        let passed = browser.request(reqwest::Method::GET, "/set-up").header("host", "127.0.0.1:1");
        assert_eq!(browser.send(passed).await.status, 200);
        let done = browser.fill_in(&page, "/set-up", &with(&[("title", "Maple Street")])).await;
        assert_eq!(done.status, 303);
    }
}

on_both! {
    async fn the_printed_address_brings_the_code_along(engine) {
        let house = House::planned(engine, Plan { public: Some("https://maple.example"), ..Plan::default() }).await;
        let printed = app::accounts::set_up::address(&house.app).await.unwrap();
        let (_, code) = printed.split_once("?code=").unwrap();
        let owner = house.browser();
        let page = owner.get(printed.strip_prefix("https://maple.example").unwrap()).await;
        assert_eq!(page.header("cache-control"), "no-store");
        assert!(page.body.contains(&format!("value=\"{code}\"")), "{}", page.body);
        let done = owner.fill_in(&page, "/set-up", &with(&[("title", "Maple Street"), ("code", code)])).await;
        assert_eq!((done.status, done.location()), (303, "/"));
        assert_eq!(owner.get("/set-up").await.status, 404);
    }
}

on_both! {
    /// As from the command line: by another process on the same database.
    async fn what_the_community_says_of_itself_is_changed_beside_a_running_server(engine) {
        let house = planned(engine, SignUp::Open).await;
        let browser = house.browser();
        assert!(browser.get("/about").await.body.contains("About Porchlight"));
        let config = storage::Config { url: house.database.url.clone(), max_connections: 4 };
        let db = storage::Db::connect(&config, house.clock.clone()).await.unwrap();
        let (urls, config, media) = (house.app.urls.clone(), house.app.config.clone(), house.app.media.clone());
        let other = app::App::open(db, urls, config, media).await.unwrap();
        let changes = Changes {
            title: Some("Maple <Street>".to_owned()),
            description: Some("Parents around here.".to_owned()),
            about: Some("We meet <at> https://maple.example/cafe\n\nCome by.".to_owned()),
            contact_email: Some("hello@maple.example".to_owned()),
            rules: Some(vec!["Be kind.".to_owned()]),
        };
        change(&other, By::Operator, &changes).await.unwrap();
        let v1 = browser.get("/api/v1/instance").await.json();
        assert_eq!((v1["title"].as_str(), v1["email"].as_str()), (Some("Maple <Street>"), Some("hello@maple.example")));
        assert_eq!(v1["short_description"], "Parents around here.");
        assert!(v1["description"].as_str().unwrap().contains("We meet &lt;at&gt; <a href=\"https://maple.example/cafe\""));
        let v2 = browser.get("/api/v2/instance").await.json();
        assert_eq!((&v2["rules"][0]["text"], &v2["contact"]["email"]), (&"Be kind.".into(), &v1["email"]));
        let mut about = browser.get("/about").await;
        for _ in 0..100 {
            if about.body.contains("About Maple &#60;Street&#62;") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            about = browser.get("/about").await;
        }
        for part in ["About Maple &#60;Street&#62;", "Parents around here.", "<p>Come by.</p>", "mailto:hello@maple.example"] {
            assert!(about.body.contains(part), "{part}: {}", about.body);
        }
        other.db.close().await;
    }
}

on_both! {
    async fn an_open_door_lets_her_in_at_once(engine) {
        let house = planned(engine, SignUp::Open).await;
        let browser = house.browser();
        assert!(browser.get("/").await.body.contains("Join us"));
        for (wrong, says) in [
            (("username", "da na"), "letters"),
            (("username", "admin"), "reserved"),
            (("username", "PRIYA"), "taken"),
            (("email", "nonsense"), "e-mail address"),
            (("email", "priya@mail.example"), "belongs to a member"),
            (("password", "short"), "at least 8"),
        ] {
            let answer = browser.fill("/sign-up", "/sign-up", &with(&[wrong])).await;
            assert_eq!(answer.status, 422, "{wrong:?}");
            assert!(answer.body.contains(says) && answer.body.contains("aria-invalid"), "{wrong:?}: {}", answer.body);
            assert!(!answer.body.contains(PASSWORD), "a password is never sent back");
        }
        let answer = browser.fill("/sign-up", "/sign-up", DANA).await;
        assert_eq!((answer.status, answer.location()), (303, "/"));
        assert!(is_signed_in(&browser).await);
    }
}

on_both! {
    async fn asking_waits_until_somebody_says_yes(engine) {
        let house = planned(engine, SignUp::Approval).await;
        let browser = house.browser();
        let silent = browser.fill("/sign-up", "/sign-up", &with(&[("reason", " ")])).await;
        assert_eq!(silent.status, 422);
        assert!(silent.body.contains("A few words, please."));
        let answer = browser.fill("/sign-up", "/sign-up", DANA).await;
        assert_eq!(answer.status, 200);
        assert!(answer.body.contains("Thank you for knocking"));
        assert!(!is_signed_in(&browser).await);
        let early = browser.sign_in("dana", PASSWORD).await;
        assert_eq!(early.status, 403);
        assert!(early.body.contains("Thank you for knocking"));
        assert_eq!(browser.sign_in("dana", "guess").await.status, 422, "who does not know the password learns nothing");

        let id = {
            let mut conn = house.app.db.read().await.unwrap();
            storage::members::by_username(&mut conn, "dana").await.unwrap().unwrap().0.id
        };
        app::accounts::approve::approve(&house.app, By::Operator, id).await.unwrap();
        assert_eq!(browser.sign_in("dana", PASSWORD).await.status, 303);
    }
}

on_both! {
    async fn rules_are_agreed_to(engine) {
        let house = planned(engine, SignUp::Open).await;
        let mut tx = house.app.db.write().await.unwrap();
        let mut community = storage::settings::community(&mut tx).await.unwrap();
        community.rules = vec!["Be kind.".to_owned()];
        storage::settings::set_community(&mut tx, &community).await.unwrap();
        tx.commit().await.unwrap();
        let browser = house.browser();
        let page = browser.get("/sign-up").await;
        assert!(page.body.contains("Be kind."));
        assert_eq!(browser.fill_in(&page, "/sign-up", DANA).await.status, 422);
        assert_eq!(browser.fill_in(&page, "/sign-up", &with(&[("agreement", "1")])).await.status, 303);
    }
}

async fn invite(house: &House, max_uses: Option<i64>, expires: Option<Duration>) -> String {
    let mut conn = house.app.db.read().await.unwrap();
    let priya = storage::members::by_username(&mut conn, "priya").await.unwrap().unwrap().0.id;
    drop(conn);
    let mut tx = house.app.db.write().await.unwrap();
    let (id, now): (InviteId, _) = (tx.id(), tx.now());
    let code = format!("code{id}");
    let invite = Invite {
        id,
        code: code.clone(),
        created_by: Some(priya),
        max_uses,
        uses: 0,
        expires_at: expires.map(|e| now.plus(e)),
        revoked_at: None,
        created_at: now,
    };
    storage::invites::insert(&mut tx, &invite).await.unwrap();
    tx.commit().await.unwrap();
    code
}

on_both! {
    async fn an_invite_link_lets_in_as_many_as_it_is_for(engine) {
        let house = planned(engine, SignUp::Invite).await;
        assert_eq!(house.browser().get("/sign-up").await.status, 403);
        let code = invite(&house, Some(1), None).await;
        let path = format!("/invite/{code}");
        let (browser, late) = (house.browser(), house.browser());
        let page = browser.get(&path).await;
        assert!(page.body.contains("priya</bdi> asked you in"), "{}", page.body);
        assert!(!page.body.contains("name=\"reason\""), "she need not explain herself");
        let lates_page = late.get(&path).await;
        assert_eq!(browser.fill_in(&page, &path, DANA).await.status, 303);
        assert!(is_signed_in(&browser).await);

        assert_eq!(house.browser().get(&path).await.status, 410);
        let answer = late.fill_in(&lates_page, &path, &with(&[("username", "eve"), ("email", "eve@mail.example")])).await;
        assert_eq!(answer.status, 410);
        assert!(answer.body.contains("This invitation is over"));
        assert_eq!(house.browser().get("/@eve").await.status, 404);
        assert_eq!(house.browser().get("/invite/unknown").await.status, 404);

        let brief = invite(&house, None, Some(Duration::from_secs(60))).await;
        assert_eq!(house.browser().get(&format!("/invite/{brief}")).await.status, 200);
        house.clock.advance(Duration::from_secs(61));
        assert_eq!(house.browser().get(&format!("/invite/{brief}")).await.status, 410);
    }
}

on_both! {
    async fn a_closed_door_is_closed(engine) {
        let house = planned(engine, SignUp::Closed).await;
        assert_eq!(house.browser().get("/sign-up").await.status, 403);
        let front = house.browser().get("/").await;
        assert!(front.body.contains("not taking in new people") && !front.body.contains("href=\"/sign-up\""));
        let code = invite(&house, None, None).await;
        assert_eq!(house.browser().get(&format!("/invite/{code}")).await.status, 403);
        let browser = house.browser();
        let page = browser.get("/login").await;
        let csrf = page.hidden("/login")[0].1.clone();
        assert_eq!(browser.post("/sign-up", &with(&[("csrf", &csrf)])).await.status, 403);
    }
}
