//! Somebody moved to another account. Believed only when both accounts say so.

use super::{Outcome, Verdict, Work};
use crate::wire::read::actor::claims_alias;

pub(super) async fn process(work: &Work<'_>) -> Outcome {
    if work.activity.object.id.as_deref() != Some(work.actor.uri.as_str()) {
        return Ok(Verdict::Rejected("somebody else's account"));
    }
    let Some(target) = work.activity.target.as_deref().filter(|target| *target != work.actor.uri) else {
        return Ok(Verdict::Rejected("no target"));
    };
    // Both documents are read anew: what we have may be older than the move.
    let (from, _) = work.fed.fetch_actor(&work.actor.uri, work.budget).await?;
    if from.moved_to_uri.as_deref() != Some(target) {
        return Ok(Verdict::Rejected("its own profile does not say so"));
    }
    let to = if let Some(local) = work.local(Some(target)).await? {
        if !local.also_known_as.contains(&from.uri) {
            return Ok(Verdict::Rejected("the other account does not say so"));
        }
        local
    } else {
        let (to, document) = work.fed.fetch_actor(target, work.budget).await?;
        if !claims_alias(&document, &from.uri) {
            return Ok(Verdict::Rejected("the other account does not say so"));
        }
        to
    };
    app::peers::moved::receive(&work.fed.app, &from, &to).await?;
    Ok(Verdict::Done)
}
