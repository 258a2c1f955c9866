//! Another server is down while members take back what waits for it: it never gets that, and what takes it back goes
//! only to whom may have a copy, before everything else.

use std::time::Duration;

use app::accounts::{By, delete, disable};
use domain::{AccountId, PostId};
use federation::outbound::distribute::Said;
use serde_json::{Value, json};
use testkit::remote::Somebody;
use testkit::{Engine, Instance, Person, Remote, eventually, on_both};

/// Dana at maple, and carol at oak, who follows her. Oak takes what it is sent.
async fn places(engine: Engine) -> (Instance, Remote, Person, Somebody) {
    let (maple, oak) = (Instance::start("maple", engine).await, Remote::start("oak").await);
    let (dana, carol) = (maple.member("dana").await, oak.person("carol"));
    follows(&maple, &oak, &carol, &dana).await;
    (maple, oak, dana, carol)
}

async fn follows(maple: &Instance, oak: &Remote, carol: &Somebody, dana: &Person) {
    let uri = format!("{}/users/{}", maple.base, dana.username);
    assert_eq!(carol.post(maple, &carol.does("Follow", &json!(uri))).await, 202);
    eventually("the follow is accepted", async || {
        oak.received().iter().any(|a| a["type"] == "Accept" && a["actor"] == uri).then_some(())
    })
    .await;
}

/// Oak goes down, and a post that fails to be delivered makes maple leave it alone for a while: what comes after it is
/// not begun. Gives that post.
async fn goes_down(maple: &Instance, oak: &Remote, dana: &Person) -> Value {
    eventually("all is quiet", async || (waiting(maple).await == 0).then_some(())).await;
    oak.rest(true);
    let tried = dana.publish("tried in vain", "public").await;
    eventually("oak is left alone", async || {
        let mut conn = maple.app().db.read().await.unwrap();
        let failing = storage::hosts::failing(&mut conn, &[domain::Host::parse(&oak.domain).unwrap()]).await.unwrap();
        (!failing.is_empty()).then_some(())
    })
    .await;
    tried
}

/// Oak is up again, and everything that waited arrives.
async fn comes_back(maple: &Instance, oak: &Remote) {
    jobs_end(maple).await;
    oak.rest(false);
    maple.clock.advance(Duration::from_secs(10 * 60));
    eventually("everything that waited arrives", async || (waiting(maple).await == 0).then_some(())).await;
}

async fn jobs_end(maple: &Instance) {
    eventually("every job is done", async || {
        let mut conn = maple.app().db.read().await.unwrap();
        (storage::jobs::backlog(&mut conn).await.unwrap().0 == 0).then_some(())
    })
    .await;
}

/// Jobs and deliveries that wait.
async fn waiting(maple: &Instance) -> i64 {
    let mut conn = maple.app().db.read().await.unwrap();
    let (jobs, _) = storage::jobs::backlog(&mut conn).await.unwrap();
    jobs + storage::deliveries::backlog(&mut conn).await.unwrap().0
}

fn kinds(received: &[Value]) -> Vec<String> {
    received.iter().map(|a| a["type"].as_str().unwrap_or_default().to_owned()).collect()
}

fn id(of: &Value) -> String {
    of["id"].as_str().unwrap().to_owned()
}

on_both! {
    /// A post that was tried may have arrived: its deletion goes. One that was never begun leaves no trace at all.
    async fn a_post_deleted_while_a_server_is_down_is_never_published_there(engine) {
        let (maple, oak, dana, _carol) = places(engine).await;
        let tried = goes_down(&maple, &oak, &dana).await;
        let before = oak.received().len();
        let unsent = dana.publish("a slip of the tongue", "public").await;
        dana.publish("meant so", "public").await;
        jobs_end(&maple).await;
        for post in [&tried, &unsent] {
            dana.delete(&format!("/api/v1/statuses/{}", id(post))).await.ok();
        }
        comes_back(&maple, &oak).await;
        let received = oak.received().split_off(before);
        assert_eq!(kinds(&received), ["Delete", "Create"], "{received:#?}");
        assert_eq!(received[0]["object"]["id"], tried["uri"]);
        assert!(received[1].to_string().contains("meant so"));
    }
}

