//! Another server reports something. Reports are not kept yet: the sender is told nothing either way.

use super::{Outcome, Verdict, Work};

pub(super) fn process(work: &Work<'_>) -> Outcome {
    tracing::info!(from = %work.actor.uri, about = ?work.activity.objects, "another community reports something");
    Ok(Verdict::Ignored("reports from other communities are not kept"))
}
