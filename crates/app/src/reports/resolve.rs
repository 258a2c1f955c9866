//! Somebody who runs the community says that a report was dealt with, or that it was not.

use domain::ReportId;
use domain::account::Role;
use storage::reports;

use crate::App;
use crate::accounts::By;
use crate::error::{Error, Result};

/// Says that a report was dealt with. Saying it again changes nothing.
///
/// # Errors
/// [`Error::Forbidden`] for all but moderators, and for a moderator who is the report's target; [`Error::NotFound`]
/// when there is none.
pub async fn resolve(app: &App, by: By<'_>, id: ReportId) -> Result<()> {
    let mut tx = app.db.write().await?;
    let who = may_decide(&mut tx, by, id).await?;
    reports::resolve(&mut tx, id, who).await?;
    tx.commit().await?;
    Ok(())
}

/// Says that a report is to be looked at again.
///
/// # Errors
/// As [`resolve`].
pub async fn reopen(app: &App, by: By<'_>, id: ReportId) -> Result<()> {
    let mut tx = app.db.write().await?;
    may_decide(&mut tx, by, id).await?;
    reports::reopen(&mut tx, id).await?;
    tx.commit().await?;
    Ok(())
}

/// Who decides; nobody where it is the operator.
async fn may_decide(tx: &mut storage::Tx, by: By<'_>, id: ReportId) -> Result<Option<domain::AccountId>> {
    by.require(tx, Role::Moderator).await?;
    let report = reports::get(tx, id).await?;
    let By::Member(member) = by else { return Ok(None) };
    if member.account_id == report.target_id {
        return Err(Error::Forbidden("it is about you: somebody else must look at it"));
    }
    Ok(Some(member.account_id))
}
