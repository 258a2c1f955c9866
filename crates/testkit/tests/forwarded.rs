//! Activities that somebody else than their actor sends on: answers that the owner of a discussion passes to those
//! who follow it. What counts is what the actor's own server says.

use federation::inbound::Verdict;
use serde_json::json;
use testkit::{Engine, Instance, Person, Remote, eventually, on_both};

use crate::strangers::{account_at, arrives, only_to, post_at, with};

/// bob of willow, whom alice of maple follows; carol of oak, whom nobody knows; bob's post, as maple has it.
async fn discussion(engine: Engine) -> (Instance, Person, Remote, testkit::remote::Somebody, serde_json::Value) {
    let maple = Instance::start("maple", engine).await;
    let alice = maple.member("alice").await;
    let (willow, oak) = (Remote::start("willow").await, Remote::start("oak").await);
    let bob = willow.person("bob");
    bob.is_followed_by(&alice, &maple).await;
    let start = bob.note("/notes/start", "<p>Who has a cot to lend?</p>");
    assert_eq!(bob.post(&maple, &bob.does("Create", &start)).await, 202);
    arrives(&maple, &willow.url("/notes/start")).await;
    (maple, alice, oak, bob, start)
}

/// The server that passed something on: whom what we ask for it is charged to.
fn passing_on() -> domain::Host {
    domain::Host::parse("passing-on.example").unwrap()
}

on_both! {
    async fn an_answer_passed_on_by_the_discussions_owner_is_read_at_its_origin(engine) {
        let (maple, alice, oak, bob, start) = discussion(engine).await;
        let carol = oak.person("carol");
        let answer = with(&carol.note("/notes/1", "<p>We have one!</p>"), &json!({"inReplyTo": start["id"]}));
        oak.show("/notes/1", &answer);
        let forged = carol.does("Create", &with(&answer, &json!({"content": "<p>forged</p>"})));
        assert_eq!(bob.post(&maple, &forged).await, 202);
        let here = arrives(&maple, &oak.url("/notes/1")).await;
        assert_eq!(here.content, "<p>We have one!</p>");
        // It stands in the discussion that alice follows, though she does not know carol.
        let first = post_at(&maple, start["id"].as_str().unwrap()).await.unwrap();
        let context = alice.get(&format!("/api/v1/statuses/{}/context", first.id)).await.ok();
        assert_eq!(context["descendants"][0]["uri"], answer["id"]);
        let asked = oak.asked();
        let fetched = asked.iter().find(|asked| asked.target == "/notes/1").unwrap();
        assert!(fetched.headers.contains_key("signature"), "a signed fetch");

        // Her own sending of it later is not taken for the same, and changes nothing.
        assert_eq!(carol.post(&maple, &forged).await, 202);
        // What concerns nobody is not kept, and its author is not even asked for.
        let dave = oak.person("dave");
        let aside = dave.note("/notes/2", "<p>aside</p>");
        oak.show("/notes/2", &aside);
        assert_eq!(
            maple.federation().process_forwarded(&dave.does("Create", &aside), &passing_on()).await,
            Verdict::Ignored("it concerns nobody here")
        );
        assert_eq!(oak.times_asked("/users/dave"), 0);
        assert_eq!(
            maple.federation().process_forwarded(&forged, &passing_on()).await,
            Verdict::Ignored("known already")
        );
    }
}

on_both! {
    async fn edits_and_deletions_passed_on_count_when_the_origin_says_the_same(engine) {
        let (maple, _alice, oak, bob, start) = discussion(engine).await;
        let carol = oak.person("carol");
        let answer = with(&carol.note("/notes/1", "<p>first</p>"), &json!({"inReplyTo": start["id"]}));
        oak.show("/notes/1", &answer);
        assert_eq!(bob.post(&maple, &carol.does("Create", &answer)).await, 202);
        let uri = oak.url("/notes/1");
        arrives(&maple, &uri).await;

        let edited = with(&answer, &json!({"content": "<p>second</p>", "updated": "2026-11-22T12:00:00Z"}));
        let update = carol.does("Update", &with(&edited, &json!({"content": "<p>forged</p>"})));
        let fed = maple.federation();
        assert_eq!(
            fed.process_forwarded(&update, &passing_on()).await,
            Verdict::Ignored("its origin does not say when it was edited"),
            "the origin knows of no edit"
        );
        oak.show("/notes/1", &edited);
        assert_eq!(bob.post(&maple, &update).await, 202);
        eventually("the edit is here", async || {
            (post_at(&maple, &uri).await?.content == "<p>second</p>").then_some(())
        })
        .await;

        let delete = carol.does("Delete", &json!({"type": "Tombstone", "id": uri}));
        assert_eq!(fed.process_forwarded(&delete, &passing_on()).await, Verdict::Rejected("its origin still has it"));
        oak.answer("/notes/1", 503, "text/plain", "");
        assert!(matches!(fed.process_forwarded(&delete, &passing_on()).await, Verdict::RetryLater(_)));
        oak.answer("/notes/1", 403, "text/plain", "");
        assert!(matches!(fed.process_forwarded(&delete, &passing_on()).await, Verdict::Rejected(_)));
        assert!(post_at(&maple, &uri).await.is_some());
        oak.hide("/notes/1");
        assert_eq!(bob.post(&maple, &delete).await, 202);
        eventually("it is gone", async || post_at(&maple, &uri).await.is_none().then_some(())).await;
        assert_eq!(fed.process_forwarded(&delete, &passing_on()).await, Verdict::Ignored("it is not here"));
    }
}

