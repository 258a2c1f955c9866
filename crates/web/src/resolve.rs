//! From what a person typed — a handle or an address — to an account or post: known here, or asked for at the
//! server it belongs to. The only way from a request to the network.

use std::time::Duration;

use app::Result;
use domain::AccountId;
use domain::account::Handle;
use federation::client::Asker;
use federation::{ResolveError, Resolved};

use crate::state::Web;

/// How long somebody waits for other servers, however many requests it takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// The account with this handle; asked for at its server when it is not known here and `ask` says in whose name.
/// `None` when there is none, or its server does not say.
///
/// # Errors
/// When the database refuses; [`app::Error::Unavailable`] when too much is being asked for.
pub async fn account(web: &Web, handle: &Handle, ask: Option<Asker>) -> Result<Option<AccountId>> {
    let domain = handle.elsewhere(&web.app.urls);
    let mut conn = web.app.db.read().await?;
    let known = storage::accounts::by_handle(&mut conn, &handle.username, domain).await?;
    drop(conn);
    match (known, domain, ask) {
        (Some(account), ..) => Ok(Some(account.id)),
        (None, Some(domain), Some(asker)) => {
            let text = format!("{}@{domain}", handle.username);
            let found = in_time(Box::pin(web.federation.resolve_account_for(asker, &text))).await;
            told(&text, found.map(|account| account.id))
        }
        _ => Ok(None),
    }
}

/// The account or post with this address; one that is not known here is asked for if `ask` says in whose name.
///
/// # Errors
/// As [`account`].
pub async fn address(web: &Web, address: &str, ask: Option<Asker>) -> Result<Option<Resolved>> {
    if ask.is_some() || web.app.urls.is_ours(address) {
        // What is ours is never asked for.
        let asker = ask.unwrap_or(Asker::Nobody);
        return told(address, in_time(Box::pin(web.federation.resolve_for(asker, address))).await);
    }
    let mut conn = web.app.db.read().await?;
    if let Some(account) = storage::accounts::by_uri(&mut conn, address).await? {
        return Ok(Some(Resolved::Account(account.id)));
    }
    Ok(storage::posts::unchecked_by_uri(&mut conn, address).await?.map(|post| Resolved::Post(post.id)))
}

/// What other servers say, if they say it before whoever asks has lost patience.
///
/// # Errors
/// As `asking`; [`federation::client::FetchError::TooSlow`].
pub async fn in_time<T>(
    asking: impl Future<Output = std::result::Result<T, ResolveError>>,
) -> std::result::Result<T, ResolveError> {
    let slow = |_| ResolveError::Fetch(federation::client::FetchError::TooSlow);
    tokio::time::timeout(PATIENCE, asking).await.map_err(slow)?
}

/// Whatever is wrong elsewhere means "not found" to a person; what is wrong here is an error.
fn told<T>(what: &str, found: std::result::Result<T, ResolveError>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(ResolveError::App(app::Error::NotFound)) => Ok(None),
        Err(ResolveError::App(error)) => Err(error),
        Err(error) if error.is_busy() => Err(app::Error::Unavailable("another server cannot be asked now".to_owned())),
        Err(error) => {
            tracing::debug!(%error, what, "not found elsewhere");
            Ok(None)
        }
    }
}