on_both! {
    /// Nothing of it goes out either when it is deleted before anybody worked on it.
    async fn a_post_deleted_at_once_is_not_published_after_its_deletion(engine) {
        let (maple, oak, dana, _carol) = places(engine).await;
        eventually("all is quiet", async || (waiting(&maple).await == 0).then_some(())).await;
        let before = oak.received().len();
        let app = maple.app();
        let mut conn = app.db.read().await.unwrap();
        let author = storage::accounts::get(&mut conn, dana.account_id()).await.unwrap();
        drop(conn);
        // In one breath: a worker hardly comes between. If one does, it has begun to send the post (and may find, before
        // it stores the deliveries, that it is gone), and then the deletion is told.
        let draft = app::posts::publish::Draft { text: "never mind".to_owned(), ..Default::default() };
        let post = app::posts::publish::publish(app, &author, draft).await.unwrap();
        app::posts::delete::delete(app, &author, post, app::posts::delete::Media::Remove).await.unwrap();
        eventually("all is quiet", async || (waiting(&maple).await == 0).then_some(())).await;
        let received = kinds(&oak.received().split_off(before));
        let received: Vec<&str> = received.iter().map(String::as_str).collect();
        assert!(matches!(*received, [] | ["Delete"] | ["Create", "Delete"]), "{received:?}");
    }
}

on_both! {
    async fn an_account_deleted_while_a_server_is_down_says_goodbye_and_nothing_else(engine) {
        let (maple, oak, dana, carol) = places(engine).await;
        let erin = maple.member("erin").await;
        follows(&maple, &oak, &carol, &erin).await;
        goes_down(&maple, &oak, &dana).await;
        let before = oak.received().len();
        for n in 0..40 {
            erin.publish(&format!("erin's {n}"), "public").await;
        }
        let hers = dana.publish("dana's words", "public").await;
        dana.delete(&format!("/api/v1/statuses/{}", id(&hers))).await.ok();
        jobs_end(&maple).await;
        delete::delete(maple.app(), By::Operator, dana.account_id()).await.unwrap();
        comes_back(&maple, &oak).await;
        let received = oak.received().split_off(before);
        let hers: Vec<&Value> = received.iter().filter(|a| a["actor"].as_str().unwrap().ends_with("/dana")).collect();
        assert_eq!(hers.len(), 1, "{hers:#?}");
        assert_eq!(hers[0]["object"], hers[0]["actor"]);
        // Before what was asked for before it.
        assert_eq!(received[0]["type"], "Delete", "{:?}", kinds(&received));
        assert_eq!(received.len(), 41);
    }
}

on_both! {
    async fn an_edit_of_a_post_that_waits_leaves_nothing_of_its_first_words(engine) {
        let (maple, oak, dana, _carol) = places(engine).await;
        goes_down(&maple, &oak, &dana).await;
        let before = oak.received().len();
        let post = dana.publish("my address is 5 Elm Street", "public").await;
        jobs_end(&maple).await;
        for words in ["my address is Elm Street", "my address is no secret"] {
            dana.put(&format!("/api/v1/statuses/{}", id(&post)), json!({"status": words})).await.ok();
            jobs_end(&maple).await;
        }
        comes_back(&maple, &oak).await;
        let received = oak.received().split_off(before);
        let all = json!(received).to_string();
        assert!(!all.contains("Elm Street") && all.contains("no secret"), "{received:#?}");
        let of_it: Vec<&Value> = received.iter().filter(|a| a["object"]["id"] == post["uri"]).collect();
        assert_eq!(of_it[0]["type"], "Create", "{of_it:#?}");
    }
}

