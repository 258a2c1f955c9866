//! Ids belong to their host: nobody takes the address of another server's post, activity or account, in any verb.

use federation::inbound::Verdict;
use serde_json::{Value, json};
use storage::{follows, posts};
use testkit::{Instance, Remote, eventually, on_both};

use crate::strangers::{account_at, arrives, post_at, settled, with};

on_both! {
    /// Every verb that an attacker may send, with the id of what somebody else is about to post: the true post arrives
    /// all the same, and the address leads to it.
    async fn an_activity_cannot_take_the_id_of_another_server_s_post(engine) {
        let maple = Instance::start("maple", engine).await;
        let (alice, willow, evil) = (maple.member("alice").await, Remote::start("willow").await, Remote::start("evil").await);
        let (bob, x) = (willow.person("bob"), evil.person("x"));
        bob.is_followed_by(&alice, &maple).await;
        x.is_followed_by(&alice, &maple).await;
        let hers = alice.publish("mine", "public").await;
        let alice_uri = format!("{}/users/alice", maple.base);
        let shared = x.note("/notes/shared", "<p>look at this</p>");
        assert_eq!(x.post(&maple, &x.does("Create", &shared)).await, 202);
        arrives(&maple, &evil.url("/notes/shared")).await;
        let verbs: [(&str, Value); 8] = [
            ("Announce", hers["uri"].clone()),
            ("Announce", shared["id"].clone()),
            ("Like", hers["uri"].clone()),
            ("EmojiReact", hers["uri"].clone()),
            ("Follow", json!(alice_uri)),
            ("Flag", json!([alice_uri, hers["uri"]])),
            ("Block", json!(alice_uri)),
            ("Create", x.note("/notes/other", "<p>unasked</p>")),
        ];
        for (n, (verb, object)) in verbs.iter().enumerate() {
            let note = bob.note(&format!("/notes/{n}"), &format!("<p>bob's number {n}</p>"));
            let stolen = with(&x.does(verb, object), &json!({"id": note["id"], "to": ["as:Public"]}));
            assert_eq!(x.post(&maple, &stolen).await, 202);
            settled(&maple).await;
            assert_eq!(post_at(&maple, note["id"].as_str().unwrap()).await, None, "{verb}");
            assert_eq!(bob.post(&maple, &bob.does("Create", &note)).await, 202);
            let post = arrives(&maple, note["id"].as_str().unwrap()).await;
            let bob = account_at(&maple, &bob.uri).await.unwrap();
            assert_eq!((post.account_id, post.boost_of_id), (bob.id, None), "{verb}");
        }
    }
}

on_both! {
    /// Ids of ours, of other servers, none, and no address at all: what was done is done, under an id that its sender
    /// may give out or that is ours and cannot be guessed; and it can be taken back.
    async fn what_has_no_usable_id_gets_one_of_ours(engine) {
        let maple = Instance::start("maple", engine).await;
        let (alice, evil) = (maple.member("alice").await, Remote::start("evil").await);
        let hers = alice.publish("mine", "public").await;
        let (uri, alice_uri) = (hers["uri"].as_str().unwrap(), format!("{}/users/alice", maple.base));
        let original = post_at(&maple, uri).await.unwrap();
        let ours = format!("{}/users/alice/statuses/1", maple.base);
        let ids = [json!(ours), json!("https://willow.example/notes/1"), Value::Null, json!(""), json!("x"), json!(7), json!("as:Public")];
        for (n, id) in ids.into_iter().enumerate() {
            let x = evil.person(&format!("x{n}"));
            let says = |verb: &str, object: Value| with(&x.does(verb, &object), &json!({"id": id, "to": ["as:Public"]}));
            assert_eq!(x.post(&maple, &says("Like", json!(uri))).await, 202);
            let known = eventually("x is known", async || account_at(&maple, &x.uri).await).await;
            let fed = maple.federation();
            assert_eq!(fed.process(&known, &says("Announce", json!(uri))).await, Verdict::Done, "{id}");
            assert_eq!(fed.process(&known, &says("Follow", json!(alice_uri))).await, Verdict::Done, "{id}");
            let mut conn = maple.app().db.read().await.unwrap();
            let boost = posts::boost_by(&mut conn, known.id, original.id).await.unwrap().unwrap();
            let follow = follows::find(&mut conn, known.id, original.account_id).await.unwrap().unwrap();
            drop(conn);
            for made in [&boost.uri, &follow.uri] {
                let word = made.strip_prefix(&format!("{}/received/", maple.base));
                assert_eq!(word.map(str::len), Some(32), "{id} {made}");
            }
            assert_ne!(boost.uri, follow.uri);
            // The same again is nothing new.
            assert_eq!(fed.process(&known, &says("Announce", json!(uri))).await, Verdict::Ignored("nothing changed"));
            for verb in ["Announce", "Follow"] {
                let object = if verb == "Follow" { json!(alice_uri) } else { json!(uri) };
                let undo = with(&x.does("Undo", &says(verb, object)), &json!({"id": id}));
                assert_eq!(fed.process(&known, &undo).await, Verdict::Done, "{id} {verb}");
            }
        }
        assert_eq!(post_at(&maple, uri).await.unwrap().boosts_count, 0);
    }
}
