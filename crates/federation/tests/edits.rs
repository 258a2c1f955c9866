//! What strangers say anew: what of it counts, for whom, and what is told of it.

use domain::account::Account;
use domain::{Timestamp, Viewer, Visibility};
use serde_json::json;
use storage::{accounts, follows, posts};

use crate::home::eventually;
use crate::receiving::{received, setting};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_counts_only_from_its_author_and_only_when_newer() {
    let (home, dana, eve) = setting().await;
    assert_eq!(eve.post(&home, &eve.create("1", &[&dana.uri])).await, 202);
    let post = received(&home, &eve, "1").await;
    let update = |n: u32, text: &str, at: &str| {
        let mut note = eve.note("1", &[&dana.uri]);
        note["content"] = json!(text);
        note["updated"] = json!(at);
        json!({"id": format!("{}/up/{n}", eve.actor()), "type": "Update", "actor": eve.actor(), "object": note})
    };
    let at = |minutes: i64| Timestamp(home.clock.now().0 + minutes * 60_000).to_rfc3339();
    assert_eq!(eve.post(&home, &update(1, "newer", &at(2))).await, 202);
    eventually("it is edited", || async {
        let now = posts::unchecked(&mut home.conn().await, post.id).await.unwrap();
        (now.content == "newer").then_some(())
    })
    .await;
    assert_eq!(eve.post(&home, &update(2, "older", &at(1))).await, 202);
    assert_eq!(eve.post(&home, &eve.create("2", &[&dana.uri])).await, 202);
    received(&home, &eve, "2").await;
    assert_eq!(posts::unchecked(&mut home.conn().await, post.id).await.unwrap().content, "newer");
}

/// Somebody elsewhere edits what was for dana and erin: whom it still addresses, named or not, sees it; nobody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_is_for_those_whom_it_addresses() {
    let (home, dana, eve) = setting().await;
    let erin = home.member("erin").await;
    let mut create = eve.create("1", &[&dana.uri, &erin.uri]);
    create["object"]["tag"] = json!([{"type": "Mention", "href": erin.uri, "name": "@erin"}]);
    assert_eq!(eve.post(&home, &create).await, 202);
    let post = received(&home, &eve, "1").await;
    let sees = async |who: &Account| {
        posts::get(&mut home.conn().await, Viewer::Account(who.id), post.id).await.ok().map(|post| post.content)
    };
    assert!(sees(&dana).await.is_some() && sees(&erin).await.is_some());
    let update = |n: u32, to: &[&str]| {
        let mut note = eve.note("1", to);
        note["content"] = json!(format!("version {n}"));
        note["updated"] = json!(Timestamp(home.clock.now().0 + i64::from(n) * 60_000).to_rfc3339());
        json!({"id": format!("{}/up/{n}", eve.actor()), "type": "Update", "actor": eve.actor(), "object": note})
    };
    let other = "http://elsewhere.example/users/x";
    for (n, to, [dana_sees, erin_sees]) in [
        (1, vec![], [true, true]),
        (2, vec![dana.uri.as_str()], [true, false]),
        (3, vec![&erin.uri], [false, true]),
        (4, vec![other], [false; 2]),
    ] {
        assert_eq!(eve.post(&home, &update(n, &to)).await, 202);
        let text = format!("version {n}");
        eventually("it is edited", || async {
            (posts::unchecked(&mut home.conn().await, post.id).await.unwrap().content == text).then_some(())
        })
        .await;
        for (who, may) in [(&dana, dana_sees), (&erin, erin_sees)] {
            assert_eq!(sees(who).await, may.then(|| text.clone()), "{n}: {}", who.username);
        }
    }
}

