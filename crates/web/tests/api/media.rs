//! `/api/v1/media*`, `POST /api/v2/media`.

use serde_json::json;
use testkit::{Answer, Instance, Person, on_both};

use crate::api::{PNG, each, id};

pub async fn upload(person: &Person, description: &str) -> Answer {
    send(person, "/api/v2/media", PNG, description).await
}

async fn send(person: &Person, path: &str, file: &[u8], description: &str) -> Answer {
    let mut body =
        b"--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.png\"\r\nContent-Type: image/png\r\n\r\n"
            .to_vec();
    body.extend_from_slice(file);
    let rest =
        format!("\r\n--B\r\nContent-Disposition: form-data; name=\"description\"\r\n\r\n{description}\r\n--B--\r\n");
    body.extend_from_slice(rest.as_bytes());
    let request = person.request(http::Method::POST, path).header("content-type", "multipart/form-data; boundary=B");
    Answer::read(request.body(body).send().await.unwrap()).await
}

on_both! {
    /// A picture is taken in, described, focused, shown by a post, and served.
    async fn a_picture_is_uploaded_and_shown(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        let made = upload(&dana, "a cup").await.ok();
        assert_eq!((&made["type"], &made["description"]), (&json!("image"), &json!("a cup")));
        assert_eq!((&made["meta"]["original"]["width"], &made["meta"]["original"]["size"]), (&json!(2), &json!("2x2")));
        assert!(made["blurhash"].is_string() && made["preview_url"].is_string(), "{made}");
        let path = format!("/api/v1/media/{}", id(&made));
        let changed = dana.put(&path, json!({"description": "a blue cup", "focus": "0.5,-0.5"})).await.ok();
        assert_eq!((&changed["description"], &changed["meta"]["focus"]["y"]), (&json!("a blue cup"), &json!(-0.5)));
        assert_eq!(dana.get(&path).await.ok()["description"], "a blue cup");
        for answer in [priya.get(&path).await, priya.put(&path, json!({})).await, priya.delete(&path).await] {
            assert_eq!(answer.status, 404, "not hers: {}", answer.text);
        }
        let stolen = priya.post("/api/v1/statuses", json!({"status": "", "media_ids": [id(&made)]})).await;
        assert_eq!(stolen.status, 422, "{}", stolen.text);

        let post = dana.post("/api/v1/statuses", json!({"media_ids": [id(&made)]})).await.ok();
        assert_eq!(each(&post["media_attachments"], "id"), [id(&made)]);
        let list = format!("/api/v1/accounts/{}/statuses?only_media=true", dana.id);
        assert_eq!(each(&priya.get(&list).await.ok(), "id"), [id(&post)]);
        assert_eq!(dana.delete(&path).await.status, 422, "a post shows it");
        let unused = id(&send(&dana, "/api/v1/media", PNG, "").await.ok());
        assert_eq!(dana.delete(&format!("/api/v1/media/{unused}")).await.status, 200);
        assert_eq!(dana.get(&format!("/api/v1/media/{unused}")).await.status, 404);
    }
}

on_both! {
    /// What is no picture, or none that can be used, is refused in words.
    async fn what_is_no_picture_is_refused(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let cut = &PNG[..PNG.len() / 2];
        for file in [b"hello".as_slice(), b"", b"%PDF-1.7", cut] {
            let answer = send(&dana, "/api/v2/media", file, "").await;
            assert_eq!(answer.status, 422, "{}", answer.text);
            assert!(answer.json()["error"].as_str().unwrap().starts_with("Validation failed: file"), "{}", answer.text);
        }
        let long = send(&dana, "/api/v2/media", PNG, &"x".repeat(2_000)).await;
        assert_eq!(long.status, 422, "{}", long.text);
        assert_eq!(dana.post("/api/v2/media", json!({})).await.status, 422, "no file");
    }
}

/// What is answered at her own addresses of the picture itself, and of its small version.
async fn files(house: &Instance, made: &serde_json::Value) -> [Answer; 2] {
    let ask = async |which: &str| {
        let path = made[which].as_str().unwrap().strip_prefix(&house.base).unwrap();
        let response = house.request(http::Method::GET, path).send().await.unwrap();
        let headers = response.headers().clone();
        Answer { status: response.status().as_u16(), headers, text: String::new() }
    };
    [ask("url").await, ask("preview_url").await]
}

on_both! {
    /// Caches and pages elsewhere get only pictures that are for everybody.
    async fn a_picture_is_as_public_as_its_post(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        for (visibility, open) in [("public", true), ("unlisted", true), ("private", false), ("direct", false)] {
            let made = upload(&dana, "").await.ok();
            let check = async |open: bool| {
                for answer in files(&house, &made).await {
                    let cache = answer.headers["cache-control"].to_str().unwrap();
                    let wanted = if open { "public, max-age=31536000, immutable" } else { "private, no-cache" };
                    assert_eq!((answer.status, cache), (200, wanted), "{visibility}");
                    assert_eq!(answer.headers.contains_key("access-control-allow-origin"), open, "{visibility}");
                }
            };
            check(false).await;
            dana.post("/api/v1/statuses", json!({"media_ids": [id(&made)], "visibility": visibility})).await.ok();
            check(open).await;
        }
    }
}

on_both! {
    /// What a deleted post showed goes with it, or an hour later where she may write it anew.
    async fn the_pictures_of_a_deleted_post_go(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let post = async |made: &serde_json::Value| {
            id(&dana.post("/api/v1/statuses", json!({"media_ids": [id(made)], "visibility": "private"})).await.ok())
        };
        let gone = async |made: &serde_json::Value| {
            testkit::eventually("the files are gone", async || {
                files(&house, made).await.iter().all(|answer| answer.status == 404).then_some(())
            })
            .await;
        };
        let minutes = |n: u64| std::time::Duration::from_secs(n * 60);
        let (at_once, later, again) =
            (upload(&dana, "").await.ok(), upload(&dana, "").await.ok(), upload(&dana, "").await.ok());
        let delete = async |post: &str, query: &str| {
            dana.delete(&format!("/api/v1/statuses/{post}{query}")).await.ok();
        };
        delete(&post(&at_once).await, "?delete_media=true").await;
        gone(&at_once).await;
        delete(&post(&later).await, "").await;
        delete(&post(&again).await, "").await;
        house.pass(minutes(50)).await;
        let anew = post(&again).await;
        assert_eq!(dana.get(&format!("/api/v1/media/{}", id(&later))).await.status, 200, "it waits");
        house.pass(minutes(11)).await;
        gone(&later).await;
        assert_eq!(dana.get(&format!("/api/v1/media/{}", id(&later))).await.status, 404);
        house.pass(minutes(60)).await;
        let shown = dana.get(&format!("/api/v1/statuses/{anew}")).await.ok();
        assert_eq!(each(&shown["media_attachments"], "id"), [id(&again)]);
        assert!(files(&house, &again).await.iter().all(|answer| answer.status == 200), "shown again, it stays");
    }
}
