//! Signing in and out, staying signed in, and what protects all of it.

use std::time::Duration;
use testkit::on_both;

use domain::Visibility;
use domain::account::Role;

use crate::house::{House, PASSWORD, Plan};

on_both! {
    async fn she_signs_in_by_name_or_address_and_goes_on_where_she_was_going(engine) {
        let house = House::open(engine).await;
        house.member_as("dana", Role::Owner).await;
        let here = house.base.trim_start_matches("http://");
        let handles = [format!("dana@{here}"), format!("@dana@{here}"), format!(" @DANA@{}", here.to_uppercase())];
        let logins = ["dana", "@Dana", "dana@mail.example", "DANA@mail.example"];
        for login in logins.into_iter().chain(handles.iter().map(String::as_str)) {
            let browser = house.browser();
            let answer = browser.sign_in(login, PASSWORD).await;
            assert_eq!((answer.status, answer.location()), (303, "/"), "{login}");
            let cookie = answer.header("set-cookie");
            assert!(
                cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/"),
                "{cookie}"
            );
            assert!(browser.get("/").await.body.contains("Hello, <bdi>dana"));
        }
        let browser = house.browser();
        let page = browser.get("/login?next=/tags/tea").await;
        let answer = browser.fill_in(&page, "/login", &[("email", "dana"), ("password", PASSWORD)]).await;
        assert_eq!(answer.location(), "/tags/tea");
        for next in ["https://evil.example/", "//evil.example/", "/\\evil.example"] {
            let browser = house.browser();
            let page = browser.get(&format!("/login?next={next}")).await;
            let answer = browser.fill_in(&page, "/login", &[("email", "dana"), ("password", PASSWORD)]).await;
            assert_eq!(answer.location(), "/", "{next}");
        }
    }
}

on_both! {
    /// A handle of another community, or of nobody, is nobody's here; and an e-mail address is its owner's, even where
    /// it reads like somebody else's handle.
    async fn a_handle_is_one_of_this_community(engine) {
        let house = House::planned(engine, Plan { public: Some("https://maple.example"), ..Plan::default() }).await;
        house.member("dana").await;
        let new = app::accounts::create::NewMember {
            username: "june".to_owned(),
            email: "dana@maple.example".to_owned(),
            password: "another quiet word".to_owned(),
            ..app::accounts::create::NewMember::default()
        };
        app::accounts::create::create(&house.app, &new, Role::Member).await.unwrap();
        let signs_in = async |login: &str, password: &str| {
            use app::accounts::log_in::{Outcome, log_in};
            match log_in(&house.app, login, password).await.unwrap() {
                Outcome::Welcome(who) => Some(who.0.username.clone()),
                _ => None,
            }
        };
        let june = Some("june".to_owned());
        assert_eq!(signs_in("@dana@maple.example", PASSWORD).await.as_deref(), Some("dana"));
        assert_eq!(signs_in("dana@maple.example", "another quiet word").await, june);
        assert_eq!(signs_in("June@MAPLE.example", "another quiet word").await, june);
        let elsewhere = ["@dana@willow.example", "dana@maple.example.org", "@dana@maple.example:99"];
        for nobody in elsewhere.into_iter().chain(["@nobody@maple.example"]) {
            assert_eq!(signs_in(nobody, PASSWORD).await, None, "{nobody}");
        }
    }
}

on_both! {
    async fn a_wrong_password_and_a_wrong_name_look_the_same(engine) {
        let house = House::open(engine).await;
        house.member("dana").await;
        let browser = house.browser();
        let wrong = browser.sign_in("dana", "guess").await;
        assert_eq!(wrong.status, 422);
        assert!(wrong.body.contains("do not belong together") && wrong.body.contains("value=\"dana\""));
        assert!(!wrong.body.contains("guess"));
        let nobody = browser.sign_in("nobody", "guess").await;
        assert_eq!(nobody.body.replace("nobody", "dana"), wrong.body);
    }
}

