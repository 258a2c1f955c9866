//! What clients ask before anything else: is it there, and what is it? As Mastodon.py asks (`instance_health`,
//! `instance_nodeinfo`).

use http::Method;
use testkit::{Answer, Instance, on_both};

on_both! {
    async fn a_client_learns_that_the_server_is_there_and_what_it_is(engine) {
        let maple = Instance::start("maple", engine).await;
        let health = Answer::read(maple.request(Method::GET, "/health").send().await.unwrap()).await;
        assert_eq!((health.status, health.text.as_str()), (200, "OK"));
        assert!(health.headers["content-type"].to_str().unwrap().starts_with("text/plain"));

        let links = Answer::read(maple.request(Method::GET, "/.well-known/nodeinfo").send().await.unwrap()).await.ok();
        for version in ["2.0", "2.1"] {
            let schema = format!("http://nodeinfo.diaspora.software/ns/schema/{version}");
            let link = links["links"].as_array().unwrap().iter().find(|l| l["rel"] == *schema).unwrap();
            let path = link["href"].as_str().unwrap().strip_prefix(&maple.base).unwrap();
            let document = Answer::read(maple.request(Method::GET, path).send().await.unwrap()).await.ok();
            assert_eq!(document["version"], version);
            assert_eq!(document["software"]["name"], "porchlight");
            assert_eq!(document["openRegistrations"], true);
        }
    }
}
