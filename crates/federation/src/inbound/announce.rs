//! Somebody boosted a post. A group's announcement of what was posted to it is that too.

use app::posts::boost;
use storage::incoming::Boosted;
use storage::{incoming, posts};

use super::{Outcome, Verdict, Work, done_if};
use crate::wire::read::activity::ActivityKind;
use crate::wire::read::note::visibility;

pub(super) async fn process(work: &Work<'_>) -> Outcome {
    let id = match work.inner() {
        // Groups announce activities; what counts is the post, read from where it stands.
        Some(inner) => match inner.kind {
            ActivityKind::Create => inner.object.id.clone(),
            _ => return Ok(Verdict::Ignored("announces something that is no post")),
        },
        None => work.activity.object.id.clone(),
    };
    let Some(id) = id.map(|id| work.own_id(&id)) else { return Ok(Verdict::Rejected("no object")) };
    let audience = visibility(&work.activity.to, &work.activity.cc, work.actor.followers_url.as_deref());
    let uri = work.identity();
    let published = work.activity.published.unwrap_or_else(|| work.fed.app.now());
    let write = async |post| boost::receive(&work.fed.app, work.actor, &uri, post, published, audience).await;
    // A post of ours is here, and mostly may be boosted. (For any other this would begin to write only to look it up.)
    if work.fed.app.urls.is_ours(&id) && write(Boosted::Named(&id)).await?.is_some() {
        return Ok(Verdict::Done);
    }
    let mut conn = work.fed.app.db.read().await?;
    let known = posts::unchecked_by_uri(&mut conn, &id).await?;
    // What is not here is fetched only where somebody here follows whoever boosts it.
    let wanted = known.is_some() || incoming::concerns_us(&mut conn, work.actor.id, &[]).await?;
    drop(conn);
    if !wanted {
        return Ok(Verdict::Ignored("it concerns nobody here"));
    }
    let original = match known {
        Some(post) => post.id,
        None => work.fed.resolve_post(&id, work.budget).await?,
    };
    done_if(write(Boosted::Found(original)).await?.is_some())
}
