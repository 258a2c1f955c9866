//! Accounts, local and remote, as everybody may know them.

use domain::account::{Account, ActorKind, ProfileField, ProfileImage};
use domain::{AccountId, Host, Timestamp, text};

use crate::counts;
use crate::db::{Conn, Tx};
use crate::error::{Error, Result};
use crate::record::record;
use crate::sql;
use crate::sql::json;
use crate::visible::{listed, shown};

/// The columns of [`AccountRow`], for `concat!`.
macro_rules! account_columns {
    () => {
        "a.id, a.username, a.domain, a.uri, a.url, a.kind, a.display_name, a.note, a.fields, a.avatar, a.header,
         a.locked, a.discoverable, a.indexable, a.hide_collections, a.inbox_url, a.shared_inbox_url, a.outbox_url,
         a.followers_url, a.following_url, a.featured_url, a.public_key_pem, a.public_key_id, a.also_known_as,
         a.moved_to_uri, a.posts_count, a.followers_count, a.following_count, a.last_post_at, a.created_at,
         a.fetched_at, a.suspended_at, a.silenced_at"
    };
}
pub(crate) use account_columns;

/// [`crate::visible::shown`], and those that were seen before: their account is closed for now.
macro_rules! let_in {
    () => {
        "a.deleted_at IS NULL AND (NOT a.hidden
            OR EXISTS (SELECT 1 FROM members lm WHERE lm.account_id = a.id AND lm.approved_at IS NOT NULL))"
    };
}

record! {
    pub(crate) struct AccountRow {
        id: i64,
        username: String,
        domain: String,
        uri: String,
        url: String,
        kind: String,
        display_name: String,
        note: String,
        fields: String,
        avatar: Option<String>,
        header: Option<String>,
        locked: bool,
        discoverable: bool,
        indexable: bool,
        hide_collections: bool,
        inbox_url: String,
        shared_inbox_url: Option<String>,
        outbox_url: Option<String>,
        followers_url: Option<String>,
        following_url: Option<String>,
        featured_url: Option<String>,
        public_key_pem: String,
        public_key_id: String,
        also_known_as: String,
        moved_to_uri: Option<String>,
        posts_count: i64,
        followers_count: i64,
        following_count: i64,
        last_post_at: Option<i64>,
        created_at: i64,
        fetched_at: Option<i64>,
        suspended_at: Option<i64>,
        silenced_at: Option<i64>,
    }
}

impl TryFrom<AccountRow> for Account {
    type Error = Error;

    fn try_from(r: AccountRow) -> Result<Self> {
        let image = |text: Option<String>| -> Result<Option<ProfileImage>> {
            Ok(text.map(|t| serde_json::from_str(&t)).transpose()?)
        };
        let fields: Vec<ProfileField> = if r.fields == "[]" { Vec::new() } else { serde_json::from_str(&r.fields)? };
        let also_known_as = if r.also_known_as == "[]" { Vec::new() } else { serde_json::from_str(&r.also_known_as)? };
        Ok(Self {
            id: AccountId(r.id),
            username: r.username,
            domain: Host::stored_unless_ours(r.domain),
            uri: r.uri,
            url: r.url,
            kind: ActorKind::parse(&r.kind).unwrap_or_default(),
            display_name: r.display_name,
            note: r.note,
            fields,
            avatar: image(r.avatar)?,
            header: image(r.header)?,
            locked: r.locked,
            discoverable: r.discoverable,
            indexable: r.indexable,
            hide_collections: r.hide_collections,
            inbox_url: r.inbox_url,
            shared_inbox_url: r.shared_inbox_url,
            outbox_url: r.outbox_url,
            followers_url: r.followers_url,
            following_url: r.following_url,
            featured_url: r.featured_url,
            public_key_pem: r.public_key_pem,
            public_key_id: r.public_key_id,
            also_known_as,
            moved_to_uri: r.moved_to_uri,
            posts_count: r.posts_count,
            followers_count: r.followers_count,
            following_count: r.following_count,
            last_post_at: r.last_post_at.map(Timestamp),
            created_at: Timestamp(r.created_at),
            fetched_at: r.fetched_at.map(Timestamp),
            suspended_at: r.suspended_at.map(Timestamp),
            silenced_at: r.silenced_at.map(Timestamp),
        })
    }
}

fn accounts(rows: Vec<AccountRow>) -> Result<Vec<Account>> {
    rows.into_iter().map(Account::try_from).collect()
}

