//! Two communities over real sockets: following, posting, answering, taking back.

use std::pin::Pin;

use app::follows::{accept, block, reject, remove, request};
use app::posts::publish::{Draft, publish};
use app::posts::{boost, delete, edit, favourite};
use domain::account::Account;
use domain::follow::FollowOptions;
use domain::post::Post;
use domain::{PostId, Viewer, Visibility};
use federation::Resolved;
use storage::{accounts, follows, posts, threads};

use crate::home::{Home, eventually};
use crate::receiving::plain_get;

pub async fn say(home: &Home, who: &Account, text: &str, visibility: Visibility, answers: Option<PostId>) -> Post {
    let draft = Draft {
        text: text.to_owned(),
        visibility: Some(visibility),
        in_reply_to: answers,
        language: Some("en".to_owned()),
        ..Draft::default()
    };
    let id = publish(&home.fed.app, who, draft).await.unwrap();
    posts::unchecked(&mut home.conn().await, id).await.unwrap()
}

pub async fn arrives(home: &Home, uri: &str) -> Post {
    eventually(&format!("{uri} arrives"), || home.post_by_uri(uri)).await
}

/// Nothing is left to be done, sent or taken in.
pub async fn all_is_done(homes: &[&Home]) {
    eventually("all is done", || async {
        // (Twice: what one of them had done may have made work for another.)
        for home in homes.iter().chain(homes) {
            let mut conn = home.conn().await;
            let left = storage::jobs::backlog(&mut conn).await.unwrap().0
                + storage::deliveries::backlog(&mut conn).await.unwrap().0
                + storage::inbox_items::backlog(&mut conn).await.unwrap();
            if left > 0 {
                return None;
            }
        }
        Some(())
    })
    .await;
}

pub async fn rewrite(home: &Home, who: &Account, post: &Post, text: &str) {
    let draft = Draft { text: text.to_owned(), language: Some("en".to_owned()), ..Draft::default() };
    edit::edit(&home.fed.app, who, post.id, draft).await.unwrap();
}

/// maple and willow, alice of the one, bob of the other, and bob as maple knows him.
type Friends = (Home, Home, Account, Account, Account);

/// alice@maple follows bob@willow, who let her in.
fn friends() -> Pin<Box<dyn Future<Output = Friends>>> {
    Box::pin(befriend())
}

