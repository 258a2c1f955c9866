//! `POST /api/v1/apps`, what an app learns about itself, and the document that says where everything is.

use serde_json::json;
use testkit::on_both;

use super::{BACK, OOB, register, token};
use crate::house::{House, Plan};

on_both! {
    async fn an_app_registers_in_every_form_that_apps_use(engine) {
        let house = House::open(engine).await;
        let browser = house.browser();
        let url = format!("{}/api/v1/apps", house.base);
        let as_json = browser.http.post(&url).header("content-type", "application/json").body(
            json!({"client_name": "Front Porch", "redirect_uris": [OOB, BACK], "scopes": "read write", "website": "https://app.example"})
                .to_string(),
        );
        let answer = browser.send(as_json).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let app = answer.json();
        assert_eq!(app["name"], "Front Porch");
        assert_eq!(app["redirect_uris"], json!([OOB, BACK]));
        assert_eq!(app["redirect_uri"], format!("{OOB}\n{BACK}"));
        assert_eq!(app["scopes"], json!(["read", "write"]));
        assert_eq!(app["website"], "https://app.example");
        assert!(app["client_secret"].as_str().unwrap().len() >= 40);

        let body = format!(
            "--B\r\nContent-Disposition: form-data; name=\"client_name\"\r\n\r\nToo\r\n--B\r\nContent-Disposition: form-data; \
             name=\"redirect_uris\"\r\n\r\n{BACK}\r\n--B--\r\n"
        );
        let multipart = browser.http.post(&url).header("content-type", "multipart/form-data; boundary=B").body(body);
        let answer = browser.send(multipart).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json()["scopes"], json!(["read"]), "what is asked for where nothing is asked for");
    }
}

on_both! {
    async fn what_an_app_may_not_be_is_refused(engine) {
        let house = House::open(engine).await;
        for (name, uris, scopes, about) in [
            ("", BACK, "read", "client_name"),
            ("Porch", "", "read", "redirect_uris"),
            ("Porch", "javascript:alert(1)", "read", "redirect_uris"),
            ("Porch", "/callback", "read", "redirect_uris"),
            ("Porch", "https://app.example/#fragment", "read", "redirect_uris"),
            ("Porch", BACK, "read everything", "everything"),
        ] {
            let fields = [("client_name", name), ("redirect_uris", uris), ("scopes", scopes)];
            let answer = house.browser().post("/api/v1/apps", &fields).await;
            assert_eq!(answer.status, 422, "{about}: {}", answer.body);
            assert!(answer.json()["error"].as_str().unwrap().contains(about), "{}", answer.body);
        }
    }
}

on_both! {
    async fn an_app_learns_who_it_is_and_never_its_secret(engine) {
        let house = House::open(engine).await;
        let dana = house.member("dana").await;
        let client = register(&house, "read").await;
        let token = token(&house, &client, "dana", "read").await;
        let answer = house.browser().get_as(&token, "/api/v1/apps/verify_credentials").await;
        assert_eq!((answer.status, &answer.json()["name"]), (200, &json!("Front Porch")));
        assert!(!answer.body.contains("client_secret"));
        let scopes = domain::scope::Scopes::parse("read").unwrap();
        let hers = domain::account::Credentials::new_members(dana.id);
        let (typed, _) = app::oauth::tokens::issue(&house.app, None, Some(hers), &scopes).await.unwrap();
        let answer = house.browser().get_as(&typed, "/api/v1/apps/verify_credentials").await;
        assert_eq!((answer.status, &answer.json()["name"]), (200, &json!("Porchlight command line")), "{}", answer.body);
        assert_eq!(answer.json()["scopes"], json!(["read"]));
        let answer = house.browser().get("/api/v1/apps/verify_credentials").await;
        assert_eq!(answer.status, 401);
    }
}

on_both! {
    async fn the_metadata_names_addresses_that_are_ours(engine) {
        let public = "https://maple.example";
        let house = House::planned(engine, Plan { public: Some(public), ..Plan::default() }).await;
        let answer = house.browser().get("/.well-known/oauth-authorization-server").await;
        let json = answer.json();
        assert_eq!(json["code_challenge_methods_supported"], json!(["S256"]));
        for name in
            ["issuer", "authorization_endpoint", "token_endpoint", "app_registration_endpoint", "revocation_endpoint"]
        {
            assert!(json[name].as_str().unwrap().starts_with(public), "{name}");
        }
        // Every key of Mastodon's `OAuthMetadataSerializer`, and no other.
        let mut keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        let mastodons = [
            "app_registration_endpoint",
            "authorization_endpoint",
            "code_challenge_methods_supported",
            "grant_types_supported",
            "issuer",
            "response_modes_supported",
            "response_types_supported",
            "revocation_endpoint",
            "scopes_supported",
            "service_documentation",
            "token_endpoint",
            "token_endpoint_auth_methods_supported",
            "userinfo_endpoint",
        ];
        assert_eq!(keys, mastodons);
        assert_eq!(json["service_documentation"], "https://docs.joinmastodon.org/");
        assert!(json["scopes_supported"].as_array().unwrap().contains(&json!("write:statuses")));
        assert_eq!(answer.header("access-control-allow-origin"), "*", "web apps ask from their own address");
    }
}

on_both! {
    /// RFC 8414 wants an issuer that is https; apps refuse to sign in by a document that names another, and do
    /// without where there is none.
    async fn there_is_no_metadata_without_https(engine) {
        let house = House::open(engine).await;
        assert!(house.base.starts_with("http:"));
        assert_eq!(house.browser().get("/.well-known/oauth-authorization-server").await.status, 404);
    }
}

on_both! {
    async fn nobody_registers_apps_without_end(engine) {
        let house = House::planned(engine, Plan { rate_limits: true, ..Plan::default() }).await;
        let browser = house.browser();
        let fields = [("client_name", "Porch"), ("redirect_uris", BACK)];
        let mut statuses = Vec::new();
        for _ in 0..40 {
            statuses.push(browser.post("/api/v1/apps", &fields).await.status);
        }
        assert_eq!(statuses[0], 200);
        assert_eq!(*statuses.last().unwrap(), 429);
    }
}