/// # Errors
/// [`Error::NotFound`] when there is no such account, it was deleted, or nobody may see it yet (or for now).
pub async fn get(conn: &mut Conn, id: AccountId) -> Result<Account> {
    sql!(concat!("SELECT ", account_columns!(), " FROM accounts a WHERE a.id = $1 AND ", shown!("a")))
        .bind(id)
        .one::<AccountRow>(conn)
        .await?
        .try_into()
}

/// As [`get`], hidden or not: for those who run the community and for what an account leaves behind, never for output.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account, or it was deleted.
pub async fn even_hidden(conn: &mut Conn, id: AccountId) -> Result<Account> {
    sql!(concat!("SELECT ", account_columns!(), " FROM accounts a WHERE a.id = $1 AND a.deleted_at IS NULL"))
        .bind(id)
        .one::<AccountRow>(conn)
        .await?
        .try_into()
}

/// Those of the ids that exist and may be seen, in no particular order.
///
/// # Errors
/// As [`Error`] says.
pub async fn many(conn: &mut Conn, ids: &[AccountId]) -> Result<Vec<Account>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    accounts(
        sql!(concat!("SELECT ", account_columns!(), " FROM accounts a WHERE a.id = ANY($1) AND ", shown!("a")))
            .bind(ids)
            .all(conn)
            .await?,
    )
}

/// As [`many`], with those that were deleted or hidden: they still sign what tells of their deletion.
///
/// # Errors
/// As [`Error`] says.
pub async fn many_even_deleted(conn: &mut Conn, ids: &[AccountId]) -> Result<Vec<Account>> {
    accounts(
        sql!(concat!("SELECT ", account_columns!(), " FROM accounts a WHERE a.id = ANY($1)"))
            .bind(ids)
            .all(conn)
            .await?,
    )
}

/// By ActivityPub id. Includes suspended accounts, neither deleted nor hidden ones.
///
/// # Errors
/// As [`Error`] says.
pub async fn by_uri(conn: &mut Conn, uri: &str) -> Result<Option<Account>> {
    sql!(concat!("SELECT ", account_columns!(), " FROM accounts a WHERE a.uri = $1 AND ", shown!("a")))
        .bind(uri)
        .maybe::<AccountRow>(conn)
        .await?
        .map(Account::try_from)
        .transpose()
}

/// As [`by_uri`], with members whose account is closed for now: what was done to them before can be undone meanwhile.
/// Those who wait to be let in are nobody.
///
/// # Errors
/// As [`Error`] says.
pub async fn by_uri_even_closed(conn: &mut Conn, uri: &str) -> Result<Option<Account>> {
    sql!(concat!("SELECT ", account_columns!(), " FROM accounts a WHERE a.uri = $1 AND ", let_in!()))
        .bind(uri)
        .maybe::<AccountRow>(conn)
        .await?
        .map(Account::try_from)
        .transpose()
}

/// Does the inbox of a member of this name take anything? That of one who waits to be let in looks as if there were
/// none; that of one whose account was closed takes what is for when it is opened again.
///
/// # Errors
/// As [`Error`] says.
pub async fn has_inbox(conn: &mut Conn, username: &str) -> Result<bool> {
    sql!(concat!(
        "SELECT a.id FROM accounts a WHERE lower(a.username) = lower($1) AND a.domain = '' AND a.suspended_at IS NULL AND ",
        let_in!()
    ))
    .bind(username)
    .exists(conn)
    .await
}

/// Those of the ActivityPub ids that are known here and may be seen.
///
/// # Errors
/// As [`Error`] says.
pub async fn by_uris(conn: &mut Conn, uris: &[String]) -> Result<Vec<Account>> {
    if uris.is_empty() {
        return Ok(Vec::new());
    }
    accounts(
        sql!(concat!("SELECT ", account_columns!(), " FROM accounts a WHERE a.uri = ANY($1) AND ", shown!("a")))
            .bind(uris)
            .all(conn)
            .await?,
    )
}

/// By the id of the key it signs with.
///
/// # Errors
/// As [`Error`] says.
pub async fn by_key_id(conn: &mut Conn, key_id: &str) -> Result<Option<Account>> {
    sql!(concat!(
        "SELECT ",
        account_columns!(),
        " FROM accounts a WHERE a.public_key_id = $1 AND ",
        shown!("a"),
        " ORDER BY a.id LIMIT 1"
    ))
    .bind(key_id)
    .maybe::<AccountRow>(conn)
    .await?
    .map(Account::try_from)
    .transpose()
}

