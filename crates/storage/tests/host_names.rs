//! One host has one name: rows of older versions are brought into it, and SQL decides what the type decides.

use domain::instance::DomainSeverity;
use domain::page::Page;
use domain::{AccountId, Host, Visibility};
use storage::deliveries::{self, Inbox};
use storage::hosts::{self, Answered};
use storage::posts::Links;
use storage::{Tx, accounts, domain_blocks, domains, former_readers, inbox_items, peers, posts, sql};

use crate::people::{account, follow, host, member, plain};
use crate::visible::write_post;

async fn set_domain(tx: &mut Tx, of: AccountId, domain: &str) {
    sql!("UPDATE accounts SET domain = $2 WHERE id = $1").bind(of).bind(domain).run(tx).await.unwrap();
}

both! {
    /// Spellings that older versions kept: every column, what was unique, and what was decided about a host.
    async fn old_spellings_become_one_and_what_was_decided_holds_for_them(fresh) {
        let dana = member(&fresh.db, "dana").await;
        let mut tx = fresh.db.write().await.unwrap();
        let ids = [("x", "evil.example."), ("y", "EVIL.example:0443"), ("z", "b\u{fc}cher.example"), ("x", "good.example")];
        let mut written = Vec::new();
        for (n, (name, domain)) in ids.into_iter().enumerate() {
            let mut one = account(tx.id(), name, &format!("n{n}.example"));
            one.display_name = name.to_owned();
            accounts::upsert(&mut tx, &one).await.unwrap();
            set_domain(&mut tx, one.id, domain).await;
            written.push(one.id);
        }
        // The same handle under its usual spelling.
        let double = account(tx.id(), "Y", "evil.example");
        accounts::upsert(&mut tx, &double).await.unwrap();
        follow(&mut tx, dana.id, written[0]).await;
        domains::set(&mut tx, &host("evil.example"), DomainSeverity::Suspend, Some("they lie")).await.unwrap();
        domain_blocks::insert(&mut tx, dana.id, &host("oak.example")).await.unwrap();
        domain_blocks::insert(&mut tx, dana.id, &host("elm.example")).await.unwrap();
        sql!("UPDATE account_domain_blocks /* scan */ SET domain = 'Oak.example.' WHERE domain = 'elm.example'").run(&mut tx).await.unwrap();
        peers::upsert_emoji(&mut tx, &host("n8.example"), "cat", None, "https://n8.example/cat.png").await.unwrap();
        sql!("UPDATE custom_emojis /* scan */ SET domain = 'xn--bcher-KVA.example'").run(&mut tx).await.unwrap();
        let inboxes = ["evil.example", "oak.example"].map(|h| Inbox { host: host(h), url: format!("https://{h}/inbox") });
        deliveries::enqueue(&mut tx, plain(dana.id), &inboxes).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = fresh.db.write().await.unwrap();
        sql!("UPDATE deliveries /* scan */ SET host = host || '.'").run(&mut tx).await.unwrap();
        let now = tx.now();
        let failed = Answered::Not { retry_at: now, error: "no answer".to_owned() };
        hosts::settle(&mut tx, &[(host("oak.example"), failed)].into(), &[]).await.unwrap();
        sql!("UPDATE hosts /* scan */ SET host = host || ':443'").run(&mut tx).await.unwrap();
        sql!("DELETE FROM settings WHERE name = 'hosts_are_canonical'").run(&mut tx).await.unwrap();
        tx.commit().await.unwrap();

        let db = fresh.another().await;
        let mut tx = db.write().await.unwrap();
        for (name, domain) in [("x", "evil.example"), ("x", "good.example"), ("z", "xn--bcher-kva.example")] {
            let found = accounts::by_handle(&mut tx, name, Some(&host(domain))).await.unwrap().unwrap();
            assert_eq!(found.display_name, name);
            assert_eq!(found.suspended_at.is_some(), domain == "evil.example", "{domain}");
        }
        let kept = accounts::by_handle(&mut tx, "y", Some(&host("evil.example"))).await.unwrap().unwrap();
        assert_eq!(kept.id, double.id, "whoever had the usual spelling");
        assert!(accounts::is_deleted(&mut tx, "https://n1.example/users/y").await.unwrap());
        let follows = sql!("SELECT count(*) FROM follows /* scan */").count(&mut tx).await.unwrap();
        assert_eq!(follows, 0, "what bound a member to a blocked host ended");
        let blocked = domain_blocks::list(&mut tx, dana.id, &Page::first(10)).await.unwrap();
        assert_eq!(blocked.into_iter().map(|(_, h)| h).collect::<Vec<Host>>(), [host("oak.example")]);
        let cat = peers::known_emojis(&mut tx, &host("b\u{fc}cher.example"), &["cat".to_owned()]).await.unwrap();
        assert_eq!(cat.len(), 1);
        let lease = tx.now();
        let left = deliveries::claim(&mut tx, lease, 10, 10).await.unwrap().deliveries;
        assert_eq!(left.iter().map(|c| c.host.clone()).collect::<Vec<_>>(), [host("oak.example")]);
        assert_eq!(hosts::failing(&mut tx, &[host("oak.example")]).await.unwrap().len(), 1);
        assert_eq!(inbox_items::backlog(&mut tx).await.unwrap(), 0);
        drop(tx);
        db.close().await;
    }

    /// Pages that look like somebody else's, and the id of another server's post that a boost took.
    async fn old_addresses_lie_with_their_server(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let mut bob = account(tx.id(), "bob", "willow.example");
        bob.url = "https://good.example/@mayor".to_owned();
        accounts::upsert(&mut tx, &bob).await.unwrap();
        let mut written = Vec::new();
        for (uri, url) in [
            ("https://willow.example/1", "https://willow.example/@bob/1"),
            ("https://willow.example/2", "https://good.example/2"),
            ("https://good.example/3", "https://good.example/3"),
        ] {
            let id = write_post(&mut tx, &bob, Visibility::Public, &Links::default()).await.id;
            sql!("UPDATE posts SET uri = $2, url = $3, local = FALSE WHERE id = $1").bind(id).bind(uri).bind(url).run(&mut tx).await.unwrap();
            written.push(id);
        }
        sql!("DELETE FROM settings WHERE name = 'hosts_are_canonical'").run(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        let db = fresh.another().await;
        let mut conn = db.read().await.unwrap();
        assert_eq!(accounts::get(&mut conn, bob.id).await.unwrap().url, bob.uri);
        let mut found = Vec::new();
        for id in &written {
            let post = posts::unchecked(&mut conn, *id).await.unwrap();
            found.push((post.uri, post.url));
        }
        let own = format!("{}#posts/{}", bob.uri, written[2]);
        let expected = [
            ("https://willow.example/1", "https://willow.example/@bob/1"),
            ("https://willow.example/2", "https://willow.example/2"),
            (&own, &own),
        ];
        assert_eq!(found, expected.map(|(uri, url)| (uri.to_owned(), url.to_owned())));
        drop(conn);
        db.close().await;
    }

    /// Whether a suspended domain is written to is decided by SQL in one place and by the type in another.
    async fn sql_covers_what_the_type_covers(fresh) {
        let dana = member(&fresh.db, "dana").await;
        let names = ["willow.example", "a.willow.example", "notwillow.example", "willow.example:8443",
            "a.willow.example:8443", "willow.example.org", "example", "192.0.2.1", "[2001:db8::1]", "[2001:db8::1]:4000"];
        for policy in names {
            let mut tx = fresh.db.write().await.unwrap();
            domains::set(&mut tx, &host(policy), DomainSeverity::Suspend, None).await.unwrap();
            for name in names {
                sql!("DELETE FROM former_readers /* scan */").run(&mut tx).await.unwrap();
                sql!("INSERT INTO former_readers (author_id, post_id, domain, inbox_url, ended_at) VALUES ($1, 0, $2, 'x', 0)")
                    .bind(dana.id).bind(&host(name)).run(&mut tx).await.unwrap();
                let told = !former_readers::inboxes_of_author(&mut tx, dana.id).await.unwrap().is_empty();
                assert_eq!(told, !host(policy).covers(&host(name)), "{policy} {name}");
            }
            drop(tx);
        }
    }
}
