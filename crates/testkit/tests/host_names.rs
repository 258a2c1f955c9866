//! One host, one name: whatever spelling another server, a member or an operator uses, a decision about it holds.

use app::accounts::By;
use app::moderation::domains::{block, limit};
use serde_json::{Value, json};
use testkit::{Instance, Remote, eventually, on_both};

use crate::strangers::{account_at, arrives, post_at, with};

/// A server as it may call itself: the same socket, the host spelt in every way that leads there.
fn spellings(remote: &Remote) -> Vec<Remote> {
    let (name, port) = remote.domain.rsplit_once(':').unwrap();
    let spelt = [
        format!("{name}.:{port}"),
        format!("{}:{port}", name.to_uppercase()),
        format!("{name}:0{port}"),
        format!("%65{}.:00{port}", &name[1..]),
        remote.domain.clone(),
    ];
    let other = |domain: String| {
        let mut other = remote.clone();
        (other.base, other.domain) = (format!("http://{domain}"), domain);
        other
    };
    spelt.into_iter().map(other).collect()
}

fn texts(list: &Value) -> String {
    list.as_array().unwrap().iter().map(|p| p["content"].as_str().unwrap_or_default()).collect()
}

on_both! {
    /// Its activities are refused, it is not asked for anything, nothing is sent there, in any spelling; also when the
    /// operator spelt it differently.
    async fn a_blocked_host_is_blocked_in_every_spelling(engine) {
        let maple = Instance::start("maple", engine).await;
        let (alice, evil) = (maple.member("alice").await, Remote::start("evil").await);
        let typed = &spellings(&evil)[3].domain;
        let blocked = block::block(maple.app(), By::Operator, typed, None).await.unwrap();
        assert_eq!(blocked.domain.as_str(), evil.domain);
        for (n, spelling) in spellings(&evil).into_iter().enumerate() {
            let somebody = spelling.person(&format!("x{n}"));
            let to_alice = json!({"to": [format!("{}/users/alice", maple.base), "as:Public"], "cc": []});
            let note = with(&somebody.note(&format!("/notes/{n}"), "<p>boo</p>"), &to_alice);
            for activity in [somebody.does("Create", &note), somebody.does("Follow", &json!(format!("{}/users/alice", maple.base)))] {
                assert_eq!(somebody.post(&maple, &activity).await, 403, "{}", spelling.domain);
            }
            assert_eq!(account_at(&maple, &somebody.uri).await, None);
            for q in [format!("@x{n}@{}", spelling.domain), somebody.uri.clone(), spelling.url(&format!("/notes/{n}"))] {
                let found = alice.get(&format!("/api/v2/search?resolve=true&q={q}")).await.ok();
                assert_eq!((&found["accounts"], &found["statuses"]), (&json!([]), &json!([])), "{q}");
            }
        }
        assert!(evil.asked().is_empty(), "{:?}", evil.asked());
        assert!(evil.received().is_empty());
    }
}