/// Dana wants to hear of each post of eve's. An old one of which only an edit arrives is not told as new; one that comes
/// late is, and a new one that was edited at once. The old ones stand in her timeline by their dates.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_post_that_comes_by_its_edit_is_no_news() {
    let (home, dana, eve) = setting().await;
    assert_eq!(eve.post(&home, &eve.create("0", &[&dana.uri])).await, 202);
    let author = received(&home, &eve, "0").await.account_id;
    let mut tx = home.fed.app.db.write().await.unwrap();
    let follow = follows::Follow {
        id: tx.id(),
        account_id: dana.id,
        target_id: author,
        uri: "http://maple.localhost/f".to_owned(),
        options: domain::follow::FollowOptions { notify: true, ..Default::default() },
        created_at: tx.now(),
    };
    assert!(follows::insert(&mut tx, &follow).await.unwrap());
    tx.commit().await.unwrap();
    let everybody = "https://www.w3.org/ns/activitystreams#Public";
    let ago = |minutes: i64| Timestamp(home.clock.now().0 - minutes * 60_000).to_rfc3339();
    let told = async || {
        let filter = storage::notifications::Filter {
            kinds: vec![domain::notification::NotificationKind::Status],
            ..Default::default()
        };
        let page = domain::page::Page::first(10);
        let all = storage::notifications::list(&mut home.conn().await, dana.id, &filter, &page).await.unwrap();
        all.iter()
            .map(|n| n.post.as_ref().unwrap().post().uri.rsplit('/').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let mut ids = Vec::new();
    for (id, written, edited, news) in
        [("old", 60, Some(1), vec![]), ("late", 50, None, vec!["late"]), ("new", 3, Some(1), vec!["new", "late"])]
    {
        let mut note = eve.note(id, &[everybody]);
        note["published"] = json!(ago(written));
        if let Some(edited) = edited {
            note["updated"] = json!(ago(edited));
        }
        let kind = if edited.is_some() { "Update" } else { "Create" };
        let act =
            json!({"id": format!("{}/act/{id}", eve.actor()), "type": kind, "actor": eve.actor(), "object": note});
        assert_eq!(eve.post(&home, &act).await, 202);
        ids.insert(0, received(&home, &eve, id).await.id);
        assert_eq!(told().await, news, "{id}");
    }
    let page = domain::page::Page::first(10);
    let shown = storage::timelines::home(&mut home.conn().await, dana.id, &page).await.unwrap();
    let shown: Vec<_> = shown.iter().map(storage::hydrate::Found::id).collect();
    assert_eq!(shown, ids, "by their dates");
}

/// A post that its author's server takes back from everybody is for those whom it still addresses; one that it gives to
/// more stays for whom it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_narrows_who_may_see_a_post_and_never_widens_it() {
    let (home, dana, eve) = setting().await;
    let erin = home.member("erin").await;
    let everybody = "https://www.w3.org/ns/activitystreams#Public";
    let followers = format!("{}/followers", eve.actor());
    assert_eq!(eve.post(&home, &eve.create("1", &[everybody, &dana.uri])).await, 202);
    let post = received(&home, &eve, "1").await;
    let count = async || accounts::get(&mut home.conn().await, post.account_id).await.unwrap().posts_count;
    assert_eq!((post.visibility, count().await), (Visibility::Public, 1));
    for (n, to, visibility, counted) in [
        (1, vec![], Visibility::Public, 1),
        (2, vec![followers.as_str(), &dana.uri], Visibility::Followers, 0),
        (3, vec![everybody, &dana.uri], Visibility::Followers, 0),
        (4, vec![&dana.uri], Visibility::Direct, 0),
        (5, vec![&followers, &dana.uri], Visibility::Direct, 0),
    ] {
        let mut note = eve.note("1", &to);
        note["content"] = json!(format!("version {n}"));
        note["updated"] = json!(Timestamp(home.clock.now().0 + n * 60_000).to_rfc3339());
        let id = format!("{}/up/{n}", eve.actor());
        let update = json!({"id": id, "type": "Update", "actor": eve.actor(), "object": note});
        assert_eq!(eve.post(&home, &update).await, 202);
        let text = format!("version {n}");
        let now = eventually("it is edited", || async {
            let now = posts::unchecked(&mut home.conn().await, post.id).await.unwrap();
            (now.content == text).then_some(now)
        })
        .await;
        assert_eq!((now.visibility, count().await), (visibility, counted), "{n}");
        let mut conn = home.conn().await;
        assert!(posts::get(&mut conn, Viewer::Account(dana.id), post.id).await.is_ok(), "{n}");
        let open = visibility == Visibility::Public;
        assert_eq!(posts::get(&mut conn, Viewer::Account(erin.id), post.id).await.is_ok(), open, "{n}");
    }
    let page = domain::page::Page::first(10);
    let talks = storage::conversations::list(&mut home.conn().await, dana.id, &page).await.unwrap();
    assert_eq!(talks.len(), 1);
    let delete =
        json!({"id": format!("{}/del/1", eve.actor()), "type": "Delete", "actor": eve.actor(), "object": post.uri});
    assert_eq!(eve.post(&home, &delete).await, 202);
    eventually("it is gone", || async { home.post_by_uri(&post.uri).await.is_none().then_some(()) }).await;
    assert_eq!(count().await, 0, "it was not counted any more");
}

