//! Somebody pinned a post to her profile.

use app::peers::pin;

use super::{Outcome, Verdict, Work, done_if};

pub(super) async fn process(work: &Work<'_>) -> Outcome {
    if !to_featured(work) {
        return Ok(Verdict::Ignored("a collection that is not kept here"));
    }
    done_if(pin::receive(&work.fed.app, work.actor, work.object_id()?, true).await?)
}

/// Is it about the actor's own pinned posts?
pub(super) fn to_featured(work: &Work<'_>) -> bool {
    work.activity.target.is_some() && work.activity.target == work.actor.featured_url
}
