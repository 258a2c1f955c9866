//! What other servers send and tell: taken in turn, kept once, ended for good.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::account::AccountKey;
use domain::{AccountId, PostId, ThreadId};
use storage::deliveries::Urgency;
use storage::deliveries::{self, Inbox};
use storage::inbox_items::New;
use storage::withdrawn::withdraw;
use storage::{Tx, account_keys, accounts, hosts, inbox_items, peers, sql};

use crate::people::{account, host, member, plain};

async fn known(tx: &mut Tx, id: i64, name: &str, domain: &str) -> AccountId {
    accounts::upsert(tx, &account(AccountId(id), name, domain)).await.unwrap()
}

async fn accept(tx: &mut Tx, n: u8, actor: AccountId, at: &str) -> bool {
    let activity_uri = &format!("https://{at}/{n}");
    // The last in the test below was passed on by somebody.
    let host = &host(at);
    let item = New {
        fingerprint: [n; 16],
        activity_uri,
        actor,
        host,
        body: "{}",
        about: None,
        forwarded: n == 9,
        again: false,
    };
    inbox_items::accept(tx, item).await.unwrap()
}

/// What is under way is so in another process.
pub async fn held_by_another(tx: &mut Tx) {
    sql!("UPDATE inbox_items /* scan */ SET leased_by = 63 WHERE leased_until > 0").run(tx).await.unwrap();
}

