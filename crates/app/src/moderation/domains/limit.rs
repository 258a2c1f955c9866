//! Another community is limited: its people may be followed, but are kept out of public timelines and may not tell
//! strangers anything; whoever of them wants to follow a member has to ask.

use domain::Host;
use domain::account::Role;
use domain::event::Event;
use domain::instance::DomainSeverity;
use storage::domains;

use crate::App;
use crate::accounts::By;
use crate::error::Result;

/// Limits a domain and those below it; one that was blocked is blocked no more. Gives it as it is kept.
///
/// # Errors
/// [`crate::Error::Forbidden`] for all but admins; [`crate::Error::Invalid`] on `domain` or `reason`.
pub async fn limit(app: &App, by: By<'_>, domain: &str, reason: Option<&str>) -> Result<Host> {
    let (domain, reason) = (super::other(app, domain)?, super::reason(reason)?);
    let mut tx = app.db.write().await?;
    by.require(&mut tx, Role::Admin).await?;
    domains::set(&mut tx, &domain, DomainSeverity::Silence, reason).await?;
    tx.emit(Event::SettingsChanged);
    tx.commit().await?;
    Ok(domain)
}
