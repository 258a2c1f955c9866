//! What other servers say under ids that they use again, or without any: what counts is what it says.

use serde_json::{Value, json};
use testkit::remote::Somebody;
use testkit::{Engine, Instance, Person, Remote, on_both};

use crate::strangers::{says, with};

async fn places(engine: Engine) -> (Instance, Person, Somebody) {
    let maple = Instance::start("maple", engine).await;
    let dana = maple.member("dana").await;
    let carol = Remote::start("oak").await.person("carol");
    (maple, dana, carol)
}

/// An activity as this server names it: by one id for ever, by none, or anew each time.
fn named(activity: &Value, how: usize, what: &str) -> Value {
    let mut activity = activity.clone();
    match how {
        0 => activity["id"] = format!("{}#{what}", activity["actor"].as_str().unwrap()).into(),
        1 => drop(activity.as_object_mut().unwrap().remove("id")),
        _ => {}
    }
    activity
}

async fn followers(dana: &Person) -> i64 {
    let me = dana.get("/api/v1/accounts/verify_credentials").await.ok();
    me["followers_count"].as_i64().unwrap()
}

async fn counts(dana: &Person, post: &Value) -> (i64, i64) {
    let post = dana.get(&format!("/api/v1/statuses/{}", post["id"].as_str().unwrap())).await.ok();
    (post["favourites_count"].as_i64().unwrap(), post["reblogs_count"].as_i64().unwrap())
}

on_both! {
    /// Follow, unfollow, follow, unfollow: each is done, whatever the ids.
    async fn a_follow_may_come_and_go_as_often_as_it_likes(engine) {
        let (maple, dana, carol) = places(engine).await;
        let target = json!(format!("{}/users/dana", maple.base));
        for how in 0..3 {
            for _ in 0..3 {
                let follow = named(&carol.does("Follow", &target), how, "follow");
                says(&carol, &maple, &follow).await;
                assert_eq!(followers(&dana).await, 1, "{how}");
                // The same once more changes nothing.
                says(&carol, &maple, &follow).await;
                assert_eq!((followers(&dana).await, dana.notifications("follow").await.len()), (1, 1), "{how}");
                let undo = named(&carol.does("Undo", &follow), how, "undo");
                for _ in 0..2 {
                    says(&carol, &maple, &undo).await;
                    assert_eq!(followers(&dana).await, 0, "{how}");
                }
            }
        }
    }
}

on_both! {
    /// An `Undo` that is sent again after years does not stand in the way of what is said anew.
    async fn an_undo_that_comes_again_is_no_undo_of_what_follows(engine) {
        let (maple, dana, carol) = places(engine).await;
        let follow = named(&carol.does("Follow", &json!(format!("{}/users/dana", maple.base))), 0, "follow");
        says(&carol, &maple, &follow).await;
        maple.clock.advance(std::time::Duration::from_secs(20 * 86_400));
        server::schedule::hourly(maple.federation()).await.unwrap();
        let undo = named(&carol.does("Undo", &follow), 0, "undo");
        for _ in 0..2 {
            says(&carol, &maple, &undo).await;
            assert_eq!(followers(&dana).await, 0);
        }
        says(&carol, &maple, &follow).await;
        assert_eq!(followers(&dana).await, 1);
        // By its id alone, too.
        let post = dana.publish("liked for long", "public").await;
        let like = named(&carol.does("Like", &post["uri"]), 0, "like");
        says(&carol, &maple, &like).await;
        maple.clock.advance(std::time::Duration::from_secs(20 * 86_400));
        server::schedule::hourly(maple.federation()).await.unwrap();
        let undo = named(&carol.does("Undo", &like["id"]), 0, "unlike");
        for _ in 0..2 {
            says(&carol, &maple, &undo).await;
            assert_eq!(counts(&dana, &post).await, (0, 0));
        }
        says(&carol, &maple, &like).await;
        assert_eq!(counts(&dana, &post).await, (1, 0));
    }
}

