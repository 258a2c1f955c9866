//! She wants the conversation out of her list. Its posts stay, and a new one brings it back.

use domain::{AccountId, ConversationId};

use crate::App;
use crate::error::Result;

/// # Errors
/// [`crate::Error::NotFound`] when it is not hers.
pub async fn remove(app: &App, me: AccountId, id: ConversationId) -> Result<()> {
    let mut tx = app.db.write().await?;
    storage::conversations::remove(&mut tx, me, id).await?;
    tx.commit().await?;
    Ok(())
}
