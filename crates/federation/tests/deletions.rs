//! Copies that other servers have by what somebody did with a post: they are edited and taken back as followers' are.

use app::accounts::By;
use app::follows::{reject, remove, request};
use app::posts::{boost, delete, favourite};
use domain::Visibility::{self, Public};
use domain::account::Account;
use domain::follow::FollowOptions;
use domain::post::Post;
use storage::{accounts, follows, posts};

use crate::exchange::{all_is_done, arrives, rewrite, say};
use crate::home::{Home, eventually};

/// A member of one community follows a member of the other, who lets everybody in.
async fn follows(here: &Home, who: &Account, there: &Home, whom: &Account) {
    let whom_here = here.fed.resolve_account(&format!("@{}@{}", whom.username, there.domain)).await.unwrap();
    request::request(&here.fed.app, who, whom_here.id, FollowOptions::default()).await.unwrap();
    eventually("the follow is there", || async {
        let who_there = accounts::by_uri(&mut there.conn().await, &who.uri).await.unwrap()?;
        follows::find(&mut there.conn().await, who_there.id, whom.id).await.unwrap()
    })
    .await;
}

/// maple with alice, who follows carol at willow; bob is a neighbour of carol's.
async fn places() -> (Home, Home, Account, Account, Account) {
    let (maple, willow) = (Home::start("maple").await, Home::start("willow").await);
    let alice = maple.member("alice").await;
    let bob = willow.member("bob").await;
    let carol = willow.lock(&willow.member("carol").await, false).await;
    follows(&maple, &alice, &willow, &carol).await;
    (maple, willow, alice, bob, carol)
}

async fn takes_back(home: &Home, who: &Account, post: &Post) {
    delete::delete(&home.fed.app, who, post.id, delete::Media::Remove).await.unwrap();
}

async fn is_gone(home: &Home, uri: &str, why: &str) {
    eventually(why, || async { home.post_by_uri(uri).await.is_none().then_some(()) }).await;
}

/// Nobody at maple follows bob. His post comes there by what carol, a neighbour of his, does with it, or because alice
/// marks or answers it. Who only did so once hears of the deletion alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_by_the_deed_of_others_is_edited_and_taken_back() {
    let (maple, willow, alice, bob, carol) = places().await;
    let dana = willow.member("dana").await;
    for way in [
        "boost",
        "once boosted",
        "answer",
        "answer to an answer",
        "named by an answer",
        "favourite",
        "once a favourite",
        "answer from afar",
        "once boosted from afar",
    ] {
        let post = say(&willow, &bob, "first", Public, None).await;
        let here = async || {
            maple.fed.resolve(&post.uri).await.unwrap();
            maple.post_by_uri(&post.uri).await.unwrap().id
        };
        match way {
            "boost" | "once boosted" => {
                boost::boost(&willow.fed.app, &carol, post.id, None).await.unwrap();
            }
            "answer" => {
                say(&willow, &carol, "yes", Public, Some(post.id)).await;
            }
            "answer to an answer" => {
                let answer = say(&willow, &dana, "yes", Public, Some(post.id)).await;
                say(&willow, &carol, "no", Visibility::Followers, Some(answer.id)).await;
            }
            "named by an answer" => {
                say(&willow, &dana, &format!("@alice@{} look", maple.domain), Visibility::Direct, Some(post.id)).await;
            }
            "answer from afar" => {
                let answer = say(&willow, &dana, "yes", Public, Some(post.id)).await;
                here().await;
                maple.fed.resolve(&answer.uri).await.unwrap();
                let answer = maple.post_by_uri(&answer.uri).await.unwrap();
                say(&maple, &alice, &format!("@dana@{} no", willow.domain), Visibility::Direct, Some(answer.id)).await;
            }
            "once boosted from afar" => {
                boost::boost(&maple.fed.app, &alice, here().await, None).await.unwrap();
            }
            _ => {
                favourite::favourite(&maple.fed.app, &alice, here().await).await.unwrap();
            }
        }
        arrives(&maple, &post.uri).await;
        all_is_done(&[&maple, &willow]).await;
        match way {
            "once boosted" => drop(boost::unboost(&willow.fed.app, &carol, post.id).await.unwrap()),
            "once boosted from afar" => drop(boost::unboost(&maple.fed.app, &alice, here().await).await.unwrap()),
            "once a favourite" => favourite::unfavourite(&maple.fed.app, &alice, here().await).await.unwrap(),
            _ => {
                rewrite(&willow, &bob, &post, "second").await;
                eventually(&format!("{way}: the edit arrives"), || async {
                    maple.post_by_uri(&post.uri).await.unwrap().content.contains("second").then_some(())
                })
                .await;
            }
        }
        all_is_done(&[&maple, &willow]).await;
        takes_back(&willow, &bob, &post).await;
        is_gone(&maple, &post.uri, way).await;
    }
}

