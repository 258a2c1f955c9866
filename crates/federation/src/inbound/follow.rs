//! Somebody wants to follow a member.

use app::follows::request;

use super::{Outcome, Verdict, Work};

pub(super) async fn process(work: &Work<'_>) -> Outcome {
    let Some(target) = work.local(work.activity.object.id.as_deref()).await? else {
        return Ok(Verdict::Ignored("nobody of this community"));
    };
    // Without an id of its own it is named by what it says, which is what it is found by when it is undone.
    let uri = work.identity();
    request::receive(&work.fed.app, work.actor, &target, &uri).await?;
    Ok(Verdict::Done)
}
