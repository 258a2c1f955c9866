//! A post or a whole account is gone.

use app::posts::delete;
use domain::account::ActorKind;
use storage::{accounts, posts};

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
    let mut conn = work.fed.app.db.read().await?;
    let Some(post) = posts::unchecked_by_uri(&mut conn, id).await? else {
        if posts::uri_is_known(&mut conn, id).await? {
            return Ok(Verdict::Ignored("it is gone already"));
        }
        drop(conn);
        return work.not_here("a post that is not here").await;
    };
    // A person may delete what a group of the same server posted.
    let group = match post.account_id == work.actor.id {
        true => None,
        false => Some(accounts::even_hidden(&mut conn, post.account_id).await?)
            .filter(|author| author.kind == ActorKind::Group && same_server(&author.uri, &work.actor.uri)),
    };
    drop(conn);
    done_if(delete::receive(&work.fed.app, group.as_ref().unwrap_or(work.actor), id).await?)
}
