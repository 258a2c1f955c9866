//! Who may answer a post, whose address nobody can guess, and that what one did can always be taken back.

use app::follows::block;
use app::posts::publish::{Draft, publish};
use app::posts::{boost, favourite};
use domain::account::Account;
use domain::post::Post;
use domain::{AddressKey, PostId, ThreadId, Visibility};
use serde_json::{Value, json};
use storage::posts::Links;
use storage::{accounts, conversations, follows, interactions, posts};

use crate::home::{Home, eventually};
use crate::receiving::{Stranger, plain_get, received, setting};

const EVERYBODY: &str = "https://www.w3.org/ns/activitystreams#Public";

async fn say(home: &Home, who: &Account, text: &str, visibility: Visibility) -> Post {
    let draft = Draft { text: text.to_owned(), visibility: Some(visibility), ..Draft::default() };
    let id = publish(&home.fed.app, who, draft).await.unwrap();
    posts::unchecked(&mut home.conn().await, id).await.unwrap()
}

/// Somebody elsewhere answers a post; what it became here.
async fn answers(home: &Home, who: &Stranger, id: &str, to: &[&str], what: &str) -> Post {
    let mut create = who.create(id, to);
    create["object"]["inReplyTo"] = json!(what);
    assert_eq!(who.post(home, &create).await, 202);
    received(home, who, id).await
}

async fn now(home: &Home, id: PostId) -> Post {
    posts::unchecked(&mut home.conn().await, id).await.unwrap()
}

fn follow(who: &Stranger, whom: &Account) -> Value {
    json!({"id": format!("{}/f", who.actor()), "type": "Follow", "actor": who.actor(), "object": whom.uri})
}

/// No link, no place in the discussion, no count, no conversation for an answer to what its author may not see: it looks
/// to everybody like an answer to something unknown.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_hung_under_what_its_author_may_see() {
    let (home, dana, eve) = setting().await;
    let dana = home.lock(&dana, false).await;
    let priya = home.member("priya").await;
    let open = say(&home, &dana, "hello all", Visibility::Public).await;
    let inner = say(&home, &dana, "hello friends", Visibility::Followers).await;
    let secret = say(&home, &dana, "@priya hello", Visibility::Direct).await;
    for (n, parent) in [&inner, &secret].into_iter().enumerate() {
        for (way, to) in [("open", EVERYBODY), ("direct", dana.uri.as_str())] {
            let to = if to == EVERYBODY { vec![to, dana.uri.as_str()] } else { vec![to] };
            let answer = answers(&home, &eve, &format!("{way}{n}"), &to, &parent.uri).await;
            assert_eq!((answer.in_reply_to_id, answer.in_reply_to_account_id), (None, None), "{parent:?}");
            assert_eq!(answer.thread_id, ThreadId(answer.id.0));
        }
        assert_eq!(now(&home, parent.id).await.replies_count, 0);
    }
    // To nobody here, it is of no interest here; what comes after it is processed after it.
    let mut unheard = eve.create("unheard", &[EVERYBODY]);
    unheard["object"]["inReplyTo"] = json!(inner.uri);
    assert_eq!(eve.post(&home, &unheard).await, 202);
    let answer = answers(&home, &eve, "public", &[EVERYBODY], &open.uri).await;
    assert_eq!((answer.in_reply_to_id, answer.thread_id), (Some(open.id), open.thread_id));
    eventually("it is counted", || async { (now(&home, open.id).await.replies_count == 1).then_some(()) }).await;
    assert!(home.post_by_uri(&format!("http://{}/notes/unheard", eve.domain)).await.is_none());
    for (who, talks) in [(&dana, 3), (&priya, 1)] {
        let page = domain::page::Page::first(20);
        let found = conversations::list(&mut home.conn().await, who.id, &page).await.unwrap();
        assert_eq!(found.len(), talks, "those with eve are apart from the one of dana and priya");
    }

    // A follower may; and who is addressed.
    assert_eq!(eve.post(&home, &follow(&eve, &dana)).await, 202);
    eventually("eve follows", || async {
        let mut conn = home.conn().await;
        let known = accounts::by_uri(&mut conn, &eve.actor()).await.unwrap()?;
        follows::find(&mut conn, known.id, dana.id).await.unwrap()
    })
    .await;
    let answer = answers(&home, &eve, "friend", &[&dana.uri], &inner.uri).await;
    assert_eq!(answer.in_reply_to_id, Some(inner.id));
    let still = answers(&home, &eve, "again", &[&dana.uri], &secret.uri).await;
    assert_eq!(still.in_reply_to_id, None);
    // Who is blocked may not, whatever it is; and nothing that came before hangs there since.
    block::block(&home.fed.app, &dana, answer.account_id).await.unwrap();
    let blocked = answers(&home, &eve, "blocked", &[&priya.uri], &open.uri).await;
    assert_eq!(blocked.in_reply_to_id, None);
    assert_eq!(now(&home, open.id).await.replies_count, 1);
}

