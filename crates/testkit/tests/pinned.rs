//! What somebody of another server puts at the top of her profile, and takes off it again.

use federation::inbound::Verdict;
use serde_json::{Value, json};
use testkit::remote::Somebody;
use testkit::{Person, eventually, on_both};

use crate::strangers::{account_at, arrives, follower_and_followed, post_at, with};

fn featured(who: &Somebody, kind: &str, post: &Value) -> Value {
    with(&who.does(kind, post), &json!({"target": format!("{}/featured", who.uri)}))
}

/// The ids of the posts on top of somebody's profile, as alice sees it.
async fn pinned(alice: &Person, carol: &Somebody) -> Vec<Value> {
    let id = alice.find(&format!("carol@{}", carol.domain())).await;
    let posts = alice.get(&format!("/api/v1/accounts/{id}/statuses?pinned=true")).await.ok();
    posts.as_array().unwrap().iter().map(|post| post["uri"].clone()).collect()
}

on_both! {
    async fn pins_come_and_go(engine) {
        let (maple, alice, oak, carol) = follower_and_followed(engine, "alice").await;
        let note = carol.note("/notes/1", "<p>who we are</p>");
        assert_eq!(carol.post(&maple, &carol.does("Create", &note)).await, 202);
        arrives(&maple, &oak.url("/notes/1")).await;
        assert!(pinned(&alice, &carol).await.is_empty());
        assert_eq!(carol.post(&maple, &featured(&carol, "Add", &note["id"])).await, 202);
        eventually("it is on top", async || (pinned(&alice, &carol).await == [note["id"].clone()]).then_some(())).await;
        assert_eq!(carol.post(&maple, &featured(&carol, "Remove", &note["id"])).await, 202);
        eventually("it is not", async || pinned(&alice, &carol).await.is_empty().then_some(())).await;

        // One that was posted before anybody here knew her is fetched.
        let older = with(&carol.note("/notes/0", "<p>long ago</p>"), &json!({"published": "2020-01-01T00:00:00Z"}));
        oak.show("/notes/0", &older);
        assert_eq!(carol.post(&maple, &featured(&carol, "Add", &older["id"])).await, 202);
        eventually("it is on top", async || (pinned(&alice, &carol).await == [older["id"].clone()]).then_some(())).await;
        assert!(!alice.home().await.iter().any(|post| post["uri"] == older["id"]), "it is no news");
    }
}

on_both! {
    async fn nobody_pins_for_others_or_what_is_anothers(engine) {
        let (maple, alice, oak, carol) = follower_and_followed(engine, "alice").await;
        let dave = oak.person("dave");
        let note = carol.note("/notes/1", "<p>hers</p>");
        assert_eq!(carol.post(&maple, &carol.does("Create", &note)).await, 202);
        arrives(&maple, &oak.url("/notes/1")).await;
        // Dave makes himself known here.
        assert_eq!(dave.post(&maple, &dave.does("Like", &json!("https://elm.example/1"))).await, 202);
        let (fed, dave_here) = (maple.federation(), account_at(&maple, &dave.uri).await.unwrap());
        let carol_here = account_at(&maple, &carol.uri).await.unwrap();

        let nothing = Verdict::Ignored("nothing changed");
        let elsewhere = Verdict::Ignored("a collection that is not kept here");
        let to_hers = with(&dave.does("Add", &note["id"]), &json!({"target": format!("{}/featured", carol.uri)}));
        assert_eq!(fed.process(&dave_here, &to_hers).await, elsewhere);
        assert_eq!(fed.process(&dave_here, &featured(&dave, "Add", &note["id"])).await, nothing);
        assert_eq!(fed.process(&carol_here, &carol.does("Add", &note["id"])).await, elsewhere, "no target");
        // Another server's post, and one of a member here, are not asked for.
        let foreign = json!("https://elm.example/notes/1");
        assert_eq!(fed.process(&carol_here, &featured(&carol, "Add", &foreign)).await, nothing);
        let ours = alice.publish("mine", "public").await;
        assert_eq!(fed.process(&carol_here, &featured(&carol, "Add", &ours["uri"])).await, nothing);
        // Dave, whom nobody here follows, makes nobody fetch what he pins.
        oak.show("/notes/2", &dave.note("/notes/2", "<p>his</p>"));
        assert_eq!(fed.process(&dave_here, &featured(&dave, "Add", &json!(oak.url("/notes/2")))).await, nothing);
        assert!(post_at(&maple, &oak.url("/notes/2")).await.is_none());
        assert!(pinned(&alice, &carol).await.is_empty());
        assert_eq!(fed.process(&carol_here, &featured(&carol, "Add", &note["id"])).await, Verdict::Done);
        // Dave takes nothing off her profile.
        let off_hers = with(&dave.does("Remove", &note["id"]), &json!({"target": format!("{}/featured", carol.uri)}));
        assert_eq!(fed.process(&dave_here, &off_hers).await, elsewhere);
        assert_eq!(fed.process(&dave_here, &featured(&dave, "Remove", &note["id"])).await, nothing);
        assert_eq!(pinned(&alice, &carol).await, [note["id"].clone()]);
    }
}