on_both! {
    async fn forms_need_our_token_and_our_origin(engine) {
        let house = House::open(engine).await;
        house.member("dana").await;
        let browser = house.browser();
        let page = browser.get("/login").await;
        let token = page.hidden("/login").into_iter().find(|(name, _)| name == "csrf").unwrap().1;
        let fields = [("email", "dana"), ("password", PASSWORD), ("csrf", token.as_str())];
        for fields in [&fields[..2], &[fields[0], fields[1], ("csrf", "wrong")]] {
            let answer = browser.post("/login", fields).await;
            assert_eq!(answer.status, 403);
            assert!(answer.body.contains("out of date"));
        }
        let foreign = browser.form("/login", &fields).header("origin", "https://evil.example");
        assert_eq!(browser.send(foreign).await.status, 403);
        let foreign = browser.form("/login", &fields).header("sec-fetch-site", "cross-site");
        assert_eq!(browser.send(foreign).await.status, 403);
        let without_cookie = house.browser();
        assert_eq!(without_cookie.post("/login", &fields).await.status, 403, "a token from another browser");
        assert_eq!(browser.post("/login", &fields).await.status, 303);
        assert_eq!(browser.post("/logout", &fields[2..]).await.status, 403, "the token of before she signed in");
    }
}

on_both! {
    async fn signing_out_ends_the_session_on_the_server_too(engine) {
        let house = House::open(engine).await;
        house.member_as("dana", Role::Owner).await;
        let browser = house.browser_of("dana").await;
        let stolen = browser.cookies.borrow().clone();
        let answer = browser.fill("/", "/logout", &[]).await;
        assert_eq!((answer.status, answer.location()), (303, "/"));
        assert!(answer.header("set-cookie").contains("Max-Age=0"), "the browser forgets it, too");
        assert!(!browser.get("/").await.body.contains("Hello"));
        *browser.cookies.borrow_mut() = stolen;
        assert!(!browser.get("/").await.body.contains("Hello"));
    }
}

on_both! {
    async fn a_session_lives_sixty_days_from_its_last_use(engine) {
        let house = House::open(engine).await;
        house.member_as("dana", Role::Owner).await;
        let browser = house.browser_of("dana").await;
        let days = |days: u64| Duration::from_secs(days * 24 * 3600);
        for _ in 0..3 {
            house.clock.advance(days(59));
            assert!(browser.get("/").await.body.contains("Hello"), "it was used in time");
        }
        house.clock.advance(days(61));
        assert!(!browser.get("/").await.body.contains("Hello"));
    }
}

on_both! {
    /// Looking at pages does not write each time.
    async fn the_use_of_a_session_is_noted_once_an_hour(engine) {
        let house = House::open(engine).await;
        house.member_as("dana", Role::Owner).await;
        let browser = house.browser();
        let answer = browser.sign_in("dana", PASSWORD).await;
        let token = answer.header("set-cookie").split([';', '=']).nth(1).unwrap().to_owned();
        let last_used = async || {
            let mut conn = house.app.db.read().await.unwrap();
            let hash = app::secrets::digest(&token);
            storage::sessions::find(&mut conn, &hash, house.app.now()).await.unwrap().unwrap().last_used_at
        };
        let begun = last_used().await;
        house.clock.advance(Duration::from_secs(59 * 60));
        browser.get("/").await;
        assert_eq!(last_used().await, begun);
        house.clock.advance(Duration::from_secs(2 * 60));
        browser.get("/").await;
        assert!(last_used().await > begun);
    }
}

on_both! {
    async fn guessing_passwords_is_slowed_down(engine) {
        let house = House::planned(engine, Plan { rate_limits: true, ..Plan::default() }).await;
        house.member("dana").await;
        let browser = house.browser();
        let mut last = browser.sign_in("dana", "guess").await;
        assert_eq!(last.status, 422);
        for _ in 0..14 {
            last = browser.sign_in("dana", "guess").await;
        }
        assert_eq!(last.status, 429);
        assert!(last.header("retry-after").parse::<u64>().unwrap() > 0);
        assert!(last.body.contains("One moment, please"));
        assert_eq!(browser.sign_in("dana", PASSWORD).await.status, 429, "the right one has to wait too");
    }
}

