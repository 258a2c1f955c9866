//! Another server reports something: kept for those who run the community. The sender is told nothing either way.

use app::reports::POSTS;
use app::reports::receive::{Received, receive};
use domain::post::Post;
use storage::posts;

use super::{Outcome, Verdict, Work, done_if};
use crate::resolve::{ResolveError, Resolved};

pub(super) async fn process(work: &Work<'_>) -> Outcome {
    let urls = &work.fed.app.urls;
    let (mut member, mut named): (_, Vec<Post>) = (None, Vec::new());
    // One of the objects is the account, the others its posts; some name the posts alone.
    for uri in work.activity.objects.iter().filter(|uri| urls.is_ours(uri)).take(POSTS + 1) {
        match work.fed.known(uri).await? {
            Some(Resolved::Account(id)) => member = member.or(Some(id)),
            Some(Resolved::Post(id)) => named.extend(post(work, id).await?),
            None => {}
        }
    }
    let Some(target) = member.or(named.first().map(|post| post.account_id)) else {
        return Ok(Verdict::Ignored("nobody of this community"));
    };
    let report = Received {
        uri: work.identity(),
        target,
        posts: named.into_iter().map(|post| post.id).collect(),
        comment: work.activity.content.clone().unwrap_or_default(),
    };
    match receive(&work.fed.app, work.actor, report).await {
        Err(app::Error::Limited { .. }) => Ok(Verdict::Ignored("too many reports from this server")),
        kept => done_if(kept?),
    }
}

async fn post(work: &Work<'_>, id: domain::PostId) -> Result<Option<Post>, ResolveError> {
    let mut conn = work.fed.app.db.read().await?;
    match posts::unchecked(&mut conn, id).await {
        Ok(post) => Ok(Some(post)),
        Err(storage::Error::NotFound) => Ok(None),
        Err(e) => Err(e.into()),
    }
}
