//! `POST /oauth/token` and `/oauth/revoke`: what makes a token, what ends one, and every way not to get one.

use std::time::Duration;
use testkit::on_both;

use app::accounts::By;
use serde_json::json;

use super::{CHALLENGE, VERIFIER, code, exchange, register, token};
use crate::house::{House, PASSWORD, Plan};

const PKCE: &[(&str, &str)] = &[("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];

on_both! {
    async fn a_code_with_its_verifier_becomes_a_token_once(engine) {
        let house = House::open(engine).await;
        let dana = house.member("dana").await;
        let client = register(&house, "read").await;
        let browser = house.browser_of("dana").await;
        let code = code(&browser, &client, PKCE).await;
        let app = house.browser();
        let answer = app.post("/oauth/token", &exchange(&client, &code, Some(VERIFIER))).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.header("cache-control"), "no-store");
        let json = answer.json();
        assert_eq!((&json["token_type"], &json["scope"]), (&json!("Bearer"), &json!("read")));
        assert!(json["created_at"].as_i64().unwrap() > 1_700_000_000);
        let token = json["access_token"].as_str().unwrap();
        let info = app.get_as(token, "/oauth/userinfo").await.json();
        assert_eq!((&info["sub"], &info["preferred_username"]), (&json!(dana.uri), &json!("dana")));

        let again = app.post("/oauth/token", &exchange(&client, &code, Some(VERIFIER))).await;
        assert_eq!((again.status, &again.json()["error"]), (400, &json!("invalid_grant")));
        assert_eq!(app.get_as(token, "/oauth/userinfo").await.status, 401, "somebody else has the code: the token ends");

        // Neither the token nor the code nor the secret can be read out of the database.
        if let Some(file) = house.database.url.strip_prefix("sqlite://") {
            for file in [file.to_owned(), format!("{file}-wal")] {
                let bytes = std::fs::read(&file).unwrap();
                for secret in [token, &code, &client.secret] {
                    assert!(!bytes.windows(secret.len()).any(|w| w == secret.as_bytes()), "{file}");
                }
            }
        }
    }
}

on_both! {
    async fn a_code_without_the_right_verifier_is_worth_nothing_and_is_gone(engine) {
        let house = House::open(engine).await;
        house.member("dana").await;
        let client = register(&house, "read").await;
        let browser = house.browser_of("dana").await;
        let app = house.browser();
        for (asked, verifier) in [
            (PKCE, Some("wrongwrongwrongwrongwrongwrongwrongwrongwrong")),
            (PKCE, Some(CHALLENGE)),
            (PKCE, None),
            (&[][..], Some(VERIFIER)),
        ] {
            let code = code(&browser, &client, asked).await;
            let answer = app.post("/oauth/token", &exchange(&client, &code, verifier)).await;
            assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("invalid_grant")), "{verifier:?}");
            let right = if asked.is_empty() { None } else { Some(VERIFIER) };
            let answer = app.post("/oauth/token", &exchange(&client, &code, right)).await;
            assert_eq!(answer.status, 400, "no second try: {verifier:?}");
        }
    }
}

on_both! {
    async fn a_code_is_for_one_client_one_address_and_ten_minutes(engine) {
        let house = House::open(engine).await;
        house.member("dana").await;
        let (client, other) = (register(&house, "read").await, register(&house, "read").await);
        let browser = house.browser_of("dana").await;
        let app = house.browser();

        let hers = code(&browser, &client, &[]).await;
        assert_eq!(app.post("/oauth/token", &exchange(&other, &hers, None)).await.status, 400);

        let hers = code(&browser, &client, &[]).await;
        let mut elsewhere = exchange(&client, &hers, None);
        elsewhere.retain(|(name, _)| *name != "redirect_uri");
        elsewhere.push(("redirect_uri", "urn:ietf:wg:oauth:2.0:oob"));
        assert_eq!(app.post("/oauth/token", &elsewhere).await.status, 400);

        let hers = code(&browser, &client, &[]).await;
        house.clock.advance(Duration::from_secs(601));
        let late = app.post("/oauth/token", &exchange(&client, &hers, None)).await;
        assert_eq!(late.status, 400);
        assert!(late.body.contains("expired"), "{}", late.body);
    }
}

on_both! {
    async fn an_app_proves_who_it_is_in_the_body_or_by_basic(engine) {
        let house = House::open(engine).await;
        let client = register(&house, "read write").await;
        let app = house.browser();
        let url = format!("{}/oauth/token", house.base);
        let basic = app.http.post(&url).basic_auth(&client.id, Some(&client.secret));
        let answer = app
            .send(
                basic
                    .header("content-type", "application/json")
                    .body(json!({"grant_type": "client_credentials", "scope": "write"}).to_string()),
            )
            .await;
        assert_eq!((answer.status, &answer.json()["scope"]), (200, &json!("write")));

        let wrong = [("grant_type", "client_credentials"), ("client_id", client.id.as_str()), ("client_secret", "guess")];
        for fields in [&wrong[..], &wrong[..2], &wrong[..1]] {
            let answer = app.post("/oauth/token", fields).await;
            assert_eq!((answer.status, &answer.json()["error"]), (401, &json!("invalid_client")));
            assert!(answer.header("www-authenticate").starts_with("Basic"));
        }
        let known = [("client_id", client.id.as_str()), ("client_secret", client.secret.as_str())];
        for (more, error) in [
            (("grant_type", "refresh_token"), "unsupported_grant_type"),
            (("grant_type", "authorization_code"), "invalid_request"),
            (("nothing", ""), "invalid_request"),
        ] {
            let answer = app.post("/oauth/token", &[known[0], known[1], more]).await;
            assert_eq!((answer.status, &answer.json()["error"]), (400, &json!(error)));
        }
        let more = [known[0], known[1], ("grant_type", "client_credentials"), ("scope", "push")];
        assert_eq!(app.post("/oauth/token", &more).await.json()["error"], "invalid_scope");
    }
}

