//! An app signs somebody up with its own token.

use serde_json::{Value, json};
use testkit::{Answer, Instance, on_both};

async fn app_token(house: &Instance) -> String {
    let new = json!({"client_name": "Test", "redirect_uris": "urn:ietf:wg:oauth:2.0:oob", "scopes": "read write"});
    let client = post(house, "/api/v1/apps", None, &new).await.ok();
    let grant = json!({
        "grant_type": "client_credentials", "client_id": client["client_id"],
        "client_secret": client["client_secret"], "scope": "read write",
    });
    post(house, "/oauth/token", None, &grant).await.ok()["access_token"].as_str().unwrap().to_owned()
}

async fn post(house: &Instance, path: &str, token: Option<&str>, body: &Value) -> Answer {
    let mut request = house.request(http::Method::POST, path).header("content-type", "application/json");
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    Answer::read(request.body(body.to_string()).send().await.unwrap()).await
}

on_both! {
    /// What an app asks for on its sign-up screen makes a member and gives her token; what is wrong is named.
    async fn signing_up_through_an_app(engine) {
        let house = Instance::start("maple", engine).await;
        let token = app_token(&house).await;
        let early = json!({
            "username": "eve", "email": "eve@mail.example", "password": "three quiet words", "agreement": true,
        });
        let refused = post(&house, "/api/v1/accounts", Some(&token), &early).await;
        assert_eq!(refused.status, 403, "nobody has set it up yet");
        house.member("priya").await;
        let good = json!({
            "username": "dana", "email": "dana@mail.example", "password": "three quiet words",
            "agreement": true, "locale": "en", "reason": "",
        });
        let made = post(&house, "/api/v1/accounts", Some(&token), &good).await.ok();
        assert_eq!(made["token_type"], "Bearer");
        let hers = made["access_token"].as_str().unwrap();
        let me = house.request(http::Method::GET, "/api/v1/accounts/verify_credentials").bearer_auth(hers);
        assert_eq!(Answer::read(me.send().await.unwrap()).await.ok()["username"], "dana");

        let again = post(&house, "/api/v1/accounts", Some(&token), &good).await;
        assert_eq!(again.status, 422);
        assert_eq!(again.json()["details"]["username"][0]["error"], "ERR_TAKEN", "{}", again.text);
        let mut refused = good.clone();
        refused["agreement"] = json!(false);
        assert_eq!(post(&house, "/api/v1/accounts", Some(&token), &refused).await.status, 422);
        assert_eq!(post(&house, "/api/v1/accounts", None, &good).await.status, 401, "without an app");
        assert_eq!(post(&house, "/api/v1/accounts", Some(hers), &good).await.status, 403, "with a person's token");
        let app_alone = house.request(http::Method::GET, "/api/v1/timelines/home").bearer_auth(&token);
        assert_eq!(Answer::read(app_alone.send().await.unwrap()).await.status, 422, "an app has no home timeline");
    }
}