/// Some servers send an `Update` when nothing was edited: no version is made of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_that_changes_nothing_is_none() {
    let (home, dana, eve) = setting().await;
    let picture = |name: &str| {
        json!([{"type": "Document", "mediaType": "image/png", "name": name,
        "url": format!("http://{}/cup.png", eve.domain)}])
    };
    let mut create = eve.create("1", &[&dana.uri]);
    create["object"]["attachment"] = picture("a cup");
    assert_eq!(eve.post(&home, &create).await, 202);
    let post = received(&home, &eve, "1").await;
    for (n, name, versions) in [(1, "a cup", 0), (2, "two cups", 2), (3, "two cups", 2)] {
        let mut note = create["object"].clone();
        note["attachment"] = picture(name);
        note["updated"] = json!(Timestamp(home.clock.now().0 + n * 60_000).to_rfc3339());
        let id = format!("{}/up/{n}", eve.actor());
        let update = json!({"id": id, "type": "Update", "actor": eve.actor(), "object": note});
        assert_eq!(eve.post(&home, &update).await, 202);
        eventually("it was looked at", || async {
            let left = storage::inbox_items::backlog(&mut home.conn().await).await.unwrap();
            (left == 0).then_some(())
        })
        .await;
        let mut conn = home.conn().await;
        let now = posts::unchecked(&mut conn, post.id).await.unwrap();
        let kept = posts::edits(&mut conn, Viewer::Account(post.account_id), post.id).await.unwrap();
        assert_eq!((kept.len(), now.edited_at.is_some()), (versions, versions > 0), "{n}");
        if let Some(first) = kept.first() {
            assert_eq!((&*first.shown[0].description, &*kept[1].shown[0].description), ("a cup", "two cups"));
        }
    }
}

/// Of a post that is not here, an edit that concerns somebody here is taken like a new post; nothing else is, and
/// nothing that was deleted comes back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_of_an_unknown_post_is_taken_if_it_concerns_somebody_here() {
    let (home, dana, eve) = setting().await;
    let update = |n: u32, id: &str, to: &str| {
        let mut note = eve.note(id, &[to]);
        note["updated"] = json!(Timestamp(home.clock.now().0 + 60_000).to_rfc3339());
        json!({"id": format!("{}/up/{n}", eve.actor()), "type": "Update", "actor": eve.actor(), "object": note})
    };
    let everybody = "https://www.w3.org/ns/activitystreams#Public";
    assert_eq!(eve.post(&home, &update(1, "1", everybody)).await, 202);
    let mut poll = update(2, "2", &dana.uri);
    poll["object"]["name"] = json!("yes");
    poll["object"]["inReplyTo"] = json!(format!("{}/statuses/1", dana.uri));
    poll["object"].as_object_mut().unwrap().remove("content");
    assert_eq!(eve.post(&home, &poll).await, 202);
    assert_eq!(eve.post(&home, &update(3, "3", &dana.uri)).await, 202);
    let post = received(&home, &eve, "3").await;
    assert!(post.edited_at.is_some());
    for other in ["1", "2"] {
        let uri = format!("http://{}/notes/{other}", eve.domain);
        assert!(home.post_by_uri(&uri).await.is_none(), "{other}");
    }
    let delete =
        json!({"id": format!("{}/del/1", eve.actor()), "type": "Delete", "actor": eve.actor(), "object": post.uri});
    assert_eq!(eve.post(&home, &delete).await, 202);
    eventually("it is gone", || async { home.post_by_uri(&post.uri).await.is_none().then_some(()) }).await;
    assert_eq!(eve.post(&home, &update(4, "3", &dana.uri)).await, 202);
    assert_eq!(eve.post(&home, &update(5, "5", &dana.uri)).await, 202);
    received(&home, &eve, "5").await;
    assert!(home.post_by_uri(&post.uri).await.is_none());
}
