//! This community's own custom emojis. Those of a text are found by `hydrate`.

use domain::view::Emoji;
use domain::{EmojiId, Host};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::record::record;
use crate::sql;

record! {
    struct EmojiRow {
        id: i64,
        shortcode: String,
        domain: String,
        key: Option<String>,
        remote_url: Option<String>,
        visible: bool,
        category: Option<String>,
    }
}

impl From<EmojiRow> for Emoji {
    fn from(r: EmojiRow) -> Self {
        Self {
            id: EmojiId(r.id),
            shortcode: r.shortcode,
            domain: Host::stored_unless_ours(r.domain),
            key: r.key,
            remote_url: r.remote_url,
            visible: r.visible,
            category: r.category,
        }
    }
}

/// Every emoji that may be used here, by shortcode.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn local(conn: &mut Conn) -> Result<Vec<Emoji>> {
    let rows = sql!(
        "SELECT id, shortcode, domain, key, remote_url, visible, category FROM custom_emojis
         WHERE domain = '' AND NOT disabled ORDER BY shortcode"
    )
    .all::<EmojiRow>(conn)
    .await?;
    Ok(rows.into_iter().map(Emoji::from).collect())
}

/// One emoji, ours or another community's.
///
/// # Errors
/// [`crate::Error::NotFound`] when there is none, or it is not to be shown.
pub async fn get(conn: &mut Conn, id: EmojiId) -> Result<Emoji> {
    sql!(
        "SELECT id, shortcode, domain, key, remote_url, visible, category FROM custom_emojis
         WHERE id = $1 AND NOT disabled"
    )
    .bind(id)
    .one::<EmojiRow>(conn)
    .await
    .map(Emoji::from)
}

/// A remote picture was fetched: where its bytes are now.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn keep_file(tx: &mut Tx, id: EmojiId, key: &str) -> Result<()> {
    sql!("UPDATE custom_emojis SET key = $2 WHERE id = $1").bind(id).bind(key).run(tx).await?;
    Ok(())
}