on_both! {
    async fn an_apps_own_token_stands_for_nobody(engine) {
        let house = House::open(engine).await;
        let client = register(&house, "read").await;
        let app = house.browser();
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", client.id.as_str()),
            ("client_secret", client.secret.as_str()),
        ];
        let token = app.post("/oauth/token", &fields).await.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(app.get_as(&token, "/api/v1/apps/verify_credentials").await.status, 200);
        assert_eq!(app.get_as(&token, "/oauth/userinfo").await.status, 422);
    }
}

on_both! {
    async fn scopes_are_held_to(engine) {
        let house = House::open(engine).await;
        house.member("dana").await;
        let client = register(&house, "read push profile").await;
        let push = token(&house, &client, "dana", "push").await;
        let answer = house.browser().get_as(&push, "/oauth/userinfo").await;
        assert_eq!((answer.status, answer.json()), (403, json!({"error": "This action is outside the authorized scopes"})));
        let profile = token(&house, &client, "dana", "profile").await;
        assert_eq!(house.browser().get_as(&profile, "/oauth/userinfo").await.status, 200);
    }
}

on_both! {
    async fn command_line_clients_sign_in_with_the_password(engine) {
        let house = House::open(engine).await;
        house.member("dana").await;
        let client = register(&house, "read write").await;
        let app = house.browser();
        let fields = |login: &'static str, password: &'static str| {
            [
                ("grant_type", "password".to_owned()),
                ("client_id", client.id.clone()),
                ("client_secret", client.secret.clone()),
                ("username", login.to_owned()),
                ("password", password.to_owned()),
                ("scope", "read write".to_owned()),
            ]
        };
        let send = async |login, password| {
            let fields = fields(login, password);
            let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
            app.post("/oauth/token", &fields).await
        };
        for login in ["dana", "Dana@mail.example"] {
            let answer = send(login, PASSWORD).await;
            assert_eq!((answer.status, &answer.json()["scope"]), (200, &json!("read write")), "{login}");
        }
        let wrong = send("dana", "guess").await;
        assert_eq!((wrong.status, &wrong.json()["error"]), (400, &json!("invalid_grant")));
        assert_eq!(send("nobody", "guess").await.body, wrong.body, "nobody learns who is a member");
    }
}

on_both! {
    async fn a_revoked_token_ends_at_once_and_only_its_own_app_ends_it(engine) {
        let house = House::open(engine).await;
        house.member("dana").await;
        let (client, other) = (register(&house, "read").await, register(&house, "read").await);
        let token = token(&house, &client, "dana", "read").await;
        let app = house.browser();
        let revoke = async |client: &crate::oauth::Client| {
            let fields = [("client_id", client.id.as_str()), ("client_secret", &client.secret), ("token", &token)];
            app.post("/oauth/revoke", &fields).await.status
        };
        assert_eq!(app.get_as(&token, "/oauth/userinfo").await.status, 200);
        assert_eq!(revoke(&other).await, 200);
        assert_eq!(app.get_as(&token, "/oauth/userinfo").await.status, 200, "another app's");
        assert_eq!(revoke(&client).await, 200);
        let mut status = 0;
        for _ in 0..500 {
            status = app.get_as(&token, "/oauth/userinfo").await.status;
            if status == 401 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(status, 401);
        assert_eq!(revoke(&client).await, 200, "an unknown token is no error");
    }
}

on_both! {
    async fn a_closed_account_keeps_nothing_open(engine) {
        let house = House::open(engine).await;
        let dana = house.member("dana").await;
        let client = register(&house, "read").await;
        let token = token(&house, &client, "dana", "read").await;
        let browser = house.browser_of("dana").await;
        assert!(browser.get("/").await.body.contains("Sign out") || browser.get("/about").await.body.contains("Sign out"));
        let waiting = code(&browser, &client, &[]).await;
        app::accounts::disable::disable(&house.app, By::Operator, dana.id).await.unwrap();

        let app = house.browser();
        let mut answer = app.get_as(&token, "/oauth/userinfo").await;
        for _ in 0..500 {
            if answer.status != 200 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
            answer = app.get_as(&token, "/oauth/userinfo").await;
        }
        assert!(matches!(answer.status, 401 | 403), "{}", answer.status);
        assert_eq!(app.post("/oauth/token", &exchange(&client, &waiting, None)).await.status, 400);
        assert!(!browser.get("/about").await.body.contains("Sign out"));
        let answer = house.browser().sign_in("dana", PASSWORD).await;
        assert_eq!(answer.status, 403);
        assert!(answer.body.contains("This account is closed"));
    }
}

on_both! {
    async fn guessing_is_slowed_down_for_apps_too(engine) {
        let house = House::planned(engine, Plan { rate_limits: true, ..Plan::default() }).await;
        house.member("dana").await;
        let client = register(&house, "read").await;
        let app = house.browser();
        let fields = [
            ("grant_type", "password"),
            ("client_id", client.id.as_str()),
            ("client_secret", client.secret.as_str()),
            ("username", "dana"),
            ("password", "guess"),
        ];
        let mut last = app.post("/oauth/token", &fields).await;
        assert_eq!(last.status, 400);
        for _ in 0..14 {
            last = app.post("/oauth/token", &fields).await;
        }
        assert_eq!(last.status, 429);
        assert!(last.header("retry-after").parse::<u64>().unwrap() > 0);
    }
}
