//! Posts and boosts: single rows, threads, and the tombstones they leave.
//!
//! What is named `unchecked` ignores who is looking: for verbs that check the rule themselves, never for output.

use domain::post::{Post, PostEdit};
use domain::{
    AccountId, AddressKey, AppId, AttachmentId, PostId, TagId, ThreadId, Timestamp, Urls, Viewer, Visibility,
};

use crate::db::{Conn, Tx};
use crate::error::{Error, Result};
use crate::former_readers;
use crate::marks;
use crate::record::record;
use crate::sql;
use crate::sql::json;
use crate::visible::{listed, since, visible};

/// The columns of [`PostRow`], for `concat!`; the alias is `p`.
macro_rules! post_columns {
    () => {
        "p.id, p.uri, p.url, p.account_id, p.boost_of_id, p.in_reply_to_id, p.in_reply_to_account_id, p.in_reply_to_uri,
         p.thread_id, p.visibility, p.content, p.source, p.spoiler_text, p.sensitive, p.language, p.local, p.app_id,
         p.created_at, p.edited_at, p.replies_count, p.boosts_count, p.favourites_count"
    };
}
pub(crate) use post_columns;

record! {
    pub(crate) struct PostRow {
        id: i64,
        uri: String,
        url: String,
        account_id: i64,
        boost_of_id: Option<i64>,
        in_reply_to_id: Option<i64>,
        in_reply_to_account_id: Option<i64>,
        in_reply_to_uri: Option<String>,
        thread_id: i64,
        visibility: String,
        content: String,
        source: Option<String>,
        spoiler_text: String,
        sensitive: bool,
        language: Option<String>,
        local: bool,
        app_id: Option<i64>,
        created_at: i64,
        edited_at: Option<i64>,
        replies_count: i64,
        boosts_count: i64,
        favourites_count: i64,
    }
}

impl TryFrom<PostRow> for Post {
    type Error = Error;

    fn try_from(r: PostRow) -> Result<Self> {
        Ok(Self {
            id: PostId(r.id),
            uri: r.uri,
            url: r.url,
            account_id: AccountId(r.account_id),
            boost_of_id: r.boost_of_id.map(PostId),
            in_reply_to_id: r.in_reply_to_id.map(PostId),
            in_reply_to_account_id: r.in_reply_to_account_id.map(AccountId),
            in_reply_to_uri: r.in_reply_to_uri,
            thread_id: ThreadId(r.thread_id),
            // An unknown word must never widen an audience.
            visibility: Visibility::parse(&r.visibility).unwrap_or(Visibility::Direct),
            content: r.content,
            source: r.source,
            spoiler_text: r.spoiler_text,
            sensitive: r.sensitive,
            language: r.language,
            local: r.local,
            app_id: r.app_id.map(AppId),
            created_at: Timestamp(r.created_at),
            edited_at: r.edited_at.map(Timestamp),
            replies_count: r.replies_count,
            boosts_count: r.boosts_count,
            favourites_count: r.favourites_count,
        })
    }
}

/// What a post points at, written with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    /// Whom it addresses; `true` = silently (may see it, is not told).
    pub mentions: Vec<(AccountId, bool)>,
    /// Normalised name and the name as written.
    pub tags: Vec<(String, String)>,
    /// In the order they are shown.
    pub attachments: Vec<AttachmentId>,
}

/// Writes a new post with what it points at. Counters are the caller's to move.
///
/// # Errors
/// [`Error::Conflict`] when its id or uri exists (or, for a boost, she already boosted that post).
pub async fn insert(tx: &mut Tx, p: &Post, links: &Links) -> Result<()> {
    sql!(
        "INSERT INTO posts (id, uri, url, account_id, boost_of_id, in_reply_to_id, in_reply_to_account_id,
            in_reply_to_uri, thread_id, visibility, content, source, spoiler_text, sensitive, language, local, app_id,
            created_at, edited_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)"
    )
    .bind(p.id)
    .bind(&p.uri)
    .bind(&p.url)
    .bind(p.account_id)
    .bind(p.boost_of_id)
    .bind(p.in_reply_to_id)
    .bind(p.in_reply_to_account_id)
    .bind(p.in_reply_to_uri.clone())
    .bind(p.thread_id)
    .bind(p.visibility)
    .bind(&p.content)
    .bind(p.source.clone())
    .bind(&p.spoiler_text)
    .bind(p.sensitive)
    .bind(p.language.clone())
    .bind(p.local)
    .bind(p.app_id)
    .bind(p.created_at)
    .bind(p.edited_at)
    .run(tx)
    .await?;
    if p.boost_of_id.is_some() && p.local {
        marks::changed(tx, p.account_id).await?;
    }
    write_links(tx, p.id, links, p.visibility.is_open(), Timestamp(0)).await
}

