//! She has read it.

use domain::event::Event;
use domain::{AccountId, ConversationId};

use crate::App;
use crate::error::Result;

/// # Errors
/// [`crate::Error::NotFound`] when it is not hers.
pub async fn mark_read(app: &App, me: AccountId, id: ConversationId) -> Result<()> {
    let mut tx = app.db.write().await?;
    storage::conversations::mark_read(&mut tx, me, id).await?;
    tx.emit(Event::ConversationChanged { account: me, conversation: id });
    tx.commit().await?;
    Ok(())
}
