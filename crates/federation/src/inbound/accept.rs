//! Somebody let a member follow.

use app::follows::accept;
use domain::AccountId;

use super::{Outcome, Verdict, Work, done_if};
use crate::resolve::ResolveError;
use crate::wire::read::activity::ActivityKind;

pub(super) async fn process(work: &Work<'_>) -> Outcome {
    let Some((uri, follower)) = answered(work).await? else { return Ok(Verdict::Ignored("it answers no follow")) };
    done_if(accept::receive(&work.fed.app, work.actor, uri.as_deref(), follower).await?)
}

/// Which follow is answered: by its id, and by who asked where the follow came along. `None` for other objects.
pub(super) async fn answered(work: &Work<'_>) -> Result<Option<(Option<String>, Option<AccountId>)>, ResolveError> {
    let uri = work.activity.object.id.clone();
    if work.activity.object.value.is_none() {
        return Ok(uri.map(|uri| (Some(uri), None)));
    }
    let Some(follow) = work.inner() else {
        // Some servers leave out who asked.
        let follow = work.activity.object.types().any(|kind| ActivityKind::parse(kind) == Some(ActivityKind::Follow));
        return Ok(uri.filter(|_| follow).map(|uri| (Some(uri), None)));
    };
    if follow.kind != ActivityKind::Follow {
        return Ok(None);
    }
    if follow.object.id.as_deref() != Some(work.actor.uri.as_str()) {
        return Ok(None);
    }
    let follower = work.local_even_closed(Some(&follow.actor)).await?.map(|account| account.id);
    Ok(Some((uri, follower)))
}
