//! Signs a browser in.

use std::time::Duration;

use domain::AccountId;
use storage::sessions::{self, Session};

use crate::error::Result;
use crate::{App, secrets};

/// How long a browser stays signed in without being used.
pub const LIFETIME: Duration = Duration::from_secs(60 * 24 * 3600);

const MAX_USER_AGENT_CHARS: usize = 200;

/// # Errors
/// When the database refuses. Gives the token that the browser keeps.
pub async fn start(app: &App, account: AccountId, user_agent: &str) -> Result<String> {
    let token = secrets::generate();
    let user_agent: String = user_agent.chars().take(MAX_USER_AGENT_CHARS).collect();
    let mut tx = app.db.write().await?;
    sessions::purge(&mut tx).await?;
    let now = tx.now();
    let session = Session { account, created_at: now, last_used_at: now, expires_at: now.plus(LIFETIME) };
    sessions::insert(&mut tx, &secrets::digest(&token), &session, &user_agent).await?;
    storage::members::touch(&mut tx, account).await?;
    tx.commit().await?;
    Ok(token)
}
