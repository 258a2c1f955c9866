//! From what a person typed — a handle or an address — to an account or post: known here, or asked for at the
//! server it belongs to. The only way from a request to the network.

use app::Result;
use domain::account::Handle;
use domain::{AccountId, PostId, Viewer};

use crate::state::Web;

/// What an address stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    Account(AccountId),
    Post(PostId),
}

/// The account with this handle; asked for at its server when it is not known here and `ask` is set. `None` when
/// there is none, or its server does not say.
///
/// # Errors
/// When the database refuses.
pub async fn account(web: &Web, handle: &Handle, ask: bool) -> Result<Option<AccountId>> {
    let domain = handle.domain.as_deref().filter(|d| *d != web.app.urls.domain()).unwrap_or_default();
    let mut conn = web.app.db.read().await?;
    let known = storage::accounts::by_handle(&mut conn, &handle.username, domain).await?;
    drop(conn);
    match known {
        Some(account) => Ok(Some(account.id)),
        None if domain.is_empty() || !ask => Ok(None),
        None => Ok(None),
    }
}

/// The account or post with this address, as far as the viewer may know of it.
///
/// # Errors
/// When the database refuses.
pub async fn address(web: &Web, viewer: Viewer, address: &str, ask: bool) -> Result<Option<Found>> {
    let mut conn = web.app.db.read().await?;
    if let Some(account) = storage::accounts::by_uri(&mut conn, address).await? {
        return Ok(Some(Found::Account(account.id)));
    }
    if let Some(post) = storage::posts::unchecked_by_uri(&mut conn, address).await? {
        return Ok(Some(Found::Post(post.id)));
    }
    if let Some(path) = address.strip_prefix(web.app.urls.base()).and_then(|p| p.strip_prefix("/@")) {
        let path = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        let (name, id) = path.split_once('/').unwrap_or((path, ""));
        if let Ok(id) = id.parse::<PostId>() {
            return Ok(storage::posts::get(&mut conn, viewer, id).await.is_ok().then_some(Found::Post(id)));
        }
        let Some(handle) = Handle::parse(name) else { return Ok(None) };
        drop(conn);
        return Ok(account(web, &handle, ask).await?.map(Found::Account));
    }
    Ok(None)
}
