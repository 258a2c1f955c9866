//! From what a person typed — a handle or an address — to an account or post: known here, or asked for at the
//! server it belongs to. The only way from a request to the network.

use app::Result;
use domain::AccountId;
use domain::account::Handle;
use federation::{ResolveError, Resolved};

use crate::state::Web;

/// The account with this handle; asked for at its server when it is not known here and `ask` is set. `None` when
/// there is none, or its server does not say.
///
/// # Errors
/// When the database refuses.
pub async fn account(web: &Web, handle: &Handle, ask: bool) -> Result<Option<AccountId>> {
    let domain = handle.elsewhere(&web.app.urls);
    let mut conn = web.app.db.read().await?;
    let known = storage::accounts::by_handle(&mut conn, &handle.username, domain).await?;
    drop(conn);
    match (known, domain) {
        (Some(account), _) => Ok(Some(account.id)),
        (None, Some(domain)) if ask => {
            let text = format!("{}@{domain}", handle.username);
            told(&text, web.federation.resolve_account(&text).await.map(|account| account.id))
        }
        (None, _) => Ok(None),
    }
}

/// The account or post with this address; one that is not known here is asked for if `ask` is set.
///
/// # Errors
/// When the database refuses.
pub async fn address(web: &Web, address: &str, ask: bool) -> Result<Option<Resolved>> {
    if ask || web.app.urls.is_ours(address) {
        return told(address, web.federation.resolve(address).await);
    }
    let mut conn = web.app.db.read().await?;
    if let Some(account) = storage::accounts::by_uri(&mut conn, address).await? {
        return Ok(Some(Resolved::Account(account.id)));
    }
    Ok(storage::posts::unchecked_by_uri(&mut conn, address).await?.map(|post| Resolved::Post(post.id)))
}

/// Whatever is wrong elsewhere means "not found" to a person; what is wrong here is an error.
fn told<T>(what: &str, found: std::result::Result<T, ResolveError>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(ResolveError::App(app::Error::NotFound)) => Ok(None),
        Err(ResolveError::App(error)) => Err(error),
        Err(error) => {
            tracing::debug!(%error, what, "not found elsewhere");
            Ok(None)
        }
    }
}
