//! Somebody of another server moves to another account: believed when both accounts say so.

use app::accounts::{By, disable};
use app::peers::account::FurtherKeys;
use federation::inbound::Verdict;
use serde_json::{Value, json};
use storage::follows;
use testkit::remote::Somebody;
use testkit::{Engine, Instance, Person, Remote, eventually, on_both};

use crate::strangers::{account_at, with};

/// alice of maple follows bob of willow, who wants to be robert of oak from now on.
async fn before(engine: Engine) -> (Instance, Person, Remote, Somebody, Somebody) {
    let maple = Instance::start("maple", engine).await;
    let alice = maple.member("alice").await;
    let (willow, oak) = (Remote::start("willow").await, Remote::start("oak").await);
    let (bob, robert) = (willow.person("bob"), oak.person("robert"));
    bob.is_followed_by(&alice, &maple).await;
    (maple, alice, oak, bob, robert)
}

fn moves(bob: &Somebody, to: &str) -> Value {
    with(&bob.does("Move", &json!(bob.uri)), &json!({"target": to}))
}

async fn follows(maple: &Instance, who: &str, whom: &str) -> bool {
    let (Some(who), Some(whom)) = (account_at(maple, who).await, account_at(maple, whom).await) else { return false };
    let mut conn = maple.app().db.read().await.unwrap();
    follows::find(&mut conn, who.id, whom.id).await.unwrap().is_some()
}

on_both! {
    async fn followers_move_over_when_both_accounts_say_so(engine) {
        let (maple, alice, oak, mut bob, mut robert) = before(engine).await;
        // A follower whose account is closed is not moved, and holds up nobody.
        let erin = maple.member("erin").await;
        bob.is_followed_by(&erin, &maple).await;
        let closed = erin.account_id();
        disable::disable(maple.app(), By::Operator, closed).await.unwrap();
        bob.document["movedTo"] = json!(robert.uri);
        bob.show();
        robert.document["alsoKnownAs"] = json!([bob.uri]);
        robert.show();
        assert_eq!(bob.post(&maple, &moves(&bob, &robert.uri)).await, 202);
        let asks = eventually("alice asks to follow the new account", async || {
            oak.received().into_iter().find(|activity| activity["type"] == "Follow")
        })
        .await;
        assert_eq!(asks["object"], json!(robert.uri));
        assert_eq!(robert.post(&maple, &robert.does("Accept", &asks)).await, 202);
        let alice_uri = format!("{}/users/alice", maple.base);
        eventually("she follows it", async || follows(&maple, &alice_uri, &robert.uri).await.then_some(())).await;
        assert!(!follows(&maple, &alice_uri, &bob.uri).await);
        // Apps are told where he is, in lists too, and once.
        let (old, new) = (account_at(&maple, &bob.uri).await.unwrap(), account_at(&maple, &robert.uri).await.unwrap());
        let shown = alice.get(&format!("/api/v1/accounts/{}", old.id)).await.ok();
        assert_eq!((&shown["moved"]["id"], &shown["moved"]["acct"]), (&json!(new.id.to_string()), &json!(new.acct())));
        assert!(shown["moved"]["moved"].is_null());
        let found = alice.get("/api/v1/accounts/search?q=bob").await.ok();
        assert_eq!(found[0]["moved"]["id"], json!(new.id.to_string()), "{found}");
        let still = alice.get(&format!("/api/v1/accounts/{}", new.id)).await.ok();
        assert!(still.get("moved").is_none(), "{still}");
        robert.document["name"] = json!("Robert now");
        robert.show();
        assert_eq!(robert.post(&maple, &robert.does("Update", &robert.document)).await, 202);
        eventually("his new name is shown at his old account", async || {
            let shown = alice.get(&format!("/api/v1/accounts/{}", old.id)).await.ok();
            (shown["moved"]["display_name"] == "Robert now").then_some(())
        })
        .await;
        // Twice is once.
        let known = account_at(&maple, &bob.uri).await.unwrap();
        assert_eq!(known.moved_to_uri.as_deref(), Some(&*robert.uri), "his old profile says where he is");
        assert_eq!(maple.federation().process(&known, &moves(&bob, &robert.uri)).await, Verdict::Done);
        assert!(follows(&maple, &alice_uri, &robert.uri).await);
    }
}

on_both! {
    async fn one_account_alone_moves_nobody(engine) {
        let (maple, alice, oak, mut bob, mut robert) = before(engine).await;
        let fed = maple.federation();
        let known = account_at(&maple, &bob.uri).await.unwrap();
        let refused = async |activity: Value| match fed.process(&known, &activity).await {
            Verdict::Rejected(why) => why,
            other => panic!("{other:?}"),
        };
        // The new one says so, the old one does not: somebody has stolen the key.
        robert.document["alsoKnownAs"] = json!([bob.uri]);
        robert.show();
        assert_eq!(refused(moves(&bob, &robert.uri)).await, "its own profile does not say so");
        // The old one says so, the new one does not: somebody sends followers to a victim.
        bob.document["movedTo"] = json!(robert.uri);
        bob.show();
        for claims in [json!(null), json!([]), json!(["https://elm.example/users/bob"])] {
            robert.document["alsoKnownAs"] = claims;
            robert.show();
            assert_eq!(refused(moves(&bob, &robert.uri)).await, "the other account does not say so");
        }
        assert_eq!(refused(bob.does("Move", &json!(bob.uri))).await, "no target");
        assert_eq!(refused(moves(&bob, &bob.uri)).await, "no target");
        let others = with(&bob.does("Move", &json!(robert.uri)), &json!({"target": bob.uri}));
        assert_eq!(refused(others).await, "somebody else's account");
        assert!(follows(&maple, &format!("{}/users/alice", maple.base), &bob.uri).await);
        assert!(!oak.received().iter().any(|activity| activity["type"] == "Follow"));
        let old = account_at(&maple, &bob.uri).await.unwrap();
        assert!(old.moved_to_uri.is_some() && account_at(&maple, &robert.uri).await.is_some());
        assert!(alice.get(&format!("/api/v1/accounts/{}", old.id)).await.ok()["moved"].is_null(), "nor is it shown");
    }
}

on_both! {
    async fn somebody_may_move_in_here(engine) {
        let (maple, _alice, _oak, mut bob, _robert) = before(engine).await;
        maple.member("robert").await;
        let uri = format!("{}/users/robert", maple.base);
        bob.document["movedTo"] = json!(uri);
        bob.show();
        let known = account_at(&maple, &bob.uri).await.unwrap();
        let fed = maple.federation();
        let refused = Verdict::Rejected("the other account does not say so");
        assert_eq!(fed.process(&known, &moves(&bob, &uri)).await, refused);
        // Nobody of another server may say it for a member.
        let mut robert = account_at(&maple, &uri).await.unwrap();
        robert.also_known_as = vec![bob.uri.clone()];
        assert!(app::peers::account::receive(maple.app(), &robert, &FurtherKeys::default()).await.is_err());
        let mut tx = maple.app().db.write().await.unwrap();
        storage::accounts::upsert(&mut tx, &robert).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(fed.process(&known, &moves(&bob, &uri)).await, Verdict::Done);
        assert!(follows(&maple, &format!("{}/users/alice", maple.base), &uri).await);
    }
}