on_both! {
    async fn whoever_an_edit_takes_out_does_not_get_what_waited_for_them(engine) {
        let (maple, oak, dana, _carol) = places(engine).await;
        goes_down(&maple, &oak, &dana).await;
        let elm = Remote::start("elm").await;
        let erin = elm.person("erin");
        elm.rest(true);
        dana.find(&format!("erin@{}", erin.domain())).await;
        let words = format!("@erin@{} are you there?", erin.domain());
        let post = dana.post("/api/v1/statuses", json!({"status": words, "visibility": "direct"})).await.ok();
        let second = dana.post("/api/v1/statuses", json!({"status": words, "visibility": "direct"})).await.ok();
        jobs_end(&maple).await;
        for post in [post, second] {
            let words = json!({"status": "wrong person"});
            dana.put(&format!("/api/v1/statuses/{}", id(&post)), words).await.ok();
        }
        jobs_end(&maple).await;
        elm.rest(false);
        comes_back(&maple, &oak).await;
        assert_eq!(kinds(&elm.received()), Vec::<String>::new());
    }
}

on_both! {
    /// A like, a follow and a boost that nobody heard of need not be taken back.
    async fn what_is_undone_while_it_waits_is_not_told(engine) {
        let (maple, oak, dana, carol) = places(engine).await;
        let note = carol.note("/notes/1", "<p>hello</p>");
        oak.show("/notes/1", &note);
        let found = dana.get(&format!("/api/v2/search?resolve=true&q={}", oak.url("/notes/1"))).await.ok();
        let (post, carol_here) = (id(&found["statuses"][0]), id(&found["statuses"][0]["account"]));
        goes_down(&maple, &oak, &dana).await;
        let before = oak.received().len();
        for verbs in [["favourite", "unfavourite"], ["reblog", "unreblog"]] {
            for verb in verbs {
                dana.post(&format!("/api/v1/statuses/{post}/{verb}"), json!({})).await.ok();
                jobs_end(&maple).await;
            }
        }
        for verb in ["follow", "unfollow", "block", "unblock"] {
            dana.post(&format!("/api/v1/accounts/{carol_here}/{verb}"), json!({})).await.ok();
            jobs_end(&maple).await;
        }
        comes_back(&maple, &oak).await;
        // Carol followed: the block ended that, and she is told. What waited for her as a follower is dropped.
        assert_eq!(kinds(&oak.received().split_off(before)), ["Reject"]);
    }
}

on_both! {
    /// Posts that wait for a follower go no more to whom was removed, was blocked, or went.
    async fn whoever_follows_no_more_does_not_get_what_waited_for_them(engine) {
        for how in ["remove_from_followers", "block", "leaves"] {
            let (maple, oak, dana, carol) = places(engine).await;
            let carol_here = dana.find(&format!("carol@{}", carol.domain())).await;
            goes_down(&maple, &oak, &dana).await;
            let before = oak.received().len();
            dana.publish("for friends", "private").await;
            dana.publish("for everybody", "public").await;
            jobs_end(&maple).await;
            if how == "leaves" {
                let dana_uri = format!("{}/users/dana", maple.base);
                let follow = json!({"type": "Follow", "actor": carol.uri, "object": dana_uri});
                assert_eq!(carol.post(&maple, &carol.does("Undo", &follow)).await, 202);
                eventually("she follows no more", async || {
                    (dana.relationship(&carol_here).await["followed_by"] == false).then_some(())
                })
                .await;
            } else {
                dana.post(&format!("/api/v1/accounts/{carol_here}/{how}"), json!({})).await.ok();
            }
            comes_back(&maple, &oak).await;
            let received = oak.received().split_off(before);
            assert!(!kinds(&received).contains(&"Create".to_owned()), "{how}: {received:#?}");
        }
    }
}

