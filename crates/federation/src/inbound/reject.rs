//! Somebody refused a member's follow, or ended it.

use app::follows::reject;

use super::accept::answered;
use super::{Outcome, Verdict, Work, done_if};

pub(super) async fn process(work: &Work<'_>) -> Outcome {
    let Some((uri, follower)) = answered(work).await? else { return Ok(Verdict::Ignored("it answers no follow")) };
    done_if(reject::receive(&work.fed.app, work.actor, uri.as_deref(), follower).await?)
}
