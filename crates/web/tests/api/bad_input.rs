//! What nobody should send, and what an app without rights gets: a clear answer in Mastodon's shape, never a 500.

use serde_json::json;
use testkit::{Answer, Instance, on_both};

fn clear(answer: &Answer, status: u16, what: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.text);
    assert!(answer.json()["error"].as_str().is_some_and(|e| !e.is_empty()), "{what}: {}", answer.text);
}

on_both! {
    /// Unknown, malformed, revoked tokens and missing scopes.
    async fn tokens_are_checked(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let get = async |path: &str, token: &str| {
            let request = house.request(http::Method::GET, path).header("authorization", token.to_owned());
            Answer::read(request.send().await.unwrap()).await
        };
        for token in ["Bearer nonsense", "Bearer ", "Basic x", "Bearer"] {
            let answer = get("/api/v1/timelines/home", token).await;
            clear(&answer, 401, token);
            assert!(answer.headers.contains_key("www-authenticate"));
        }
        clear(&get("/api/v1/timelines/public", "Bearer nonsense").await, 401, "a bad token where none is needed");
        let id = dana.account_id();
        let narrow = house.token(id, "read:statuses").await;
        let bearer = format!("Bearer {narrow}");
        assert_eq!(get("/api/v1/timelines/home", &bearer).await.status, 200);
        for path in ["/api/v1/notifications", "/api/v1/accounts/verify_credentials", "/api/v1/lists", "/api/v1/blocks"] {
            clear(&get(path, &bearer).await, 403, path);
        }
        let post = house
            .request(http::Method::POST, "/api/v1/statuses")
            .bearer_auth(&narrow)
            .header("content-type", "application/json")
            .body(r#"{"status":"x"}"#);
        clear(&Answer::read(post.send().await.unwrap()).await, 403, "writing with a token that reads");

        let mut tx = house.app().db.write().await.unwrap();
        for token in storage::oauth::revoke_all_of(&mut tx, id).await.unwrap() {
            tx.emit(domain::event::Event::TokenRevoked { token });
        }
        tx.commit().await.unwrap();
        testkit::eventually("a revoked token is refused", async || {
            (get("/api/v1/timelines/home", &bearer).await.status == 401).then_some(())
        })
        .await;
    }
}

on_both! {
    /// Malformed, wrongly typed, huge and deeply nested bodies.
    async fn bodies_are_checked(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let send = async |kind: &str, body: Vec<u8>| {
            let request = dana.request(http::Method::POST, "/api/v1/statuses").header("content-type", kind.to_owned());
            Answer::read(request.body(body).send().await.unwrap()).await
        };
        let json = "application/json";
        clear(&send(json, b"{\"status\":".to_vec()).await, 400, "cut off");
        clear(&send(json, b"\"status\"".to_vec()).await, 400, "no object");
        clear(&send(json, b"{\"status\":\"\xff\"}".to_vec()).await, 400, "no UTF-8");
        clear(&send(json, br#"{"status":["x"]}"#.to_vec()).await, 422, "a list for a text");
        clear(&send(json, br#"{"status":"x","sensitive":"perhaps"}"#.to_vec()).await, 422, "no truth");
        clear(&send(json, br#"{"status":"x","media_ids":{"a":1}}"#.to_vec()).await, 422, "a map for a list");
        let deep = format!("{{\"status\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        clear(&send(json, deep.into_bytes()).await, 400, "deep");
        // Just too much: of one that is refused midway, a client may see no more than that the connection ends.
        let huge = format!("{{\"status\":\"{}\"}}", "x".repeat(1 << 20));
        clear(&send(json, huge.into_bytes()).await, 413, "huge");
        clear(&send("application/xml", b"<x/>".to_vec()).await, 415, "XML");
        clear(&send("multipart/form-data", b"x".to_vec()).await, 400, "no boundary");
        clear(&send("application/x-www-form-urlencoded", b"status[a][b][c][d][e][f][g][h][i]=1".to_vec()).await, 400, "deep form");
    }
}

on_both! {
    /// What does not exist is 404 in JSON, whatever was asked and how.
    async fn what_is_not_there_is_not_found(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        for path in [
            "/api/v1/nothing",
            "/api/v1/filters",
            "/api/v1/statuses/abc",
            "/api/v1/statuses/-1",
            "/api/v1/statuses/99999999999999999999999",
            "/api/v1/accounts/1/statuses",
            "/api/v1/timelines/list/1",
            "/api/v1/notifications/1",
            "/api/v1/media/1",
            "/api/v1/timelines/tag/%ff",
            "/api/v1/tags/%ff",
        ] {
            clear(&dana.get(path).await, 404, path);
        }
        clear(&dana.get("/api/v1/nothing/").await, 404, "nor with a slash");
        assert_eq!(dana.get("/api/v1/timelines/home/?limit=1").await.status, 200, "a slash at the end does not matter");
        clear(&dana.delete("/api/v1/timelines/home").await, 404, "another method");
        clear(&dana.post("/api/v1/statuses/1/favourite", json!({})).await, 404, "no such post");
        for query in ["limit=x", "max_id=x", "limit=-3", "min_id=1e3"] {
            clear(&dana.get(&format!("/api/v1/timelines/home?{query}")).await, 422, query);
        }
    }
}

on_both! {
    /// U+0000 is dropped from what anybody sends: what was nothing else is empty, or not found.
    async fn nul_is_dropped(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let ask = async |path: &str, body: Option<&str>| {
            let form = "application/x-www-form-urlencoded";
            let request = match body {
                None => house.request(http::Method::GET, path),
                Some(body) => {
                    house.request(http::Method::POST, path).header("content-type", form).body(body.to_owned())
                }
            };
            Answer::read(request.send().await.unwrap()).await
        };
        let finger = format!("/.well-known/webfinger?resource=acct:%00@maple.localhost:{}", house.address.port());
        for path in [
            "/@%00",
            "/@%00.rss",
            "/@%00/1",
            "/invite/%00",
            "/users/%00",
            "/users/%00/outbox",
            "/tags/%00",
            "/nothing/%00",
            "/media/%00",
            "/media/remote/%00/small",
            "/emoji/%00",
            &finger,
            "/api/v1/accounts/lookup?acct=%00",
            "/api/v1/accounts/%00",
            "/api/v1/statuses/%00",
        ] {
            assert_eq!(ask(path, None).await.status, 404, "{path}");
        }
        for (path, body, status) in [
            ("/api/v1/apps", "client_name=%00&redirect_uris=urn:ietf:wg:oauth:2.0:oob", 422),
            ("/api/v1/apps", "client_name=a%00&redirect_uris=urn:ietf:wg:oauth:2.0:oob", 200),
            ("/oauth/token", "client_id=%00&client_secret=%00&grant_type=client_credentials", 401),
            ("/oauth/token", "client_id=a&client_secret=b&grant_type=authorization_code&code=%00", 401),
            ("/oauth/revoke", "client_id=%00&client_secret=b&token=%00", 401),
        ] {
            let answer = ask(path, Some(body)).await;
            assert_eq!(answer.status, status, "{path} {body}: {}", answer.text);
        }
        for path in ["/oauth/authorize?client_id=%00&response_type=code&redirect_uri=%00", "/login?next=%00"] {
            let answer = ask(path, None).await;
            assert!(answer.status < 500, "{path}: {}", answer.text);
        }
        let signed_in = ask("/login", Some("email=%00&password=%00&next=%00")).await;
        assert!((400..500).contains(&signed_in.status), "{}", signed_in.text);

        for path in ["/api/v2/search?q=%00", "/api/v2/search?q=%00&resolve=true", "/api/v1/accounts/search?q=%00"] {
            let with = dana.get(path).await;
            let without = dana.get(&path.replace("%00", "")).await;
            assert!(with.status < 500, "{path}: {}", with.text);
            assert_eq!((with.status, &with.text), (without.status, &without.text), "{path}");
        }
        assert!(dana.get("/api/v1/timelines/tag/%00").await.status < 500);
        clear(&dana.post("/api/v1/statuses", json!({"status": "\0"})).await, 422, "an empty post");
        let post = dana.post("/api/v1/statuses", json!({"status": "\0x", "spoiler_text": "a\0b"})).await.ok();
        assert_eq!((&post["content"], &post["spoiler_text"]), (&json!("<p>x</p>"), &json!("ab")));
        clear(&dana.post("/api/v1/lists", json!({"title": "\0"})).await, 422, "no title");
        assert_eq!(dana.post("/api/v1/lists", json!({"title": "Gar\0den"})).await.ok()["title"], "Garden");
        let changed = json!({
            "display_name": "Da\0na", "note": "\0hi", "fields_attributes": [{"name": "a\0", "value": "\0b"}],
        });
        let changed = dana.patch("/api/v1/accounts/update_credentials", changed).await.ok();
        assert_eq!((&changed["display_name"], &changed["note"]), (&json!("Dana"), &json!("<p>hi</p>")));
        assert_eq!((&changed["fields"][0]["name"], &changed["fields"][0]["value"]), (&json!("a"), &json!("b")));
        for path in ["/api/v1/domain_blocks", "/api/v1/tags/%00/follow", "/api/v1/reports"] {
            let answer = dana.post(path, json!({"domain": "\0", "comment": "\0", "account_id": dana.id})).await;
            assert!(answer.status < 500, "{path}: {}", answer.text);
        }
    }
}

on_both! {
    /// Where the owner limits callers, the answer says how many requests are left, and stops at none.
    async fn callers_are_limited(engine) {
        let database = std::sync::Arc::new(testkit::Database::fresh(engine).await);
        let house = Instance::start_on("maple", database, |config| config.rate_limits = true).await;
        let ask = async || {
            let request = house.request(http::Method::GET, "/api/v1/custom_emojis");
            Answer::read(request.send().await.unwrap()).await
        };
        let left = |answer: &Answer| answer.headers["x-ratelimit-remaining"].to_str().unwrap().parse::<u32>().unwrap();
        let first = ask().await;
        assert_eq!(first.headers["x-ratelimit-limit"], "300");
        assert!(first.headers.contains_key("x-ratelimit-reset"));
        assert!(left(&ask().await) < left(&first));
        let mut refused = None;
        for _ in 0..400 {
            let answer = ask().await;
            if answer.status == 429 {
                refused = Some(answer);
                break;
            }
        }
        let refused = refused.expect("300 in five minutes are enough");
        clear(&refused, 429, "too many");
        assert!(refused.headers.contains_key("retry-after"));
    }
}

on_both! {
    /// What is wrong is said in one sentence, whichever part of the house found it.
    async fn a_refusal_is_one_sentence(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let multipart = async |method: http::Method, path: &str, name: &str, file: &[u8]| {
            let head = format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"x\"\r\n\r\n");
            let body = [head.as_bytes(), file, b"\r\n--B--\r\n"].concat();
            let request = dana.request(method, path).header("content-type", "multipart/form-data; boundary=B");
            Answer::read(request.body(body).send().await.unwrap()).await
        };
        let video = [&[0, 0, 0, 0x18][..], b"ftypmp42\0\0\0\0mp42isom"].concat();
        let cut = &crate::api::PNG[..20];
        let upload = async |path: &str, file: &[u8]| multipart(http::Method::POST, path, "file", file).await;
        let wear = async |name: &str, file: &[u8]| {
            multipart(http::Method::PATCH, "/api/v1/accounts/update_credentials", name, file).await
        };
        let many: Vec<String> = (1..=9).map(|n| n.to_string()).collect();
        for (answer, sentence) in [
            (upload("/api/v2/media", &video).await, "file was not taken: a video cannot be used here"),
            (upload("/api/v1/media", b"hello").await, "file was not taken: this kind of file cannot be used here"),
            (upload("/api/v2/media", cut).await, "file was not taken: the picture cannot be read"),
            (wear("header", &video).await, "header was not taken: a video cannot be used here"),
            (wear("avatar", cut).await, "avatar was not taken: the picture cannot be read"),
            (multipart(http::Method::POST, "/api/v2/media", "other", b"x").await, "file can't be blank"),
            (dana.post("/api/v1/statuses", json!({"media_ids": many})).await, "media_ids must not be more than 4"),
            (dana.post("/api/v1/lists", json!({"title": ""})).await, "title can't be blank"),
            (dana.post("/api/v1/reports", json!({"account_id": dana.id})).await, "account_id is your own account"),
            (dana.get("/api/v2/search?q=x&type=all").await, "type must be one of accounts, statuses, hashtags"),
        ] {
            assert_eq!(answer.status, 422, "{sentence}: {}", answer.text);
            let error = answer.json()["error"].as_str().unwrap().to_owned();
            assert!(error.starts_with(&format!("Validation failed: {sentence}")), "{error}");
        }
    }
}