/// Writes what a post points at, when it is new or after an edit. `since` is for whom it did not address yet.
async fn write_links(tx: &mut Tx, id: PostId, links: &Links, open: bool, since: Timestamp) -> Result<()> {
    for &(account, silent) in &links.mentions {
        sql!(
            "INSERT INTO mentions (post_id, account_id, silent, since) VALUES ($1, $2, $3, $4)
             ON CONFLICT (post_id, account_id) DO UPDATE SET silent = excluded.silent"
        )
        .bind(id)
        .bind(account)
        .bind(silent)
        .bind(since)
        .run(tx)
        .await?;
    }
    for (name, display) in &links.tags {
        let tag = tag(tx, name, open.then_some(display.as_str())).await?;
        sql!("INSERT INTO post_tags (tag_id, post_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(tag)
            .bind(id)
            .run(tx)
            .await?;
    }
    for (position, attachment) in (0i64..).zip(&links.attachments) {
        sql!(
            "UPDATE attachments SET post_id = $1, former_post_id = NULL, position = $2, released_at = NULL WHERE id = $3"
        )
        .bind(id)
        .bind(position)
        .bind(*attachment)
        .run(tx)
        .await?;
    }
    Ok(())
}

/// The tag's id; makes the tag when it is new. `display` is how an open post writes it, and `None` for whatever not
/// everybody may see: how that spells it is nobody else's business.
///
/// # Errors
/// As [`Error`] says.
pub async fn tag(tx: &mut Tx, name: &str, display: Option<&str>) -> Result<TagId> {
    let known = sql!("SELECT id, display FROM tags WHERE name = $1").bind(name).maybe::<(i64, String)>(tx).await?;
    if let Some((id, before)) = known {
        if let Some(display) = display
            && before == name
            && display != name
        {
            sql!("UPDATE tags SET display = $2 WHERE id = $1").bind(id).bind(display).run(tx).await?;
        }
        return Ok(TagId(id));
    }
    let id: TagId = tx.id();
    // The update changes nothing; it makes RETURNING give the row when another process was faster.
    let (id,) = sql!(
        "INSERT INTO tags (id, name, display) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id"
    )
    .bind(id)
    .bind(name)
    .bind(display.unwrap_or(name))
    .one::<(i64,)>(tx)
    .await?;
    Ok(TagId(id))
}

/// A post that the viewer may see.
///
/// # Errors
/// [`Error::NotFound`] when there is none, or she may not see it.
pub async fn get(conn: &mut Conn, viewer: Viewer, id: PostId) -> Result<Post> {
    sql!(concat!("SELECT ", post_columns!(), " FROM posts p WHERE p.id = $2 AND ", visible!("p")))
        .bind(viewer.raw())
        .bind(id)
        .one::<PostRow>(conn)
        .await?
        .try_into()
}

/// As [`get`], by ActivityPub id.
///
/// # Errors
/// As [`Error`] says.
pub async fn get_by_uri(conn: &mut Conn, viewer: Viewer, uri: &str) -> Result<Option<Post>> {
    sql!(concat!("SELECT ", post_columns!(), " FROM posts p WHERE p.uri = $2 AND ", visible!("p")))
        .bind(viewer.raw())
        .bind(uri)
        .maybe::<PostRow>(conn)
        .await?
        .map(Post::try_from)
        .transpose()
}

/// A post, whoever may see it; not a tombstone.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn unchecked(conn: &mut Conn, id: PostId) -> Result<Post> {
    sql!(concat!("SELECT ", post_columns!(), " FROM posts p WHERE p.id = $1 AND p.deleted_at IS NULL"))
        .bind(id)
        .one::<PostRow>(conn)
        .await?
        .try_into()
}

/// A post or what is left of it: for the handlers that send a deletion. Takes as long where there is none.
///
/// # Errors
/// [`Error::NotFound`] when there never was such a post.
pub async fn unchecked_or_tombstone(conn: &mut Conn, id: PostId) -> Result<(Post, Option<Timestamp>)> {
    let post = sql!(concat!("SELECT ", post_columns!(), " FROM posts p WHERE p.id = $1"))
        .bind(id)
        .maybe::<PostRow>(conn)
        .await?;
    let deleted = sql!("SELECT deleted_at FROM posts WHERE id = $1").bind(id).maybe::<(Option<i64>,)>(conn).await?;
    let (Some(post), Some((deleted,))) = (post, deleted) else { return Err(Error::NotFound) };
    Ok((post.try_into()?, deleted.map(Timestamp)))
}

