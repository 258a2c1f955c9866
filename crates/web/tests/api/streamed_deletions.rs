//! What live streams tell of posts that are gone.

use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use testkit::{Instance, Person, on_both};
use tokio_tungstenite::tungstenite::Message;

use crate::api::id;
use crate::api::media::upload;
use crate::api::streaming::{connect, next};

on_both! {
    /// That a post is gone is told where it was, and nowhere else: nobody learns of what they never had.
    async fn a_deletion_is_told_where_the_post_was(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        let (olga, lena) = (house.member("olga").await, house.member("lena").await);
        dana.follow(&priya).await;
        olga.follow(&priya).await;
        let list = async |who: &Person, replies: &str| {
            let list = id(&who.post("/api/v1/lists", json!({"title": "x", "replies_policy": replies})).await.ok());
            who.post(&format!("/api/v1/lists/{list}/accounts"), json!({"account_ids": [priya.id]})).await.ok();
            format!("list&list={list}")
        };
        let (with_replies, without) = (list(&dana, "followed").await, list(&dana, "none").await);
        let empty = format!("list&list={}", id(&dana.post("/api/v1/lists", json!({"title": "empty"})).await.ok()));
        let everywhere = &["user", "list", "none", "public", "public:local", "#cup", "olga"];
        let posts: Vec<(Value, &[&str])> = vec![
            (priya.publish("a #cup of tea", "public").await, everywhere),
            (priya.publish("quiet #cup", "unlisted").await, &["user", "list", "none", "olga"]),
            (priya.publish("for followers #cup", "private").await, &["user", "list", "none", "olga"]),
            (priya.publish("@lena psst", "direct").await, &["lena"]),
            (lena.publish("a stranger's #cup", "public").await, &["public", "public:local", "#cup", "lena"]),
        ];
        let answer = json!({"status": "yes", "in_reply_to_id": id(&posts[0].0), "visibility": "public"});
        let to_herself = priya.post("/api/v1/statuses", answer).await.ok();
        let asked = id(&dana.publish("tea?", "unlisted").await);
        let answer = json!({"status": "oh", "in_reply_to_id": asked, "visibility": "public"});
        let to_dana = priya.post("/api/v1/statuses", answer).await.ok();
        let shared = id(&lena.publish("shared", "unlisted").await);
        let boost = priya.post(&format!("/api/v1/statuses/{shared}/reblog"), json!({})).await.ok();
        let mut all = posts;
        all.push((to_herself, &["user", "list", "none", "public", "public:local", "olga"]));
        all.push((to_dana, &["user"]));
        all.push((boost, &["user", "list", "none", "olga"]));

        // Nobody listened while they were written.
        let mut ears = Vec::new();
        for (name, stream, who) in [
            ("user", "user", &dana),
            ("list", with_replies.as_str(), &dana),
            ("none", without.as_str(), &dana),
            ("empty", empty.as_str(), &dana),
            ("public", "public", &dana),
            ("public:local", "public:local", &dana),
            ("public:remote", "public:remote", &dana),
            ("media", "public:media", &dana),
            ("#cup", "hashtag&tag=cup", &dana),
            ("#coffee", "hashtag&tag=coffee", &dana),
            ("olga", "user", &olga),
            ("lena", "user", &lena),
            ("direct", "direct", &olga),
            ("notified", "user:notification", &dana),
        ] {
            let query = format!("?stream={stream}&access_token={}", who.token);
            ears.push((name, connect(&house, &query, None).await.unwrap()));
        }
        for (n, (post, told)) in all.iter().enumerate() {
            let author = if post["account"]["id"] == lena.id.as_str() { &lena } else { &priya };
            author.delete(&format!("/api/v1/statuses/{}", id(post))).await.ok();
            for (name, socket) in &mut ears {
                if told.contains(name) {
                    let (_, event, text) = next(socket).await;
                    assert_eq!((event.as_str(), text), ("delete", id(post)), "post {n} on {name}");
                }
            }
        }
        for (name, mut socket) in ears {
            let frame = tokio::time::timeout(Duration::from_millis(200), socket.next()).await;
            if let Ok(Some(Ok(Message::Text(text)))) = frame {
                panic!("{name} was told {text}");
            }
        }
    }
}

on_both! {
    /// Of whom an account that listens to pictures hears: posts that showed one, whatever becomes of it.
    async fn a_deletion_is_told_to_streams_of_media_where_there_was_one(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let mut socket = connect(&house, "?stream=public:media", None).await.unwrap();
        for query in ["", "?delete_media=true"] {
            let picture = id(&upload(&dana, "a cup").await.ok());
            let post = dana.post("/api/v1/statuses", json!({"status": "tea", "media_ids": [picture]})).await.ok();
            assert_eq!(next(&mut socket).await.1, "update");
            let words = id(&dana.publish("words", "public").await);
            dana.delete(&format!("/api/v1/statuses/{words}")).await.ok();
            dana.delete(&format!("/api/v1/statuses/{}{query}", id(&post))).await.ok();
            let (_, event, text) = next(&mut socket).await;
            assert_eq!((event.as_str(), text), ("delete", id(&post)));
        }
    }
}
