//! Makes tokens, for a person or for an application itself.

use domain::account::Credentials;
use domain::scope::Scopes;
use domain::{AccountId, AppId, TokenId};
use storage::Tx;
use storage::oauth::{self, Token};

use super::grants::granted;
use crate::accounts::unchanged;
use crate::error::Result;
use crate::{App, secrets};

/// A token without a code: for an app itself, on the command line, or after the member signed in to the app with a
/// password. Whether that is right was decided by whoever calls, who gives the credentials that it was decided by. Gives
/// the token and what it stands for, which may be less than was asked.
///
/// # Errors
/// [`crate::Error::Conflict`] when the credentials have changed; [`crate::Error::Invalid`] on `scope` when nothing of it
/// may be granted; [`crate::Error::NotFound`] when there is no such app.
pub async fn issue(
    app: &App,
    client: Option<AppId>,
    holder: Option<Credentials>,
    scopes: &Scopes,
) -> Result<(String, Token)> {
    let mut tx = app.db.write().await?;
    let member = match holder {
        Some(judged) => Some(unchanged(&mut tx, judged).await?),
        None => None,
    };
    let registered = match client {
        Some(id) => Some(oauth::client(&mut tx, id).await?.scopes),
        None => None,
    };
    let scopes = granted(scopes, registered.as_ref(), member.as_ref().map(|m| m.role))?;
    let made = insert(&mut tx, client, member.map(|m| m.account_id), scopes).await?;
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
