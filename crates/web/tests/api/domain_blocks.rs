//! `/api/v1/domain_blocks`: who may ask, what is refused, and pages.

use http::Method;
use serde_json::json;
use testkit::{Answer, Instance, on_both};

on_both! {
    async fn domains_are_listed_in_pages_and_refused_when_they_are_none(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        for name in ["one.example", "Two.Example", "one.example", "https://three.example"] {
            assert_eq!(dana.post("/api/v1/domain_blocks", json!({"domain": name})).await.status, 200);
        }
        assert_eq!(dana.get("/api/v1/domain_blocks").await.ok(), json!(["three.example", "two.example", "one.example"]));
        let page = dana.get("/api/v1/domain_blocks?limit=2").await;
        assert_eq!(page.ok(), json!(["three.example", "two.example"]));
        let links = page.headers["link"].to_str().unwrap();
        let next = links.split('>').next().unwrap().trim_start_matches('<').trim_start_matches(&house.base).to_owned();
        assert_eq!(dana.get(&next).await.ok(), json!(["one.example"]));
        for wrong in [json!({"domain": "not a domain"}), json!({"domain": ""}), json!({}), json!({"domain": house.base})] {
            assert_eq!(dana.post("/api/v1/domain_blocks", wrong).await.status, 422);
        }
        assert_eq!(dana.delete("/api/v1/domain_blocks?domain=two.example").await.status, 200);
        assert_eq!(dana.delete("/api/v1/domain_blocks?domain=two.example").await.status, 200, "again is no error");
        assert_eq!(dana.get("/api/v1/domain_blocks").await.ok(), json!(["three.example", "one.example"]));

        for (method, status) in [(Method::GET, 401), (Method::POST, 401), (Method::DELETE, 401)] {
            let answer = house.request(method, "/api/v1/domain_blocks?domain=x.example").send().await.unwrap();
            assert_eq!(answer.status().as_u16(), status);
        }
        let narrow = house.token(dana.account_id(), "read:statuses write:statuses").await;
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let request = house.request(method, "/api/v1/domain_blocks?domain=x.example").bearer_auth(&narrow);
            assert_eq!(Answer::read(request.send().await.unwrap()).await.status, 403);
        }
    }
}
