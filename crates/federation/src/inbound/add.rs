//! Somebody pinned a post to her profile.

use app::peers::pin;
use storage::{incoming, posts};

use super::{Outcome, Verdict, Work, done_if};
use crate::resolve::ResolveError;
use crate::wire::read::same_server;

pub(super) async fn process(work: &Work<'_>) -> Outcome {
    if !to_featured(work) {
        return Ok(Verdict::Ignored("a collection that is not kept here"));
    }
    let id = work.object_id()?;
    if is_wanted(work, id).await? {
        // From before anybody here knew her.
        work.fed.resolve_post(id, work.budget).await?;
    }
    done_if(pin::receive(&work.fed.app, work.actor, id, true).await?)
}

/// Is it a post of her server that is not here, and does somebody here follow her?
async fn is_wanted(work: &Work<'_>, id: &str) -> Result<bool, ResolveError> {
    if !same_server(id, &work.actor.uri) {
        return Ok(false);
    }
    let mut conn = work.fed.app.db.read().await?;
    Ok(!posts::uri_is_known(&mut conn, id).await? && incoming::concerns_us(&mut conn, work.actor.id, &[]).await?)
}

/// Is it about the actor's own pinned posts?
pub(super) fn to_featured(work: &Work<'_>) -> bool {
    work.activity.target.is_some() && work.activity.target == work.actor.featured_url
}
