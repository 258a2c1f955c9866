//! Signs a browser in.

use std::time::Duration;

use domain::account::Credentials;
use storage::sessions::{self, Session};

use crate::accounts::unchanged;
use crate::error::Result;
use crate::{App, secrets};

/// How long a browser stays signed in without being used.
pub const LIFETIME: Duration = Duration::from_secs(60 * 24 * 3600);

const MAX_USER_AGENT_CHARS: usize = 200;

/// Gives the token that the browser keeps.
///
/// # Errors
/// [`crate::Error::Conflict`] when the password or the member's standing changed since the log-in was judged.
pub async fn start(app: &App, judged: Credentials, user_agent: &str) -> Result<String> {
    let token = secrets::generate();
    let user_agent: String = user_agent.chars().take(MAX_USER_AGENT_CHARS).collect();
    let mut tx = app.db.write().await?;
    let account = unchanged(&mut tx, judged).await?.account_id;
    sessions::purge(&mut tx).await?;
    let now = tx.now();
    let session = Session { account, created_at: now, last_used_at: now, expires_at: now.plus(LIFETIME) };
    sessions::insert(&mut tx, &secrets::digest(&token), &session, &user_agent).await?;
    storage::members::touch(&mut tx, account).await?;
    tx.commit().await?;
    Ok(token)
}
