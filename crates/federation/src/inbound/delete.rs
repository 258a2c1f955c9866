//! A post or a whole account is gone.

use app::posts::delete;
use domain::account::{Account, ActorKind};
use storage::{accounts, posts};

use super::{Outcome, Verdict, Work, done_if};
use crate::resolve::ResolveError;
use crate::wire::read::same_server;

pub(super) async fn process(work: &Work<'_>) -> Outcome {
    let id = work.object_id()?;
    if id == work.actor.uri {
        return done_if(app::peers::account::gone(&work.fed.app, work.actor).await?);
    }
    if !same_server(id, &work.actor.uri) {
        return Ok(Verdict::Rejected("something of another server"));
    }
    if delete::receive(&work.fed.app, work.actor, id).await? {
        return Ok(Verdict::Done);
    }
    if let Some(group) = group_of(work, id).await?
        && delete::receive(&work.fed.app, &group, id).await?
    {
        return Ok(Verdict::Done);
    }
    if posts::uri_is_known(&mut work.fed.app.db.read().await?, id).await? {
        return Ok(Verdict::Ignored("it is gone already"));
    }
    work.not_here("a post that is not here").await
}

/// The group, on the actor's server, whose post this is: a person deletes it for the group.
async fn group_of(work: &Work<'_>, id: &str) -> Result<Option<Account>, ResolveError> {
    let mut conn = work.fed.app.db.read().await?;
    let Some(post) = posts::unchecked_by_uri(&mut conn, id).await? else { return Ok(None) };
    let author = accounts::even_hidden(&mut conn, post.account_id).await?;
    Ok((author.kind == ActorKind::Group && same_server(&author.uri, &work.actor.uri)).then_some(author))
}