both! {
    async fn received_activities_are_claimed_in_turn_and_none_of_busy_servers(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let (a, b) = (known(&mut tx, 1, "a", "a.example").await, known(&mut tx, 2, "b", "b.example").await);
        for n in 0..5 {
            assert!(accept(&mut tx, n, a, "a.example").await);
        }
        assert!(accept(&mut tx, 9, b, "b.example").await);
        assert!(!accept(&mut tx, 9, b, "b.example").await, "the same again is known");
        tx.commit().await.unwrap();

        let lease = fresh.clock.now().plus(Duration::from_secs(60));
        let mut tx = fresh.db.write().await.unwrap();
        let first = inbox_items::claim(&mut tx, lease, 10, 2, &[], "").await.unwrap().items;
        tx.commit().await.unwrap();
        let hosts: Vec<&str> = first.iter().map(|c| c.host.as_str()).collect();
        assert_eq!(hosts, ["a.example", "a.example", "b.example"]);
        assert_eq!(first.iter().map(|c| c.forwarded).collect::<Vec<_>>(), [false, false, true]);

        let mut tx = fresh.db.write().await.unwrap();
        inbox_items::finish(&mut tx, &first.iter().map(|c| c.id).collect::<Vec<_>>()).await.unwrap();
        let busy = [host("a.example")];
        assert!(inbox_items::claim(&mut tx, lease, 10, 2, &busy, "").await.unwrap().items.is_empty());
        assert_eq!(inbox_items::claim(&mut tx, lease, 10, 2, &[], "").await.unwrap().items.len(), 2);
        tx.commit().await.unwrap();
    }

    /// Two servers with much to say leave room for a third whose name sorts last.
    async fn every_server_has_its_turn_when_there_is_not_room_for_all(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let mut n = 10;
        for (id, host, many) in [(1, "a.example", 4), (2, "b.example", 3), (3, "z.example", 2)] {
            let actor = known(&mut tx, id, "someone", host).await;
            for _ in 0..many {
                assert!(accept(&mut tx, n, actor, host).await);
                n += 1;
            }
        }
        fresh.advance(Duration::from_secs(2));
        let lease = fresh.clock.now().plus(Duration::from_secs(60));
        for expected in ["a b z", "a b z", "a a b"] {
            let claimed = inbox_items::claim(&mut tx, lease, 3, 32, &[], "").await.unwrap().items;
            let hosts: Vec<&str> = claimed.iter().map(|c| c.host.as_str().trim_end_matches(".example")).collect();
            assert_eq!(hosts.join(" "), expected);
            inbox_items::finish(&mut tx, &claimed.iter().map(|c| c.id).collect::<Vec<_>>()).await.unwrap();
        }
    }

    /// The first hosts always have something new to be sent: the others have their turns all the same.
    async fn every_host_has_its_turn_however_much_goes_to_the_first(fresh) {
        let dana = member(&fresh.db, "dana").await.id;
        let inbox = |name: &str| Inbox { host: host(&format!("{name}.example")), url: format!("https://{name}.example/inbox") };
        let mut turns = String::new();
        for _ in 0..4 {
            fresh.advance(Duration::from_millis(1));
            let mut tx = fresh.db.write().await.unwrap();
            deliveries::enqueue(&mut tx, plain(dana), &["a", "b", "y-1", "z"].map(inbox)).await.unwrap();
            let lease = tx.now().plus(Duration::from_secs(60));
            let claimed = deliveries::claim(&mut tx, lease, 3, 1).await.unwrap().deliveries;
            for delivery in &claimed {
                turns.push_str(delivery.host.as_str().trim_end_matches(".example"));
                turns.push(' ');
            }
            let ended: Vec<_> = claimed.iter().map(|d| d.id).collect();
            deliveries::finish(&mut tx, &ended).await.unwrap();
            let free: Vec<_> = claimed.into_iter().map(|d| d.host).collect();
            hosts::settle(&mut tx, &BTreeMap::new(), &free).await.unwrap();
            tx.commit().await.unwrap();
        }
        assert_eq!(turns, "a b y-1 z a b y-1 z a b y-1 z ");
    }

    /// A deletion is sent before what was asked for before it, that of an account before all; what is under way is not
    /// tried again once it is withdrawn, and nothing overtakes it.
    async fn deletions_go_first_and_what_is_withdrawn_is_not_sent(fresh) {
        let mut authors = Vec::new();
        for name in ["dana", "erin", "fay"] {
            authors.push(member(&fresh.db, name).await.id);
        }
        let inbox = Inbox { host: host("a.example"), url: "https://a.example/inbox".to_owned() };
        let to = std::slice::from_ref(&inbox);
        let new = |author: usize, body, subject: Option<&'static str>, urgency| {
            let kind = if subject.is_none() { deliveries::Kind::Other } else { deliveries::Kind::Create };
            deliveries::New { author: authors[author], body, subject, kind, urgency }
        };
        let claim = async || {
            let mut tx = fresh.db.write().await.unwrap();
            let lease = tx.now().plus(Duration::from_secs(60));
            let claimed = deliveries::claim(&mut tx, lease, 10, 10).await.unwrap().deliveries;
            let ids: Vec<_> = claimed.iter().map(|delivery| delivery.activity_id).collect();
            let bodies = deliveries::bodies(&mut tx, &ids).await.unwrap();
            tx.commit().await.unwrap();
            let body = |id| bodies.iter().find(|(of, _)| *of == id).map_or("", |(_, body)| body.as_str()).to_owned();
            (claimed.clone(), ids.into_iter().map(body).collect::<Vec<String>>())
        };
        let mut tx = fresh.db.write().await.unwrap();
        deliveries::enqueue(&mut tx, new(0, "one", Some("post 1"), Urgency::Usual), to).await.unwrap();
        tx.commit().await.unwrap();
        let (under_way, bodies) = claim().await;
        assert_eq!(bodies, ["one"]);
        let mut tx = fresh.db.write().await.unwrap();
        deliveries::enqueue(&mut tx, new(1, "two", Some("post 2"), Urgency::Usual), to).await.unwrap();
        deliveries::enqueue(&mut tx, new(1, "three", Some("post 3"), Urgency::Usual), to).await.unwrap();
        deliveries::enqueue(&mut tx, new(0, "one is gone", None, Urgency::Deletion), to).await.unwrap();
        deliveries::enqueue(&mut tx, new(2, "fay is gone", None, Urgency::AccountDeletion), to).await.unwrap();
        let one = withdraw(&mut tx, "post 1").await.unwrap();
        assert_eq!((one.unsent.len(), one.was_never_sent()), (0, false));
        let two = withdraw(&mut tx, "post 2").await.unwrap();
        assert_eq!((two.unsent.as_slice(), two.was_never_sent()), ([inbox.url.clone()].as_slice(), true));
        tx.commit().await.unwrap();
        assert_eq!(claim().await.1, Vec::<String>::new(), "a delivery to this host is under way");
        let mut tx = fresh.db.write().await.unwrap();
        deliveries::retry(&mut tx, under_way[0].id, fresh.clock.now(), "no answer").await.unwrap();
        hosts::settle(&mut tx, &BTreeMap::new(), std::slice::from_ref(&inbox.host)).await.unwrap();
        tx.commit().await.unwrap();
        let (claimed, bodies) = claim().await;
        assert_eq!(bodies, ["fay is gone", "one is gone", "three"]);
        let mut tx = fresh.db.write().await.unwrap();
        deliveries::finish(&mut tx, &claimed.iter().map(|delivery| delivery.id).collect::<Vec<_>>()).await.unwrap();
        hosts::settle(&mut tx, &BTreeMap::new(), std::slice::from_ref(&inbox.host)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(claim().await.1, [""], "nothing is left of it to be sent");
    }

    async fn what_somebody_passed_on_does_not_hold_up_what_she_says(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let a = known(&mut tx, 1, "a", "a.example").await;
        // The ninth is passed on; see `accept`.
        for n in [9, 1, 2] {
            assert!(accept(&mut tx, n, a, "a.example").await);
        }
        let lease = fresh.clock.now().plus(Duration::from_secs(60));
        let claimed = async |tx: &mut Tx| {
            let claimed = inbox_items::claim(tx, lease, 1, 1, &[], "").await.unwrap().items;
            claimed.first().map(|item| item.forwarded)
        };
        assert_eq!(claimed(&mut tx).await, Some(true));
        assert_eq!(claimed(&mut tx).await, Some(false), "although an earlier one is in work");
        if !fresh.db.is_sqlite() {
            held_by_another(&mut tx).await;
            assert_eq!(claimed(&mut tx).await, None, "the actor's own keep their order");
        }
    }

    async fn emojis_of_others_are_kept_once_and_follow_their_picture(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        for url in ["https://a.example/1.png", "https://a.example/1.png", "https://a.example/2.png"] {
            peers::upsert_emoji(&mut tx, &host("a.example"), "cat", None, url).await.unwrap();
        }
        let wanted = ["cat".to_owned(), "dog".to_owned()];
        let found = peers::known_emojis(&mut tx, &host("a.example"), &wanted).await.unwrap();
        assert_eq!(found, [("cat".to_owned(), Some("https://a.example/2.png".to_owned()))]);
        assert!(peers::known_emojis(&mut tx, &host("b.example"), &wanted).await.unwrap().is_empty());
    }

    async fn an_account_that_ended_stays_ended_and_gives_its_handle_free(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let old = known(&mut tx, 1, "eve", "a.example").await;
        peers::touch_account(&mut tx, old, fresh.clock.now()).await.unwrap();
        peers::release_handle(&mut tx, old).await.unwrap();
        assert!(accounts::by_handle(&mut tx, "eve", Some(&host("a.example"))).await.unwrap().is_none());
        assert_eq!(peers::accounts_with_inbox(&mut tx, "https://a.example/users/eve/inbox").await.unwrap(), [old]);
        assert_eq!(peers::thread_size(&mut tx, ThreadId(1)).await.unwrap(), 0);
        assert!(peers::open_replies(&mut tx, PostId(1), PostId(0), 10).await.unwrap().is_empty());
        assert!(!peers::addresses_domain(&mut tx, PostId(1), &host("a.example")).await.unwrap());
        assert!(peers::local_followers(&mut tx, old).await.unwrap().is_empty());
    }

    async fn an_account_has_as_many_keys_as_it_names(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let (a, b) = (known(&mut tx, 1, "a", "a.example").await, known(&mut tx, 2, "b", "a.example").await);
        let key = |id: &str, pem: &str| AccountKey { id: id.to_owned(), pem: pem.to_owned() };
        for (id, pem) in [("k1", "old"), ("k1", "new"), ("k2", "other")] {
            account_keys::keep(&mut tx, a, &key(id, pem)).await.unwrap();
        }
        account_keys::keep(&mut tx, b, &key("k3", "hers")).await.unwrap();
        assert_eq!(account_keys::by_key_id(&mut tx, "k1").await.unwrap(), Some((a, "new".to_owned())));
        account_keys::forget_others(&mut tx, a, &["k2".to_owned(), "k3".to_owned()]).await.unwrap();
        assert_eq!(account_keys::by_key_id(&mut tx, "k1").await.unwrap(), None);
        assert_eq!(account_keys::by_key_id(&mut tx, "k2").await.unwrap(), Some((a, "other".to_owned())));
        storage::purges::relations(&mut tx, a).await.unwrap();
        assert_eq!(account_keys::by_key_id(&mut tx, "k2").await.unwrap(), None);
        assert_eq!(account_keys::by_key_id(&mut tx, "k3").await.unwrap(), Some((b, "hers".to_owned())));
    }
}
