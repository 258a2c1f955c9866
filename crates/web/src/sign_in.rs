//! A name and a password, at whichever door: how often they may be tried, and what comes of it.
//!
//! An address may try so often, and so often for one name. All addresses together may try a name more often, and then no
//! more, unless the member signed in from there lately: strangers who guess at a password cannot keep the
//! member out. A name that is nobody's is counted, and refused, just as a member's.

use app::accounts::familiar;
use app::accounts::log_in::{Login, Outcome, log_in};
use domain::AccountId;

use crate::limits::{Origin, TooOften};
use crate::state::Web;

/// # Errors
/// [`TooOften`]; or that the database cannot answer.
pub async fn sign_in<E>(web: &Web, from: Origin, login: &str, password: &str) -> Result<Outcome, E>
where
    E: From<TooOften> + From<app::Error>,
{
    let key = Login::key(login, &web.app.urls);
    web.limits.sign_in(from, key)?;
    if let Err(too_often) = web.limits.sign_in_as(key)
        && !familiar::is_familiar(&web.app, login, from.0).await?
    {
        return Err(too_often.into());
    }
    Ok(log_in(&web.app, login, password).await?)
}

/// The member signed in: from there, that goes on being possible. That it could not be noted stops nobody.
pub async fn signed_in(web: &Web, account: AccountId, from: Origin) {
    if let Err(error) = familiar::remember(&web.app, account, from.0).await {
        tracing::warn!(%error, "the address of a log-in was not noted");
    }
}
