//! The custom emojis that a post or profile of another server brings along.

use domain::Host;
use storage::peers;

use crate::App;
use crate::error::Result;

/// An emoji as another server describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Without colons.
    pub shortcode: String,
    pub uri: Option<String>,
    pub image_url: String,
}

/// Keeps those that are new or have another picture than before; usually there are none, and nothing is written.
///
/// # Errors
/// When the database refuses.
pub async fn receive(app: &App, domain: &Host, emojis: &[Described]) -> Result<()> {
    if emojis.is_empty() {
        return Ok(());
    }
    let shortcodes: Vec<String> = emojis.iter().map(|e| e.shortcode.clone()).collect();
    let known = peers::known_emojis(&mut app.db.read().await?, domain, &shortcodes).await?;
    let is_known =
        |e: &Described| known.iter().any(|(code, url)| *code == e.shortcode && url.as_deref() == Some(&*e.image_url));
    let fresh: Vec<&Described> = emojis.iter().filter(|e| !is_known(e)).collect();
    if fresh.is_empty() {
        return Ok(());
    }
    let mut tx = app.db.write_repeatable().await?;
    for emoji in fresh {
        peers::upsert_emoji(&mut tx, domain, &emoji.shortcode, emoji.uri.as_deref(), &emoji.image_url).await?;
    }
    tx.commit().await?;
    Ok(())
}