fn guarded() -> Plan {
    Plan { rate_limits: true, behind_a_proxy: true, ..Plan::default() }
}

/// What strangers get who guess at a password, each from an address of its own for a few tries.
async fn guesses(house: &House, login: &str, network: &str, times: u8) -> Vec<u16> {
    let browser = house.browser();
    let hidden = browser.get("/login").await.hidden("/login");
    let mut fields: Vec<(&str, &str)> = hidden.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    fields.extend([("email", login), ("password", "guess")]);
    let mut answers = Vec::new();
    for n in 0..times {
        let form = browser.form("/login", &fields).header("origin", &browser.base);
        let from = format!("{network}.{}", n / 7);
        answers.push(browser.send(form.header("x-forwarded-for", from)).await.status);
    }
    answers
}

on_both! {
    /// Strangers cannot keep a member out of the places that she signs in from, nor, before they are very many, out of
    /// any; and by what is refused they learn neither who is a member nor whose an address is.
    async fn strangers_who_guess_keep_nobody_out(engine) {
        let house = House::planned(engine, guarded()).await;
        house.member("dana").await;
        house.member("priya").await;
        let from = async |address: &str, login: &str| {
            house.browser().sign_in_from(address, login, PASSWORD).await.status
        };
        assert_eq!(from("192.0.2.1", "dana").await, 303);
        assert_eq!(from("2001:db8:1:2::1", "dana@mail.example").await, 303);
        assert_eq!(guesses(&house, "dana", "198.51.100", 21).await, [422; 21]);
        assert_eq!(from("192.0.2.2", "dana").await, 303, "three addresses lock nobody out");

        let known = guesses(&house, "priya", "203.0.113", 102).await;
        assert_eq!((known[99], known[100]), (422, 429), "a hundred guesses, and no more");
        assert_eq!(guesses(&house, "nobody", "203.0.112", 102).await, known, "nobody learns who is a member");
        assert_eq!(from("192.0.2.3", "priya").await, 429);
        assert_eq!(from("192.0.2.3", "nobody").await, 429);
        let address = house.browser().sign_in_from("192.0.2.4", "priya@mail.example", "guess").await;
        assert_eq!(address.status, 422, "nobody learns whose address it is");

        guesses(&house, "@Dana ", "198.51.101", 100).await;
        assert_eq!(from("192.0.2.9", "dana").await, 429, "a new place has to wait");
        for at_home in ["192.0.2.1", "192.0.2.2", "2001:db8:1:2:ffff::7"] {
            assert_eq!(from(at_home, "dana").await, 303, "{at_home}");
        }
        assert_eq!(from("2001:db8:1:3::1", "dana").await, 429, "another household");
        house.clock.advance(Duration::from_secs(91 * 24 * 3600));
        assert_eq!(from("192.0.2.1", "dana").await, 429, "it is long ago");
    }
}

on_both! {
    async fn an_address_tries_a_name_so_often_and_all_names_a_little_more(engine) {
        let house = House::planned(engine, guarded()).await;
        house.member("dana").await;
        let guess = async |login: &str| house.browser().sign_in_from("192.0.2.1", login, "guess").await.status;
        for spelling in ["dana", "DANA", "@dana", " dana", "da\0na", "\0dana", "dana ", "Dana"] {
            assert_eq!(guess(spelling).await, 422, "{spelling:?}");
        }
        assert_eq!(guess("dan\0a").await, 429, "one name, however it is spelt");
        assert_eq!([guess("priya").await, guess("june").await, guess("ola").await], [422; 3]);
        assert_eq!(guess("marisol").await, 429);
    }
}

on_both! {
    async fn what_is_too_long_for_a_name_is_not_kept(engine) {
        let house = House::open(engine).await;
        let long = "x".repeat(50_000);
        let answer = house.browser().sign_in(&long, "guess").await;
        assert_eq!(answer.status, 422);
        assert!(!answer.body.contains("xxxx") && answer.body.contains("do not belong together"));
    }
}

