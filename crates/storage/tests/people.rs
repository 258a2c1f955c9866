//! Accounts and members for tests to begin with.

use domain::account::{Account, ActorKind, Member, MemberPreferences, Role};
use domain::follow::FollowOptions;
use domain::{AccountId, FollowId, Host, Timestamp};
use storage::deliveries;
use storage::follows::Follow;
use storage::{Db, Tx, accounts, follows, members};

pub fn host(name: &str) -> Host {
    Host::parse(name).unwrap()
}

/// An account of this community that is not written yet.
pub fn account(id: AccountId, username: &str, domain: &str) -> Account {
    let base = if domain.is_empty() { "https://maple.example".to_owned() } else { format!("https://{domain}") };
    let actor = format!("{base}/users/{username}");
    Account {
        id,
        username: username.to_owned(),
        domain: (!domain.is_empty()).then(|| host(domain)),
        uri: actor.clone(),
        url: format!("{base}/@{username}"),
        kind: ActorKind::Person,
        display_name: String::new(),
        note: String::new(),
        fields: Vec::new(),
        avatar: None,
        header: None,
        locked: false,
        discoverable: true,
        indexable: true,
        hide_collections: false,
        inbox_url: format!("{actor}/inbox"),
        shared_inbox_url: Some(format!("{base}/inbox")),
        outbox_url: None,
        followers_url: Some(format!("{actor}/followers")),
        following_url: None,
        featured_url: None,
        public_key_pem: "-".to_owned(),
        public_key_id: format!("{actor}#main-key"),
        also_known_as: Vec::new(),
        moved_to_uri: None,
        posts_count: 0,
        followers_count: 0,
        following_count: 0,
        last_post_at: None,
        created_at: Timestamp(1_700_000_000_000),
        fetched_at: None,
        suspended_at: None,
        silenced_at: None,
    }
}

/// The private half of a member who was let in.
pub fn half(id: AccountId, email: &str, role: Role) -> Member {
    let at = Timestamp(1_700_000_000_000);
    Member {
        account_id: id,
        email: email.to_owned(),
        password_hash: Some("$argon2id$…".to_owned()),
        role,
        locale: "en".to_owned(),
        approved_at: Some(at),
        confirmed_at: Some(at),
        disabled_at: None,
        sign_up_reason: String::new(),
        preferences: MemberPreferences::default(),
        created_at: at,
        last_active_at: None,
        credentials_version: 0,
    }
}

/// Writes a member in a transaction.
pub async fn write_member(tx: &mut Tx, username: &str, role: Role) -> storage::Result<Account> {
    let account = account(tx.id(), username, "");
    accounts::upsert(tx, &account).await?;
    members::insert(tx, &half(account.id, &format!("{username}@mail.example"), role), "a key", None).await?;
    Ok(account)
}

/// A member who is there.
pub async fn member(db: &Db, username: &str) -> Account {
    let mut tx = db.write().await.unwrap();
    let account = write_member(&mut tx, username, Role::Member).await.unwrap();
    tx.commit().await.unwrap();
    account
}

/// A new follow; the counters are the caller's to move.
pub async fn follow(tx: &mut Tx, account: AccountId, target: AccountId) {
    let id: FollowId = tx.id();
    let uri = format!("https://maple.example/follows/{id}");
    let options = FollowOptions::default();
    let follow = Follow { id, account_id: account, target_id: target, uri, options, created_at: tx.now() };
    assert!(follows::insert(tx, &follow).await.unwrap());
}

/// An activity that is nothing special to the queue.
pub fn plain(author: AccountId) -> deliveries::New<'static> {
    let (kind, urgency) = (deliveries::Kind::Other, deliveries::Urgency::Usual);
    deliveries::New { author, body: "{}", subject: None, kind, urgency }
}
