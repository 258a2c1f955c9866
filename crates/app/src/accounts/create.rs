//! Makes a member: the one place where a local account comes to be, whichever door she came by.
//!
//! Does not ask whether she may join; that is for [`super::sign_up`], [`super::set_up`] and whoever has the
//! command line.

use domain::account::{Account, ActorKind, Credentials, Email, Member, MemberPreferences, Role, Username};
use domain::{AccountId, InviteId, Timestamp};
use storage::{Tx, accounts, members};

use crate::error::{Error, Mistake, Result};
use crate::keys::KeyPair;
use crate::{App, address, keys, passwords};

/// What somebody typed to become a member.
#[derive(Debug, Clone, Default)]
pub struct NewMember {
    pub username: String,
    pub email: String,
    pub password: String,
    /// Of the pages and of what is written to her, such as `en`; empty = `en`.
    pub locale: String,
    /// Why she wants to join, in her words.
    pub reason: String,
}

/// A new member, checked and with everything made that takes time. No transaction is open yet.
#[derive(Debug)]
pub struct Prepared {
    username: Username,
    email: Email,
    password_hash: String,
    keys: KeyPair,
    locale: String,
    reason: String,
}

/// How she is let in.
#[derive(Debug, Clone, Copy, Default)]
pub struct Entry {
    pub role: Role,
    /// She may sign in at once.
    pub approved: bool,
    /// Her e-mail address is taken as hers.
    pub confirmed: bool,
    pub invite: Option<InviteId>,
}

/// Makes a member who may sign in at once: the command line's way.
///
/// # Errors
/// [`Error::Invalid`] on `username`, `email` or `password`.
pub async fn create(app: &App, new: &NewMember, role: Role) -> Result<Account> {
    let prepared = prepare(app, new).await?;
    let mut tx = app.db.write().await?;
    if role == Role::Owner {
        members::lock_owners(&mut tx).await?;
    }
    let account = insert(app, &mut tx, prepared, Entry { role, approved: true, confirmed: true, invite: None }).await?;
    tx.commit().await?;
    Ok(account)
}

/// Checks what she typed, hashes the password and makes her key pair.
///
/// # Errors
/// [`Error::Invalid`] on `username`, `email`, `password` or `reason`.
pub async fn prepare(app: &App, new: &NewMember) -> Result<Prepared> {
    if let Some(first) = mistakes(app, new).await?.into_iter().next() {
        return Err(first.into());
    }
    let username = Username::new(new.username.trim()).map_err(|why| Error::invalid("username", why))?;
    let email = Email::new(&new.email).map_err(|why| Error::invalid("email", why))?;
    let locale = if is_locale(&new.locale) { new.locale.clone() } else { "en".to_owned() };
    let (password_hash, keys) = tokio::join!(passwords::hash(&new.password), keys::generate());
    Ok(Prepared {
        username,
        email,
        password_hash: password_hash?,
        keys: keys.map_err(Error::internal)?,
        locale,
        reason: domain::text::trimmed(&new.reason).to_owned(),
    })
}

/// Everything that is wrong with what she typed. That a name is free is asked again, and for good, when the row is
/// written.
///
/// # Errors
/// When the database refuses.
pub async fn mistakes(app: &App, new: &NewMember) -> Result<Vec<Mistake>> {
    let mut conn = app.db.read().await?;
    let username = match Username::new(new.username.trim()) {
        Ok(username) => name_is_free(&mut conn, &username).await,
        Err(why) => Err(Error::invalid("username", why)),
    };
    let email = match Email::new(&new.email) {
        Ok(email) => email_is_free(&mut conn, &email).await,
        Err(why) => Err(Error::invalid("email", why)),
    };
    let most = app.limits().note_chars;
    let reason = match new.reason.trim().chars().count() {
        n if n > most => Err(Error::invalid("reason", format!("must have at most {most} characters"))),
        _ => Ok(()),
    };
    let mut found = Vec::new();
    for checked in [username, email, passwords::check(&new.password), reason] {
        match checked {
            Ok(()) => {}
            Err(Error::Invalid { field, why }) => found.push(Mistake { field, why }),
            Err(other) => return Err(other),
        }
    }
    Ok(found)
}

