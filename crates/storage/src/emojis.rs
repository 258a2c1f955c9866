//! This community's own custom emojis. Those of a text are found by `hydrate`.

use domain::EmojiId;
use domain::view::Emoji;

use crate::db::Conn;
use crate::error::Result;
use crate::sql;

#[derive(sqlx::FromRow)]
struct EmojiRow {
    id: i64,
    shortcode: String,
    domain: String,
    key: Option<String>,
    remote_url: Option<String>,
    visible: bool,
    category: Option<String>,
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
    Ok(rows
        .into_iter()
        .map(|r| Emoji {
            id: EmojiId(r.id),
            shortcode: r.shortcode,
            domain: r.domain,
            key: r.key,
            remote_url: r.remote_url,
            visible: r.visible,
            category: r.category,
        })
        .collect())
}
