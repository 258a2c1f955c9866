//! Decisions about domains mark the accounts there and nothing else; what ends is counted.

use domain::account::{Account, Role};
use domain::instance::DomainSeverity;
use domain::page::Page;
use domain::{AccountId, Viewer, Visibility};
use storage::deliveries::{self, Inbox};
use storage::homes::HomeEntry;
use storage::posts::Links;
use storage::search::{AccountQuery, PostQuery};
use storage::timelines::PublicFilter;
use storage::{
    Tx, accounts, community, counts, domain_blocks, domains, follows, homes, inbox_items, search, timelines,
};

use crate::people::{account, follow, host, plain, write_member};
use crate::visible::write_post;

async fn remote(tx: &mut Tx, username: &str, domain: &str) -> Account {
    let account = account(tx.id(), username, domain);
    accounts::upsert(tx, &account).await.unwrap();
    account
}

async fn counted_follow(tx: &mut Tx, who: AccountId, whom: AccountId) {
    follow(tx, who, whom).await;
    counts::followers(tx, whom, 1);
    counts::following(tx, who, 1);
}

/// Suspended, silenced.
async fn marks(tx: &mut Tx, id: AccountId) -> (bool, bool) {
    let account = accounts::get(tx, id).await.unwrap();
    (account.suspended_at.is_some(), account.silenced_at.is_some())
}