/// By ActivityPub id, whoever may see it; not a tombstone.
///
/// # Errors
/// As [`Error`] says.
pub async fn unchecked_by_uri(conn: &mut Conn, uri: &str) -> Result<Option<Post>> {
    sql!(concat!("SELECT ", post_columns!(), " FROM posts p WHERE p.uri = $1 AND p.deleted_at IS NULL"))
        .bind(uri)
        .maybe::<PostRow>(conn)
        .await?
        .map(Post::try_from)
        .transpose()
}

/// Which post, boost or tombstone of a member has this key in its address, whoever may see it.
///
/// # Errors
/// As [`Error`] says.
pub async fn at_address(conn: &mut Conn, urls: &Urls, username: &str, key: AddressKey) -> Result<Option<PostId>> {
    let row = sql!("SELECT id FROM posts WHERE uri = $1 OR uri = $2 LIMIT 1")
        .bind(urls.post(username, key))
        .bind(urls.post_activity(username, key))
        .maybe::<(i64,)>(conn)
        .await?;
    Ok(row.map(|(id,)| PostId(id)))
}

/// Is the ActivityPub id known, as a post or as a tombstone?
///
/// # Errors
/// As [`Error`] says.
pub async fn uri_is_known(conn: &mut Conn, uri: &str) -> Result<bool> {
    sql!("SELECT id FROM posts WHERE uri = $1").bind(uri).exists(conn).await
}

/// When the post with this id was deleted; `None` when it was not, or never existed.
///
/// # Errors
/// As [`Error`] says.
pub async fn deleted_at(conn: &mut Conn, id: PostId) -> Result<Option<Timestamp>> {
    let row = sql!("SELECT deleted_at FROM posts WHERE id = $1").bind(id).maybe::<(Option<i64>,)>(conn).await?;
    Ok(row.and_then(|(at,)| at).map(Timestamp))
}

/// Are an account and, where one is given, its post still there, the post as it was edited last at this time, and,
/// `shown`, may the account be seen? Until the transaction ends nobody deletes, hides or edits them: what does so after
/// that finds what this transaction wrote.
///
/// # Errors
/// As [`Error`] says.
pub async fn hold(
    tx: &mut Tx,
    author: AccountId,
    shown: bool,
    post: Option<(PostId, Option<Timestamp>)>,
) -> Result<bool> {
    let found = sql!(
        sqlite: "SELECT id FROM accounts WHERE id = $1 AND deleted_at IS NULL AND NOT (hidden AND $2)",
        postgres: "SELECT id FROM accounts WHERE id = $1 AND deleted_at IS NULL AND NOT (hidden AND $2)
                   FOR KEY SHARE",
    )
    .bind(author)
    .bind(shown)
    .exists(tx)
    .await?;
    let Some((post, edited)) = post.filter(|_| found) else { return Ok(found) };
    sql!(
        sqlite: "SELECT id FROM posts WHERE id = $1 AND deleted_at IS NULL AND coalesce(edited_at, 0) = $2",
        postgres: "SELECT id FROM posts WHERE id = $1 AND deleted_at IS NULL AND coalesce(edited_at, 0) = $2
                   FOR KEY SHARE",
    )
    .bind(post)
    .bind(edited.unwrap_or(Timestamp(0)))
    .exists(tx)
    .await
}

/// Waits for those who hold the post ([`hold`]), and they for this transaction: it is to go, or to say something else.
/// Counters move all the same.
///
/// # Errors
/// As [`Error`] says.
pub async fn lock(tx: &mut Tx, id: PostId) -> Result<()> {
    sql!("SELECT id FROM posts WHERE id = $1 FOR UPDATE").bind(id).lock(tx).await
}

/// Her boost of a post.
///
/// # Errors
/// As [`Error`] says.
pub async fn boost_by(conn: &mut Conn, account: AccountId, boosted: PostId) -> Result<Option<Post>> {
    sql!(concat!(
        "SELECT ",
        post_columns!(),
        " FROM posts p WHERE p.boost_of_id = $2 AND p.account_id = $1 AND p.deleted_at IS NULL"
    ))
    .bind(account)
    .bind(boosted)
    .maybe::<PostRow>(conn)
    .await?
    .map(Post::try_from)
    .transpose()
}

