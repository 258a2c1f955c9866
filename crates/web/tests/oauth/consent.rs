//! A person is asked, and answers: by whom, for what, where she is sent afterwards, and where never.

use super::{BACK, CHALLENGE, Client, OOB, code, exchange, parameter, question, register};
use crate::house::{House, PASSWORD};
use domain::account::Role;
use testkit::on_both;

const ACTION: &str = "/oauth/authorize";

on_both! {
    async fn she_signs_in_sees_who_asks_for_what_and_says_yes(engine) {
        let house = House::open(engine).await;
        house.member("dana").await;
        let client = register(&house, "read write follow push").await;
        let browser = house.browser();
        let asked = question(&client, BACK, &[("scope", "read write follow push"), ("state", "a b&c")]);
        let answer = browser.get(&asked).await;
        assert_eq!(answer.status, 303);
        let login = answer.location().to_owned();
        assert!(login.starts_with("/login?next=%2Foauth%2Fauthorize"), "{login}");
        let page = browser.get(&login).await;
        assert!(page.body.contains("Front Porch") && page.body.contains("name=\"email\""));
        let answer = browser.fill_in(&page, "/login", &[("email", "dana@mail.example"), ("password", PASSWORD)]).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        let page = browser.get(answer.location()).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("Front Porch") && page.body.contains("app.example") && page.body.contains("@dana@"));
        assert_eq!(page.body.matches("<li>").count(), 4, "each thing it asks for, in words");
        assert!(page.header("content-security-policy").contains("form-action 'self' https:"));
        let answer = browser.fill_in(&page, ACTION, &[("decision", "allow")]).await;
        assert_eq!(answer.status, 303);
        assert!(answer.location().starts_with("https://app.example/callback?from=porch&code="), "{}", answer.location());
        assert_eq!(parameter(answer.location(), "state").as_deref(), Some("a b&c"));
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

on_both! {
    async fn she_says_no_and_the_app_is_told_so(engine) {
        let house = House::open(engine).await;
        house.member("dana").await;
        let client = register(&house, "read").await;
        let browser = house.browser_of("dana").await;
        let asked = question(&client, BACK, &[("state", "xyz")]);
        let answer = browser.fill(&asked, ACTION, &[("decision", "deny")]).await;
        assert_eq!(answer.status, 303);
        assert_eq!(parameter(answer.location(), "error").as_deref(), Some("access_denied"));
        assert_eq!(parameter(answer.location(), "state").as_deref(), Some("xyz"));
        assert_eq!(parameter(answer.location(), "code"), None);
    }
}

on_both! {
    async fn a_form_without_our_token_or_from_elsewhere_does_nothing(engine) {
        let house = House::open(engine).await;
        house.member("dana").await;
        let client = register(&house, "read").await;
        let browser = house.browser_of("dana").await;
        let page = browser.get(&question(&client, BACK, &[])).await;
        let hidden = page.hidden(ACTION);
        let fields: Vec<(&str, &str)> =
            hidden.iter().map(|(n, v)| (n.as_str(), v.as_str())).chain([("decision", "allow")]).collect();
        let without: Vec<_> = fields.iter().copied().filter(|(name, _)| *name != "csrf").collect();
        let wrong: Vec<_> = without.iter().copied().chain([("csrf", "00000000")]).collect();
        for (what, fields) in [("none", &without), ("wrong", &wrong)] {
            let answer = browser.post(ACTION, fields).await;
            assert_eq!((answer.status, answer.location()), (403, ""), "{what}");
        }
        let foreign = browser.send(browser.form(ACTION, &fields).header("origin", "https://evil.example")).await;
        assert_eq!((foreign.status, foreign.location()), (403, ""));
        let hers = house.member("priya").await;
        assert_eq!(hers.username, "priya");
        let other = house.browser_of("priya").await;
        let answer = other.post(ACTION, &fields).await;
        assert_eq!((answer.status, answer.location()), (403, ""), "a form shown to somebody else");
        assert_eq!(browser.post(ACTION, &fields).await.status, 303, "the same form, sent as it should be");
    }
}

on_both! {
    async fn nobody_is_ever_sent_to_an_address_that_was_not_registered(engine) {
        let house = House::open(engine).await;
        house.member("dana").await;
        let client = register(&house, "read").await;
        let unknown = Client { id: "unknown".to_owned(), secret: String::new() };
        let browser = house.browser_of("dana").await;
        for asked in [
            question(&client, "https://evil.example/callback", &[]),
            question(&client, "https://app.example/callback", &[]),
            question(&client, &format!("{BACK}&more=1"), &[]),
            question(&client, "", &[]),
            question(&unknown, BACK, &[]),
        ] {
            let answer = browser.get(&asked).await;
            assert_eq!((answer.status, answer.location()), (400, ""), "{asked}");
            assert!(answer.body.contains("The app got something wrong"), "{}", answer.body);
        }
        // Nor by a form that was tampered with after it was shown.
        let page = browser.get(&question(&client, BACK, &[])).await;
        let hidden = page.hidden(ACTION);
        let fields: Vec<(&str, &str)> = hidden
            .iter()
            .map(|(n, v)| (n.as_str(), if n == "redirect_uri" { "https://evil.example/" } else { v.as_str() }))
            .chain([("decision", "allow")])
            .collect();
        let answer = browser.post(ACTION, &fields).await;
        assert_eq!((answer.status, answer.location()), (400, ""));
    }
}

on_both! {
    /// Anybody registers an app: what is wrong with its request is said here, and told to the app only by a form of ours.
    async fn a_link_alone_leads_nobody_to_an_app(engine) {
        let house = House::open(engine).await;
        house.member("dana").await;
        let client = register(&house, "read").await;
        let browser = house.browser_of("dana").await;
        let shown = browser.get(&question(&client, BACK, &[])).await.hidden(ACTION);
        for (more, error) in [
            (vec![("scope", "read write")], "invalid_scope"),
            (vec![("scope", "everything")], "invalid_scope"),
            (vec![("code_challenge", CHALLENGE), ("code_challenge_method", "plain")], "invalid_request"),
            (vec![("code_challenge", CHALLENGE)], "invalid_request"),
            (vec![("code_challenge", "short"), ("code_challenge_method", "S256")], "invalid_request"),
            (vec![("response_type", "token")], "unsupported_response_type"),
        ] {
            let mut link = question(&client, BACK, &more);
            if more[0].0 == "response_type" {
                link = question(&client, BACK, &[]).replace("response_type=code", "response_type=token");
            }
            for browser in [&browser, &house.browser()] {
                let answer = browser.get(&link).await;
                assert_eq!((answer.status, answer.location()), (400, ""), "{more:?}");
                assert!(answer.body.contains("The app got something wrong"), "{more:?}");
            }
            let changed = |name: &str| more.iter().any(|(n, _)| *n == name);
            let kept = shown.iter().map(|(n, v)| (n.as_str(), v.as_str())).filter(|(n, _)| !changed(n));
            let fields: Vec<(&str, &str)> = kept.chain(more.clone()).chain([("decision", "allow")]).collect();
            let told = browser.post(ACTION, &fields).await;
            assert_eq!(told.status, 303, "{more:?}");
            assert!(told.location().starts_with("https://app.example/callback?from=porch&error="), "{more:?}");
            assert_eq!(parameter(told.location(), "error").as_deref(), Some(error), "{more:?}");
        }
    }
}

on_both! {
    /// What moderators may is said apart, to those who have it; the others are told that it stays where it is.
    async fn rights_over_others_are_said_plainly(engine) {
        const STAFF: &str = "with your rights over other people here";
        const WITHHELD: &str = "It will not get that";
        let house = House::open(engine).await;
        house.member("dana").await;
        house.member_as("priya", Role::Moderator).await;
        let client = register(&house, "read admin:read admin:write").await;
        let browsers = [house.browser_of("dana").await, house.browser_of("priya").await];
        let see = async |n: usize, scope: &str| browsers[n].get(&question(&client, BACK, &[("scope", scope)])).await;
        let page = see(0, "read admin:read admin:write").await;
        assert!(!page.body.contains(STAFF) && page.body.contains(WITHHELD), "{}", page.body);
        let page = see(1, "read admin:read admin:write").await;
        assert!(page.body.contains(STAFF) && !page.body.contains(WITHHELD), "{}", page.body);
        assert_eq!(page.body.matches("<li><strong>").count(), 2, "{}", page.body);
        let page = see(1, "read").await;
        assert!(!page.body.contains(STAFF) && !page.body.contains(WITHHELD), "{}", page.body);
        assert_eq!(see(0, "admin:read").await.status, 400, "nothing is left to be granted");
        assert_eq!(see(1, "admin:read").await.status, 200);
    }
}

on_both! {
    async fn an_app_without_an_address_gets_its_code_copied_by_hand(engine) {
        let house = House::open(engine).await;
        house.member("dana").await;
        let client = register(&house, "read").await;
        let browser = house.browser_of("dana").await;
        let page = browser.fill(&question(&client, OOB, &[]), ACTION, &[("decision", "allow")]).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.header("cache-control"), "no-store");
        let code = page.body.split("<code class=\"code\">").nth(1).unwrap().split('<').next().unwrap();
        let mut fields = exchange(&client, code, None);
        fields.retain(|(name, _)| *name != "redirect_uri");
        fields.push(("redirect_uri", OOB));
        assert_eq!(house.browser().post("/oauth/token", &fields).await.status, 200);
    }
}