/// Former followers of the member between, and followers of one who is gone, hear of the deletion.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_by_a_follow_that_ended_is_taken_back() {
    for way in ["unfollow", "remove", "the one between is gone"] {
        let (maple, willow, alice, bob, carol) = places().await;
        let shared = say(&willow, &bob, "shared", Public, None).await;
        boost::boost(&willow.fed.app, &carol, shared.id, None).await.unwrap();
        let answered = say(&willow, &bob, "answered", Public, None).await;
        say(&willow, &carol, "yes", Visibility::Followers, Some(answered.id)).await;
        for post in [&shared, &answered] {
            arrives(&maple, &post.uri).await;
        }
        all_is_done(&[&maple, &willow]).await;
        let alice_there = accounts::by_uri(&mut willow.conn().await, &alice.uri).await.unwrap().unwrap();
        let carol_here = accounts::by_uri(&mut maple.conn().await, &carol.uri).await.unwrap().unwrap();
        match way {
            "unfollow" => remove::remove(&maple.fed.app, &alice, carol_here.id).await.unwrap(),
            "remove" => reject::remove_follower(&willow.fed.app, &carol, alice_there.id).await.unwrap(),
            _ => {
                app::accounts::delete::delete(&willow.fed.app, By::Operator, carol.id).await.unwrap();
                app::accounts::purge::purge(&willow.fed.app, carol.id).await.unwrap();
            }
        }
        all_is_done(&[&maple, &willow]).await;
        let ended = follows::find(&mut willow.conn().await, alice_there.id, carol.id).await.unwrap().is_none();
        assert!(ended, "{way}");
        for post in [&shared, &answered] {
            takes_back(&willow, &bob, post).await;
            is_gone(&maple, &post.uri, way).await;
        }
    }
}

/// Boosts end with what they share, also where its author's server tells nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boosts_of_what_is_taken_back_elsewhere_are_taken_back() {
    let (maple, willow, oak) = (Home::start("maple").await, Home::start("willow").await, Home::start("oak").await);
    let alice = maple.member("alice").await;
    let carol = willow.lock(&willow.member("carol").await, false).await;
    let olive = oak.member("olive").await;
    follows(&maple, &alice, &willow, &carol).await;
    let post = say(&oak, &olive, "from the third", Public, None).await;
    willow.fed.resolve(&post.uri).await.unwrap();
    let at_willow = willow.post_by_uri(&post.uri).await.unwrap();
    let boost = boost::boost(&willow.fed.app, &carol, at_willow.id, None).await.unwrap();
    let boost = posts::unchecked(&mut willow.conn().await, boost).await.unwrap();
    arrives(&maple, &boost.uri).await;
    all_is_done(&[&maple, &willow, &oak]).await;
    takes_back(&oak, &olive, &post).await;
    is_gone(&willow, &post.uri, "it is gone at the booster's").await;
    is_gone(&maple, &boost.uri, "the boost is gone at the booster's follower's").await;
}

/// What only followers may see is nowhere by the deed of others, and nobody else is told of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_what_is_not_open_nobody_else_hears() {
    let (maple, willow, _alice, bob, carol) = places().await;
    let inner = say(&willow, &bob, "@carol for friends", Visibility::Followers, None).await;
    let answer = say(&willow, &carol, "yes", Public, Some(inner.id)).await;
    arrives(&maple, &answer.uri).await;
    all_is_done(&[&maple, &willow]).await;
    for inboxes in [
        storage::recipients::involved_inboxes(&mut willow.conn().await, inner.id).await.unwrap(),
        storage::recipients::update_inboxes(&mut willow.conn().await, inner.id).await.unwrap(),
    ] {
        assert!(inboxes.is_empty(), "{inboxes:?}");
    }
}