on_both! {
    /// Not by a redirect, not by the address of a picture, not by a host-meta that points there.
    async fn a_blocked_host_is_asked_for_nothing_that_others_point_to(engine) {
        let maple = Instance::start("maple", engine).await;
        let alice = maple.member("alice").await;
        let (evil, oak) = (Remote::start("evil").await, Remote::start("oak").await);
        block::block(maple.app(), By::Operator, &evil.domain, None).await.unwrap();
        let mut bob = oak.person("bob");
        bob.document["icon"] = json!({"type": "Image", "url": evil.url("/bob.png")});
        bob.show();
        oak.answer("/notes/1", 302, "", evil.url("/notes/1"));
        oak.answer("/.well-known/host-meta", 200, "application/xrd+xml", format!(
            r#"<XRD><Link rel="lrdd" template="{}?resource={{uri}}"/></XRD>"#, evil.url("/.well-known/webfinger")));
        let id = alice.find(&format!("@bob@{}", oak.domain)).await;
        let avatar = alice.get(&format!("/api/v1/accounts/{id}")).await.ok()["avatar"].as_str().unwrap().to_owned();
        let picture = maple.request(http::Method::GET, avatar.strip_prefix(&maple.base).unwrap()).send().await.unwrap();
        assert_ne!(picture.status(), 200);
        for q in [oak.url("/notes/1"), format!("@carol@{}", oak.domain)] {
            let found = alice.get(&format!("/api/v2/search?resolve=true&q={q}")).await.ok();
            assert_eq!((&found["accounts"], &found["statuses"]), (&json!([]), &json!([])), "{q}");
        }
        assert!(oak.times_asked("/.well-known/host-meta") > 0 && oak.times_asked("/notes/1") > 0);
        assert!(evil.asked().is_empty(), "{:?}", evil.asked());
    }
}

on_both! {
    /// One account whatever it is looked up by; shown, stored and limited under the one name of its host.
    async fn an_account_is_known_limited_and_shown_under_the_one_name_of_its_host(engine) {
        let maple = Instance::start("maple", engine).await;
        let (alice, evil) = (maple.member("alice").await, Remote::start("evil").await);
        let x = evil.person("x");
        let id = alice.find(&format!("@x@{}", evil.domain)).await;
        for spelling in spellings(&evil) {
            let looked_up = alice.get(&format!("/api/v1/accounts/lookup?acct=x@{}", spelling.domain)).await.ok();
            assert_eq!((&looked_up["id"], &looked_up["acct"]), (&json!(id), &json!(format!("x@{}", evil.domain))));
        }
        // A member blocks it by one spelling: its people reach her by none.
        let spelt = &spellings(&evil)[2].domain;
        alice.post("/api/v1/domain_blocks", json!({"domain": spelt})).await.ok();
        assert_eq!(alice.get("/api/v1/domain_blocks").await.ok(), json!([evil.domain]));
        let dotted = &spellings(&evil)[0];
        let y = dotted.person("y");
        for (n, somebody) in [&x, &y].into_iter().enumerate() {
            let to = json!({"to": [format!("{}/users/alice", maple.base), "as:Public"], "cc": [],
                "tag": [{"type": "Mention", "href": format!("{}/users/alice", maple.base), "name": "@alice"}]});
            let note = with(&somebody.note(&format!("/to-alice/{n}"), "<p>boo</p>"), &to);
            assert_eq!(somebody.post(&maple, &somebody.does("Create", &note)).await, 202);
            arrives(&maple, note["id"].as_str().unwrap()).await;
        }
        assert!(alice.notifications("mention").await.is_empty());
        assert!(!texts(&alice.get("/api/v1/timelines/public").await.ok()).contains("boo"));

        // The community limits it by another: also whoever comes later, and under another name.
        let bea = maple.member("bea").await;
        assert!(texts(&bea.get("/api/v1/timelines/public").await.ok()).contains("boo"));
        limit::limit(maple.app(), By::Operator, &spellings(&evil)[1].domain, None).await.unwrap();
        let z = spellings(&evil)[3].person("z");
        let note = with(&z.note("/later", "<p>boo</p>"), &json!({"to": [format!("{}/users/bea", maple.base), "as:Public"]}));
        assert_eq!(z.post(&maple, &z.does("Create", &note)).await, 202);
        arrives(&maple, note["id"].as_str().unwrap()).await;
        assert!(!texts(&bea.get("/api/v1/timelines/public").await.ok()).contains("boo"));
    }
}

on_both! {
    /// Nobody passes for one of ours, or for something of ours, by spelling our host differently.
    async fn our_own_host_is_ours_in_every_spelling(engine) {
        let maple = Instance::start("maple", engine).await;
        let (alice, evil) = (maple.member("alice").await, Remote::start("evil").await);
        let x = evil.person("x");
        let port = maple.address.port();
        for host in [format!("maple.localhost.:{port}"), format!("MAPLE.localhost:{port}"), format!("maple.localhost:0{port}")] {
            let mut posing = evil.person("alice");
            let uri = format!("http://{host}/users/alice");
            posing.document["id"] = json!(uri);
            let like = with(&x.does("Like", &json!(x.uri)), &json!({"actor": uri}));
            assert_eq!(x.post(&maple, &like).await, 403, "{host}");
            let found = alice.get(&format!("/api/v2/search?resolve=true&q={uri}")).await.ok();
            assert_eq!(found["accounts"], json!([]), "{host}");
            let own = alice.get(&format!("/api/v1/accounts/lookup?acct=alice@{host}")).await.ok();
            assert_eq!(own["acct"], "alice");
        }
        // A handle at our host, claimed by another server.
        let mut liar = evil.person("liar");
        liar.document["webfinger"] = json!(format!("liar@maple.localhost.:{port}"));
        liar.show();
        let note = with(&liar.note("/n", "<p>hi</p>"), &json!({"to": [format!("{}/users/alice", maple.base)]}));
        liar.post(&maple, &liar.does("Create", &note)).await;
        assert_eq!(account_at(&maple, &liar.uri).await, None);
        assert_eq!(post_at(&maple, note["id"].as_str().unwrap()).await, None);
    }
}

on_both! {
    /// A page lies where the id lies, below it, or where the handle lives; elsewhere it would be a link that looks like
    /// somebody else's.
    async fn the_page_of_a_post_or_profile_lies_with_its_server(engine) {
        let maple = Instance::start("maple", engine).await;
        let (alice, oak) = (maple.member("alice").await, Remote::start("oak").await);
        let mut x = oak.person("x");
        x.document["url"] = json!("https://good.example/@mayor");
        x.show();
        let to_alice = json!([format!("{}/users/alice", maple.base), "as:Public"]);
        let pages = [
            (json!("https://good.example/@mayor/1"), None),
            (json!([{"type": "Link", "mediaType": "text/html", "href": "http://oak.localhost.good.example/1"}]), None),
            (json!(maple.base), None),
            (json!(oak.url("/@x/3")), Some(oak.url("/@x/3"))),
            (json!(format!("http://www.{}/@x/4", oak.domain)), Some(format!("http://www.{}/@x/4", oak.domain))),
            (Value::Null, None),
        ];
        for (n, (said, kept)) in pages.into_iter().enumerate() {
            let note = with(&x.note(&format!("/notes/{n}"), "<p>hi</p>"), &json!({"to": to_alice, "url": said}));
            assert_eq!(x.post(&maple, &x.does("Create", &note)).await, 202);
            let uri = note["id"].as_str().unwrap();
            let post = arrives(&maple, uri).await;
            assert_eq!(post.url, kept.unwrap_or_else(|| uri.to_owned()), "{said}");
        }
        assert_eq!(account_at(&maple, &x.uri).await.unwrap().url, x.uri);
        // An edit has the same rule.
        let edited = json!({"url": "https://good.example/", "content": "<p>edited</p>", "updated": "2026-11-20T00:00:00Z", "to": to_alice});
        let note = with(&x.note("/notes/3", ""), &edited);
        assert_eq!(x.post(&maple, &x.does("Update", &note)).await, 202);
        eventually("it is edited", async || post_at(&maple, &oak.url("/notes/3")).await.filter(|p| p.content.contains("edited"))).await;
        assert!(!post_at(&maple, &oak.url("/notes/3")).await.unwrap().url.contains("good.example"));
        drop(alice);
    }
}