on_both! {
    /// Whoever got the boost may have fetched the post from here: its deletion is told to them.
    async fn a_post_that_was_boosted_may_be_anywhere(engine) {
        let (maple, oak, dana, _carol) = places(engine).await;
        let erin = maple.member("erin").await;
        goes_down(&maple, &oak, &dana).await;
        let before = oak.received().len();
        let post = dana.publish("shared and gone", "public").await;
        erin.post(&format!("/api/v1/statuses/{}/reblog", id(&post)), json!({})).await.ok();
        jobs_end(&maple).await;
        dana.delete(&format!("/api/v1/statuses/{}", id(&post))).await.ok();
        comes_back(&maple, &oak).await;
        assert_eq!(kinds(&oak.received().split_off(before)), ["Delete", "Create"]);
    }
}

on_both! {
    /// Nothing that the member says, in a post or otherwise. What the member takes back is sent, and so are blocks.
    async fn what_a_closed_account_says_is_not_sent(engine) {
        let (maple, oak, dana, carol) = places(engine).await;
        let frank = oak.person("frank");
        oak.show("/notes/1", &carol.note("/notes/1", "<p>hello</p>"));
        let found = dana.get(&format!("/api/v2/search?resolve=true&q={}", oak.url("/notes/1"))).await.ok();
        let (note, carol_here) = (id(&found["statuses"][0]), id(&found["statuses"][0]["account"]));
        let frank_here = dana.find(&format!("frank@{}", frank.domain())).await;
        let tried = goes_down(&maple, &oak, &dana).await;
        let before = oak.received().len();
        let spam = dana.publish("spam", "public").await;
        for verb in ["favourite", "reblog"] {
            dana.post(&format!("/api/v1/statuses/{note}/{verb}"), json!({})).await.ok();
        }
        dana.post(&format!("/api/v1/statuses/{}/pin", id(&spam)), json!({})).await.ok();
        dana.post(&format!("/api/v1/accounts/{carol_here}/follow"), json!({})).await.ok();
        dana.patch("/api/v1/accounts/update_credentials", json!({"note": "spam"})).await.ok();
        dana.post(&format!("/api/v1/accounts/{frank_here}/block"), json!({})).await.ok();
        dana.delete(&format!("/api/v1/statuses/{}", id(&tried))).await.ok();
        jobs_end(&maple).await;
        let me = dana.account_id();
        disable::disable(maple.app(), By::Operator, me).await.unwrap();
        // And nothing comes of jobs that began before.
        let (fed, carol_here) = (maple.federation(), AccountId(carol_here.parse().unwrap()));
        let like = "https://maple.example/likes/1";
        fed.distribute_favourite(me, PostId(note.parse().unwrap()), like, Said::First).await.unwrap();
        fed.distribute_follow(me, carol_here, "https://maple.example/follows/1", Said::First).await.unwrap();
        fed.distribute_pin(me, PostId(id(&spam).parse().unwrap()), true).await.unwrap();
        fed.distribute_account(me).await.unwrap();
        comes_back(&maple, &oak).await;
        assert_eq!(kinds(&oak.received().split_off(before)), ["Delete", "Block"]);
        // Opened again, its profile and what it still asks for are told.
        let before = oak.received().len();
        disable::enable(maple.app(), By::Operator, me).await.unwrap();
        eventually("all is quiet", async || (waiting(&maple).await == 0).then_some(())).await;
        let mut told = kinds(&oak.received().split_off(before));
        told.sort();
        assert_eq!(told, ["Follow", "Update"]);
    }
}

on_both! {
    async fn of_a_profile_only_the_last_version_is_sent(engine) {
        let (maple, oak, dana, _carol) = places(engine).await;
        goes_down(&maple, &oak, &dana).await;
        let before = oak.received().len();
        for note in ["I live in 5 Elm Street", "I live in Elm Street", "I live somewhere"] {
            dana.patch("/api/v1/accounts/update_credentials", json!({"note": note})).await.ok();
            jobs_end(&maple).await;
        }
        comes_back(&maple, &oak).await;
        let received = oak.received().split_off(before);
        assert_eq!(kinds(&received), ["Create", "Update"]);
        assert!(json!(received).to_string().contains("somewhere") && !json!(received).to_string().contains("Elm"));
    }
}

