//! Whose key signed: actors with several, of either kind, shown in their documents or kept in documents of their own.

use serde_json::{Value, json};
use testkit::remote::{Key, Somebody};
use testkit::{Engine, Instance, Remote, on_both};

async fn places(engine: Engine) -> (Instance, Remote, Somebody) {
    let (maple, oak) = (Instance::start("maple", engine).await, Remote::start("oak").await);
    let carol = oak.person("carol");
    (maple, oak, carol)
}

/// A key that was looked for in vain is not looked for again for so long.
const MOMENT: std::time::Duration = std::time::Duration::from_secs(61);

/// Something harmless to sign.
fn wave(who: &Somebody) -> Value {
    who.does("Like", &json!("https://elm.example/notes/1"))
}

on_both! {
    async fn any_of_an_actors_keys_will_do_and_a_dropped_one_does_not(engine) {
        let (mut maple, oak, mut carol) = places(engine).await;
        let second = Key::rsa(&format!("{}#second", carol.uri));
        let third = Key::ed25519(&format!("{}#ed25519-key", carol.uri));
        carol.document["publicKey"] = json!([carol.key.as_public_key(&carol.uri), second.as_public_key(&carol.uri)]);
        carol.document["assertionMethod"] = json!([third.as_multikey(&carol.uri)]);
        carol.show();
        for key in [&second, &third, &carol.key, &third] {
            assert_eq!(carol.post_with(key, &maple, &wave(&carol)).await, 202, "{}", key.id);
        }
        assert_eq!(oak.times_asked("/users/carol"), 1, "all keys are known by then");
        // They are kept: nobody is asked after the server starts again.
        maple.stop().await;
        maple.start_again().await;
        for key in [&third, &second, &carol.key] {
            assert_eq!(carol.post_with(key, &maple, &wave(&carol)).await, 202, "{}", key.id);
        }
        assert_eq!(oak.times_asked("/users/carol"), 1);

        // A forger knows the id, not the key: one more look, and no more for some minutes.
        let forged = Key::ed25519(&third.id);
        for _ in 0..3 {
            assert_eq!(carol.post_with(&forged, &maple, &wave(&carol)).await, 401);
        }
        assert_eq!(oak.times_asked("/users/carol"), 2);

        // She shows it no longer, and says so.
        carol.document["assertionMethod"] = json!([]);
        carol.show();
        assert_eq!(carol.post(&maple, &carol.does("Update", &carol.document)).await, 202);
        testkit::eventually("the key is forgotten", async || {
            (carol.post_with(&third, &maple, &wave(&carol)).await == 401).then_some(())
        })
        .await;
        assert_eq!(carol.post_with(&second, &maple, &wave(&carol)).await, 202);
    }
}

on_both! {
    async fn a_changed_ed25519_key_is_looked_up_once(engine) {
        let (maple, oak, mut carol) = places(engine).await;
        let id = format!("{}#ed25519-key", carol.uri);
        // Nothing but a Multikey: as good as any other.
        carol.document.as_object_mut().unwrap().remove("publicKey");
        for (n, key) in [Key::ed25519(&id), Key::ed25519(&id)].into_iter().enumerate() {
            carol.document["assertionMethod"] = key.as_multikey(&carol.uri);
            carol.show();
            assert_eq!(carol.post_with(&key, &maple, &wave(&carol)).await, 202);
            assert_eq!(oak.times_asked("/users/carol"), n + 1);
        }
    }
}

