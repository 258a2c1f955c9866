//! A post or a whole account is gone.

use app::posts::delete;

use super::{Outcome, Verdict, Work, done_if};
use crate::wire::read::same_server;

pub(super) async fn process(work: &Work<'_>) -> Outcome {
    let id = work.object_id()?;
    if id == work.actor.uri {
        return done_if(app::peers::account::gone(&work.fed.app, work.actor).await?);
    }
    if !same_server(id, &work.actor.uri) {
        return Ok(Verdict::Rejected("something of another server"));
    }
    done_if(delete::receive(&work.fed.app, work.actor, id).await?)
}