/// Was a post that is buried ever answered, boosted or a favourite elsewhere, or did somebody there see it once? Then
/// servers that it was not sent to may have fetched it.
///
/// # Errors
/// As [`Error`] says.
pub async fn may_be_elsewhere(conn: &mut Conn, id: PostId) -> Result<bool> {
    sql!(
        "SELECT id FROM posts WHERE in_reply_to_id = $1 AND in_reply_to_id IS NOT NULL
         UNION ALL SELECT id FROM posts WHERE boost_of_id = $1 AND boost_of_id IS NOT NULL
         UNION ALL SELECT r.post_id FROM posts p
            JOIN former_readers r ON r.author_id = p.account_id AND r.post_id = p.id WHERE p.id = $1 LIMIT 1"
    )
    .bind(id)
    .exists(conn)
    .await
}

/// Every boost of a post.
///
/// # Errors
/// As [`Error`] says.
pub async fn boosts_of(conn: &mut Conn, boosted: PostId) -> Result<Vec<PostId>> {
    sql!("SELECT id FROM posts WHERE boost_of_id = $1 AND deleted_at IS NULL").bind(boosted).ids(conn).await
}

/// Posts and boosts of an account that were not deleted, in no particular order: to remove what it left.
///
/// # Errors
/// As [`Error`] says.
pub async fn living_of(conn: &mut Conn, account: AccountId, limit: i64) -> Result<Vec<PostId>> {
    sql!("SELECT id FROM posts WHERE account_id = $1 AND deleted_at IS NULL LIMIT $2")
        .bind(account)
        .bind(limit)
        .ids(conn)
        .await
}

/// Whom a post addresses; `true` = silently.
///
/// # Errors
/// As [`Error`] says.
pub async fn mentions(conn: &mut Conn, id: PostId) -> Result<Vec<(AccountId, bool)>> {
    let rows = sql!("SELECT account_id, silent FROM mentions WHERE post_id = $1 ORDER BY account_id")
        .bind(id)
        .all::<(i64, bool)>(conn)
        .await?;
    Ok(rows.into_iter().map(|(id, silent)| (AccountId(id), silent)).collect())
}

/// Its hashtags: the normalised name and the name as written.
///
/// # Errors
/// As [`Error`] says.
pub async fn tags(conn: &mut Conn, id: PostId) -> Result<Vec<(String, String)>> {
    sql!("SELECT t.name, t.display FROM post_tags pt JOIN tags t ON t.id = pt.tag_id WHERE pt.post_id = $1 ORDER BY t.name")
        .bind(id)
        .all(conn)
        .await
}

/// Makes a tombstone of a post that the transaction holds ([`lock`]): its text and what it points at are gone, its ids
/// stay. `false` when it already was one. Counters, timelines and media are the caller's (`app::posts::delete`).
///
/// # Errors
/// As [`Error`] says.
pub async fn bury(tx: &mut Tx, id: PostId, now: Timestamp) -> Result<bool> {
    let buried = sql!(
        "UPDATE posts SET version = version + 1, deleted_at = $2, content = '', source = NULL, spoiler_text = ''
         WHERE id = $1 AND deleted_at IS NULL RETURNING account_id, boost_of_id"
    )
    .bind(id)
    .bind(now)
    .maybe::<(i64, Option<i64>)>(tx)
    .await?;
    let Some((author, boost_of)) = buried else { return Ok(false) };
    if boost_of.is_some() {
        marks::changed(tx, AccountId(author)).await?;
    }
    // Mentions stay: they say who is to be told of the deletion.
    sql!("DELETE FROM post_tags WHERE post_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM pins WHERE post_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM bookmarks WHERE post_id = $1").bind(id).run(tx).await?;
    former_readers::of_favourites(tx, id).await?;
    sql!("DELETE FROM favourites WHERE post_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM post_edits WHERE post_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM notifications WHERE post_id = $1").bind(id).run(tx).await?;
    Ok(true)
}

/// Another post may have the ActivityPub id of this tombstone.
///
/// # Errors
/// As [`Error`] says.
pub async fn free_uri(tx: &mut Tx, id: PostId) -> Result<()> {
    sql!("UPDATE posts SET uri = uri || '#undone-' || CAST(id AS TEXT) WHERE id = $1 AND deleted_at IS NOT NULL")
        .bind(id)
        .run(tx)
        .await?;
    Ok(())
}

/// What an edit changes.
#[derive(Debug, Clone)]
pub struct Edit<'a> {
    pub visibility: Visibility,
    pub content: &'a str,
    pub source: Option<&'a str>,
    pub spoiler_text: &'a str,
    pub sensitive: bool,
    pub language: Option<&'a str>,
    pub edited_at: Timestamp,
    pub links: &'a Links,
}

