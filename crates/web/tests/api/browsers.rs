//! What browsers, chat programs and feed readers do with addresses, origins and copies.

use http::Method;
use serde_json::json;
use testkit::{Answer, Instance, on_both};

use crate::api::streaming::{connect, next};
use crate::api::{PNG, id};

on_both! {
    /// `@` written as `%40`, and slashes at the end.
    async fn addresses_may_be_written_as_other_programs_write_them(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let post = dana.publish("a post", "public").await;
        let page = post["url"].as_str().unwrap().trim_start_matches(&house.base).to_owned();
        let get = async |path: &str| {
            let request = house.request(Method::GET, path).header("accept", "text/html");
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        for path in ["/@dana", "/@dana.rss", page.as_str()] {
            let (status, body) = get(path).await;
            assert_eq!(status, 200, "{path}");
            let escaped = path.replacen("/@", "/%40", 1);
            for path in [escaped.clone(), format!("{escaped}?utm=x"), format!("{escaped}/"), format!("{path}/")] {
                let (status, other) = get(&path).await;
                assert_eq!((status, other.contains("a post")), (200, body.contains("a post")), "{path}");
            }
        }
        assert_eq!(get("/%40nobody").await.0, 404);
        // What is signed is signed for an address: a server is told the right one.
        for path in ["/users/dana/", "/users/dana/outbox/"] {
            let request = house.request(Method::GET, path).header("accept", "application/activity+json");
            let answer = request.send().await.unwrap();
            let exact = format!("{}{}", house.base, path.trim_end_matches('/'));
            assert!(answer.status() == 200 || answer.headers()["location"] == exact.as_str(), "{path}");
            let posted = house.request(Method::POST, path).body("{}").send().await.unwrap();
            assert!(posted.status().is_client_error(), "{path}");
        }
    }
}

on_both! {
    /// Scripts of any origin may read what anybody may, with whatever headers they send.
    async fn other_origins_may_ask(engine) {
        let house = Instance::start("maple", engine).await;
        house.member("dana").await;
        for (path, method) in [
            ("/api/v1/statuses", "POST"),
            ("/api/v2/instance", "GET"),
            ("/api/v1/apps", "POST"),
            ("/oauth/token", "POST"),
            ("/oauth/revoke", "POST"),
            ("/users/dana", "GET"),
            ("/users/dana/outbox", "GET"),
            ("/.well-known/webfinger", "GET"),
            ("/.well-known/host-meta", "GET"),
            ("/.well-known/nodeinfo", "GET"),
            ("/static/avatar.png", "GET"),
        ] {
            let preflight = house
                .request(Method::OPTIONS, path)
                .header("origin", "https://app.example")
                .header("access-control-request-method", method)
                .header("access-control-request-headers", "authorization, x-tea, idempotency-key");
            let answer = preflight.send().await.unwrap();
            assert!(answer.status().is_success(), "{path}: {}", answer.status());
            let header = |name: &str| answer.headers().get(name).map(|v| v.to_str().unwrap().to_lowercase());
            assert_eq!(header("access-control-allow-origin").as_deref(), Some("*"), "{path}");
            let headers = header("access-control-allow-headers").unwrap();
            assert!(headers.contains("authorization") && headers.contains("x-tea"), "{path}: {headers}");
            assert!(header("access-control-allow-methods").unwrap().contains(&method.to_lowercase()), "{path}");
            assert_eq!(header("access-control-allow-credentials"), None, "{path}");
        }
        for path in
            ["/users/dana", "/.well-known/host-meta", "/static/avatar.png", "/static/header.png", "/@dana.rss"]
        {
            let answer = house.request(Method::GET, path).header("origin", "https://app.example").send().await.unwrap();
            assert_eq!(answer.headers()["access-control-allow-origin"], "*", "{path}");
        }
        let ask = async |accept: &str| {
            let request = house.request(Method::GET, "/@dana").header("origin", "https://app.example");
            request.header("accept", accept).send().await.unwrap()
        };
        let sent_on = ask("application/activity+json").await;
        assert_eq!(sent_on.headers()["access-control-allow-origin"], "*");
        // A page holds what its reader may see.
        assert!(!ask("text/html").await.headers().contains_key("access-control-allow-origin"));
        // Nobody else's page may post a form here.
        for path in ["/login", "/inbox", "/users/dana/inbox"] {
            let preflight = house
                .request(Method::OPTIONS, path)
                .header("origin", "https://evil.example")
                .header("access-control-request-method", "POST");
            let answer = preflight.send().await.unwrap();
            let methods = answer.headers().get("access-control-allow-methods");
            assert!(!methods.is_some_and(|v| v.to_str().unwrap().contains("POST")), "{path}");
        }
    }
}

on_both! {
    /// A browser drops a socket whose protocol is not answered, wherever else the token stood.
    async fn the_protocol_of_a_socket_is_answered(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let token = house.token(dana.account_id(), "read").await;
        let in_query = format!("?stream=user&access_token={token}");
        for (query, protocol) in [
            (in_query.as_str(), token.clone()),
            (in_query.as_str(), format!("{token}, mastodon")),
            ("?stream=user", token.clone()),
        ] {
            // The client refuses an answer without one of its protocols, as browsers do.
            let mut socket = connect(&house, query, Some(&protocol)).await.unwrap();
            let post = dana.publish("live", "public").await;
            assert!(next(&mut socket).await.2.contains(&id(&post)));
        }
    }
}

on_both! {
    async fn a_feed_that_is_known_is_not_sent_again(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let first = dana.publish("first #tea", "public").await;
        let ask = async |path: &str, header: &str, value: &str| {
            house.request(Method::GET, path).header(header, value).send().await.unwrap()
        };
        for path in ["/@dana.rss", "/tags/tea.rss", "/feed.rss"] {
            let whole = ask(path, "accept", "*/*").await;
            let (etag, date) = (whole.headers()["etag"].clone(), whole.headers()["last-modified"].clone());
            let (etag, date) = (etag.to_str().unwrap(), date.to_str().unwrap());
            assert!(date.ends_with(" GMT"), "{date}");
            for (name, value) in [
                ("if-none-match", etag.to_owned()),
                ("if-none-match", format!("\"other\", W/{etag}")),
                ("if-none-match", "*".to_owned()),
                ("if-modified-since", date.to_owned()),
            ] {
                let answer = ask(path, name, &value).await;
                let same = answer.headers()["etag"].to_str().unwrap();
                assert_eq!((answer.status().as_u16(), same), (304, etag), "{path} {value}");
                assert_eq!(answer.text().await.unwrap(), "");
            }
            for (name, value) in [
                ("if-none-match", "\"other\""),
                ("if-modified-since", "Mon, 14 Jul 2025 12:00:00 GMT"),
                ("if-modified-since", "yesterday"),
            ] {
                assert_eq!(ask(path, name, value).await.status(), 200, "{path} {value}");
            }
            let next = dana.publish("second #tea", "public").await;
            assert_eq!(ask(path, "if-none-match", etag).await.status(), 200, "{path}");
            dana.delete(&format!("/api/v1/statuses/{}", id(&next))).await.ok();
            assert_eq!(ask(path, "if-none-match", etag).await.status(), 304, "{path}: as before");
        }
        dana.delete(&format!("/api/v1/statuses/{}", id(&first))).await.ok();
        assert_eq!(ask("/@dana.rss", "if-modified-since", "Mon, 14 Jul 2025 12:00:00 GMT").await.status(), 200);
    }
}

on_both! {
    /// Programs name a file in two ways, or not at all.
    async fn a_file_is_one_by_whatever_it_is_named(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        for head in [
            "name=\"file\"; filename*=UTF-8''k%C3%A4tzchen.png\r\nContent-Type: image/png",
            "name=\"file\"; filename*=UTF-8''x.png",
            "name=\"file\"\r\nContent-Type: image/png",
            "name=\"file\"\r\nContent-Type: application/octet-stream",
            "name=\"file\"",
            "name=\"file\"; filename=\"\"",
        ] {
            let mut body = format!("--B\r\nContent-Disposition: form-data; {head}\r\n\r\n").into_bytes();
            body.extend_from_slice(PNG);
            let rest = "\r\n--B\r\nContent-Disposition: form-data; name=\"description\"\r\n\r\na cup\r\n--B--\r\n";
            body.extend_from_slice(rest.as_bytes());
            let request = dana.request(Method::POST, "/api/v2/media");
            let request = request.header("content-type", "multipart/form-data; boundary=B").body(body);
            let made = Answer::read(request.send().await.unwrap()).await.ok();
            assert_eq!((&made["type"], &made["description"]), (&json!("image"), &json!("a cup")), "{head}");
        }
    }
}
