//! Members who wait to be let in, and those whose account was closed: no lookup and no list finds them.

use domain::account::{Account, Role};
use domain::notification::NotificationKind;
use domain::page::Page;
use domain::{AccountId, Timestamp};
use storage::search::AccountQuery;
use storage::{Conn, Error, Tx, accounts, follows, hydrate, members, notifications, relationships, search};

use crate::people::{account, follow, half, write_member};

/// A member whose standing is made of these two.
async fn standing(tx: &mut Tx, username: &str, approved: bool, disabled: bool) -> (Account, bool) {
    let account = account(tx.id(), username, "");
    accounts::upsert(tx, &account).await.unwrap();
    let mut member = half(account.id, &format!("{username}@mail.example"), Role::Member);
    member.approved_at = approved.then_some(Timestamp(1));
    member.disabled_at = disabled.then_some(Timestamp(2));
    members::insert(tx, &member, "a key", None).await.unwrap();
    (account, member.is_active())
}

/// Every way to find an account, and whether it finds this one.
async fn ways(conn: &mut Conn, friend: &Account, a: &Account) -> Vec<(&'static str, bool)> {
    let page = Page::first(80);
    let listed = |list: Vec<(i64, AccountId)>| list.iter().any(|(_, id)| *id == a.id);
    let query = AccountQuery { text: &a.username, following: false, limit: 40, offset: 0 };
    vec![
        ("get", accounts::get(conn, a.id).await.is_ok()),
        ("many", !accounts::many(conn, &[a.id]).await.unwrap().is_empty()),
        ("by_uri", accounts::by_uri(conn, &a.uri).await.unwrap().is_some()),
        ("by_uris", !accounts::by_uris(conn, std::slice::from_ref(&a.uri)).await.unwrap().is_empty()),
        ("by_key_id", accounts::by_key_id(conn, &a.public_key_id).await.unwrap().is_some()),
        ("by_handle", accounts::by_handle(conn, &a.username, None).await.unwrap().is_some()),
        ("hydrate::account", hydrate::account(conn, a.id).await.is_ok()),
        ("hydrate::accounts_in_order", !hydrate::accounts_in_order(conn, &[a.id]).await.unwrap().is_empty()),
        ("followers", listed(follows::followers(conn, friend.id, &page).await.unwrap())),
        ("following", listed(follows::following(conn, friend.id, &page).await.unwrap())),
        ("relationships", !relationships::many(conn, friend.id, &[a.id]).await.unwrap().is_empty()),
        ("search", search::accounts(conn, friend.id, &query).await.unwrap().contains(&a.id)),
    ]
}

both! {
    /// SQL and [`domain::account::Standing`] agree, at the beginning and after every change.
    async fn only_members_who_may_sign_in_are_found(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let friend = write_member(&mut tx, "friend", Role::Member).await.unwrap();
        let mut all = Vec::new();
        for (n, (approved, disabled)) in [(true, false), (true, true), (false, false), (false, true)].into_iter().enumerate() {
            let (who, active) = standing(&mut tx, &format!("member{n}"), approved, disabled).await;
            follow(&mut tx, who.id, friend.id).await;
            follow(&mut tx, friend.id, who.id).await;
            all.push((who, active));
        }
        tx.commit().await.unwrap();
        let mut conn = fresh.db.read().await.unwrap();
        for (who, active) in &all {
            for (way, found) in ways(&mut conn, &friend, who).await {
                assert_eq!(found, *active, "{way} of {}", who.username);
            }
            assert_eq!(accounts::even_hidden(&mut conn, who.id).await.unwrap().id, who.id);
            assert!(accounts::is_taken(&mut conn, &who.username).await.unwrap(), "her name must stay hers");
            assert!(!accounts::name_was_deleted(&mut conn, &who.username).await.unwrap());
        }
        drop(conn);

        // Let in and opened, she is found; closed, she is found no more.
        let who = &all[3].0;
        for (approve, disabled_at, active) in
            [(true, Some(Timestamp(3)), false), (false, None, true), (false, Some(Timestamp(4)), false), (false, None, true)]
        {
            let mut tx = fresh.db.write().await.unwrap();
            if approve {
                members::approve(&mut tx, who.id).await.unwrap();
            }
            members::set_disabled(&mut tx, who.id, disabled_at).await.unwrap();
            tx.commit().await.unwrap();
            let mut conn = fresh.db.read().await.unwrap();
            for (way, found) in ways(&mut conn, &friend, who).await {
                assert_eq!(found, active, "{way} when disabled_at = {disabled_at:?}");
            }
        }
    }

    /// Those who were seen before get what ends something between them and others; those who wait get nothing.
    async fn a_closed_account_has_an_inbox_and_one_that_waits_has_none(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        for (n, (approved, disabled, inbox)) in
            [(true, false, true), (true, true, true), (false, false, false), (false, true, false)].into_iter().enumerate()
        {
            let (who, _) = standing(&mut tx, &format!("member{n}"), approved, disabled).await;
            assert_eq!(accounts::has_inbox(&mut tx, &who.username).await.unwrap(), inbox, "{}", who.username);
            assert_eq!(accounts::by_uri_even_closed(&mut tx, &who.uri).await.unwrap().is_some(), inbox);
        }
        assert!(!accounts::has_inbox(&mut tx, "nobody").await.unwrap());
    }

    /// Who asks to join is shown to those who were told that she asks, in nothing else that she might do.
    async fn staff_sees_who_asks_to_join(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let owner = write_member(&mut tx, "owner", Role::Owner).await.unwrap();
        let (asks, _) = standing(&mut tx, "asks", false, false).await;
        for kind in [NotificationKind::AdminSignUp, NotificationKind::Follow] {
            notifications::insert(&mut tx, owner.id, asks.id, kind, None, None).await.unwrap().unwrap();
        }
        tx.commit().await.unwrap();
        let mut conn = fresh.db.read().await.unwrap();
        let filter = notifications::Filter::default();
        let told = notifications::list(&mut conn, owner.id, &filter, &Page::first(9)).await.unwrap();
        let told: Vec<_> = told.iter().map(|n| (n.notification.kind, n.from.account.id)).collect();
        assert_eq!(told, [(NotificationKind::AdminSignUp, asks.id)]);
        // What the notification read is not kept for others.
        assert!(matches!(hydrate::account(&mut conn, asks.id).await, Err(Error::NotFound)));
        assert!(notifications::list(&mut conn, asks.id, &filter, &Page::first(9)).await.unwrap().is_empty());
        drop(conn);
        let mut tx = fresh.db.write().await.unwrap();
        notifications::remove_kind(&mut tx, owner.id, NotificationKind::AdminSignUp).await.unwrap();
        assert!(notifications::list(&mut tx, owner.id, &filter, &Page::first(9)).await.unwrap().is_empty());
    }
}
