//! A post was edited, or a profile changed.

use app::posts::edit;
use domain::account::ActorKind;
use storage::posts;

use super::note::received;
use super::{Outcome, Verdict, Work, create, done_if};
use crate::wire::lenient::types;
use crate::wire::read::note::NoteKind;
use crate::wire::read::same_server;

pub(super) async fn process(work: &Work<'_>) -> Outcome {
    let id = work.object_id()?;
    if !same_server(id, &work.actor.uri) {
        return Ok(Verdict::Rejected("something of another server"));
    }
    let fetched;
    let value = match &work.activity.object.value {
        Some(value) if value.get("type").is_some() => value,
        _ => {
            fetched = work.fed.fetch(id, work.budget).await?.1;
            &fetched
        }
    };
    if types(value).any(|t| ActorKind::parse(t).is_some()) {
        if id != work.actor.uri {
            return Ok(Verdict::Rejected("somebody else's profile"));
        }
        work.fed.keep_actor(value, work.budget).await?;
        return Ok(Verdict::Done);
    }
    if !types(value).any(|t| NoteKind::parse(t).is_some()) {
        return Ok(Verdict::Ignored("neither a post nor a profile"));
    }
    let mut note = work.note(value)?;
    let Some(author) = work.author(&note.attributed_to).await? else {
        return Ok(Verdict::Rejected("a post of somebody else"));
    };
    let says_for_whom = !note.to.is_empty() || !note.cc.is_empty();
    work.add_audience(&mut note);
    let mut conn = work.fed.app.db.read().await?;
    let Some(known) = posts::unchecked_by_uri(&mut conn, &note.id).await? else {
        drop(conn);
        // The edit may be what names somebody here first; that something was deleted here, `keep` knows.
        note.updated = note.updated.or(work.activity.published);
        return create::keep(work, note).await;
    };
    drop(conn);
    let mut post = received(work.fed, &author, note, work.budget).await?;
    if !says_for_whom {
        // Then it is for whom it was: some servers leave the audience to the activity.
        post.visibility = known.visibility;
        post.mentions = posts::mentions(&mut work.fed.app.db.read().await?, known.id).await?;
    }
    // Some servers name no time of the edit: then it is now, once for each activity.
    post.edited = post.edited.or(work.activity.published);
    done_if(edit::receive(&work.fed.app, &author, post).await?)
}