/// By name and domain (empty = this community), without regard to case.
///
/// # Errors
/// As [`Error`] says.
pub async fn by_handle(conn: &mut Conn, username: &str, domain: Option<&Host>) -> Result<Option<Account>> {
    sql!(concat!(
        "SELECT ",
        account_columns!(),
        " FROM accounts a WHERE lower(a.username) = lower($1) AND a.domain = $2 AND ",
        shown!("a")
    ))
    .bind(username)
    .bind(domain.map_or("", Host::as_str))
    .maybe::<AccountRow>(conn)
    .await?
    .map(Account::try_from)
    .transpose()
}

/// Makes a tombstone of an account: nothing of it is shown any more, its name and ids are never given out again.
/// Counters of others stop counting it at once; what it left (posts, relations, media) is the caller's. `false` when it
/// already was one.
///
/// # Errors
/// As [`Error`] says.
pub async fn bury(tx: &mut Tx, id: AccountId, now: Timestamp) -> Result<bool> {
    lock(tx, id).await?;
    // Whoever is not shown already stands in no counter.
    let was_counted =
        sql!(concat!("SELECT a.id FROM accounts a WHERE a.id = $1 AND ", listed!("a"))).bind(id).exists(tx).await?;
    let n = sql!(
        "UPDATE accounts SET version = version + 1, deleted_at = $2, suspended_at = coalesce(suspended_at, $2), display_name = '', note = '',
            fields = '[]', avatar = NULL, header = NULL, also_known_as = '[]', moved_to_uri = NULL,
            discoverable = FALSE, indexable = FALSE
         WHERE id = $1 AND deleted_at IS NULL"
    )
    .bind(id)
    .bind(now)
    .run(tx)
    .await?;
    if was_counted {
        counts::around_account(tx, id).await?;
    }
    sql!("DELETE FROM account_words WHERE account_id = $1").bind(id).run(tx).await?;
    Ok(n > 0)
}

/// Waits for those who hold the account ([`crate::posts::hold`]), and they for this transaction: it is to be hidden or
/// to go, or to say something else of itself. Counters move all the same.
///
/// # Errors
/// As [`Error`] says.
pub async fn lock(tx: &mut Tx, id: AccountId) -> Result<()> {
    sql!("SELECT id FROM accounts WHERE id = $1 FOR UPDATE").bind(id).lock(tx).await
}

/// Was an account with this ActivityPub id deleted here (410, and never to be made anew)?
///
/// # Errors
/// As [`Error`] says.
pub async fn is_deleted(conn: &mut Conn, uri: &str) -> Result<bool> {
    sql!("SELECT id FROM accounts WHERE uri = $1 AND deleted_at IS NOT NULL").bind(uri).exists(conn).await
}

/// Is nothing here of an account: neither its ActivityPub id nor its handle, seen or not, living or deleted?
///
/// # Errors
/// As [`Error`] says.
pub async fn is_unheard_of(conn: &mut Conn, a: &Account) -> Result<bool> {
    let known = sql!(
        "SELECT id FROM accounts WHERE uri = $1
         UNION ALL SELECT id FROM accounts WHERE lower(username) = lower($2) AND domain = $3 LIMIT 1"
    );
    Ok(!known.bind(&a.uri).bind(&a.username).bind(a.domain_or_empty()).exists(conn).await?)
}

/// Was a local account of this name deleted (410)?
///
/// # Errors
/// As [`Error`] says.
pub async fn name_was_deleted(conn: &mut Conn, username: &str) -> Result<bool> {
    sql!("SELECT id FROM accounts WHERE lower(username) = lower($1) AND domain = '' AND deleted_at IS NOT NULL")
        .bind(username)
        .exists(conn)
        .await
}

/// Is the local name given out, to an account that lives (seen or not) or that was deleted? Only for who wants the name.
///
/// # Errors
/// As [`Error`] says.
pub async fn is_taken(conn: &mut Conn, username: &str) -> Result<bool> {
    sql!("SELECT id FROM accounts WHERE lower(username) = lower($1) AND domain = ''").bind(username).exists(conn).await
}

