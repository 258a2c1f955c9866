//! Names and addresses belong to one; owners are counted one at a time.

use domain::account::{Role, Standing};
use domain::page::Page;
use storage::members::Which;
use storage::{Error, accounts, members};

use crate::people::{account, half, host, member, write_member};

both! {
    /// A name is one person's, however it is written, here and in every other community.
    async fn a_handle_is_unique_without_regard_to_case(fresh) {
        member(&fresh.db, "Dana").await;
        let mut tx = fresh.db.write().await.unwrap();
        let mut other = account(tx.id(), "dANA", "");
        other.uri = "https://maple.example/users/other".to_owned();
        assert!(matches!(accounts::upsert(&mut tx, &other).await, Err(Error::Conflict(_))));
        drop(tx);
        let mut tx = fresh.db.write().await.unwrap();
        assert!(accounts::is_taken(&mut tx, "DANA").await.unwrap());
        let elsewhere = account(tx.id(), "dana", "willow.example");
        accounts::upsert(&mut tx, &elsewhere).await.unwrap();
        tx.commit().await.unwrap();
        let mut conn = fresh.db.read().await.unwrap();
        assert_eq!(accounts::by_handle(&mut conn, "dana", None).await.unwrap().unwrap().username, "Dana");
        assert_eq!(accounts::by_handle(&mut conn, "DANA", Some(&host("willow.example"))).await.unwrap().unwrap().id, elsewhere.id);
    }

    async fn an_address_is_unique_without_regard_to_case(fresh) {
        let dana = member(&fresh.db, "dana").await;
        let mut tx = fresh.db.write().await.unwrap();
        let priya = account(tx.id(), "priya", "");
        accounts::upsert(&mut tx, &priya).await.unwrap();
        let taken = members::insert(&mut tx, &half(priya.id, "DANA@mail.example", Role::Member), "a key", None).await;
        assert!(matches!(taken, Err(Error::Conflict(_))));
        drop(tx);
        let mut conn = fresh.db.read().await.unwrap();
        let (found, _) = members::by_email(&mut conn, "Dana@Mail.Example").await.unwrap().unwrap();
        assert_eq!(found.id, dana.id);
        assert_eq!(members::by_username(&mut conn, "DANA").await.unwrap().unwrap().0.id, dana.id);
        assert!(accounts::by_handle(&mut conn, "priya", None).await.unwrap().is_none(), "the transaction left something");
    }

    /// Everything that is written is read back, and what is changed is changed alone.
    async fn a_member_is_read_as_written(fresh) {
        let dana = member(&fresh.db, "dana").await;
        let mut tx = fresh.db.write().await.unwrap();
        let mut expected = half(dana.id, "dana@mail.example", Role::Member);
        assert_eq!(members::with_account(&mut tx, dana.id).await.unwrap(), (dana.clone(), expected.clone()));

        expected.preferences.default_language = Some("es".to_owned());
        expected.preferences.note_source = "Hola".to_owned();
        expected.locale = "es".to_owned();
        members::set_preferences(&mut tx, dana.id, &expected.preferences, "es").await.unwrap();
        members::set_role(&mut tx, dana.id, Role::Moderator).await.unwrap();
        expected.role = Role::Moderator;
        let now = tx.now();
        members::set_disabled(&mut tx, dana.id, Some(now)).await.unwrap();
        expected.disabled_at = Some(now);
        expected.credentials_version = 2;
        members::touch(&mut tx, dana.id).await.unwrap();
        expected.last_active_at = Some(now);
        let read = members::get(&mut tx, dana.id).await.unwrap();
        assert_eq!(read, expected);
        assert_eq!(read.standing(), Standing::Disabled);
        assert_eq!(members::private_key(&mut tx, dana.id).await.unwrap(), "a key");
        tx.commit().await.unwrap();
    }

    async fn those_who_wait_are_listed_apart_and_in_order(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        for (n, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
            let account = account(tx.id(), name, "");
            accounts::upsert(&mut tx, &account).await.unwrap();
            let mut half = half(account.id, &format!("{name}@mail.example"), Role::Member);
            if n % 2 == 1 {
                half.approved_at = None;
            }
            members::insert(&mut tx, &half, "a key", None).await.unwrap();
        }
        let names = |list: Vec<(domain::account::Account, domain::account::Member)>| {
            list.into_iter().map(|(a, _)| a.username).collect::<Vec<_>>()
        };
        let all = members::list(&mut tx, Which::All, &Page::first(3)).await.unwrap();
        let oldest = all.last().unwrap().0.id;
        assert_eq!(names(all), ["d", "c", "b"]);
        let rest = Page { max_id: Some(oldest.0), ..Page::first(3) };
        assert_eq!(names(members::list(&mut tx, Which::All, &rest).await.unwrap()), ["a"]);
        assert_eq!(names(members::list(&mut tx, Which::Waiting, &Page::first(9)).await.unwrap()), ["d", "b"]);
    }

    /// Sixteen set-up pages at once: each asks whether there is anybody, and makes the owner if not.
    async fn only_one_becomes_the_first_owner(fresh) {
        let mut tasks = Vec::new();
        for n in 0..16 {
            let db = fresh.db.clone();
            tasks.push(tokio::spawn(async move {
                let mut tx = db.write().await.unwrap();
                members::lock_owners(&mut tx).await.unwrap();
                if members::any_ever(&mut tx).await.unwrap() {
                    return false;
                }
                write_member(&mut tx, &format!("owner{n}"), Role::Owner).await.unwrap();
                tx.commit().await.unwrap();
                true
            }));
        }
        let mut made = 0;
        for task in tasks {
            made += usize::from(task.await.unwrap());
        }
        assert_eq!(made, 1);
        assert_eq!(members::owners(&mut fresh.db.read().await.unwrap()).await.unwrap(), 1);
    }

    /// Whoever asked and was turned away leaves nothing behind; her name is free again.
    async fn an_erased_account_frees_its_name(fresh) {
        let dana = member(&fresh.db, "dana").await;
        let mut tx = fresh.db.write().await.unwrap();
        members::erase(&mut tx, dana.id).await.unwrap();
        tx.commit().await.unwrap();
        let mut conn = fresh.db.read().await.unwrap();
        assert!(!accounts::is_taken(&mut conn, "dana").await.unwrap());
        drop(conn);
        member(&fresh.db, "dana").await;
    }

    /// A deleted one keeps her name, and nothing personal.
    async fn a_buried_account_keeps_its_name_and_forgets_the_rest(fresh) {
        let dana = member(&fresh.db, "dana").await;
        let mut tx = fresh.db.write().await.unwrap();
        let now = tx.now();
        members::forget(&mut tx, dana.id).await.unwrap();
        assert!(accounts::bury(&mut tx, dana.id, now).await.unwrap());
        assert!(!accounts::bury(&mut tx, dana.id, now).await.unwrap(), "buried twice");
        tx.commit().await.unwrap();
        let mut conn = fresh.db.read().await.unwrap();
        assert!(accounts::is_taken(&mut conn, "Dana").await.unwrap());
        assert!(accounts::is_deleted(&mut conn, &dana.uri).await.unwrap());
        assert!(matches!(accounts::get(&mut conn, dana.id).await, Err(Error::NotFound)));
        assert!(members::by_email(&mut conn, "dana@mail.example").await.unwrap().is_none());
        assert_eq!(members::private_key(&mut conn, dana.id).await.unwrap(), "a key", "the deletion could not be signed");
        assert!(!members::email_is_taken(&mut conn, "dana@mail.example").await.unwrap());
    }
}