both! {
    /// Setting, changing, narrowing and taking back: accounts carry the harder decision that holds for their domain.
    async fn accounts_are_marked_as_was_decided_about_their_domain(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let at = remote(&mut tx, "a", "willow.example").await.id;
        let below = remote(&mut tx, "b", "sub.willow.example").await.id;
        let port = remote(&mut tx, "c", "willow.example:4000").await.id;
        let other = remote(&mut tx, "d", "notwillow.example").await.id;
        let mut by_hand = account(tx.id(), "e", "willow.example");
        by_hand.suspended_at = Some(domain::Timestamp(7));
        accounts::upsert(&mut tx, &by_hand).await.unwrap();

        domains::set(&mut tx, &host("willow.example"), DomainSeverity::Silence, Some("spam")).await.unwrap();
        for id in [at, below, port] {
            assert_eq!(marks(&mut tx, id).await, (false, true));
        }
        assert_eq!(marks(&mut tx, other).await, (false, false));
        fresh.advance(std::time::Duration::from_secs(1));
        domains::set(&mut tx, &host("sub.willow.example"), DomainSeverity::Suspend, None).await.unwrap();
        assert_eq!((marks(&mut tx, at).await, marks(&mut tx, below).await), ((false, true), (true, false)));
        fresh.advance(std::time::Duration::from_secs(1));
        domains::set(&mut tx, &host("Willow.example"), DomainSeverity::Suspend, None).await.unwrap();
        for id in [at, below, port, by_hand.id] {
            assert_eq!(marks(&mut tx, id).await, (true, false));
        }
        let kept = domains::policies(&mut tx).await.unwrap();
        let kept: Vec<_> = kept.iter().map(|p| (p.domain.as_str(), p.severity, p.comment.as_str())).collect();
        assert_eq!(kept, [("sub.willow.example", DomainSeverity::Suspend, ""), ("willow.example", DomainSeverity::Suspend, "spam")]);
        assert_eq!(community::peers(&mut tx).await.unwrap(), [host("notwillow.example")]);
        let policy = domains::policy_for(&mut tx, &host("new.willow.example")).await.unwrap().unwrap();
        assert_eq!(policy.domain.as_str(), "willow.example");

        assert!(domains::remove(&mut tx, &host("willow.example")).await.unwrap());
        assert!(!domains::remove(&mut tx, &host("willow.example")).await.unwrap());
        assert_eq!((marks(&mut tx, at).await, marks(&mut tx, below).await), ((false, false), (true, false)));
        assert_eq!(marks(&mut tx, by_hand.id).await, (true, false), "what another decision made was taken away");
        domains::remove(&mut tx, &host("sub.willow.example")).await.unwrap();
        assert_eq!(marks(&mut tx, below).await, (false, false));
    }

    async fn what_bound_us_to_a_domain_ends_and_the_counts_are_exact(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let dana = write_member(&mut tx, "dana", Role::Member).await.unwrap().id;
        let priya = write_member(&mut tx, "priya", Role::Member).await.unwrap().id;
        let lone = write_member(&mut tx, "lone", Role::Member).await.unwrap().id;
        let mut there = Vec::new();
        for n in 0..3 {
            there.push(remote(&mut tx, &format!("w{n}"), "willow.example").await.id);
        }
        let oak = remote(&mut tx, "oak", "oak.example").await.id;
        for (who, whom) in [
            (dana, there[0]), (dana, there[1]), (there[0], dana), (there[1], dana), (there[2], dana), (priya, there[0]),
            (dana, oak), (oak, dana), (dana, priya),
        ] {
            counted_follow(&mut tx, who, whom).await;
        }
        let willow = host("willow.example");
        let known = domains::known(&mut tx, &willow).await.unwrap();
        assert_eq!(known, [host("willow.example")]);
        assert_eq!(domains::count_accounts(&mut tx, &known).await.unwrap(), 3);
        let severed = domains::sever(&mut tx, &known).await.unwrap();
        assert_eq!((severed.follows, severed.members), (6, vec![dana, priya]));
        counts::settle(&mut tx).await.unwrap();
        for (who, followers, following) in [(dana, 1, 2), (priya, 1, 0), (lone, 0, 0), (oak, 1, 1), (there[0], 0, 0), (there[2], 0, 0)] {
            let account = accounts::get(&mut tx, who).await.unwrap();
            assert_eq!((account.followers_count, account.following_count), (followers, following), "{}", account.username);
        }
        assert_eq!(domains::sever(&mut tx, &known).await.unwrap(), domains::Severed::default());
    }

    async fn what_waits_for_a_domain_or_from_it_is_dropped(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let dana = write_member(&mut tx, "dana", Role::Member).await.unwrap().id;
        let eve = remote(&mut tx, "eve", "willow.example").await.id;
        let inbox = |name: &str| Inbox { host: host(name), url: format!("https://{name}/inbox") };
        let both = [inbox("willow.example"), inbox("ap.willow.example"), inbox("oak.example")];
        deliveries::enqueue(&mut tx, plain(dana), &both).await.unwrap();
        deliveries::enqueue(&mut tx, plain(dana), &both[..2]).await.unwrap();
        let item = inbox_items::New {
            fingerprint: [1; 16],
            activity_uri: "https://willow.example/1",
            actor: eve,
            host: &host("willow.example"),
            body: "{}",
            about: None,
            forwarded: false,
            again: false,
        };
        inbox_items::accept(&mut tx, item).await.unwrap();
        assert_eq!(domains::drop_queued(&mut tx, &host("willow.example"), &[host("willow.example")]).await.unwrap(), 4);
        assert_eq!(deliveries::backlog(&mut tx).await.unwrap(), (1, 1));
        assert_eq!(inbox_items::backlog(&mut tx).await.unwrap(), 0);
        let lease = tx.now().plus(std::time::Duration::from_secs(60));
        let left = deliveries::claim(&mut tx, lease, 10, 10).await.unwrap().deliveries;
        assert_eq!(left[0].host, host("oak.example"));
        assert_eq!(deliveries::bodies(&mut tx, &[left[0].activity_id]).await.unwrap().len(), 1);
    }

    /// What one member blocks, she alone does not see: in public, at home, in searches. (Every other list is in `leaks`.)
    async fn a_member_s_blocked_domain_is_left_out_of_her_lists(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let dana = write_member(&mut tx, "dana", Role::Member).await.unwrap();
        let priya = write_member(&mut tx, "priya", Role::Member).await.unwrap();
        let eve = remote(&mut tx, "eve", "willow.example").await;
        let below = remote(&mut tx, "evelyn", "sub.willow.example").await;
        let mention = Links { mentions: vec![(dana.id, false), (priya.id, false)], ..Links::default() };
        let blocked = write_post(&mut tx, &eve, Visibility::Public, &mention).await.id;
        let kept = write_post(&mut tx, &below, Visibility::Public, &mention).await.id;
        for author in [&eve, &below] {
            counted_follow(&mut tx, dana.id, author.id).await;
            let post = if author.id == eve.id { blocked } else { kept };
            let entry = HomeEntry { post, author: author.id, boost_of: None, reply_to: None, language: None, mentioned_only: false };
            homes::add(&mut tx, &entry).await.unwrap();
        }
        assert!(domain_blocks::insert(&mut tx, dana.id, &host("willow.example")).await.unwrap());
        assert!(!domain_blocks::insert(&mut tx, dana.id, &host("willow.example")).await.unwrap());
        homes::remove_domains(&mut tx, dana.id, &[host("willow.example")]).await.unwrap();
        tx.commit().await.unwrap();

        let mut conn = fresh.db.read().await.unwrap();
        let page = Page::first(40);
        assert_eq!(timelines::home(&mut conn, dana.id, &page).await.unwrap()[..], [kept]);
        for (who, blocks) in [(dana.id, true), (priya.id, false)] {
            let expected = if blocks { vec![kept] } else { vec![kept, blocked] };
            let viewer = Viewer::Account(who);
            assert_eq!(timelines::public(&mut conn, viewer, PublicFilter::default(), &page).await.unwrap()[..], expected);
            let query = PostQuery { text: "hello", by: None, max_id: None, min_id: None, limit: 40, offset: 0 };
            assert_eq!(search::posts(&mut conn, who, &query).await.unwrap(), expected);
            let query = AccountQuery { text: "eve", following: false, limit: 40, offset: 0 };
            assert_eq!(search::accounts(&mut conn, who, &query).await.unwrap().contains(&eve.id), !blocks);
            assert!(search::accounts(&mut conn, who, &query).await.unwrap().contains(&below.id));
            assert_eq!(follows::keeps_away(&mut conn, who, eve.id).await.unwrap(), blocks);
            let facts = storage::relationships::many(&mut conn, who, &[eve.id, below.id]).await.unwrap();
            assert_eq!((facts[0].domain_blocking, facts[1].domain_blocking), (blocks, false));
        }
        assert_eq!(domain_blocks::followed_at(&mut conn, dana.id, &host("willow.example")).await.unwrap(), [eve.id]);
        drop(conn);
        let mut tx = fresh.db.write().await.unwrap();
        assert!(domain_blocks::remove(&mut tx, dana.id, &host("willow.example")).await.unwrap());
        assert!(!domain_blocks::remove(&mut tx, dana.id, &host("willow.example")).await.unwrap());
        assert!(!domain_blocks::is_blocked(&mut tx, dana.id, &host("willow.example")).await.unwrap());
    }
}
