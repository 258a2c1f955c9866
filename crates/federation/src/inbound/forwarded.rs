//! An activity that somebody else than its actor passed on, such as an answer that the owner of a discussion sends
//! to those who follow it.
//!
//! Nothing of what it says is believed: it is a hint that its actor's server has something new, and what that server
//! answers is processed in its place. Only posts are asked for so; whatever else somebody does, her own server says.

use app::posts::delete;
use domain::Host;
use storage::{accounts, posts};

use super::{Came, Outcome, Verdict, Work, create, done_if, update};
use crate::Federation;
use crate::client::Budget;
use crate::resolve::{ResolveError, Standing};
use crate::wire::lenient::types;
use crate::wire::read::activity::{ActivityKind, Object};
use crate::wire::read::note::NoteKind;
use crate::wire::read::{ReceivedActivity, ReceivedNote, Unusable, same_server};

impl Federation {
    /// Processes an activity that was signed by somebody else than its actor, at `host`: what its origin is asked for
    /// is charged to that.
    pub async fn process_forwarded(&self, body: &serde_json::Value, host: &Host) -> Verdict {
        let activity = match ReceivedActivity::read(body) {
            Ok(activity) => activity,
            Err(Unusable::UnknownType) => return Verdict::Ignored("a type that is not known"),
            Err(_) => return Verdict::Rejected("something is missing"),
        };
        let Some(id) = activity.object.id.as_deref() else { return Verdict::Rejected("nothing to ask its origin for") };
        if self.app.urls.is_ours(id) || !same_server(id, &activity.actor) {
            return Verdict::Rejected("something of another server");
        }
        let budget = self.budget_of_server(host);
        let outcome = match activity.kind {
            ActivityKind::Create => self.created_elsewhere(id, &budget).await,
            ActivityKind::Update => self.changed_elsewhere(id, &budget).await,
            ActivityKind::Delete => self.gone_elsewhere(id, &budget).await,
            _ => Ok(Verdict::Rejected("something that only its actor may send")),
        };
        super::verdict(outcome, &activity.actor)
    }

    /// A new post, as its origin shows it.
    async fn created_elsewhere(&self, id: &str, budget: &Budget) -> Outcome {
        let mut conn = self.app.db.read().await?;
        if posts::uri_is_known(&mut conn, id).await? {
            return Ok(Verdict::Ignored("known already"));
        }
        drop(conn);
        let Some((note, value)) = self.post_at_origin(id, budget).await? else {
            return Ok(Verdict::Ignored("not a post"));
        };
        if !self.may_concern_us(&note).await? {
            return Ok(Verdict::Ignored("it concerns nobody here"));
        }
        let actor = self.resolve_actor(&note.attributed_to, budget).await?;
        if actor.is_suspended() || actor.is_local() {
            return Ok(Verdict::Ignored("its author is suspended"));
        }
        let activity = as_if(ActivityKind::Create, &note, value);
        create::process(&Work { fed: self, actor: &actor, activity: &activity, budget, came: Came::NOW }).await
    }

    /// An edit of a post that is here.
    async fn changed_elsewhere(&self, id: &str, budget: &Budget) -> Outcome {
        let mut conn = self.app.db.read().await?;
        let Some(post) = posts::unchecked_by_uri(&mut conn, id).await? else {
            return Ok(Verdict::Ignored("a post that is not here"));
        };
        let actor = accounts::get(&mut conn, post.account_id).await?;
        drop(conn);
        if actor.is_suspended() {
            return Ok(Verdict::Ignored("its author is suspended"));
        }
        let Some((note, value)) = self.post_at_origin(id, budget).await? else {
            return Ok(Verdict::Ignored("not a post"));
        };
        if note.updated.is_none() {
            // Without a time it cannot be told from what we have.
            return Ok(Verdict::Ignored("its origin does not say when it was edited"));
        }
        let activity = as_if(ActivityKind::Update, &note, value);
        update::process(&Work { fed: self, actor: &actor, activity: &activity, budget, came: Came::NOW }).await
    }

    /// A post or account that is here is said to be gone: its origin must say so too.
    async fn gone_elsewhere(&self, id: &str, budget: &Budget) -> Outcome {
        let mut conn = self.app.db.read().await?;
        let (author, open) = match posts::unchecked_by_uri(&mut conn, id).await? {
            Some(post) => (accounts::get(&mut conn, post.account_id).await?, post.visibility.is_open()),
            None => match accounts::by_uri(&mut conn, id).await? {
                Some(account) => (account, false),
                None => return Ok(Verdict::Ignored("it is not here")),
            },
        };
        drop(conn);
        match self.standing(id, budget).await? {
            Standing::Gone => {}
            // What is not for everybody looks the same when it is only not for us.
            Standing::Absent if open => {}
            Standing::Absent => return Ok(Verdict::Rejected("its origin does not say that it is gone")),
            Standing::There => return Ok(Verdict::Rejected("its origin still has it")),
        }
        if author.uri == id {
            return done_if(app::peers::account::gone(&self.app, &author).await?);
        }
        done_if(delete::receive(&self.app, &author, id).await?)
    }

    /// A post as its own server shows it; `None` for something else.
    async fn post_at_origin(
        &self,
        id: &str,
        budget: &Budget,
    ) -> Result<Option<(ReceivedNote, serde_json::Value)>, ResolveError> {
        let (at, value) = self.fetch(id, budget).await?;
        if !types(&value).any(|t| NoteKind::parse(t).is_some()) {
            return Ok(None);
        }
        let note = ReceivedNote::read(&value)?;
        // Its origin may call it by another id, but not by that of another server.
        if !same_server(at.as_str(), id) || !same_server(&note.id, id) {
            return Err(ResolveError::Unusable(Unusable::ForeignHost("id")));
        }
        Ok(Some((note, value)))
    }

    /// Could the post be of any use here? Asked before a stranger's account is fetched for it.
    async fn may_concern_us(&self, note: &ReceivedNote) -> Result<bool, ResolveError> {
        if note.to.iter().chain(&note.cc).any(|to| self.app.urls.is_ours(to)) {
            return Ok(true);
        }
        let mut conn = self.app.db.read().await?;
        // Of a member's private post nothing is told, not even by what is fetched: its readers' servers send answers
        // themselves.
        if let Some(parent) = &note.in_reply_to
            && posts::unchecked_by_uri(&mut conn, parent).await?.is_some_and(|p| !p.local || p.visibility.is_open())
        {
            return Ok(true);
        }
        Ok(accounts::by_uri(&mut conn, &note.attributed_to).await?.is_some())
    }
}

/// The activity that brings what its origin shows.
fn as_if(kind: ActivityKind, note: &ReceivedNote, value: serde_json::Value) -> ReceivedActivity {
    ReceivedActivity {
        id: None,
        kind,
        actor: note.attributed_to.clone(),
        object: Object { id: Some(note.id.clone()), value: Some(value) },
        objects: vec![note.id.clone()],
        target: None,
        to: Vec::new(),
        cc: Vec::new(),
        published: None,
        content: None,
    }
}