on_both! {
    async fn every_page_is_protected_and_asks_nobody_else_for_anything(engine) {
        let house = House::open(engine).await;
        let dana = house.member_as("dana", Role::Owner).await;
        let id = house.post(&dana, "Tea? #tea https://elsewhere.example/", Visibility::Public).await;
        let browser = house.browser_of("dana").await;
        for path in [
            "/",
            "/about",
            "/login",
            "/login?again=1",
            "/sign-up",
            "/@dana",
            &format!("/@dana/{id}"),
            "/tags/tea",
            "/nowhere",
            "/@nobody",
        ] {
            for browser in [&house.browser(), &browser] {
                let page = browser.get(path).await;
                if page.status == 303 {
                    continue;
                }
                let policy = page.header("content-security-policy");
                assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}");
                assert!(!policy.contains("unsafe"), "{path}");
                assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
                assert_eq!(page.header("referrer-policy"), "same-origin", "{path}");
                assert!(page.header("cache-control").contains("no-"), "{path}");
                assert!(
                    !page.body.contains("<script") && !page.body.contains(" style=") && !page.body.contains(" onclick")
                );
                for resource in page.body.split(" src=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
                    assert!(resource.starts_with('/') || resource.starts_with(&house.base), "{path}: {resource}");
                }
                let lowered = page.body.to_lowercase();
                for word in ["toot", "instance", "federat", "boost", "follower", " dm "] {
                    assert!(!lowered.contains(word), "{path} says {word}");
                }
            }
        }
    }
}

on_both! {
    /// Who runs a changed version offers its source wherever the program is named (AGPL, section 13).
    async fn the_source_is_where_the_owner_says(engine) {
        const SOURCE: &str = "https://git.maple.example/porchlight?a&b";
        let house = House::planned(engine, Plan { source_url: Some(SOURCE), ..Plan::default() }).await;
        house.member_as("dana", Role::Owner).await;
        for path in ["/", "/about", "/@dana", "/nowhere"] {
            let page = house.browser().get(path).await;
            assert!(page.body.contains("href=\"https://git.maple.example/porchlight?a&#38;b\""), "{path}: {}", page.body);
            assert!(!page.body.contains("github.com"), "{path}");
        }
        assert_eq!(house.browser().get("/api/v2/instance").await.json()["source_url"], SOURCE);
    }
}

on_both! {
    async fn what_is_missing_is_a_page_for_people_and_json_for_apps(engine) {
        let house = House::open(engine).await;
        house.member_as("dana", Role::Owner).await;
        let page = house.browser().get("/nowhere/at/all").await;
        assert_eq!(page.status, 404);
        assert!(page.body.contains("Nobody home here") && page.header("content-type").starts_with("text/html"));
        let json = house.browser().get("/api/v1/nowhere").await;
        assert_eq!((json.status, json.json()["error"].as_str()), (404, Some("Record not found")));
        assert_eq!(house.browser().get("/robots.txt").await.status, 200);
        let css = page.body.split("rel=\"stylesheet\" href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let sheet = house.browser().get(&css).await;
        assert_eq!((sheet.status, sheet.header("content-type")), (200, "text/css; charset=utf-8"));
        assert!(sheet.header("cache-control").contains("immutable"));
        assert!(!house.browser().get("/static/porchlight.css?v=0").await.header("cache-control").contains("immutable"));
    }
}

on_both! {
    async fn an_address_that_is_no_text_is_answered_by_a_page(engine) {
        let house = House::open(engine).await;
        for path in ["/tags/%FF", "/@%FF", "/@%FF/1", "/invite/%FF"] {
            let answer = house.browser().get(path).await;
            assert_eq!((answer.status, answer.header("content-type")), (400, "text/html; charset=utf-8"), "{path}");
            assert!(answer.body.contains("We could not read that"), "{path}: {}", answer.body);
        }
    }
}
