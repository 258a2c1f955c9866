//! A handle elsewhere comes to another ActivityPub id: what members decided about whoever has it holds on.

use app::follows::{block, mute, request};
use app::peers::account::{FurtherKeys, receive};
use domain::AccountId;
use domain::account::Account;
use domain::follow::FollowOptions;
use domain::page::Page;
use storage::{follows, relationships};

use crate::home::{Home, eventually};
use crate::receiving::setting;

/// As eve's server would say it: the same handle, another id.
async fn successor(home: &Home, of: &Account, path: &str) -> Account {
    let mut other = of.clone();
    other.id = AccountId(home.fed.app.ids().next::<domain::AccountId>().0);
    other.uri = format!("{}{path}", of.uri);
    other.public_key_id = format!("{}#key", other.uri);
    receive(&home.fed.app, &other, &FurtherKeys::default()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_a_mute_and_a_note_hold_for_the_successor() {
    let (home, dana, stranger) = setting().await;
    let app = &home.fed.app;
    let (erin, fay) = (home.member("erin").await, home.member("fay").await);
    let eve = home.fed.resolve_account(&stranger.actor()).await.unwrap();
    block::block(app, &dana, eve.id).await.unwrap();
    mute::mute(app, &erin, eve.id, true, None).await.unwrap();
    let mut tx = app.db.write().await.unwrap();
    follows::set_note(&mut tx, fay.id, eve.id, "from the park").await.unwrap();
    tx.commit().await.unwrap();
    let mut last = eve.clone();
    for path in ["/again", "/once-more"] {
        let other = successor(&home, &last, path).await;
        assert_ne!(other.id, last.id);
        last = other;
        // What the one before left is removed in between, or not yet.
        eventually("the jobs are done", || async {
            (storage::jobs::backlog(&mut home.conn().await).await.unwrap().0 == 0).then_some(())
        })
        .await;
    }
    let mut conn = home.conn().await;
    assert!(follows::is_blocking(&mut conn, dana.id, last.id).await.unwrap());
    let muted = follows::muted_by(&mut conn, erin.id, &Page::first(10)).await.unwrap();
    assert_eq!(muted.iter().map(|entry| entry.1).collect::<Vec<_>>(), [last.id]);
    let noted = relationships::many(&mut conn, fay.id, &[last.id]).await.unwrap();
    assert_eq!(noted[0].note, "from the park");
}

/// An account that is known by another handle takes that of one who is blocked: it is blocked as well, and what was
/// between it and the member ends; whoever blocked nobody keeps what there is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_known_account_takes_over_a_block_with_the_handle() {
    let (home, dana, stranger) = setting().await;
    let app = &home.fed.app;
    let erin = home.member("erin").await;
    let eve = home.fed.resolve_account(&stranger.actor()).await.unwrap();
    block::block(app, &dana, eve.id).await.unwrap();
    let mut second = eve.clone();
    second.id = AccountId(app.ids().next::<AccountId>().0);
    second.username = "second".to_owned();
    second.uri = format!("{}/second", eve.uri);
    let second = receive(app, &second, &FurtherKeys::default()).await.unwrap();
    for member in [&dana, &erin] {
        request::request(app, member, second.id, FollowOptions::default()).await.unwrap();
    }
    let mut renamed = second.clone();
    renamed.username = "eve".to_owned();
    let renamed = receive(app, &renamed, &FurtherKeys::default()).await.unwrap();
    assert_eq!(renamed.id, second.id);
    let mut conn = home.conn().await;
    for (member, blocks) in [(&dana, true), (&erin, false)] {
        assert_eq!(follows::is_blocking(&mut conn, member.id, second.id).await.unwrap(), blocks);
        assert_eq!(follows::find_request(&mut conn, member.id, second.id).await.unwrap().is_none(), blocks);
    }
}
