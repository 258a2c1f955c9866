//! Somebody took a post off her profile.

use app::peers::pin;

use super::add::to_featured;
use super::{Outcome, Verdict, Work, done_if};

pub(super) async fn process(work: &Work<'_>) -> Outcome {
    if !to_featured(work) {
        return Ok(Verdict::Ignored("a collection that is not kept here"));
    }
    done_if(pin::receive(&work.fed.app, work.actor, work.object_id()?, false).await?)
}