on_both! {
    /// A member wants nothing more to do with a community: what waits for its people does not go there, and what names
    /// them later neither. That a post is gone is told to those that may have it.
    async fn a_community_that_its_author_blocks_gets_nothing_that_waited(engine) {
        let (maple, oak, dana, carol) = places(engine).await;
        let elm = Remote::start("elm").await;
        let erin = elm.person("erin");
        dana.find(&format!("erin@{}", erin.domain())).await;
        let tried = goes_down(&maple, &oak, &dana).await;
        let before = oak.received().len();
        let both = format!("@carol@{} @erin@{}, are you there?", carol.domain(), erin.domain());
        oak.show("/notes/1", &carol.note("/notes/1", "<p>hello</p>"));
        let found = dana.get(&format!("/api/v2/search?resolve=true&q={}", oak.url("/notes/1"))).await.ok();
        dana.post(&format!("/api/v1/statuses/{}/reblog", id(&found["statuses"][0])), json!({})).await.ok();
        dana.patch("/api/v1/accounts/update_credentials", json!({"note": "where I live"})).await.ok();
        for visibility in ["direct", "private", "public"] {
            dana.post("/api/v1/statuses", json!({"status": both, "visibility": visibility})).await.ok();
        }
        jobs_end(&maple).await;
        dana.post("/api/v1/domain_blocks", json!({"domain": oak.domain})).await.ok();
        dana.post("/api/v1/statuses", json!({"status": both, "visibility": "direct"})).await.ok();
        jobs_end(&maple).await;
        dana.delete(&format!("/api/v1/statuses/{}", id(&tried))).await.ok();
        comes_back(&maple, &oak).await;
        assert_eq!(kinds(&oak.received().split_off(before)), ["Delete", "Reject"]);
        assert_eq!(elm.received().len(), 4, "others are not concerned");
    }
}

on_both! {
    /// A post that waits for a server, where somebody had it all the same for a moment.
    async fn whoever_liked_it_once_may_have_it(engine) {
        let (maple, oak, dana, carol) = places(engine).await;
        goes_down(&maple, &oak, &dana).await;
        let before = oak.received().len();
        let post = dana.publish("soon gone", "public").await;
        jobs_end(&maple).await;
        let like = carol.does("Like", &post["uri"]);
        let path = format!("/api/v1/statuses/{}", id(&post));
        let count = async || dana.get(&path).await.ok()["favourites_count"].clone();
        assert_eq!(carol.post(&maple, &like).await, 202);
        eventually("it is liked", async || (count().await == 1).then_some(())).await;
        assert_eq!(carol.post(&maple, &carol.does("Undo", &like)).await, 202);
        eventually("it is not", async || (count().await == 0).then_some(())).await;
        dana.delete(&path).await.ok();
        comes_back(&maple, &oak).await;
        assert_eq!(kinds(&oak.received().split_off(before)), ["Delete", "Create"], "and what was tried in vain");
    }
}

on_both! {
    /// However the jobs are done, the last word holds.
    async fn a_pin_that_was_taken_off_since_is_not_told(engine) {
        let (maple, oak, dana, _carol) = places(engine).await;
        let post = dana.publish("who we are", "public").await;
        eventually("all is quiet", async || (waiting(&maple).await == 0).then_some(())).await;
        let before = oak.received().len();
        let (me, post_id) = (dana.account_id(), PostId(id(&post).parse().unwrap()));
        maple.federation().distribute_pin(me, post_id, true).await.unwrap();
        dana.post(&format!("/api/v1/statuses/{post_id}/pin"), json!({})).await.ok();
        maple.federation().distribute_pin(me, post_id, false).await.unwrap();
        eventually("all is quiet", async || (waiting(&maple).await == 0).then_some(())).await;
        assert_eq!(kinds(&oak.received().split_off(before)), ["Add"]);
    }
}