on_both! {
    async fn a_key_in_a_document_of_its_own_counts_when_it_and_its_owner_name_each_other(engine) {
        let (mut maple, oak, mut carol) = places(engine).await;
        let rsa = Key::rsa(&oak.url("/keys/1"));
        let ed25519 = Key::ed25519(&oak.url("/keys/2"));
        oak.show("/keys/1", &rsa.as_public_key(&carol.uri));
        oak.show("/keys/2", &ed25519.as_multikey(&carol.uri));
        assert_eq!(carol.post_with(&rsa, &maple, &wave(&carol)).await, 401, "she does not name it");
        carol.document["publicKey"] = json!(rsa.id);
        carol.document["assertionMethod"] = json!([ed25519.id]);
        carol.show();
        maple.clock.advance(MOMENT);
        let before = oak.times_asked("/users/carol");
        for key in [&rsa, &ed25519] {
            assert_eq!(carol.post_with(key, &maple, &wave(&carol)).await, 202, "{}", key.id);
        }
        assert_eq!(oak.times_asked("/users/carol"), before + 2, "once for each key");
        // Somebody forges first the one key, then the other: that she was looked at for the first is enough.
        let forged = Key::rsa(&rsa.id);
        assert_eq!(carol.post_with(&forged, &maple, &wave(&carol)).await, 401);
        let asked = oak.asked().len();
        assert_eq!(carol.post_with(&Key::ed25519(&ed25519.id), &maple, &wave(&carol)).await, 401);
        assert_eq!(oak.asked().len(), asked, "looked at a moment ago");
        maple.stop().await;
        maple.start_again().await;
        let asked = oak.asked().len();
        for key in [&rsa, &ed25519] {
            assert_eq!(carol.post_with(key, &maple, &wave(&carol)).await, 202, "{}", key.id);
        }
        assert_eq!(oak.asked().len(), asked, "known by then");

        // Named by its actor, but it names another.
        let dave = oak.person("dave");
        let other = Key::rsa(&oak.url("/keys/3"));
        oak.show("/keys/3", &other.as_public_key(&dave.uri));
        carol.document["publicKey"] = json!([rsa.id, other.id]);
        carol.show();
        assert_eq!(carol.post_with(&other, &maple, &wave(&carol)).await, 401);
        // Some serve the actor where the key should be: that will do.
        let gotosocial = Key::rsa(&format!("{}/main-key", carol.uri));
        carol.document["publicKey"] = gotosocial.as_public_key(&carol.uri);
        carol.show();
        assert_eq!(carol.post_with(&gotosocial, &maple, &wave(&carol)).await, 202);
    }
}

on_both! {
    async fn keys_of_others_and_of_elsewhere_are_nobodys(engine) {
        let (maple, oak, mut carol) = places(engine).await;
        // On another server, however much both sides agree.
        let elm = Remote::start("elm").await;
        let away = Key::rsa(&elm.url("/keys/1"));
        elm.show("/keys/1", &away.as_public_key(&carol.uri));
        carol.document["publicKey"] = json!([carol.document["publicKey"], away.id]);
        // In her document, but another's by its own words.
        let dave = oak.person("dave");
        let lent = Key::ed25519(&format!("{}#lent", carol.uri));
        carol.document["assertionMethod"] = json!([lent.as_multikey(&dave.uri)]);
        carol.show();
        for key in [&away, &lent] {
            assert_eq!(carol.post_with(key, &maple, &wave(&carol)).await, 401, "{}", key.id);
        }
        assert_eq!(carol.post(&maple, &wave(&carol)).await, 202);
        // Dave's own key signs for dave alone: carol's words are only passed on by him.
        let note = carol.note("/notes/1", "<p>x</p>");
        assert_eq!(dave.post(&maple, &carol.does("Create", &note)).await, 202);
        testkit::eventually("the origin is asked", async || (oak.times_asked("/notes/1") > 0).then_some(())).await;
        assert!(crate::strangers::post_at(&maple, &oak.url("/notes/1")).await.is_none());
    }
}

/// A community behind a proxy that tells it who sends.
async fn behind_a_proxy(engine: Engine) -> (Instance, Remote) {
    let database = std::sync::Arc::new(testkit::Database::fresh(engine).await);
    let trusted = |config: &mut server::config::Config| config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    (Instance::start_on("maple", database, trusted).await, Remote::start("oak").await)
}

const OAK: &str = "203.0.113.1";
const FORGER: &str = "198.51.100.1";

on_both! {
    /// What is made up is looked for at the forger's expense: the server it names stays known, with whom it has new.
    async fn forgers_pay_for_what_they_make_us_ask(engine) {
        let (maple, oak) = behind_a_proxy(engine).await;
        let (carol, dave, erin) = (oak.person("carol"), oak.person("dave"), oak.person("erin"));
        assert_eq!(carol.post_from(OAK, &carol.key, &maple, &wave(&carol)).await, 202);
        for n in 0..130 {
            let nowhere = Key::ed25519(&oak.url(&format!("/users/nobody{n}#main-key")));
            assert_eq!(carol.post_from(FORGER, &nowhere, &maple, &wave(&carol)).await, 401);
        }
        let looked = oak.asked().iter().filter(|asked| asked.target.starts_with("/users/nobody")).count();
        // Twenty at once, and one more every four seconds.
        assert!((20..30).contains(&looked), "{looked}");
        // Oak's own address, and one that was never seen.
        assert_eq!(carol.post_from(OAK, &carol.key, &maple, &wave(&carol)).await, 202);
        assert_eq!(dave.post_from(OAK, &dave.key, &maple, &wave(&dave)).await, 202);
        assert_eq!(erin.post_from("203.0.113.2", &erin.key, &maple, &wave(&erin)).await, 202);
        // Nobody of another server is kept out by it either.
        let fay = Remote::start("elm").await.person("fay");
        assert_eq!(fay.post_from(FORGER, &fay.key, &maple, &wave(&fay)).await, 202);
    }
}