on_both! {
    async fn so_may_favourites_boosts_and_blocks(engine) {
        let (maple, dana, carol) = places(engine).await;
        let post = dana.publish("going round", "public").await;
        for how in 0..3 {
            for _ in 0..2 {
                let like = named(&carol.does("Like", &post["uri"]), how, "like");
                let boost = with(&carol.does("Announce", &post["uri"]), &json!({
                    "to": ["https://www.w3.org/ns/activitystreams#Public"],
                }));
                let boost = named(&boost, how, "boost");
                for what in [&like, &boost, &like, &boost] {
                    says(&carol, &maple, what).await;
                }
                assert_eq!(counts(&dana, &post).await, (1, 1), "{how}");
                for what in [&like, &boost, &boost] {
                    says(&carol, &maple, &named(&carol.does("Undo", what), how, "undo")).await;
                }
                assert_eq!(counts(&dana, &post).await, (0, 0), "{how}");
            }
        }
        // By its id alone, as some take it back.
        let like = named(&carol.does("Like", &post["uri"]), 0, "like");
        for _ in 0..2 {
            says(&carol, &maple, &like).await;
            assert_eq!(counts(&dana, &post).await, (1, 0));
            says(&carol, &maple, &named(&carol.does("Undo", &like["id"]), 0, "undo")).await;
            assert_eq!(counts(&dana, &post).await, (0, 0));
        }
        let blocked = async || {
            let id = dana.find(&format!("carol@{}", carol.domain())).await;
            dana.relationship(&id).await["blocked_by"] == true
        };
        let block = named(&carol.does("Block", &json!(format!("{}/users/dana", maple.base))), 0, "block");
        for _ in 0..2 {
            says(&carol, &maple, &block).await;
            assert!(blocked().await);
            says(&carol, &maple, &named(&carol.does("Undo", &block), 0, "undo")).await;
            assert!(!blocked().await);
        }
    }
}

on_both! {
    /// One id for everything of a kind: each post is liked, boosted and written all the same.
    async fn one_id_for_all_of_somebodys_activities_loses_none(engine) {
        let (maple, dana, carol) = places(engine).await;
        carol.is_followed_by(&dana, &maple).await;
        let (one, two) = (dana.publish("one", "public").await, dana.publish("two", "public").await);
        for post in [&one, &two] {
            says(&carol, &maple, &named(&carol.does("Like", &post["uri"]), 0, "like")).await;
            let boost = with(&carol.does("Announce", &post["uri"]), &json!({
                "to": ["https://www.w3.org/ns/activitystreams#Public"],
            }));
            says(&carol, &maple, &named(&boost, 0, "boost")).await;
        }
        assert_eq!((counts(&dana, &one).await, counts(&dana, &two).await), ((1, 1), (1, 1)));
        // Undone with what it was about, only that is undone.
        let boost = named(&carol.does("Announce", &two["uri"]), 0, "boost");
        says(&carol, &maple, &carol.does("Undo", &boost)).await;
        assert_eq!((counts(&dana, &one).await, counts(&dana, &two).await), ((1, 1), (1, 0)));
        for n in 0..3 {
            let note = carol.note(&format!("/notes/{n}"), &format!("<p>number {n}</p>"));
            says(&carol, &maple, &named(&carol.does("Create", &note), 0, "create")).await;
            dana.sees("each post", |post| post["uri"] == note["id"]).await;
        }
        // What would tell somebody twice is told once.
        let mention = with(&carol.note("/notes/9", "<p>@dana</p>"), &json!({
            "tag": [{"type": "Mention", "href": format!("{}/users/dana", maple.base)}],
            "to": [format!("{}/users/dana", maple.base)], "cc": [],
        }));
        let create = named(&carol.does("Create", &mention), 1, "");
        for _ in 0..3 {
            says(&carol, &maple, &create).await;
        }
        let told = dana.notifications("mention").await;
        assert_eq!(told.len(), 1);
    }
}