on_both! {
    async fn an_app_that_insists_makes_her_sign_in_again(engine) {
        let house = House::open(engine).await;
        house.member("dana").await;
        house.member("priya").await;
        let client = register(&house, "read").await;
        let browser = house.browser_of("dana").await;
        let answer = browser.get(&question(&client, BACK, &[("force_login", "true")])).await;
        assert_eq!(answer.status, 303);
        let login = answer.location().to_owned();
        let page = browser.get(&login).await;
        assert_eq!(page.status, 200, "the form, although she is signed in");
        let answer = browser.fill_in(&page, "/login", &[("email", "priya"), ("password", PASSWORD)]).await;
        let page = browser.get(answer.location()).await;
        assert!(page.body.contains("@priya@") && !page.body.contains("@dana@"), "{}", page.body);
    }
}

on_both! {
    async fn a_code_is_bound_to_what_she_agreed_to(engine) {
        let house = House::open(engine).await;
        house.member("dana").await;
        let client = register(&house, "read write admin:read").await;
        let browser = house.browser_of("dana").await;
        let code = code(&browser, &client, &[("scope", "read admin:read")]).await;
        let mut fields = exchange(&client, &code, None);
        fields.push(("scope", "read write"));
        let token = house.browser().post("/oauth/token", &fields).await.json();
        assert_eq!(token["scope"], "read", "nothing more, and no rights of moderators for who is none");
    }
}