/// Letters, digits and hyphens, as BCP 47 writes languages.
pub(super) fn is_locale(text: &str) -> bool {
    (2..=35).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

async fn name_is_free(conn: &mut storage::Conn, username: &Username) -> Result<()> {
    if accounts::is_taken(conn, username.as_str()).await? {
        return Err(Error::invalid("username", "is taken"));
    }
    Ok(())
}

async fn email_is_free(conn: &mut storage::Conn, email: &Email) -> Result<()> {
    if members::email_is_taken(conn, email.as_str()).await? {
        return Err(Error::invalid("email", "belongs to a member already"));
    }
    Ok(())
}

/// Writes the account and its private half.
///
/// # Errors
/// [`Error::Invalid`] when the name or the address was taken meanwhile, or the first member was made at another `url`.
pub async fn insert(app: &App, tx: &mut Tx, p: Prepared, entry: Entry) -> Result<Account> {
    address::check(tx, &app.urls).await?;
    name_is_free(tx, &p.username).await?;
    email_is_free(tx, &p.email).await?;
    let now = tx.now();
    let account = new_account(app, tx.id(), p.username.as_str(), &p.keys, now);
    let id = accounts::upsert(tx, &account).await.map_err(|e| match e {
        storage::Error::Conflict(_) => Error::invalid("username", "is taken"),
        e => e.into(),
    })?;
    if id != account.id {
        // Another transaction made the same name between our question and our answer; ours must not touch hers.
        return Err(Error::invalid("username", "is taken"));
    }
    let member = Member {
        account_id: id,
        email: p.email.as_str().to_owned(),
        password_hash: Some(p.password_hash),
        role: entry.role,
        locale: p.locale,
        approved_at: entry.approved.then_some(now),
        confirmed_at: entry.confirmed.then_some(now),
        disabled_at: None,
        sign_up_reason: p.reason,
        preferences: MemberPreferences::default(),
        created_at: now,
        last_active_at: None,
        credentials_version: Credentials::new_members(id).version,
    };
    members::insert(tx, &member, &p.keys.private_pem, entry.invite).await.map_err(|e| match e {
        storage::Error::Conflict(_) => Error::invalid("email", "belongs to a member already"),
        e => e.into(),
    })?;
    Ok(account)
}

/// The defaults that protect: she approves who follows her, and neither the directory nor any search shows her
/// until she asks for it.
fn new_account(app: &App, id: AccountId, username: &str, keys: &KeyPair, now: Timestamp) -> Account {
    let urls = &app.urls;
    Account {
        id,
        username: username.to_owned(),
        domain: None,
        uri: urls.actor(username),
        url: urls.profile(username),
        kind: ActorKind::Person,
        display_name: String::new(),
        note: String::new(),
        fields: Vec::new(),
        avatar: None,
        header: None,
        locked: true,
        discoverable: false,
        indexable: false,
        hide_collections: false,
        inbox_url: urls.inbox(username),
        shared_inbox_url: Some(urls.shared_inbox()),
        outbox_url: Some(urls.outbox(username)),
        followers_url: Some(urls.followers(username)),
        following_url: Some(urls.following(username)),
        featured_url: Some(urls.featured(username)),
        public_key_pem: keys.public_pem.clone(),
        public_key_id: urls.public_key(username),
        also_known_as: Vec::new(),
        moved_to_uri: None,
        posts_count: 0,
        followers_count: 0,
        following_count: 0,
        last_post_at: None,
        created_at: now,
        fetched_at: None,
        suspended_at: None,
        silenced_at: None,
    }
}
