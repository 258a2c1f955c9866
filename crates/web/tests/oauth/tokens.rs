//! `POST /oauth/token` and `/oauth/revoke`: what makes a token, what ends one, and every way not to get one.

use std::time::Duration;
use testkit::on_both;

use app::accounts::{By, change_password, change_role, disable};
use domain::account::{Credentials, Role};
use domain::scope::Scopes;
use reqwest::header::COOKIE;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

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
        let here = house.base.trim_start_matches("http://").to_owned();
        let fields = |login: &str, password: &str| {
            [
                ("grant_type", "password".to_owned()),
                ("client_id", client.id.clone()),
                ("client_secret", client.secret.clone()),
                ("username", login.to_owned()),
                ("password", password.to_owned()),
                ("scope", "read write".to_owned()),
            ]
        };
        let send = async |login: &str, password: &str| {
            let fields = fields(login, password);
            let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
            app.post("/oauth/token", &fields).await
        };
        for login in ["dana", "Dana@mail.example", &format!("dana@{here}"), &format!("@DANA@{here}")] {
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
        disable::disable(&house.app, By::Operator, dana.id).await.unwrap();

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

on_both! {
    /// An app's own token stands for nobody who could look after anybody.
    async fn an_apps_own_token_never_moderates(engine) {
        let house = House::open(engine).await;
        let client = register(&house, "read admin:read admin:write").await;
        let ask = async |scope: &str| {
            let fields = [
                ("grant_type", "client_credentials"),
                ("client_id", client.id.as_str()),
                ("client_secret", client.secret.as_str()),
                ("scope", scope),
            ];
            house.browser().post("/oauth/token", &fields).await
        };
        assert_eq!(ask("read admin:read admin:write").await.json()["scope"], "read");
        let nothing = ask("admin:read").await;
        assert_eq!((nothing.status, &nothing.json()["error"]), (400, &json!("invalid_scope")));
    }
}

on_both! {
    /// A token that was made for a moderator holds a moderator's scopes for as long as she is one.
    async fn a_role_that_is_taken_away_takes_its_scopes_along(engine) {
        let house = House::open(engine).await;
        let priya = house.member_as("priya", Role::Moderator).await;
        let scopes = Scopes::parse("read admin:read").unwrap();
        let hers = Credentials::new_members(priya.id);
        let (token, _) = app::oauth::tokens::issue(&house.app, None, Some(hers), &scopes).await.unwrap();
        let see = async || {
            let answer = house.browser().get_as(&token, "/api/v1/apps/verify_credentials").await;
            answer.json()["scopes"].clone()
        };
        assert_eq!(see().await, json!(["read", "admin:read"]));
        change_role::change_role(&house.app, By::Operator, priya.id, Role::Member).await.unwrap();
        assert_eq!(see().await, json!(["read"]));
        change_role::change_role(&house.app, By::Operator, priya.id, Role::Admin).await.unwrap();
        assert_eq!(see().await, json!(["read", "admin:read"]));
    }
}

/// A request whose head has been read and judged, and whose body is still to come.
struct Begun(TcpStream);

impl Begun {
    async fn new(house: &House, path: &str, kind: &str, length: usize, more: &str) -> Self {
        let host = house.base.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\nexpect: 100-continue\r\n\
             content-type: {kind}\r\ncontent-length: {length}\r\n{more}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // The server asks for the body when it has looked at everything else.
        let mut asked = [0; 25];
        stream.read_exact(&mut asked).await.unwrap();
        assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
        Self(stream)
    }

    /// The status of the answer.
    async fn end(mut self, body: &str) -> u16 {
        self.0.write_all(body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        self.0.read_to_string(&mut answer).await.unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

on_both! {
    /// A body takes as long as its sender likes. What is sent with a token or in a session that ended before it has arrived
    /// does nothing.
    async fn what_began_before_it_ended_does_nothing_after(engine) {
        let house = House::open(engine).await;
        let (dana, eve) = (house.member("dana").await, house.member("eve").await);
        house.member_as("priya", Role::Owner).await;
        let client = register(&house, "read write").await;
        let token = token(&house, &client, "dana", "read write").await;
        let browser = house.browser_of("dana").await;
        let post = json!({"status": "written by somebody else"}).to_string();
        let bearer = format!("authorization: Bearer {token}");
        let begin = || Begun::new(&house, "/api/v1/statuses", "application/json", post.len(), &bearer);
        assert_eq!(begin().await.end(&post).await, 200, "nothing has changed");
        let (with_token, uploading) = (begin().await, begin().await);

        let page = browser.get("/authorize_interaction?uri=@eve").await;
        let csrf = page.hidden("/authorize_interaction").into_iter().find(|(name, _)| name == "csrf").unwrap().1;
        let id = eve.id.to_string();
        let fields = [("deed", "follow"), ("id", id.as_str()), ("csrf", csrf.as_str())];
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let sent = browser.form("/authorize_interaction", &[]).build().unwrap();
        let cookie = format!("cookie: {}", sent.headers()[COOKIE].to_str().unwrap());
        let kind = "application/x-www-form-urlencoded";
        let with_session = Begun::new(&house, "/authorize_interaction", kind, form.len(), &cookie).await;

        change_password::reset_password(&house.app, By::Operator, dana.id, "four new quiet words").await.unwrap();
        assert_eq!(with_token.end(&post).await, 401);
        assert_eq!(with_session.end(&form).await, 403);
        disable::disable(&house.app, By::Operator, dana.id).await.unwrap();
        disable::enable(&house.app, By::Operator, dana.id).await.unwrap();
        assert_eq!(uploading.end(&post).await, 401);

        let mut conn = house.app.db.read().await.unwrap();
        assert_eq!(storage::accounts::get(&mut conn, dana.id).await.unwrap().posts_count, 1);
        let between = storage::relationships::many(&mut conn, dana.id, &[eve.id]).await.unwrap();
        assert!(!between[0].requested && !between[0].following);
    }
}