/// Writes a new account, or a remote one anew (found by its uri). Counts are not touched on an existing row.
/// Gives the id it has in the database: the one passed, or the one it had.
///
/// # Errors
/// [`Error::Conflict`] when the handle belongs to an account with another uri.
pub async fn upsert(conn: &mut Conn, a: &Account) -> Result<AccountId> {
    let image = |i: &Option<ProfileImage>| i.as_ref().map(serde_json::to_string).transpose();
    let (id, version) = sql!(
        "INSERT INTO accounts (id, username, domain, uri, url, kind, display_name, note, fields, avatar, header, locked,
            discoverable, indexable, hide_collections, inbox_url, shared_inbox_url, outbox_url, followers_url,
            following_url, featured_url, public_key_pem, public_key_id, also_known_as, moved_to_uri, created_at,
            fetched_at, suspended_at, silenced_at, followers_count, following_count, posts_count)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
            $23, $24, $25, $26, $27, $28, $29, $30, $31, $32)
         ON CONFLICT (uri) DO UPDATE SET version = accounts.version + 1, username = excluded.username, domain = excluded.domain, url = excluded.url,
            kind = excluded.kind, display_name = excluded.display_name, note = excluded.note, fields = excluded.fields,
            avatar = excluded.avatar, header = excluded.header, locked = excluded.locked,
            discoverable = excluded.discoverable, indexable = excluded.indexable,
            hide_collections = excluded.hide_collections, inbox_url = excluded.inbox_url,
            shared_inbox_url = excluded.shared_inbox_url, outbox_url = excluded.outbox_url,
            followers_url = excluded.followers_url, following_url = excluded.following_url,
            featured_url = excluded.featured_url, public_key_pem = excluded.public_key_pem,
            public_key_id = excluded.public_key_id, also_known_as = excluded.also_known_as,
            moved_to_uri = excluded.moved_to_uri, fetched_at = excluded.fetched_at
         RETURNING id, version"
    )
    .bind(a.id)
    .bind(&a.username)
    .bind(a.domain_or_empty())
    .bind(&a.uri)
    .bind(&a.url)
    .bind(a.kind.as_str())
    .bind(&a.display_name)
    .bind(&a.note)
    .bind(json(&a.fields)?)
    .bind(image(&a.avatar)?)
    .bind(image(&a.header)?)
    .bind(a.locked)
    .bind(a.discoverable)
    .bind(a.indexable)
    .bind(a.hide_collections)
    .bind(&a.inbox_url)
    .bind(a.shared_inbox_url.clone())
    .bind(a.outbox_url.clone())
    .bind(a.followers_url.clone())
    .bind(a.following_url.clone())
    .bind(a.featured_url.clone())
    .bind(&a.public_key_pem)
    .bind(&a.public_key_id)
    .bind(json(&a.also_known_as)?)
    .bind(a.moved_to_uri.clone())
    .bind(a.created_at)
    .bind(a.fetched_at)
    .bind(a.suspended_at)
    .bind(a.silenced_at)
    .bind(a.followers_count)
    .bind(a.following_count)
    .bind(a.posts_count)
    .one::<(i64, i64)>(conn)
    .await?;
    let id = AccountId(id);
    // Writing it anew raises the version.
    keep_words(conn, id, a, version == 0).await?;
    Ok(id)
}

/// What it is found by: its name, the parts of it, and the words it calls itself by.
async fn keep_words(conn: &mut Conn, id: AccountId, a: &Account, new: bool) -> Result<()> {
    let mut words = text::words(&a.username);
    words.insert(a.username.to_lowercase());
    words.extend(text::words(&a.display_name));
    let words: Vec<String> = words.into_iter().collect();
    if !new {
        sql!("DELETE FROM account_words WHERE account_id = $1 AND NOT (word = ANY($2))")
            .bind(id)
            .bind(words.as_slice())
            .run(conn)
            .await?;
    }
    sql!(
        sqlite: "INSERT INTO account_words (account_id, word) SELECT $1, value FROM json_each($2) WHERE TRUE ON CONFLICT DO NOTHING",
        postgres: "INSERT INTO account_words (account_id, word) SELECT $1, unnest($2) ON CONFLICT DO NOTHING",
    )
    .bind(id)
    .bind(words.as_slice())
    .run(conn)
    .await?;
    Ok(())
}

/// Her avatar, or her header, as it is kept now.
///
/// # Errors
/// As [`Error`] says.
pub async fn keep_image(tx: &mut crate::db::Tx, id: AccountId, avatar: bool, image: &ProfileImage) -> Result<()> {
    let query = if avatar {
        sql!("UPDATE accounts SET version = version + 1, avatar = $2 WHERE id = $1")
    } else {
        sql!("UPDATE accounts SET version = version + 1, header = $2 WHERE id = $1")
    };
    query.bind(id).bind(json(image)?).run(tx).await?;
    Ok(())
}
