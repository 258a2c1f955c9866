//! Somebody blocks a member.

use app::follows::block;

use super::{Outcome, Verdict, Work};

pub(super) async fn process(work: &Work<'_>) -> Outcome {
    let Some(target) = work.local_even_closed(work.activity.object.id.as_deref()).await? else {
        return Ok(Verdict::Ignored("nobody of this community"));
    };
    block::receive(&work.fed.app, work.actor, &target, &work.identity()).await?;
    Ok(Verdict::Done)
}
