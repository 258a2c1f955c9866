//! Somebody favourited a member's post. Reactions with an emoji count as that.

use app::posts::favourite;

use super::{Outcome, Verdict, Work, done_if};

pub(super) async fn process(work: &Work<'_>) -> Outcome {
    let id = work.own_id(work.object_id()?);
    if !work.fed.app.urls.is_ours(&id) {
        return Ok(Verdict::Ignored("not a post of this community"));
    }
    done_if(favourite::receive(&work.fed.app, work.actor, &id, &work.identity()).await?)
}
