//! What takes something back may come before it, from servers that send from several processes: then it is not done
//! when it comes after all, for a day.

use std::time::Duration;

use serde_json::json;
use testkit::on_both;

use crate::strangers::{follower_and_followed, post_at, says, with};

on_both! {
    async fn a_deleted_post_is_not_shown_when_it_comes_late(engine) {
        let (maple, dana, oak, carol) = follower_and_followed(engine, "dana").await;
        let tombstone = |path: &str| json!({"type": "Tombstone", "id": oak.url(path)});
        let deletes = [tombstone("/notes/0"), json!(oak.url("/notes/1")), tombstone("/notes/2")];
        for (n, delete) in deletes.iter().enumerate() {
            let note = carol.note(&format!("/notes/{n}"), "<p>a slip</p>");
            says(&carol, &maple, &carol.does("Delete", delete)).await;
            // As a new post, as an edit of it, or both.
            let verbs: &[&str] = [&["Create"][..], &["Update"], &["Update", "Create"]][n];
            for verb in verbs {
                let note = with(&note, &json!({"updated": "2031-01-01T00:00:00Z"}));
                says(&carol, &maple, &carol.does(verb, &note)).await;
            }
            assert_eq!(post_at(&maple, note["id"].as_str().unwrap()).await, None, "{n}");
        }
        assert!(dana.home().await.is_empty());
        // A stranger's deletion is nothing to carol's posts.
        let dave = oak.person("dave");
        let kept = carol.note("/notes/3", "<p>stays</p>");
        says(&dave, &maple, &dave.does("Delete", &kept["id"])).await;
        says(&carol, &maple, &carol.does("Create", &kept)).await;
        dana.sees("what nobody deleted", |post| post["uri"] == kept["id"]).await;
    }
}

on_both! {
    /// An edit that comes before the post is the post; the post changes nothing then.
    async fn an_edit_that_comes_first_is_what_is_shown(engine) {
        let (maple, dana, _oak, carol) = follower_and_followed(engine, "dana").await;
        let note = carol.note("/notes/1", "<p>frist</p>");
        let edited = with(&note, &json!({"content": "<p>first</p>", "updated": "2031-01-01T00:00:00Z"}));
        says(&carol, &maple, &carol.does("Update", &edited)).await;
        says(&carol, &maple, &carol.does("Create", &note)).await;
        let shown = dana.sees("the edited post", |post| post["uri"] == note["id"]).await;
        assert_eq!(shown["content"], "<p>first</p>");
        assert_eq!(dana.home().await.len(), 1);
    }
}

on_both! {
    async fn what_was_undone_is_not_done_when_it_comes_late(engine) {
        let (maple, dana, _oak, carol) = follower_and_followed(engine, "dana").await;
        let post = dana.publish("for everybody", "public").await;
        let public = json!({"to": ["https://www.w3.org/ns/activitystreams#Public"]});
        let all = [
            carol.does("Follow", &json!(format!("{}/users/dana", maple.base))),
            carol.does("Like", &post["uri"]),
            with(&carol.does("Announce", &post["uri"]), &public),
            carol.does("Block", &json!(format!("{}/users/dana", maple.base))),
        ];
        let what_is_so = async || {
            let post = dana.get(&format!("/api/v1/statuses/{}", post["id"].as_str().unwrap())).await.ok();
            let id = dana.find(&format!("carol@{}", carol.domain())).await;
            let between = dana.relationship(&id).await;
            json!([post["favourites_count"], post["reblogs_count"], between["followed_by"], between["blocked_by"]])
        };
        for (n, first) in all.iter().enumerate() {
            // In full, in full without ids, and by the id alone.
            let mut bare = first.clone();
            drop(bare.as_object_mut().unwrap().remove("id"));
            let other = with(first, &json!({"id": format!("{}/other/{n}", carol.uri)}));
            for (said, undone) in [(first, first), (&bare, &bare), (&other, &other["id"])] {
                says(&carol, &maple, &carol.does("Undo", undone)).await;
                says(&carol, &maple, said).await;
                assert_eq!(what_is_so().await, json!([0, 0, false, false]), "{n} {undone}");
            }
            // That is done with: said anew, it is done. (And not what comes a day later.)
            let anew = with(first, &json!({"id": format!("{}/anew/{n}", carol.uri)}));
            says(&carol, &maple, &anew).await;
            assert_ne!(what_is_so().await, json!([0, 0, false, false]), "{n}");
            says(&carol, &maple, &carol.does("Undo", &anew)).await;
            assert_eq!(what_is_so().await, json!([0, 0, false, false]), "{n}");
            let late = with(first, &json!({"id": format!("{}/late/{n}", carol.uri)}));
            says(&carol, &maple, &carol.does("Undo", &late)).await;
            maple.clock.advance(Duration::from_secs(25 * 3600));
            server::schedule::hourly(maple.federation()).await.unwrap();
            says(&carol, &maple, &late).await;
            assert_ne!(what_is_so().await, json!([0, 0, false, false]), "{n}");
            says(&carol, &maple, &carol.does("Undo", &late)).await;
        }
    }
}
