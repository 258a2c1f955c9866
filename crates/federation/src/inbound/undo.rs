//! Something is taken back: a follow, a favourite, a boost, a block.

use app::follows::{block, remove};
use app::posts::{boost, favourite};
use storage::{follows, posts};

use super::{Outcome, Verdict, Work};
use crate::wire::read::ReceivedActivity;
use crate::wire::read::activity::ActivityKind;

pub(super) async fn process(work: &Work<'_>) -> Outcome {
    let Some(inner) = work.inner() else { return by_id(work).await };
    if inner.actor != work.actor.uri {
        return Ok(Verdict::Rejected("what somebody else did"));
    }
    let app = &work.fed.app;
    match inner.kind {
        ActivityKind::Follow => {
            let Some(target) = work.local_even_closed(inner.object.id.as_deref()).await? else {
                return Ok(Verdict::Ignored("nobody of this community"));
            };
            undone(work, remove::receive(app, work.actor, &target).await?).await
        }
        ActivityKind::Like | ActivityKind::EmojiReact => {
            let post = post(work, &inner).await?;
            undone(work, favourite::receive_undo(app, work.actor, post, inner.id.as_deref()).await?).await
        }
        ActivityKind::Announce => {
            let post = post(work, &inner).await?;
            undone(work, boost::receive_undo(app, work.actor, inner.id.as_deref(), post).await?).await
        }
        ActivityKind::Block => {
            let Some(target) = work.local_even_closed(inner.object.id.as_deref()).await? else {
                return Ok(Verdict::Ignored("nobody of this community"));
            };
            undone(work, block::receive_undo(app, work.actor, &target).await?).await
        }
        _ => Ok(Verdict::Ignored("something that is not undone here")),
    }
}

/// Where there is nothing to be undone, what is taken back may come yet.
async fn undone(work: &Work<'_>, changed: bool) -> Outcome {
    match changed {
        true => work.was_here().await,
        false => work.not_here("nothing changed").await,
    }
}

/// Only the id came: it is whatever we know under it.
async fn by_id(work: &Work<'_>) -> Outcome {
    let id = work.object_id()?;
    let app = &work.fed.app;
    let mut conn = app.db.read().await?;
    let follow = match follows::by_uri(&mut conn, id).await? {
        None => follows::request_by_uri(&mut conn, id).await?,
        found => found,
    };
    if let Some(follow) = follow {
        if follow.account_id != work.actor.id {
            return Ok(Verdict::Rejected("what somebody else did"));
        }
        let target = storage::accounts::even_hidden(&mut conn, follow.target_id).await?;
        drop(conn);
        return undone(work, remove::receive(app, work.actor, &target).await?).await;
    }
    drop(conn);
    let changed = favourite::receive_undo(app, work.actor, None, Some(id)).await?
        || boost::receive_undo(app, work.actor, Some(id), None).await?;
    undone(work, changed).await
}

async fn post(
    work: &Work<'_>,
    inner: &ReceivedActivity,
) -> Result<Option<domain::PostId>, crate::resolve::ResolveError> {
    let Some(uri) = inner.object.id.as_deref() else { return Ok(None) };
    let mut conn = work.fed.app.db.read().await?;
    Ok(posts::unchecked_by_uri(&mut conn, &work.own_id(uri)).await?.map(|post| post.id))
}
