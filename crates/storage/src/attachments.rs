//! Pictures, videos and sounds: uploaded by members, or named by remote posts.

use domain::attachment::{Attachment, Focus};
use domain::{AccountId, AttachmentId, PostId, Timestamp, Viewer};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::hydrate::{AttachmentRow, attachment_columns};
use crate::sql;
use crate::visible::{since, visible};

/// # Errors
/// As [`crate::Error`] says.
pub async fn insert(tx: &mut Tx, a: &Attachment) -> Result<()> {
    sql!(
        "INSERT INTO attachments (id, account_id, post_id, kind, mime, key, preview_key, remote_url, description,
            blurhash, focus_x, focus_y, width, height, preview_width, preview_height, size, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)"
    )
    .bind(a.id)
    .bind(a.account_id)
    .bind(a.post_id)
    .bind(a.kind.as_str())
    .bind(&a.mime)
    .bind(a.key.clone())
    .bind(a.preview_key.clone())
    .bind(a.remote_url.clone())
    .bind(&a.description)
    .bind(a.blurhash.clone())
    .bind(a.focus.map(|f| f.x))
    .bind(a.focus.map(|f| f.y))
    .bind(a.width)
    .bind(a.height)
    .bind(a.preview_width)
    .bind(a.preview_height)
    .bind(a.size)
    .bind(a.created_at)
    .run(tx)
    .await?;
    Ok(())
}

/// Whoever may see it: for verbs that check the rule themselves.
///
/// # Errors
/// [`crate::Error::NotFound`] when there is none.
pub async fn unchecked(conn: &mut Conn, id: AttachmentId) -> Result<Attachment> {
    let row = sql!(concat!("SELECT ", attachment_columns!(), " FROM attachments WHERE id = $1"))
        .bind(id)
        .one::<AttachmentRow>(conn)
        .await?;
    Ok(row.into())
}

/// What a post shows, in its order.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn of_post(conn: &mut Conn, post: PostId) -> Result<Vec<Attachment>> {
    let rows = sql!(concat!(
        "SELECT ",
        attachment_columns!(),
        " FROM attachments WHERE post_id = $1 AND post_id IS NOT NULL ORDER BY position"
    ))
    .bind(post)
    .all::<AttachmentRow>(conn)
    .await?;
    Ok(rows.into_iter().map(Attachment::from).collect())
}

/// What any version of a post shows, in no particular order.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn of_versions(conn: &mut Conn, post: PostId) -> Result<Vec<Attachment>> {
    let rows = sql!(concat!(
        "SELECT ",
        attachment_columns!(),
        " FROM attachments WHERE (post_id = $1 AND post_id IS NOT NULL)
            OR (former_post_id = $1 AND former_post_id IS NOT NULL)"
    ))
    .bind(post)
    .all::<AttachmentRow>(conn)
    .await?;
    Ok(rows.into_iter().map(Attachment::from).collect())
}

/// Forgets what all versions of a deleted post showed; the bytes are the caller's to remove.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn remove_of_post(tx: &mut Tx, post: PostId) -> Result<Vec<Attachment>> {
    let gone = of_versions(tx, post).await?;
    if !gone.is_empty() {
        sql!("DELETE FROM attachments WHERE post_id = $1 OR former_post_id = $1").bind(post).run(tx).await?;
    }
    Ok(gone)
}

/// Lets go of what a post shows now: free for a while to be shown by another.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn release(tx: &mut Tx, post: PostId) -> Result<()> {
    let now = tx.now();
    sql!("UPDATE attachments SET post_id = NULL, released_at = $2 WHERE post_id = $1")
        .bind(post)
        .bind(now)
        .run(tx)
        .await?;
    Ok(())
}

/// Those of the ids that are hers and free to be shown by a new post (or shown by a version of `post` already).
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn attachable(
    conn: &mut Conn,
    owner: AccountId,
    ids: &[AttachmentId],
    post: Option<PostId>,
) -> Result<Vec<AttachmentId>> {
    sql!(
        "SELECT id FROM attachments WHERE id = ANY($1) AND account_id = $2 AND (post_id IS NULL OR post_id = $3)
           AND (former_post_id IS NULL OR former_post_id = $3)"
    )
    .bind(ids)
    .bind(owner)
    .bind(post.map_or(0, |p| p.0))
    .ids(conn)
    .await
}