/// Writes an edit of a post that the transaction holds ([`lock`]). Attachments that are no longer shown belong to its
/// earlier versions.
///
/// # Errors
/// As [`Error`] says.
pub async fn update(tx: &mut Tx, id: PostId, e: &Edit<'_>) -> Result<()> {
    sql!(
        "UPDATE posts SET version = version + 1, content = $2, source = $3, spoiler_text = $4, sensitive = $5, language = $6, edited_at = $7,
            visibility = $8
         WHERE id = $1 AND deleted_at IS NULL"
    )
    .bind(id)
    .bind(e.content)
    .bind(e.source)
    .bind(e.spoiler_text)
    .bind(e.sensitive)
    .bind(e.language)
    .bind(e.edited_at)
    .bind(e.visibility)
    .run(tx)
    .await?;
    readdress(tx, id, &e.links.mentions).await?;
    sql!("DELETE FROM post_tags WHERE post_id = $1").bind(id).run(tx).await?;
    sql!("UPDATE attachments SET post_id = NULL, former_post_id = $1, released_at = $2 WHERE post_id = $1")
        .bind(id)
        .bind(e.edited_at)
        .run(tx)
        .await?;
    write_links(tx, id, e.links, e.visibility.is_open(), e.edited_at).await
}

/// Whom it addresses no more may see it no more. Her server has a copy, and is told when the post goes.
async fn readdress(tx: &mut Tx, id: PostId, mentions: &[(AccountId, bool)]) -> Result<()> {
    let addressed: Vec<AccountId> = mentions.iter().map(|(account, _)| *account).collect();
    former_readers::taken_out(tx, id, &addressed).await?;
    sql!("DELETE FROM mentions WHERE post_id = $1 AND NOT account_id = ANY($2)")
        .bind(id)
        .bind(&addressed)
        .run(tx)
        .await?;
    Ok(())
}

/// Keeps a version of a post.
///
/// # Errors
/// As [`Error`] says.
pub async fn keep_edit(tx: &mut Tx, id: PostId, e: &PostEdit) -> Result<()> {
    let row: i64 = tx.id();
    sql!(
        "INSERT INTO post_edits (id, post_id, content, spoiler_text, sensitive, attachments, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)"
    )
    .bind(row)
    .bind(id)
    .bind(&e.content)
    .bind(&e.spoiler_text)
    .bind(e.sensitive)
    .bind(json(&e.shown)?)
    .bind(e.created_at)
    .run(tx)
    .await?;
    Ok(())
}

/// The versions of a post that are meant for the viewer, who may see it: oldest first, the present one last; empty when
/// it was never edited.
///
/// # Errors
/// As [`Error`] says.
pub async fn edits(conn: &mut Conn, viewer: Viewer, id: PostId) -> Result<Vec<PostEdit>> {
    sql!(concat!(
        "SELECT e.content, e.spoiler_text, e.sensitive, e.attachments, e.created_at
         FROM post_edits e JOIN posts p ON p.id = e.post_id WHERE e.post_id = $2 AND e.created_at >= ",
        since!("p"),
        " ORDER BY e.id"
    ))
    .bind(viewer.raw())
    .bind(id)
    .all::<(String, String, bool, String, i64)>(conn)
    .await?
    .into_iter()
    .map(|(content, spoiler_text, sensitive, attachments, at)| {
        Ok(PostEdit {
            content,
            spoiler_text,
            sensitive,
            shown: serde_json::from_str(&attachments)?,
            created_at: Timestamp(at),
        })
    })
    .collect()
}

/// Gives a boost a narrower audience: what it shows was narrowed.
///
/// # Errors
/// As [`Error`] says.
pub async fn narrow_boost(tx: &mut Tx, id: PostId, visibility: Visibility) -> Result<()> {
    lock(tx, id).await?;
    sql!("UPDATE posts SET version = version + 1, visibility = $2 WHERE id = $1")
        .bind(id)
        .bind(visibility)
        .run(tx)
        .await?;
    Ok(())
}

/// How many posts and boosts of this community's members anybody may see, and how many members there are: for NodeInfo
/// and `instance`.
///
/// # Errors
/// As [`Error`] says.
pub async fn local_totals(conn: &mut Conn) -> Result<(i64, i64)> {
    sql!(concat!(
        "SELECT /* scan */ CAST((SELECT coalesce(sum(a.posts_count), 0) FROM accounts a WHERE a.domain = '' AND ",
        listed!("a"),
        ") AS BIGINT), (SELECT count(*) FROM members WHERE approved_at IS NOT NULL AND disabled_at IS NULL)"
    ))
    .one(conn)
    .await
}