/// The same rule for an answer that came before what it answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_early_answer_waits_for_what_its_author_may_see() {
    let (home, dana, eve) = setting().await;
    let willow = Stranger::start("willow").await;
    let (mallory, me) = (eve.actor(), dana.uri.clone());
    for (id, to, hangs) in [
        ("secret", vec![me.as_str()], false),
        ("shared", vec![me.as_str(), mallory.as_str()], true),
        ("open", vec![EVERYBODY, me.as_str()], true),
    ] {
        let what = format!("http://{}/notes/{id}", willow.domain);
        let early = answers(&home, &eve, id, &[EVERYBODY, &me], &what).await;
        assert_eq!(early.in_reply_to_id, None);
        assert_eq!(willow.post(&home, &willow.create(id, &to)).await, 202);
        let parent = received(&home, &willow, id).await;
        let answer = now(&home, early.id).await;
        assert_eq!(answer.in_reply_to_id, hangs.then_some(parent.id), "{id}");
        assert_eq!(answer.thread_id == parent.thread_id, hangs, "{id}");
        assert_eq!(parent.replies_count, i64::from(hangs), "{id}");
    }
}

/// Two posts that answer each other do not go round in a circle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_hangs_under_itself() {
    let (home, dana, eve) = setting().await;
    let (a, b) = (format!("http://{}/notes/a", eve.domain), format!("http://{}/notes/b", eve.domain));
    let first = answers(&home, &eve, "a", &[&dana.uri], &b).await;
    let second = answers(&home, &eve, "b", &[&dana.uri], &a).await;
    assert_eq!(second.in_reply_to_id, Some(first.id));
    assert_eq!(now(&home, first.id).await.in_reply_to_id, None);
}

/// An answer counts while anybody may see it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_for_fewer_leaves_the_counters() {
    let (home, dana, eve) = setting().await;
    let open = say(&home, &dana, "hello all", Visibility::Public).await;
    let answer = answers(&home, &eve, "a", &[EVERYBODY, &dana.uri], &open.uri).await;
    assert_eq!(now(&home, open.id).await.replies_count, 1);
    let mut note = eve.note("a", &[&dana.uri]);
    note["updated"] = json!(domain::Timestamp(home.clock.now().0 + 60_000).to_rfc3339());
    let update = json!({"id": format!("{}/up", eve.actor()), "type": "Update", "actor": eve.actor(), "object": note});
    assert_eq!(eve.post(&home, &update).await, 202);
    eventually("it is narrower", || async {
        (now(&home, answer.id).await.visibility == Visibility::Direct).then_some(())
    })
    .await;
    assert_eq!(now(&home, open.id).await.replies_count, 0);
    let author = accounts::get(&mut home.conn().await, answer.account_id).await.unwrap();
    assert_eq!(author.posts_count, 0);
    let delete =
        json!({"id": format!("{}/d", eve.actor()), "type": "Delete", "actor": eve.actor(), "object": answer.uri});
    assert_eq!(eve.post(&home, &delete).await, 202);
    eventually("it is gone", || async { home.post_by_uri(&answer.uri).await.is_none().then_some(()) }).await;
    assert_eq!(now(&home, open.id).await.replies_count, 0);
}

/// The id that the client API gives is in no address, nor can one be made from another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_cannot_be_guessed() {
    let (home, dana, eve) = setting().await;
    let urls = &home.fed.app.urls;
    let key_of = |uri: &str| uri.split('/').nth_back(0).unwrap().parse::<AddressKey>().unwrap();
    let mut keys = Vec::new();
    for visibility in [Visibility::Public, Visibility::Unlisted, Visibility::Followers, Visibility::Direct] {
        let post = say(&home, &dana, "hello", visibility).await;
        let key = key_of(&post.uri);
        assert_eq!((&post.uri, &post.url), (&urls.post("dana", key), &urls.post_page("dana", key)));
        assert!(!keys.contains(&key) && key.as_id() != Some(post.id));
        assert_eq!(plain_get(&home, &post.uri).await.0, if visibility.is_open() { 200 } else { 404 });
        let by_id = u64::try_from(post.id.0).unwrap();
        for below in ["", "/activity", "/replies"] {
            let guessed = format!("{}{below}", urls.post("dana", AddressKey::new(by_id)));
            assert_eq!(plain_get(&home, &guessed).await.0, 404, "{guessed}");
        }
        keys.push(key);
    }
    let open = say(&home, &dana, "once more", Visibility::Public).await;
    let (_, body) = plain_get(&home, &open.uri).await;
    let note: Value = serde_json::from_str(&body).unwrap();
    let discussion = note["conversation"].as_str().unwrap();
    assert!(!discussion.contains(&open.thread_id.to_string()), "{discussion}");
    // What is done with posts and people.
    let hers = answers(&home, &eve, "hers", &[EVERYBODY, &dana.uri], &open.uri).await;
    favourite::favourite(&home.fed.app, &dana, hers.id).await.unwrap();
    let shared = boost::boost(&home.fed.app, &dana, hers.id, None).await.unwrap();
    let shared = now(&home, shared).await;
    assert!(!shared.uri.contains(&shared.id.to_string()) && !shared.url.contains(&shared.id.to_string()));
    assert_eq!(plain_get(&home, &shared.uri).await.0, 200);
    let mut tx = home.fed.app.db.write().await.unwrap();
    let like = interactions::unfavourite(&mut tx, dana.id, hers.id).await.unwrap().unwrap();
    drop(tx);
    let about_now = (home.clock.now().0 << 16).to_string();
    assert!(!like.contains(&about_now[..8]), "{like}");
}