on_both! {
    async fn many_forgers_do_not_make_a_server_unknown(engine) {
        let (maple, oak) = behind_a_proxy(engine).await;
        let (carol, dave) = (oak.person("carol"), oak.person("dave"));
        assert_eq!(carol.post_from(OAK, &carol.key, &maple, &wave(&carol)).await, 202);
        let began = std::time::Instant::now();
        for n in 0..60 {
            for m in 0..10 {
                let nowhere = Key::ed25519(&oak.url(&format!("/users/nobody{n}x{m}#main-key")));
                let from = format!("198.51.100.{n}");
                assert_eq!(carol.post_from(&from, &nowhere, &maple, &wave(&carol)).await, 401);
            }
        }
        let looked = oak.asked().iter().filter(|asked| asked.target.starts_with("/users/nobody")).count();
        // Two hundred at once, and two more every second.
        let bound = 201 + 2 * usize::try_from(began.elapsed().as_secs()).unwrap();
        assert!(looked <= bound, "{looked}");
        assert_eq!(dave.post_from(OAK, &dave.key, &maple, &wave(&dave)).await, 202);
    }
}

on_both! {
    /// The same forgery is looked for once a minute, whoever sends it.
    async fn a_miss_is_remembered_for_a_moment(engine) {
        let (maple, oak) = behind_a_proxy(engine).await;
        let carol = oak.person("carol");
        let nowhere = Key::ed25519(&oak.url("/users/nobody#main-key"));
        for n in 0..20 {
            assert_eq!(carol.post_from(&format!("198.51.100.{n}"), &nowhere, &maple, &wave(&carol)).await, 401);
        }
        assert_eq!(oak.times_asked("/users/nobody"), 1);
        maple.clock.advance(MOMENT);
        assert_eq!(carol.post_from(FORGER, &nowhere, &maple, &wave(&carol)).await, 401);
        assert_eq!(oak.times_asked("/users/nobody"), 2);
    }
}

on_both! {
    /// Bad signatures in the names of many accounts of a server: a key that really changed is found all the same.
    async fn a_changed_key_is_found_while_others_are_forged(engine) {
        let (maple, oak) = behind_a_proxy(engine).await;
        let mut people: Vec<Somebody> = (0..30).map(|n| oak.person(&format!("p{n}"))).collect();
        for person in &people {
            assert_eq!(person.post_from(OAK, &person.key, &maple, &wave(person)).await, 202);
        }
        // From many addresses, so that nothing but what they share could stop them.
        for (n, person) in people.iter().enumerate().skip(1) {
            let forged = Key::ed25519(&person.key.id);
            assert_eq!(person.post_from(&format!("198.51.100.{n}"), &forged, &maple, &wave(person)).await, 401);
        }
        let changed = &mut people[0];
        let key = Key::rsa(&changed.key.id);
        changed.document["publicKey"] = key.as_public_key(&changed.uri);
        changed.show();
        assert_eq!(changed.post_from(OAK, &key, &maple, &wave(changed)).await, 202);
    }
}

on_both! {
    /// A profile is read again when its owner is heard of, not when somebody names it.
    async fn a_forger_does_not_have_stale_profiles_read_again(engine) {
        let (maple, oak) = behind_a_proxy(engine).await;
        let carol = oak.person("carol");
        assert_eq!(carol.post_from(OAK, &carol.key, &maple, &wave(&carol)).await, 202);
        maple.clock.advance(std::time::Duration::from_secs(26 * 60 * 60));
        let before = oak.times_asked("/users/carol");
        let forged = Key::ed25519(&carol.key.id);
        assert_eq!(carol.post_from(FORGER, &forged, &maple, &wave(&carol)).await, 401);
        tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
        assert_eq!(oak.times_asked("/users/carol"), before + 1, "looked at once for the key, and that is all");
    }
}

on_both! {
    /// A profile is read again a day after it was read last, when its owner is heard of.
    async fn a_profile_is_read_again_after_a_day(engine) {
        let (maple, oak, carol) = places(engine).await;
        let heard = async || assert_eq!(carol.post(&maple, &wave(&carol)).await, 202);
        heard().await;
        maple.clock.advance(std::time::Duration::from_secs(23 * 60 * 60));
        let before = oak.times_asked("/users/carol");
        heard().await;
        tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
        assert_eq!(oak.times_asked("/users/carol"), before);
        maple.clock.advance(std::time::Duration::from_secs(2 * 60 * 60));
        heard().await;
        testkit::eventually("it is read again", async || (oak.times_asked("/users/carol") > before).then_some(()))
            .await;
    }
}
