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
