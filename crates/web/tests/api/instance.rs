//! `/api/v1/instance*`, `/api/v2/instance`.

use app::accounts::By;
use app::community::change::{self, Changes};
use testkit::{Answer, Instance, on_both};

/// `/oauth/authorize/` is `/oauth/authorize`, as Mastodon's server has it: `toot login` writes it so. Ids of ActivityPub
/// are exact.
#[tokio::test]
async fn addresses_of_apps_and_people_may_end_with_a_slash() {
    let house = Instance::start("maple", testkit::Engine::Sqlite).await;
    let dana = house.member("dana").await;
    let post = dana.publish("hello", "public").await;
    let post = format!("/@dana/{}", post["id"].as_str().unwrap());
    let asked = "response_type=code&client_id=nobody&redirect_uri=urn%3Aietf%3Awg%3Aoauth%3A2.0%3Aoob";
    let status = async |path: &str| house.request(http::Method::GET, path).send().await.unwrap().status().as_u16();
    for (path, query, expected) in
        [("/api/v2/instance", "", 200), ("/@dana", "", 200), (&post, "", 200), ("/oauth/authorize", asked, 400)]
    {
        assert_eq!(status(&format!("{path}?{query}")).await, expected, "{path}");
        assert_eq!(status(&format!("{path}/?{query}")).await, expected, "{path}/");
    }
    assert_eq!(status("/").await, 200);
    // Signatures are made over ActivityPub's addresses: whoever asks is told the exact one.
    let redirected = house.request(http::Method::GET, "/users/dana/").send().await.unwrap();
    assert_eq!(redirected.headers()["location"], format!("{}/users/dana", house.base));
    for path in ["/inbox/", "//", "/@dana//", "//evil.example/"] {
        assert_eq!(status(path).await, 404, "{path}");
    }
}

on_both! {
    /// What a community says of itself, with numbers that agree with what happened.
    async fn a_community_tells_of_itself(engine) {
        let house = Instance::start("maple", engine).await;
        let ola = house.member_with("ola", domain::account::Role::Owner).await;
        ola.publish("welcome", "public").await;
        let get = async |path: &str| {
            Answer::read(house.request(http::Method::GET, path).send().await.unwrap()).await.ok()
        };
        let v2 = get("/api/v2/instance").await;
        assert_eq!(v2["domain"].as_str().unwrap(), house.base.trim_start_matches("http://"));
        assert_eq!(v2["contact"]["account"]["username"], "ola");
        assert_eq!(v2["registrations"]["enabled"], true);
        assert!(v2["configuration"]["statuses"]["max_characters"].as_i64().unwrap() >= 500);
        assert!(v2["configuration"]["urls"]["streaming"].as_str().unwrap().starts_with("ws://"));
        // Grouped notifications came with 4.3 and the API's second generation; they are not here.
        assert!(v2["version"].as_str().unwrap().starts_with("4.2.0 (compatible; Porchlight "), "{}", v2["version"]);
        assert_eq!(v2["api_versions"]["mastodon"], 1);
        let v1 = get("/api/v1/instance").await;
        assert_eq!(v1["version"], v2["version"]);
        assert_eq!(v1["stats"]["user_count"], 1);
        assert_eq!(v1["stats"]["status_count"], 1);
        assert!(get("/api/v1/instance/peers").await.as_array().unwrap().is_empty());
        let weeks = get("/api/v1/instance/activity").await;
        assert_eq!(weeks.as_array().unwrap().len(), 12);
        assert_eq!((weeks[0]["statuses"].as_str(), weeks[0]["registrations"].as_str()), (Some("1"), Some("1")));
        house.clock.advance(std::time::Duration::from_secs(7 * 24 * 3600));
        ola.publish("good morning", "public").await;
        ola.publish("good night", "public").await;
        let later = get("/api/v1/instance/activity").await;
        assert_eq!(later.as_array().unwrap().len(), 12);
        let told = |n: usize| (later[n]["statuses"].as_str().unwrap(), later[n]["registrations"].as_str().unwrap());
        assert_eq!([told(0), told(1), told(2)], [("2", "0"), ("1", "1"), ("0", "0")]);
        assert_eq!(later[1]["week"], weeks[0]["week"]);
        for title in ["Maple Street", "Maple Lane"] {
            let changes = Changes { title: Some(title.to_owned()), ..Changes::default() };
            change::change(house.app(), By::Operator, &changes).await.unwrap();
            assert_eq!(get("/nodeinfo/2.1").await["metadata"]["nodeName"], title, "from now on");
        }
        assert!(get("/api/v1/instance/rules").await.is_array());
        assert!(get("/api/v1/custom_emojis").await.is_array());
    }
}
