//! Somebody posted.

use app::posts::receive::{Outcome as Received, receive};
use domain::account::{Account, ActorKind};
use storage::posts;

use super::note::received;
use super::{Outcome, Verdict, Work};
use crate::resolve::ResolveError;
use crate::wire::lenient::with_default;
use crate::wire::read::note::NoteKind;
use crate::wire::read::{ReceivedNote, Unusable, same_server};

pub(super) async fn process(work: &Work<'_>) -> Outcome {
    let fetched;
    let value = match &work.activity.object.value {
        Some(value) => value,
        None => {
            let id = work.object_id()?;
            if !same_server(id, &work.actor.uri) {
                return Ok(Verdict::Rejected("a post of another server"));
            }
            fetched = work.fed.fetch(id, work.budget).await?.1;
            &fetched
        }
    };
    if !crate::wire::lenient::types(value).any(|t| NoteKind::parse(t).is_some()) {
        return Ok(Verdict::Ignored("not a post"));
    }
    let mut note = work.note(value)?;
    work.add_audience(&mut note);
    keep(work, note).await
}

/// Takes a post that is not here yet, if it concerns anybody here: one that was just written, or an edited one of
/// which only the edit reached us.
pub(super) async fn keep(work: &Work<'_>, note: ReceivedNote) -> Outcome {
    // A group or channel may post what one of its people wrote: the post is its author's.
    let Some(author) = work.author(&note.attributed_to).await? else {
        return Ok(Verdict::Rejected("a post of somebody else"));
    };
    if note.vote.is_some() {
        return Ok(Verdict::Ignored("a vote in a poll that is not ours"));
    }
    let own = author.id == work.actor.id;
    // What is here needs nothing fetched or kept; a post that brings nothing along is only written, which sees it too.
    let brings_others = !own || !note.mentions.is_empty() || !note.emojis.is_empty();
    if brings_others && posts::uri_is_known(&mut work.fed.app.db.read().await?, &note.id).await? {
        return Ok(Verdict::Ignored("known already"));
    }
    let post = received(work.fed, &author, note, work.budget).await?;
    Ok(match receive(&work.fed.app, &author, post, false).await? {
        Received::Created(_) => Verdict::Done,
        Received::Known => Verdict::Ignored("known already"),
        Received::Irrelevant => Verdict::Ignored("it concerns nobody here"),
    })
}

impl Work<'_> {
    /// The post that came along. Where it names no author, that is who sent it.
    pub(super) fn note(&self, value: &serde_json::Value) -> Result<ReceivedNote, Unusable> {
        ReceivedNote::read(&with_default(value, "attributedTo", &self.actor.uri))
    }

    /// Adds the activity's audience to the post's: some servers put it on one of the two only.
    pub(super) fn add_audience(&self, note: &mut ReceivedNote) {
        for (said, also) in [(&mut note.to, &self.activity.to), (&mut note.cc, &self.activity.cc)] {
            said.extend(also.iter().filter(|to| !said.contains(to)).cloned().collect::<Vec<_>>());
        }
    }

    /// Whose post it is: the actor's, or (Mobilizon, Friendica) that of a group for which a person acts, both on one
    /// server, which vouches for both. `None` for anybody else's.
    pub(super) async fn author(&self, named: &str) -> Result<Option<Account>, ResolveError> {
        if named == self.actor.uri {
            return Ok(Some(self.actor.clone()));
        }
        if !same_server(named, &self.actor.uri) {
            return Ok(None);
        }
        let author = self.fed.resolve_actor(named, self.budget).await?;
        Ok(Some(author).filter(|author| author.kind == ActorKind::Group && !author.is_suspended()))
    }
}
