//! Takes what came from a blocked domain out of home timelines: the handler of `Job::ForgetDomain`. (Nobody is shown it
//! meanwhile; but pages would have holes.) One member after the other, so that nobody waits long.

use domain::Host;
use storage::{domains, homes, members};

use crate::App;
use crate::error::Result;

/// # Errors
/// When the database refuses; what was done until then stays done.
pub async fn forget(app: &App, domain: &Host) -> Result<()> {
    let mut conn = app.db.read().await?;
    let known = domains::known(&mut conn, domain).await?;
    let everybody = members::ids(&mut conn).await?;
    drop(conn);
    if known.is_empty() {
        return Ok(());
    }
    for member in everybody {
        let mut tx = app.db.write().await?;
        homes::remove_domains(&mut tx, member, &known).await?;
        tx.commit().await?;
    }
    Ok(())
}
