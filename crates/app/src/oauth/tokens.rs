//! Makes tokens, for a person or for an application itself.

use domain::scope::Scopes;
use domain::{AccountId, AppId, TokenId};
use storage::Tx;
use storage::oauth::{self, Token};

use crate::error::Result;
use crate::{App, secrets};

/// A token without a code: for an app itself, on the command line, or after she signed in to the app with her password.
/// Whether that is right was decided by whoever calls.
///
/// # Errors
/// When the database refuses. Gives the token and what it stands for.
pub async fn issue(
    app: &App,
    client: Option<AppId>,
    account: Option<AccountId>,
    scopes: Scopes,
) -> Result<(String, Token)> {
    let mut tx = app.db.write().await?;
    let made = insert(&mut tx, client, account, scopes).await?;
    tx.commit().await?;
    Ok(made)
}

pub(super) async fn insert(
    tx: &mut Tx,
    client: Option<AppId>,
    account: Option<AccountId>,
    scopes: Scopes,
) -> Result<(String, Token)> {
    let secret = secrets::generate();
    let token = Token { id: tx.id(), client, account, scopes, created_at: tx.now(), expires_at: None };
    oauth::insert_token(tx, &secrets::digest(&secret), &token).await?;
    Ok((secret, token))
}

/// Notes that a token, and the person it stands for, were active.
///
/// # Errors
/// When the database refuses.
pub async fn touch(app: &App, token: TokenId, account: Option<AccountId>) -> Result<()> {
    let mut tx = app.db.write().await?;
    oauth::touch_token(&mut tx, token).await?;
    if let Some(account) = account {
        storage::members::touch(&mut tx, account).await?;
    }
    tx.commit().await?;
    Ok(())
}