/// What was given out before there were keys goes on working.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn older_addresses_go_on_working() {
    let (home, dana, eve) = setting().await;
    let urls = home.fed.app.urls.clone();
    let mut old = say(&home, &dana, "long ago", Visibility::Public).await;
    old.id = home.fed.app.ids().next();
    let key = AddressKey::new(u64::try_from(old.id.0).unwrap());
    old.uri = urls.post("dana", key);
    old.url = urls.post_page("dana", key);
    assert_eq!(old.uri, format!("{}/users/dana/statuses/{}", home.base, old.id));
    let mut tx = home.fed.app.db.write().await.unwrap();
    posts::insert(&mut tx, &old, &Links::default()).await.unwrap();
    tx.commit().await.unwrap();
    let (status, body) = plain_get(&home, &old.uri).await;
    assert_eq!(status, 200);
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["id"], json!(old.uri));
    for address in [&old.uri, &old.url] {
        assert_eq!(home.fed.resolve(address).await.unwrap(), federation::Resolved::Post(old.id));
    }
    let answer = answers(&home, &eve, "a", &[EVERYBODY, &dana.uri], &old.uri).await;
    assert_eq!(answer.in_reply_to_id, Some(old.id));
}

/// What is not there and what is not for the asker are answered alike, with the same checks: a signature too is looked at
/// in both cases.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_looks_like_what_is_not_for_the_asker() {
    let (home, dana, eve) = setting().await;
    let secret = say(&home, &dana, "to myself", Visibility::Direct).await;
    let nothing = home.fed.app.urls.post("dana", AddressKey::new(7));
    for below in ["", "/activity", "/replies"] {
        let mut answers = Vec::new();
        for (n, uri) in [&secret.uri, &nothing].into_iter().enumerate() {
            let uri = format!("{uri}{below}");
            // Of a server that was never heard of, each time.
            let asker = Stranger::start(&format!("asker{n}")).await;
            let signed = asker.get(&home, &uri).await;
            answers.push((plain_get(&home, &uri).await, signed, asker.asked()));
        }
        assert_eq!(answers[0], answers[1], "{below}");
        assert_eq!(answers[0].1.0, 404);
        assert_eq!(answers[0].2, 1, "its key was looked up");
    }
    drop(eve);
}

/// Whoever was blocked takes back what they did before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_blocked_takes_back_what_is_theirs() {
    let (home, dana, eve) = setting().await;
    let open = say(&home, &dana, "hello all", Visibility::Public).await;
    let answer = answers(&home, &eve, "a", &[EVERYBODY, &dana.uri], &open.uri).await;
    let act = |kind: &str, object: Value| json!({"id": format!("{}/{kind}", eve.actor()), "type": kind, "actor": eve.actor(), "object": object});
    for kind in ["Like", "Announce"] {
        let mut done = act(kind, json!(open.uri));
        done["to"] = json!([EVERYBODY]);
        assert_eq!(eve.post(&home, &done).await, 202);
    }
    let counts = async || {
        let post = now(&home, open.id).await;
        (post.favourites_count, post.boosts_count, post.replies_count)
    };
    eventually("all is counted", || async { (counts().await == (1, 1, 1)).then_some(()) }).await;
    block::block(&home.fed.app, &dana, answer.account_id).await.unwrap();
    for kind in ["Like", "Announce"] {
        let mut undo = act("Undo", act(kind, json!(open.uri)));
        undo["id"] = json!(format!("{}/undo/{kind}", eve.actor()));
        assert_eq!(eve.post(&home, &undo).await, 202);
    }
    assert_eq!(eve.post(&home, &act("Delete", json!(answer.uri))).await, 202);
    eventually("all is taken back", || async { (counts().await == (0, 0, 0)).then_some(()) }).await;
}