on_both! {
    async fn what_is_not_for_everybody_is_gone_only_when_its_origin_says_gone(engine) {
        let (maple, alice, oak, _bob, _start) = discussion(engine).await;
        let alice = format!("{}/users/{}", maple.base, alice.username);
        let (carol, fed) = (oak.person("carol"), maple.federation());
        for (n, ends) in [(1, "410"), (2, "tombstone")] {
            let path = format!("/notes/{n}");
            let private = with(&carol.note(&path, "<p>between us</p>"), &only_to(&alice));
            assert_eq!(carol.post(&maple, &carol.does("Create", &private)).await, 202);
            arrives(&maple, &oak.url(&path)).await;
            let delete = carol.does("Delete", &json!(oak.url(&path)));
            // To anyone but alice the origin says that there is nothing.
            assert_eq!(
                fed.process_forwarded(&delete, &passing_on()).await,
                Verdict::Rejected("its origin does not say that it is gone")
            );
            match ends {
                "410" => oak.answer(&path, 410, "text/plain", ""),
                _ => oak.show(&path, &json!({"id": oak.url(&path), "type": "Tombstone"})),
            }
            assert_eq!(fed.process_forwarded(&delete, &passing_on()).await, Verdict::Done, "{ends}");
        }
        // So is an account.
        let end = carol.does("Delete", &json!(carol.uri));
        assert_eq!(fed.process_forwarded(&end, &passing_on()).await, Verdict::Rejected("its origin still has it"));
        oak.hide("/users/carol");
        assert_eq!(
            fed.process_forwarded(&end, &passing_on()).await,
            Verdict::Rejected("its origin does not say that it is gone")
        );
        oak.answer("/users/carol", 410, "text/plain", "");
        assert_eq!(fed.process_forwarded(&end, &passing_on()).await, Verdict::Done);
        assert!(account_at(&maple, &carol.uri).await.is_none());
    }
}

on_both! {
    async fn what_cannot_be_asked_for_is_rejected_and_forgeries_change_nothing(engine) {
        let (maple, _alice, oak, bob, start) = discussion(engine).await;
        let (carol, fed) = (oak.person("carol"), maple.federation());
        let rejected = async |activity| match fed.process_forwarded(&activity, &passing_on()).await {
            Verdict::Rejected(why) => why,
            other => panic!("{other:?}"),
        };
        let mut nameless = carol.note("/notes/1", "<p>x</p>");
        nameless.as_object_mut().unwrap().remove("id");
        assert_eq!(rejected(carol.does("Create", &nameless)).await, "nothing to ask its origin for");
        // Another server's post in carol's name, and one of maple's.
        let foreign = with(&nameless, &json!({"id": "https://elm.example/notes/1"}));
        assert_eq!(rejected(carol.does("Create", &foreign)).await, "something of another server");
        let ours = json!(format!("{}/users/alice/statuses/1", maple.base));
        assert_eq!(rejected(carol.does("Delete", &ours)).await, "something of another server");
        let thing = json!(oak.url("/notes/1"));
        for kind in ["Like", "Announce", "Undo", "Follow", "Move", "Flag"] {
            assert_eq!(rejected(carol.does(kind, &thing)).await, "something that only its actor may send", "{kind}");
        }
        // The origin calls it by another server's name, or by another author's.
        let answer = with(&carol.note("/notes/1", "<p>x</p>"), &json!({"inReplyTo": start["id"]}));
        oak.show("/notes/1", &with(&answer, &json!({"attributedTo": bob.uri})));
        rejected(carol.does("Create", &answer)).await;
        oak.show("/notes/1", &with(&answer, &json!({"id": start["id"]})));
        let verdict = fed.process_forwarded(&carol.does("Create", &answer), &passing_on()).await;
        assert_eq!(verdict, Verdict::Ignored("what it is about is not there"), "willow shows no such post");

        // Made up altogether: accepted from bob, whose signature is right, and nothing comes of it. What carol then
        // sends under the same id herself is taken.
        oak.hide("/notes/1");
        let create = carol.does("Create", &answer);
        assert_eq!(bob.post(&maple, &create).await, 202);
        eventually("it was looked for", async || (oak.times_asked("/notes/1") >= 3).then_some(())).await;
        assert_eq!(carol.post(&maple, &create).await, 202);
        assert_eq!(arrives(&maple, &oak.url("/notes/1")).await.content, "<p>x</p>");
        // In the name of a member nobody passes anything on.
        let as_alice = with(&create, &json!({"actor": format!("{}/users/alice", maple.base)}));
        assert_eq!(bob.post(&maple, &as_alice).await, 403);
    }
}