on_both! {
    /// A boost that could not be worked on yet, and its being taken back.
    async fn what_is_undone_before_it_was_worked_on_is_not_published_here(engine) {
        let (maple, _oak, dana, carol) = places(engine).await;
        carol.is_followed_by(&dana, &maple).await;
        // What it shares cannot be asked for now.
        let elm = Remote::start("elm").await;
        let announce = carol.does("Announce", &json!(elm.url("/notes/7")));
        elm.answer("/notes/7", 503, "text/plain", "");
        assert_eq!(carol.post(&maple, &announce).await, 202);
        eventually("it is tried", async || (elm.times_asked("/notes/7") > 0).then_some(())).await;
        assert_eq!(carol.post(&maple, &carol.does("Undo", &announce)).await, 202);
        let other = carol.note("/notes/2", "<p>something else</p>");
        assert_eq!(carol.post(&maple, &carol.does("Create", &other)).await, 202);
        dana.sees("what came after it", |p| p["content"].as_str().unwrap().contains("something else")).await;
        let erin = elm.person("erin");
        elm.show("/notes/7", &erin.note("/notes/7", "<p>shared in error</p>"));
        maple.clock.advance(Duration::from_secs(60 * 60));
        crate::strangers::settled(&maple).await;
        assert!(!json!(dana.home().await).to_string().contains("shared in error"));
    }
}

on_both! {
    /// A post whose author went, or which is gone itself, is dropped on its way into the queue too.
    async fn a_job_under_way_finds_out_that_its_post_is_gone(engine) {
        let (maple, oak, dana, _carol) = places(engine).await;
        goes_down(&maple, &oak, &dana).await;
        let post = dana.publish("soon gone", "public").await;
        jobs_end(&maple).await;
        let post = PostId(id(&post).parse().unwrap());
        dana.delete(&format!("/api/v1/statuses/{post}")).await.ok();
        jobs_end(&maple).await;
        let left = waiting(&maple).await;
        // Run once more, as after a crash.
        maple.federation().distribute_post(post, true).await.unwrap();
        maple.federation().distribute_edit(post, &[]).await.unwrap();
        assert_eq!(waiting(&maple).await, left);
    }
}

on_both! {
    /// A picture of another server arrives when nothing shows it any more.
    async fn a_file_that_arrives_after_its_post_was_deleted_is_removed(engine) {
        let maple = Instance::start("maple", engine).await;
        let app = maple.app();
        let bytes = axum::body::Bytes::from_static(b"bytes");
        let key = app::attachments::keep_file_of_post(app, bytes, "mp4").await.unwrap();
        assert!(app.media.exists(&key).await.unwrap());
        app::remote_media::keep_attachment(app, domain::AttachmentId(1), &key, None).await.unwrap();
        eventually("the file is removed", async || (!app.media.exists(&key).await.unwrap()).then_some(())).await;
    }
}

on_both! {
    /// The post and its edit are two jobs, which may be done at once: nobody is left with the words before.
    async fn an_edit_right_after_the_post_is_what_every_inbox_ends_with(engine) {
        let (maple, oak, dana, _carol) = places(engine).await;
        let mut all = Vec::new();
        for n in 0..30 {
            let post = dana.publish(&format!("slip {n}"), "public").await;
            let edit = json!({"status": format!("meant {n}")});
            dana.put(&format!("/api/v1/statuses/{}", id(&post)), edit).await.ok();
            all.push(post["uri"].clone());
        }
        eventually("all is sent", async || (waiting(&maple).await == 0).then_some(())).await;
        let received = oak.received();
        for uri in &all {
            let last = received.iter().rfind(|a| a["object"]["id"] == *uri).unwrap();
            assert!(last["object"]["content"].as_str().unwrap().contains("meant"), "{last}");
        }
    }
}
