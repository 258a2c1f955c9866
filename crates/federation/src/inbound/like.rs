//! Somebody favourited a member's post. Reactions with an emoji count as that.

use app::posts::favourite;
use storage::posts;

use super::{Outcome, Verdict, Work, done_if};

pub(super) async fn process(work: &Work<'_>) -> Outcome {
    let id = work.object_id()?;
    if !work.fed.app.urls.is_ours(id) {
        return Ok(Verdict::Ignored("not a post of this community"));
    }
    let mut conn = work.fed.app.db.read().await?;
    let Some(post) = posts::unchecked_by_uri(&mut conn, id).await? else {
        return Ok(Verdict::Ignored("a post that is not here"));
    };
    drop(conn);
    done_if(favourite::receive(&work.fed.app, work.actor, post.id, &work.identity()).await?)
}
