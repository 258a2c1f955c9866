//! Profiles.

use serde_json::json;
use testkit::{Answer, Instance, on_both};

use crate::api::PNG;

on_both! {
    /// Texts, switches and pictures arrive as JSON and as multipart, and show for her and for others.
    async fn a_profile_is_changed_in_parts(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.cautious_member("dana").await;
        let before = dana.get("/api/v1/accounts/verify_credentials").await.ok();
        assert_eq!((&before["locked"], &before["discoverable"]), (&json!(true), &json!(false)), "new members are careful");

        let after = dana
            .patch("/api/v1/accounts/update_credentials", json!({
                "display_name": "Dana  <b>", "note": "two teens & a dog", "locked": false,
                "source": {"privacy": "private", "sensitive": true, "language": "en"},
                "fields_attributes": [{"name": "home", "value": "https://maple.example/"}, {"name": "", "value": ""}],
            }))
            .await
            .ok();
        assert_eq!(after["display_name"], "Dana <b>");
        assert_eq!(after["source"]["note"], "two teens & a dog");
        assert!(after["note"].as_str().unwrap().contains("two teens &amp; a dog"), "{after}");
        assert_eq!(after["source"]["privacy"], "private");
        assert_eq!(after["fields"].as_array().unwrap().len(), 1);
        assert!(after["fields"][0]["value"].as_str().unwrap().contains("<a href=\"https://maple.example/\""));
        assert_eq!(after["locked"], false);
        let preferences = dana.get("/api/v1/preferences").await.ok();
        assert_eq!(preferences["posting:default:visibility"], "private");
        assert_eq!(dana.post("/api/v1/statuses", json!({"status": "hello"})).await.ok()["visibility"], "private");

        let boundary = "B0UND";
        let mut body = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"avatar\"; filename=\"me.png\"\r\nContent-Type: image/png\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(PNG);
        body.extend_from_slice(
            format!("\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nwith a picture\r\n--{boundary}--\r\n").as_bytes(),
        );
        let request = dana
            .request(http::Method::PATCH, "/api/v1/accounts/update_credentials")
            .header("content-type", format!("multipart/form-data; boundary={boundary}"))
            .body(body);
        let after = Answer::read(request.send().await.unwrap()).await.ok();
        assert_eq!(after["source"]["note"], "with a picture");
        assert_eq!(after["display_name"], "Dana <b>", "what is not named stays");
        let avatar = after["avatar"].as_str().unwrap();
        assert!(avatar.contains("/media/"), "{avatar}");

        let long = "x".repeat(2_000);
        for (name, value) in [("display_name", &long), ("note", &long)] {
            let answer = dana.patch("/api/v1/accounts/update_credentials", json!({name: value})).await;
            assert_eq!(answer.status, 422, "{}", answer.text);
        }
        let many: Vec<_> = (0..20).map(|n| json!({"name": n.to_string(), "value": "x"})).collect();
        let answer = dana.patch("/api/v1/accounts/update_credentials", json!({"fields_attributes": many})).await;
        assert_eq!(answer.status, 422);
    }
}

/// Two frames of one pixel each: black, then white.
const MOVING: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff\
    ,\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0,\0\0\0\0\x01\0\x01\0\0\x02\x02\x4c\x01\0;";

on_both! {
    /// What moves has a still version beside it, for those who want nothing to move; both go when it is replaced.
    async fn a_moving_avatar_stands_still_where_it_should(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let change = async |name: &str, bytes: &[u8]| {
            let head = format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"me\"\r\n\r\n");
            let body = [head.as_bytes(), bytes, b"\r\n--B--\r\n"].concat();
            let request = dana.request(http::Method::PATCH, "/api/v1/accounts/update_credentials");
            let request = request.header("content-type", "multipart/form-data; boundary=B").body(body);
            Answer::read(request.send().await.unwrap()).await.ok()
        };
        let kind = async |url: &serde_json::Value| {
            let path = url.as_str().unwrap().strip_prefix(&house.base).unwrap().to_owned();
            let answer = house.request(http::Method::GET, &path).send().await.unwrap();
            let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
            (answer.status().as_u16(), kind)
        };
        for (name, still) in [("avatar", "avatar_static"), ("header", "header_static")] {
            let moving = change(name, MOVING).await;
            assert_ne!(moving[name], moving[still]);
            assert_eq!(kind(&moving[name]).await, (200, "image/gif".to_owned()));
            assert_eq!(kind(&moving[still]).await, (200, "image/png".to_owned()));
            let seen = dana.get(&format!("/api/v1/accounts/{}", dana.id)).await.ok();
            assert_eq!((&seen[name], &seen[still]), (&moving[name], &moving[still]));
            let plain = change(name, PNG).await;
            assert_eq!(plain[name], plain[still]);
            testkit::eventually("both files are gone", async || {
                let path = |url: &serde_json::Value| url.as_str().unwrap().strip_prefix(&house.base).unwrap().to_owned();
                for url in [&moving[name], &moving[still]] {
                    let answer = house.request(http::Method::GET, &path(url)).send().await.unwrap();
                    if answer.status() != 404 {
                        return None;
                    }
                }
                Some(())
            })
            .await;
        }
    }
}

on_both! {
    /// Sites that may name a member as their author are kept, each once and as a host; a bad one is refused by name.
    async fn attribution_domains_are_kept(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let change = async |sites: serde_json::Value| {
            dana.patch("/api/v1/accounts/update_credentials", json!({"attribution_domains": sites})).await
        };
        for (typed, kept) in [
            (json!(["tea.example", "https://Cup.example/", "tea.example"]), json!(["tea.example", "cup.example"])),
            (json!(["*.blog.example", " http://müsli.example "]), json!(["blog.example", "xn--msli-0ra.example"])),
            (json!([""]), json!([])),
        ] {
            assert_eq!(change(typed.clone()).await.ok()["source"]["attribution_domains"], kept, "{typed}");
            let me = dana.get("/api/v1/accounts/verify_credentials").await.ok();
            assert_eq!(me["source"]["attribution_domains"], kept);
        }
        change(json!(["tea.example"])).await.ok();
        let many: Vec<String> = (0..101).map(|n| format!("site{n}.example")).collect();
        for bad in [json!(["no site"]), json!(["tea.example/path"]), json!(many)] {
            let refused = change(bad.clone()).await;
            assert_eq!(refused.status, 422, "{bad}: {}", refused.text);
            let why = refused.json()["error"].as_str().unwrap().to_owned();
            assert!(why.starts_with("Validation failed: attribution_domains must"), "{why}");
        }
        let me = dana.patch("/api/v1/accounts/update_credentials", json!({"note": "hello"})).await.ok();
        assert_eq!(me["source"]["attribution_domains"], json!(["tea.example"]), "what is not named stays");
        assert_eq!(dana.get(&format!("/api/v1/accounts/{}", dana.id)).await.ok().get("source"), None);
    }
}