/// # Errors
/// As [`crate::Error`] says.
pub async fn describe(tx: &mut Tx, id: AttachmentId, description: &str, focus: Option<Focus>) -> Result<()> {
    sql!("UPDATE attachments SET description = $2, focus_x = $3, focus_y = $4 WHERE id = $1")
        .bind(id)
        .bind(description)
        .bind(focus.map(|f| f.x))
        .bind(focus.map(|f| f.y))
        .run(tx)
        .await?;
    shown_anew(tx, id).await
}

/// A remote file was fetched: where its bytes are now. `false` when nothing shows it any more.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn keep_file(tx: &mut Tx, id: AttachmentId, key: &str, preview_key: Option<&str>) -> Result<bool> {
    let found = sql!("UPDATE attachments SET key = $2, preview_key = $3 WHERE id = $1")
        .bind(id)
        .bind(key)
        .bind(preview_key)
        .run(tx)
        .await?;
    shown_anew(tx, id).await?;
    Ok(found > 0)
}

/// The post that shows it looks different now.
async fn shown_anew(tx: &mut Tx, id: AttachmentId) -> Result<()> {
    sql!("UPDATE posts SET version = version + 1 WHERE id = (SELECT post_id FROM attachments WHERE id = $1)")
        .bind(id)
        .run(tx)
        .await?;
    Ok(())
}

/// Forgets a file that no post shows. `false` when a version of a post shows it, or it is not hers.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn remove_unused(tx: &mut Tx, owner: AccountId, id: AttachmentId) -> Result<bool> {
    let n = sql!(
        "DELETE FROM attachments WHERE id = $1 AND account_id = $2 AND post_id IS NULL AND former_post_id IS NULL"
    )
    .bind(id)
    .bind(owner)
    .run(tx)
    .await?;
    Ok(n > 0)
}

/// Files that no post shows: uploaded before `uploaded` and never shown, or shown no longer since before `released`;
/// the oldest first.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn unused(conn: &mut Conn, uploaded: Timestamp, released: Timestamp, limit: i64) -> Result<Vec<Attachment>> {
    let rows = sql!(concat!(
        "SELECT ",
        attachment_columns!(),
        " FROM attachments WHERE post_id IS NULL AND former_post_id IS NULL
            AND ((released_at IS NULL AND created_at < $1) OR released_at < $2)
          ORDER BY created_at LIMIT $3"
    ))
    .bind(uploaded)
    .bind(released)
    .bind(limit)
    .all::<AttachmentRow>(conn)
    .await?;
    Ok(rows.into_iter().map(Attachment::from).collect())
}

/// What the file of this name belongs to, as its original or as its small version, whoever may see it. `None` when
/// nothing does (any more).
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn unchecked_by_key(conn: &mut Conn, key: &str) -> Result<Option<Attachment>> {
    let row = sql!(concat!("SELECT ", attachment_columns!(), " FROM attachments WHERE key = $1 OR preview_key = $1"))
        .bind(key)
        .maybe::<AttachmentRow>(conn)
        .await?;
    Ok(row.map(Attachment::from))
}

/// May the viewer see it now? What a post shows as the post, what an edit replaced as the versions that showed it, and
/// what is no post's if it is her own.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn may_see(conn: &mut Conn, viewer: Viewer, id: AttachmentId) -> Result<bool> {
    sql!(concat!(
        "SELECT a.id FROM attachments a LEFT JOIN posts p ON p.id = coalesce(a.post_id, a.former_post_id)
         WHERE a.id = $2 AND ((p.id IS NULL AND a.account_id = $1) OR (p.id IS NOT NULL AND ",
        visible!("p"),
        " AND (a.former_post_id IS NULL OR a.released_at > ",
        since!("p"),
        ")))"
    ))
    .bind(viewer.raw())
    .bind(id)
    .exists(conn)
    .await
}
