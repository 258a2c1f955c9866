//! Apps: registering, being let in, codes and tokens, and everything that must be refused.

mod apps;
mod consent;
mod tokens;

use crate::house::{Browser, House};

pub const OOB: &str = "urn:ietf:wg:oauth:2.0:oob";
pub const BACK: &str = "https://app.example/callback?from=porch";
/// The example of RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A registered app.
pub struct Client {
    pub id: String,
    pub secret: String,
}

pub async fn register(house: &House, scopes: &str) -> Client {
    let uris = format!("{OOB}\n{BACK}");
    let fields = [("client_name", "Front Porch"), ("redirect_uris", uris.as_str()), ("scopes", scopes)];
    let answer = house.browser().post("/api/v1/apps", &fields).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let json = answer.json();
    let text = |name: &str| json[name].as_str().unwrap().to_owned();
    Client { id: text("client_id"), secret: text("client_secret") }
}

/// The address an app opens.
pub fn question(client: &Client, redirect_uri: &str, more: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("response_type", "code");
    query.append_pair("client_id", &client.id);
    query.append_pair("redirect_uri", redirect_uri);
    query.extend_pairs(more);
    format!("/oauth/authorize?{}", query.finish())
}

/// She opens it and says yes; the code.
pub async fn code(browser: &Browser, client: &Client, more: &[(&str, &str)]) -> String {
    let answer = browser.fill(&question(client, BACK, more), "/oauth/authorize", &[("decision", "allow")]).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    parameter(answer.location(), "code").unwrap()
}

pub fn parameter(url: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned())
}

/// What an app sends for a code.
pub fn exchange<'a>(client: &'a Client, code: &'a str, verifier: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("client_id", client.id.as_str()),
        ("client_secret", client.secret.as_str()),
        ("redirect_uri", BACK),
        ("code", code),
    ];
    fields.extend(verifier.map(|v| ("code_verifier", v)));
    fields
}

/// A token of `username`'s, the whole way.
pub async fn token(house: &House, client: &Client, username: &str, scope: &str) -> String {
    let browser = house.browser_of(username).await;
    let code = code(&browser, client, &[("scope", scope)]).await;
    let answer = house.browser().post("/oauth/token", &exchange(client, &code, None)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["access_token"].as_str().unwrap().to_owned()
}
