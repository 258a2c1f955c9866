//! Shapes in which other programs send what they mean: audiences, authors and actors left out or said elsewhere, and
//! our own addresses in every spelling.

use serde_json::{Value, json};
use testkit::{Remote, eventually, on_both};

use crate::strangers::{arrives, follower_and_followed, post_at, says, with};

const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

fn without(value: &Value, keys: &[&str]) -> Value {
    let mut value = value.clone();
    for key in keys {
        value.as_object_mut().unwrap().remove(*key);
    }
    value
}

on_both! {
    async fn an_audience_may_stand_on_the_activity_alone(engine) {
        let (maple, dana, oak, carol) = follower_and_followed(engine, "dana").await;
        let followers = format!("{}/followers", carol.uri);
        for (n, (to, cc, visibility)) in [
            (json!([PUBLIC]), json!([followers]), "public"),
            (json!(followers), json!(["as:Public"]), "unlisted"),
            (json!([followers]), json!(null), "private"),
            (json!([format!("{}/users/dana", maple.base)]), json!([]), "direct"),
        ].into_iter().enumerate() {
            let note = without(&carol.note(&format!("/notes/{n}"), "<p>hello</p>"), &["to", "cc"]);
            let create = with(&carol.does("Create", &note), &json!({"to": to, "cc": cc}));
            says(&carol, &maple, &create).await;
            let post = post_at(&maple, note["id"].as_str().unwrap()).await.unwrap();
            let shown = dana.get(&format!("/api/v1/statuses/{}", post.id)).await.ok();
            assert_eq!(shown["visibility"], visibility, "{n}");
        }
        // Each says a part of it.
        let note = with(&carol.note("/notes/9", "<p>both</p>"), &json!({"to": [followers], "cc": []}));
        let create = with(&carol.does("Create", &note), &json!({"to": [], "cc": [PUBLIC]}));
        says(&carol, &maple, &create).await;
        let post = arrives(&maple, &oak.url("/notes/9")).await;
        let visible = async || dana.get(&format!("/api/v1/statuses/{}", post.id)).await.ok()["visibility"].clone();
        assert_eq!(visible().await, "unlisted");
        // An edit of a post that is not here says as much.
        let other = with(&note, &json!({"id": oak.url("/notes/10"), "updated": "2031-01-01T00:00:00Z"}));
        says(&carol, &maple, &with(&carol.does("Update", &other), &json!({"cc": [PUBLIC]}))).await;
        let first = arrives(&maple, &oak.url("/notes/10")).await;
        let shown = dana.get(&format!("/api/v1/statuses/{}", first.id)).await.ok();
        assert_eq!(shown["visibility"], "unlisted");
        // And so does an edit of it.
        let edited = with(&note, &json!({"content": "<p>edited</p>", "updated": "2031-01-01T00:00:00Z"}));
        says(&carol, &maple, &with(&carol.does("Update", &edited), &json!({"cc": [PUBLIC]}))).await;
        assert_eq!(visible().await, "unlisted");
    }
}

on_both! {
    /// A person acts for a group of the same server; nobody else does, and nobody for a person.
    async fn a_person_writes_edits_and_deletes_for_a_group(engine) {
        let (maple, dana, oak, carol) = follower_and_followed(engine, "dana").await;
        let mut knitters = oak.person("knitters");
        knitters.document["type"] = json!("Group");
        knitters.show();
        knitters.is_followed_by(&dana, &maple).await;
        let (dave, evil) = (oak.person("dave"), Remote::start("evil").await.person("x"));
        dave.is_followed_by(&dana, &maple).await;
        for n in 0..3 {
            let note = knitters.note(&format!("/events/{n}"), "<p>Wool on Friday</p>");
            says(&carol, &maple, &carol.does("Create", &note)).await;
            let post = arrives(&maple, note["id"].as_str().unwrap()).await;
            let edited = with(&note, &json!({"content": "<p>Wool on Sunday</p>", "updated": "2031-01-01T00:00:00Z"}));
            says(&evil, &maple, &evil.does("Update", &edited)).await;
            says(&evil, &maple, &evil.does("Delete", &note["id"])).await;
            let text = async || post_at(&maple, note["id"].as_str().unwrap()).await.map(|post| post.content);
            assert_eq!(text().await.as_deref(), Some("<p>Wool on Friday</p>"));
            says(&carol, &maple, &carol.does("Update", &edited)).await;
            assert_eq!(text().await.as_deref(), Some("<p>Wool on Sunday</p>"));
            let shown = dana.get(&format!("/api/v1/statuses/{}", post.id)).await.ok();
            assert_eq!(shown["account"]["username"], "knitters");
            let object = [note["id"].clone(), json!({"type": "Tombstone", "id": note["id"]}), note.clone()][n].clone();
            says(&carol, &maple, &carol.does("Delete", &object)).await;
            assert_eq!(text().await, None);
        }
        // A person's post is that person's alone.
        let note = dave.note("/notes/1", "<p>dave's</p>");
        says(&dave, &maple, &dave.does("Create", &note)).await;
        let edited = with(&note, &json!({"content": "<p>carol's</p>", "updated": "2031-01-01T00:00:00Z"}));
        says(&carol, &maple, &carol.does("Update", &edited)).await;
        says(&carol, &maple, &carol.does("Delete", &note["id"])).await;
        assert_eq!(arrives(&maple, note["id"].as_str().unwrap()).await.content, "<p>dave's</p>");
    }
}

