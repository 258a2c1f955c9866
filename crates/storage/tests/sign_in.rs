//! Codes are good once, tokens and sessions until they end.

use std::time::Duration;

use domain::account::{Credentials, Role};
use domain::scope::Scopes;
use domain::{AccountId, AppId, TokenId};
use storage::oauth::{Client, Code, Token};
use storage::sessions::Session;
use storage::{Db, Error, member_addresses, members, oauth, sessions};

use crate::people::member;

async fn client(db: &Db) -> AppId {
    let mut tx = db.write().await.unwrap();
    let client = Client {
        id: tx.id(),
        client_id: "toot".to_owned(),
        secret_hash: vec![7; 32],
        name: "Toot".to_owned(),
        website: None,
        redirect_uris: vec!["urn:ietf:wg:oauth:2.0:oob".to_owned(), "app://back".to_owned()],
        scopes: Scopes::parse("read write").unwrap(),
        created_at: tx.now(),
    };
    oauth::insert_client(&mut tx, &client).await.unwrap();
    assert_eq!(oauth::client_by_client_id(&mut tx, "toot").await.unwrap().unwrap(), client);
    tx.commit().await.unwrap();
    client.id
}

async fn token(db: &Db, hash: &[u8], account: Option<AccountId>, lives: Option<Duration>) -> TokenId {
    let mut tx = db.write().await.unwrap();
    let now = tx.now();
    let token = Token {
        id: tx.id(),
        client: None,
        account,
        scopes: Scopes::parse("read").unwrap(),
        created_at: now,
        expires_at: lives.map(|by| now.plus(by)),
    };
    oauth::insert_token(&mut tx, hash, &token).await.unwrap();
    tx.commit().await.unwrap();
    token.id
}