async fn befriend() -> Friends {
    let (maple, willow) = (Home::start("maple").await, Home::start("willow").await);
    let alice = maple.member("alice").await;
    let bob = willow.lock(&willow.member("bob").await, true).await;
    let bob_here = maple.fed.resolve_account(&format!("@bob@{}", willow.domain)).await.unwrap();
    assert!(bob_here.locked);
    assert_eq!(bob_here.acct(), format!("bob@{}", willow.domain));
    request::request(&maple.fed.app, &alice, bob_here.id, FollowOptions::default()).await.unwrap();
    let alice_there = eventually("bob is asked", || async {
        let mut conn = willow.conn().await;
        let alice = accounts::by_handle(&mut conn, "alice", Some(&domain::Host::parse(&maple.domain).unwrap()))
            .await
            .unwrap()?;
        follows::find_request(&mut conn, alice.id, bob.id).await.unwrap().map(|_| alice)
    })
    .await;
    assert!(follows::find(&mut maple.conn().await, alice.id, bob_here.id).await.unwrap().is_none());
    accept::accept(&willow.fed.app, &bob, alice_there.id).await.unwrap();
    eventually("alice follows bob", || async {
        follows::find(&mut maple.conn().await, alice.id, bob_here.id).await.unwrap()
    })
    .await;
    (maple, willow, alice, bob, bob_here)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_posted_to_followers_arrives_and_what_is_for_others_does_not() {
    let (maple, willow, alice, bob, _) = friends().await;
    let carol = willow.member("carol").await;
    let private = say(&willow, &bob, "for @carol alone", Visibility::Direct, None).await;
    let public = say(&willow, &bob, "hello #Garden <b>", Visibility::Public, None).await;
    let inner = say(&willow, &bob, "for those who follow me", Visibility::Followers, None).await;
    let inner_here = arrives(&maple, &inner.uri).await;
    let public_here = arrives(&maple, &public.uri).await;
    assert_eq!(inner_here.visibility, Visibility::Followers);
    assert_eq!(public_here.visibility, Visibility::Public);
    assert_eq!(public_here.language.as_deref(), Some("en"));
    assert!(public_here.content.contains("&lt;b&gt;"), "{}", public_here.content);
    assert!(maple.post_by_uri(&private.uri).await.is_none());
    // Signed or not, maple is not given what is for carol; what is for followers it may fetch, a stranger may not.
    assert!(maple.fed.resolve(&private.uri).await.is_err());
    let oak = Home::start("oak").await;
    assert!(oak.fed.resolve(&inner.uri).await.is_err());
    assert!(matches!(oak.fed.resolve(&public.uri).await, Ok(Resolved::Post(_))));
    let home =
        storage::timelines::home(&mut maple.conn().await, alice.id, &domain::page::Page::first(10)).await.unwrap();
    assert_eq!(home.len(), 2);
    drop(carol);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_boosts_favourites_edits_and_deletions_arrive() {
    let (maple, willow, alice, bob, _) = friends().await;
    let post = say(&willow, &bob, "first words", Visibility::Public, None).await;
    let here = arrives(&maple, &post.uri).await;

    favourite::favourite(&maple.fed.app, &alice, here.id).await.unwrap();
    boost::boost(&maple.fed.app, &alice, here.id, None).await.unwrap();
    let answer =
        say(&maple, &alice, &format!("@bob@{} indeed", willow.domain), Visibility::Public, Some(here.id)).await;
    eventually("all three are counted at bob's", || async {
        let there = posts::unchecked(&mut willow.conn().await, post.id).await.unwrap();
        (there.favourites_count == 1 && there.boosts_count == 1 && there.replies_count == 1).then_some(())
    })
    .await;
    let there = arrives(&willow, &answer.uri).await;
    assert_eq!(there.in_reply_to_id, Some(post.id));
    assert_eq!(there.thread_id, post.thread_id);

    favourite::unfavourite(&maple.fed.app, &alice, here.id).await.unwrap();
    boost::unboost(&maple.fed.app, &alice, here.id).await.unwrap();
    let draft = Draft { text: "second words".into(), ..Draft::default() };
    edit::edit(&willow.fed.app, &bob, post.id, draft).await.unwrap();
    eventually("both are taken back, and the edit is there", || async {
        let there = posts::unchecked(&mut willow.conn().await, post.id).await.unwrap();
        let here = posts::unchecked(&mut maple.conn().await, here.id).await.unwrap();
        let edited = here.content.contains("second words") && here.edited_at.is_some();
        (there.favourites_count == 0 && there.boosts_count == 0 && edited).then_some(())
    })
    .await;

    delete::delete(&willow.fed.app, &bob, post.id, delete::Media::Remove).await.unwrap();
    eventually("the post is gone", || async { maple.post_by_uri(&post.uri).await.is_none().then_some(()) }).await;
    assert_eq!(plain_get(&willow, &post.uri).await.0, 410);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn private_messages_go_there_and_back_into_one_conversation() {
    let (maple, willow, alice, bob, _) = friends().await;
    let first = say(&maple, &alice, &format!("@bob@{} can I call?", willow.domain), Visibility::Direct, None).await;
    let there = arrives(&willow, &first.uri).await;
    assert_eq!(there.visibility, Visibility::Direct);
    let text = format!("@alice@{} yes", maple.domain);
    let answer = say(&willow, &bob, &text, Visibility::Direct, Some(there.id)).await;
    let back = arrives(&maple, &answer.uri).await;
    assert_eq!(back.in_reply_to_id, Some(first.id));
    for (home, who) in [(&maple, &alice), (&willow, &bob)] {
        let page = domain::page::Page::first(10);
        let talks = storage::conversations::list(&mut home.conn().await, who.id, &page).await.unwrap();
        assert_eq!(talks.len(), 1);
        assert_eq!(talks[0].view.last_post.post().uri, answer.uri);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocking_ends_it() {
    let (maple, willow, alice, bob, bob_here) = friends().await;
    let alice_there = accounts::by_uri(&mut willow.conn().await, &alice.uri).await.unwrap().unwrap();
    block::block(&willow.fed.app, &bob, alice_there.id).await.unwrap();
    eventually("alice follows nobody", || async {
        follows::find(&mut maple.conn().await, alice.id, bob_here.id).await.unwrap().is_none().then_some(())
    })
    .await;
    let post = say(&willow, &bob, "not for her", Visibility::Followers, None).await;
    assert!(maple.fed.resolve(&post.uri).await.is_err());
}

/// She answered what was for his followers, was written to and shared what was for all: her server has all of it. It
/// hears of no edit once she may see the post no more; that the posts are gone it hears all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_does_not_reach_those_who_may_see_the_post_no_more() {
    let (maple, willow, alice, bob, _) = friends().await;
    let inner = say(&willow, &bob, "inner, first", Visibility::Followers, None).await;
    let open = say(&willow, &bob, "open, first", Visibility::Public, None).await;
    let letter = say(&willow, &bob, &format!("@alice@{} letter, first", maple.domain), Visibility::Direct, None).await;
    let inner_here = arrives(&maple, &inner.uri).await;
    let answer = format!("@bob@{} indeed", willow.domain);
    let answer = say(&maple, &alice, &answer, Visibility::Followers, Some(inner_here.id)).await;
    boost::boost(&maple.fed.app, &alice, arrives(&maple, &open.uri).await.id, None).await.unwrap();
    arrives(&maple, &letter.uri).await;
    assert_eq!(arrives(&willow, &answer.uri).await.in_reply_to_id, Some(inner.id));
    let alice_there = accounts::by_uri(&mut willow.conn().await, &alice.uri).await.unwrap().unwrap();
    all_is_done(&[&maple, &willow]).await;
    let text = |post: &Post| {
        let uri = post.uri.clone();
        let maple = &maple;
        async move { maple.post_by_uri(&uri).await.unwrap().content }
    };

    reject::remove_follower(&willow.fed.app, &bob, alice_there.id).await.unwrap();
    rewrite(&willow, &bob, &inner, "inner, second").await;
    rewrite(&willow, &bob, &open, "open, second").await;
    all_is_done(&[&willow, &maple]).await;
    assert!(text(&inner).await.contains("inner, first"), "she follows him no more");
    assert!(text(&open).await.contains("open, second"), "she shared it, and anybody may see it");

    block::block(&willow.fed.app, &bob, alice_there.id).await.unwrap();
    rewrite(&willow, &bob, &open, "open, third").await;
    rewrite(&willow, &bob, &letter, &format!("@alice@{} letter, second", maple.domain)).await;
    all_is_done(&[&willow, &maple]).await;
    assert!(text(&open).await.contains("open, second"), "he blocks her");
    assert!(text(&letter).await.contains("letter, first"), "he blocks her");

    for post in [&inner, &open, &letter] {
        delete::delete(&willow.fed.app, &bob, post.id, delete::Media::Remove).await.unwrap();
        eventually("it is gone", || async { maple.post_by_uri(&post.uri).await.is_none().then_some(()) }).await;
    }
}

/// A private message to somebody here names alice elsewhere once it is edited: it reaches her, as if it were new; and
/// so does the next edit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_reaches_whom_it_names_first() {
    let (maple, willow) = (Home::start("maple").await, Home::start("willow").await);
    let (alice, bob) = (maple.member("alice").await, willow.member("bob").await);
    willow.member("bea").await;
    willow.fed.resolve_account(&format!("@alice@{}", maple.domain)).await.unwrap();
    let letter = say(&willow, &bob, "@bea just us", Visibility::Direct, None).await;
    all_is_done(&[&willow, &maple]).await;
    assert!(maple.post_by_uri(&letter.uri).await.is_none());
    rewrite(&willow, &bob, &letter, &format!("@bea @alice@{} and you", maple.domain)).await;
    let here = arrives(&maple, &letter.uri).await;
    assert!(here.content.contains("and you"), "{}", here.content);
    assert_eq!(here.visibility, Visibility::Direct);
    let page = domain::page::Page::first(10);
    let talks = storage::conversations::list(&mut maple.conn().await, alice.id, &page).await.unwrap();
    assert_eq!(talks.len(), 1);
    all_is_done(&[&willow, &maple]).await;
    assert_eq!(
        posts::edits(&mut maple.conn().await, Viewer::Account(here.account_id), here.id).await.unwrap().len(),
        0,
        "to her it is the first version"
    );
    rewrite(&willow, &bob, &letter, &format!("@bea @alice@{} and all", maple.domain)).await;
    eventually("the next edit is there", || async {
        maple.post_by_uri(&letter.uri).await.unwrap().content.contains("and all").then_some(())
    })
    .await;
}

/// An edit takes alice, elsewhere, out of a private message to two: her server gets nothing of the new version, whether
/// it is sent or asked for; that the message is gone it hears.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_does_not_reach_whom_it_takes_out() {
    let (maple, willow) = (Home::start("maple").await, Home::start("willow").await);
    let (_, bob) = (maple.member("alice").await, willow.member("bob").await);
    willow.member("bea").await;
    willow.fed.resolve_account(&format!("@alice@{}", maple.domain)).await.unwrap();
    let letter = say(&willow, &bob, &format!("@bea @alice@{} for both", maple.domain), Visibility::Direct, None).await;
    arrives(&maple, &letter.uri).await;
    let may_fetch = async || {
        let budget = federation::client::Budget::new(2);
        let key = maple.fed.instance_key().await.unwrap();
        let want = federation::client::Want::Activity;
        maple.fed.client.get(&letter.uri.parse().unwrap(), want, Some(&key), &budget).await.is_ok()
    };
    assert!(may_fetch().await);
    rewrite(&willow, &bob, &letter, "@bea just us").await;
    all_is_done(&[&willow, &maple]).await;
    let here = maple.post_by_uri(&letter.uri).await.unwrap();
    assert!(here.content.contains("for both"), "{}", here.content);
    assert!(!may_fetch().await);
    delete::delete(&willow.fed.app, &bob, letter.id, delete::Media::Remove).await.unwrap();
    eventually("it is gone", || async { maple.post_by_uri(&letter.uri).await.is_none().then_some(()) }).await;
}

/// However a follow ended, what was sent while it lasted is taken back from where it went; no edit of it goes there, and
/// not even the deletion of what was never there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_reaches_those_who_followed_once() {
    for way in ["unfollow", "remove", "block", "blocked"] {
        let (maple, willow, alice, bob, bob_here) = friends().await;
        let alice_there = accounts::by_uri(&mut willow.conn().await, &alice.uri).await.unwrap().unwrap();
        let inner = say(&willow, &bob, "inner, first", Visibility::Followers, None).await;
        let open = say(&willow, &bob, "open, first", Visibility::Public, None).await;
        arrives(&maple, &inner.uri).await;
        arrives(&maple, &open.uri).await;
        match way {
            "unfollow" => remove::remove(&maple.fed.app, &alice, bob_here.id).await.unwrap(),
            "remove" => reject::remove_follower(&willow.fed.app, &bob, alice_there.id).await.unwrap(),
            "block" => block::block(&maple.fed.app, &alice, bob_here.id).await.unwrap(),
            _ => block::block(&willow.fed.app, &bob, alice_there.id).await.unwrap(),
        }
        all_is_done(&[&maple, &willow]).await;
        assert!(follows::find(&mut willow.conn().await, alice_there.id, bob.id).await.unwrap().is_none());
        willow.clock.advance(std::time::Duration::from_secs(1));
        let later = say(&willow, &bob, "not for her", Visibility::Followers, None).await;
        for post in [&inner, &open] {
            rewrite(&willow, &bob, post, "second").await;
        }
        all_is_done(&[&willow, &maple]).await;
        for post in [&inner, &open] {
            assert!(maple.post_by_uri(&post.uri).await.unwrap().content.contains("first"), "{way}: {}", post.content);
            delete::delete(&willow.fed.app, &bob, post.id, delete::Media::Remove).await.unwrap();
            eventually(way, || async { maple.post_by_uri(&post.uri).await.is_none().then_some(()) }).await;
        }
        let told = storage::former_readers::inboxes(&mut willow.conn().await, later.id).await.unwrap();
        assert!(told.is_empty(), "{way}: {told:?}");
    }
}

/// A community that ours does not speak with hears of no deletion either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_does_not_reach_a_blocked_community() {
    let (maple, willow, _, bob, _) = friends().await;
    let inner = say(&willow, &bob, "inner", Visibility::Followers, None).await;
    arrives(&maple, &inner.uri).await;
    let by = app::accounts::By::Operator;
    app::moderation::domains::block::block(&willow.fed.app, by, &maple.domain, None).await.unwrap();
    delete::delete(&willow.fed.app, &bob, inner.id, delete::Media::Remove).await.unwrap();
    all_is_done(&[&willow, &maple]).await;
    assert!(maple.post_by_uri(&inner.uri).await.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_discussion_is_found_upward() {
    let (maple, willow) = (Home::start("maple").await, Home::start("willow").await);
    let bob = willow.member("bob").await;
    let mut last = say(&willow, &bob, "one", Visibility::Public, None).await;
    let first = last.uri.clone();
    for text in ["two", "three", "four"] {
        last = say(&willow, &bob, text, Visibility::Public, Some(last.id)).await;
    }
    assert!(matches!(maple.fed.resolve(&last.uri).await, Ok(Resolved::Post(_))));
    let start = arrives(&maple, &first).await;
    let end = arrives(&maple, &last.uri).await;
    eventually("it is one discussion", || async {
        let mut conn = maple.conn().await;
        let up = threads::ancestors(&mut conn, Viewer::Anonymous, end.id, 10).await.unwrap();
        let all = storage::hydrate::posts(&mut conn, Viewer::Anonymous, &up).await.unwrap();
        (all.len() == 3 && all[0].id() == start.id).then_some(())
    })
    .await;
}