on_both! {
    async fn inner_activities_may_be_bare(engine) {
        let (maple, dana, oak, carol) = follower_and_followed(engine, "dana").await;
        let target = json!(format!("{}/users/dana", maple.base));
        let post = dana.publish("for everybody", "public").await;
        let so = async || {
            let shown = dana.get(&format!("/api/v1/statuses/{}", post["id"].as_str().unwrap())).await.ok();
            let id = dana.find(&format!("carol@{}", carol.domain())).await;
            let between = dana.relationship(&id).await;
            json!([between["followed_by"], shown["favourites_count"], shown["reblogs_count"], between["blocked_by"]])
        };
        let all = [
            carol.does("Follow", &target),
            carol.does("Like", &post["uri"]),
            with(&carol.does("Announce", &post["uri"]), &json!({"to": [PUBLIC]})),
        ];
        // A block ends what was between the two: it comes last.
        let block = carol.does("Block", &target);
        for what in &all {
            says(&carol, &maple, what).await;
            assert_ne!(so().await, json!([false, 0, 0, false]), "{what}");
            let bare = without(what, &["id", "actor", "@context"]);
            says(&carol, &maple, &carol.does("Undo", &bare)).await;
            assert_eq!(so().await, json!([false, 0, 0, false]), "{what}");
        }
        // What a group announces: the post counts, as it stands at its origin.
        let dave = oak.person("dave");
        for (n, keys) in [&["actor"][..], &["actor", "id"], &["actor", "id", "to", "cc"]].iter().enumerate() {
            let note = dave.note(&format!("/notes/{n}"), "<p>from a forum</p>");
            oak.show(&format!("/notes/{n}"), &note);
            let announce = with(&carol.does("Announce", &without(&dave.does("Create", &note), keys)), &json!({
                "to": [PUBLIC], "cc": [format!("{}/followers", carol.uri)],
            }));
            says(&carol, &maple, &announce).await;
            dana.sees("the announced post", |post| post["reblog"]["uri"] == note["id"]).await;
        }
        says(&carol, &maple, &block).await;
        assert_eq!(so().await[3], true);
        says(&carol, &maple, &carol.does("Undo", &without(&block, &["id", "actor", "@context"]))).await;
        assert_eq!(so().await[3], false);
        // The answer to a follow, by its id alone within it.
        let erin = oak.person("erin");
        let id = dana.find(&format!("erin@{}", oak.domain)).await;
        dana.post(&format!("/api/v1/accounts/{id}/follow"), json!({})).await.ok();
        let follow = eventually("the follow", async || {
            oak.received().into_iter().find(|a| a["type"] == "Follow" && a["object"] == *erin.uri)
        })
        .await;
        says(&erin, &maple, &erin.does("Accept", &json!({"type": "Follow", "id": follow["id"]}))).await;
        eventually("it is accepted", async || (dana.relationship(&id).await["following"] == true).then_some(())).await;
    }
}

on_both! {
    /// Pages' addresses instead of ids, with whatever stands behind them.
    async fn our_addresses_lead_to_what_is_there(engine) {
        let (maple, dana, oak, carol) = follower_and_followed(engine, "dana").await;
        let upper = maple.base.replace("maple", "MAPLE");
        let key = |post: &Value| post["uri"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        let mut followed = Vec::new();
        for (n, at) in [
            format!("{}/@dana", maple.base),
            format!("{}/@dana/", maple.base),
            format!("{upper}/%40dana?lang=en#bio"),
            format!("{upper}/users/dana/"),
        ].iter().enumerate() {
            let somebody = oak.person(&format!("p{n}"));
            says(&somebody, &maple, &somebody.does("Follow", &json!(at))).await;
            followed.push(somebody.uri.clone());
        }
        let me = dana.get("/api/v1/accounts/verify_credentials").await.ok();
        assert_eq!(me["followers_count"], followed.len());
        for n in 0..3 {
            let post = dana.publish(&format!("number {n}"), "public").await;
            let at = [
                format!("{}/@dana/{}", maple.base, key(&post)),
                format!("{upper}/@dana/{}/?x=1", key(&post)),
                format!("{}/users/dana/statuses/{}/#top", upper, key(&post)),
            ][n].clone();
            says(&carol, &maple, &carol.does("Like", &json!(at))).await;
            says(&carol, &maple, &with(&carol.does("Announce", &json!(at)), &json!({"to": [PUBLIC]}))).await;
            let answer = with(&carol.note(&format!("/notes/{n}"), "<p>yes</p>"), &json!({"inReplyTo": at}));
            says(&carol, &maple, &carol.does("Create", &answer)).await;
            let shown = dana.get(&format!("/api/v1/statuses/{}", post["id"].as_str().unwrap())).await.ok();
            assert_eq!(
                (&shown["favourites_count"], &shown["reblogs_count"], &shown["replies_count"]),
                (&json!(1), &json!(1), &json!(1)),
                "{at}"
            );
            says(&carol, &maple, &carol.does("Undo", &without(&carol.does("Like", &json!(at)), &["id"]))).await;
            let shown = dana.get(&format!("/api/v1/statuses/{}", post["id"].as_str().unwrap())).await.ok();
            assert_eq!(shown["favourites_count"], 0);
        }
        // A mention by the page's address.
        let named = with(&carol.note("/notes/named", "<p>@dana</p>"), &json!({
            "to": [format!("{upper}/@dana/")], "cc": [],
            "tag": [{"type": "Mention", "href": format!("{}/%40dana", maple.base)}],
        }));
        says(&carol, &maple, &carol.does("Create", &named)).await;
        assert_eq!(dana.notifications("mention").await.len(), 1);
    }
}