both! {
    /// Of sixteen who present the same code at once, one gets it.
    async fn a_code_is_good_for_one_exchange(fresh) {
        let (dana, app) = (member(&fresh.db, "dana").await, client(&fresh.db).await);
        let mut tx = fresh.db.write().await.unwrap();
        let code = Code {
            client: app,
            account: dana.id,
            redirect_uri: "app://back".to_owned(),
            scopes: Scopes::parse("read follow").unwrap(),
            challenge: Some("x".to_owned()),
            credentials_version: 0,
            expires_at: fresh.clock.now().plus(Duration::from_secs(600)),
        };
        oauth::insert_code(&mut tx, &[1; 32], &code).await.unwrap();
        tx.commit().await.unwrap();
        let mut tasks = Vec::new();
        for _ in 0..16 {
            let db = fresh.db.clone();
            tasks.push(tokio::spawn(async move {
                let mut tx = db.write().await.unwrap();
                let got = oauth::take_code(&mut tx, &[1; 32]).await.unwrap();
                tx.commit().await.unwrap();
                got
            }));
        }
        let mut got = Vec::new();
        for task in tasks {
            got.extend(task.await.unwrap());
        }
        assert_eq!(got, [code]);
    }

    /// A code that comes a second time ends what it made, and nothing else.
    async fn a_code_that_comes_again_ends_its_token(fresh) {
        let dana = member(&fresh.db, "dana").await;
        let (first, other) =
            (token(&fresh.db, &[1; 32], Some(dana.id), None).await, token(&fresh.db, &[2; 32], Some(dana.id), None).await);
        token(&fresh.db, &[3; 32], Some(dana.id), None).await;
        let mut tx = fresh.db.write().await.unwrap();
        oauth::made_from(&mut tx, first, &[7; 32]).await.unwrap();
        oauth::made_from(&mut tx, other, &[8; 32]).await.unwrap();
        assert!(oauth::revoke_made_from(&mut tx, &[9; 32]).await.unwrap().is_empty());
        assert_eq!(oauth::revoke_made_from(&mut tx, &[7; 32]).await.unwrap(), [first]);
        assert!(oauth::revoke_made_from(&mut tx, &[7; 32]).await.unwrap().is_empty());
        let now = tx.now();
        assert!(oauth::grant(&mut tx, &[1; 32], now).await.unwrap().is_none());
        for hash in [[2; 32], [3; 32]] {
            assert!(oauth::grant(&mut tx, &hash, now).await.unwrap().is_some());
        }
        tx.commit().await.unwrap();
    }

    async fn a_token_ends_when_it_expires_or_is_revoked(fresh) {
        let dana = member(&fresh.db, "dana").await;
        let app = client(&fresh.db).await;
        let now = || fresh.clock.now();
        let short = token(&fresh.db, &[1; 32], Some(dana.id), Some(Duration::from_secs(60))).await;
        token(&fresh.db, &[2; 32], None, None).await;
        let mut tx = fresh.db.write().await.unwrap();
        let grant = oauth::grant(&mut tx, &[1; 32], now()).await.unwrap().unwrap();
        assert_eq!((grant.token, grant.holder.unwrap().account), (short, dana.id));
        assert!(grant.holder.unwrap().approved && !grant.holder.unwrap().disabled);
        assert!(oauth::grant(&mut tx, &[2; 32], now()).await.unwrap().unwrap().holder.is_none());
        assert!(oauth::grant(&mut tx, &[3; 32], now()).await.unwrap().is_none());
        assert_eq!(oauth::revoke(&mut tx, &[1; 32], app).await.unwrap(), None, "another application's");
        tx.commit().await.unwrap();

        fresh.advance(Duration::from_secs(60));
        let mut tx = fresh.db.write().await.unwrap();
        assert!(oauth::grant(&mut tx, &[1; 32], now()).await.unwrap().is_none(), "expired");
        tx.commit().await.unwrap();

        let lasting = token(&fresh.db, &[4; 32], Some(dana.id), None).await;
        let mut tx = fresh.db.write().await.unwrap();
        assert!(oauth::revoke_all_of(&mut tx, dana.id).await.unwrap().contains(&lasting));
        assert!(oauth::grant(&mut tx, &[4; 32], now()).await.unwrap().is_none(), "revoked");
        assert!(oauth::revoke_all_of(&mut tx, dana.id).await.unwrap().is_empty());
        tx.commit().await.unwrap();
    }

    /// Only what ended long ago is forgotten.
    async fn ended_tokens_are_forgotten_later(fresh) {
        let dana = member(&fresh.db, "dana").await;
        token(&fresh.db, &[1; 32], Some(dana.id), Some(Duration::from_secs(60))).await;
        token(&fresh.db, &[2; 32], Some(dana.id), None).await;
        let mut tx = fresh.db.write().await.unwrap();
        oauth::revoke_all_of(&mut tx, dana.id).await.unwrap();
        tx.commit().await.unwrap();
        token(&fresh.db, &[3; 32], Some(dana.id), None).await;
        let mut tx = fresh.db.write().await.unwrap();
        assert_eq!(oauth::purge_tokens(&mut tx, fresh.clock.now()).await.unwrap(), 0);
        fresh.advance(Duration::from_secs(120));
        assert_eq!(oauth::purge_tokens(&mut tx, fresh.clock.now()).await.unwrap(), 2);
        assert!(oauth::grant(&mut tx, &[3; 32], fresh.clock.now()).await.unwrap().is_some());
        tx.commit().await.unwrap();
    }

    /// Whoever was disabled is known as such at once, and whoever is deleted is not known at all.
    async fn a_token_answers_with_what_its_member_may_do_now(fresh) {
        let dana = member(&fresh.db, "dana").await;
        token(&fresh.db, &[1; 32], Some(dana.id), None).await;
        let mut tx = fresh.db.write().await.unwrap();
        let now = tx.now();
        members::set_disabled(&mut tx, dana.id, Some(now)).await.unwrap();
        let grant = oauth::grant(&mut tx, &[1; 32], now).await.unwrap().unwrap();
        assert!(grant.holder.unwrap().disabled);
        storage::accounts::bury(&mut tx, dana.id, now).await.unwrap();
        assert!(oauth::grant(&mut tx, &[1; 32], now).await.unwrap().is_none());
        tx.commit().await.unwrap();
    }

    async fn a_session_lives_until_it_ends(fresh) {
        let dana = member(&fresh.db, "dana").await;
        let mut tx = fresh.db.write().await.unwrap();
        let now = tx.now();
        let later = now.plus(Duration::from_secs(3_600));
        let session = Session { account: dana.id, created_at: now, last_used_at: now, expires_at: later };
        for hash in [[1; 32], [2; 32], [3; 32]] {
            sessions::insert(&mut tx, &hash, &session, "Firefox").await.unwrap();
        }
        assert!(matches!(sessions::insert(&mut tx, &[4; 32], &Session { account: AccountId(1), ..session }, "").await, Err(Error::Conflict(_))));
        drop(tx);
        let mut tx = fresh.db.write().await.unwrap();
        for hash in [[1; 32], [2; 32], [3; 32]] {
            sessions::insert(&mut tx, &hash, &session, "Firefox").await.unwrap();
        }
        assert_eq!(sessions::find(&mut tx, &[1; 32], now).await.unwrap(), Some(session));
        assert_eq!(sessions::find(&mut tx, &[1; 32], later).await.unwrap(), None, "it ends at the moment it says");
        assert!(sessions::remove(&mut tx, &[1; 32]).await.unwrap());
        assert!(sessions::find(&mut tx, &[1; 32], now).await.unwrap().is_none());
        assert_eq!(sessions::remove_all_of(&mut tx, dana.id).await.unwrap(), 2);
        tx.commit().await.unwrap();
    }

    /// So many addresses a member, the last ones, and none that is old; another member's are another's.
    async fn addresses_are_few_and_lately_used(fresh) {
        let (dana, priya) = (member(&fresh.db, "dana").await.id, member(&fresh.db, "priya").await.id);
        let began = fresh.clock.now();
        for address in [1, 2, 3, 1, 4] {
            let mut tx = fresh.db.write().await.unwrap();
            member_addresses::keep(&mut tx, dana, address, 3).await.unwrap();
            member_addresses::keep(&mut tx, priya, 9, 3).await.unwrap();
            tx.commit().await.unwrap();
            fresh.advance(Duration::from_secs(60));
        }
        let kept = async |account, since| {
            let mut conn = fresh.db.read().await.unwrap();
            let mut kept = Vec::new();
            for address in 1..10 {
                if member_addresses::is_kept(&mut conn, account, address, since).await.unwrap() {
                    kept.push(address);
                }
            }
            kept
        };
        assert_eq!(kept(dana, began).await, [1, 3, 4]);
        assert_eq!(kept(priya, began).await, [9]);
        assert_eq!(kept(dana, began.plus(Duration::from_secs(200))).await, [4], "the others are older");
        let mut tx = fresh.db.write().await.unwrap();
        assert_eq!(member_addresses::purge(&mut tx, began.plus(Duration::from_secs(150))).await.unwrap(), 1);
        member_addresses::forget(&mut tx, priya).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!((kept(dana, began).await, kept(priya, began).await), (vec![1, 4], vec![]));
    }

    /// Every change of what a member may sign in with or do makes credentials that were judged before it worthless.
    async fn every_change_of_credentials_shows(fresh) {
        let dana = member(&fresh.db, "dana").await.id;
        let mut tx = fresh.db.write().await.unwrap();
        let now = tx.now();
        for step in 0..6 {
            let before = members::get(&mut tx, dana).await.unwrap().credentials();
            assert!(members::unchanged(&mut tx, before).await.unwrap().is_some(), "{step}");
            match step {
                0 => members::set_password(&mut tx, dana, "another").await,
                1 => members::set_role(&mut tx, dana, Role::Admin).await,
                2 => members::set_disabled(&mut tx, dana, Some(now)).await,
                3 => members::set_disabled(&mut tx, dana, None).await,
                4 => members::approve(&mut tx, dana).await,
                _ => members::forget(&mut tx, dana).await,
            }
            .unwrap();
            // Whoever is in already is let in by nothing new.
            assert_eq!(members::unchanged(&mut tx, before).await.unwrap().is_some(), step == 4, "{step}");
        }
        let gone = Credentials::new_members(AccountId(1));
        assert!(members::unchanged(&mut tx, gone).await.unwrap().is_none());
    }
}
