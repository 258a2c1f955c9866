//! What was accepted is processed: one file for each kind of activity, and a verdict for every one of them.
//!
//! The sender was checked by the inbox; here it is checked that it may say what it says (only its own posts, only
//! its own follows), what is needed is fetched, and one of `app`'s verbs writes it. Everything may run twice.

mod accept;
mod add;
mod announce;
mod block;
mod create;
mod delete;
mod flag;
mod follow;
mod forwarded;
mod like;
mod lines;
mod move_;
pub(crate) mod note;
mod places;
mod reject;
mod remove;
mod undo;
mod update;
pub mod work;

use domain::account::Account;
use storage::{accounts, inbox_items};

use crate::Federation;
use crate::client::Budget;
use crate::resolve::ResolveError;
use crate::wire::read::activity::ActivityKind;
use crate::wire::read::{ReceivedActivity, Unusable};

/// What became of an activity. Only [`Verdict::RetryLater`] brings it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Done,
    /// Of no use here: unknown, already known, or it concerns nobody.
    Ignored(&'static str),
    /// It says what its sender may not say.
    Rejected(&'static str),
    /// Something it needs does not answer now.
    RetryLater(String),
}

/// An activity at work.
struct Work<'a> {
    fed: &'a Federation,
    /// Who signed it, and whose it is.
    actor: &'a Account,
    activity: &'a ReceivedActivity,
    budget: &'a Budget,
}

type Outcome = Result<Verdict, ResolveError>;

impl Federation {
    /// Processes one accepted activity that `actor` signed.
    pub async fn process(&self, actor: &Account, body: &serde_json::Value) -> Verdict {
        let activity = match ReceivedActivity::read(body) {
            Ok(activity) => activity,
            Err(Unusable::UnknownType) => return Verdict::Ignored("a type that is not known"),
            Err(_) => return Verdict::Rejected("something is missing"),
        };
        if activity.actor != actor.uri {
            return Verdict::Rejected("in the name of somebody else");
        }
        let Some(host) = actor.domain.as_ref().filter(|_| !actor.is_suspended()) else {
            return Verdict::Ignored("its actor is suspended");
        };
        let budget = self.budget_of_server(host);
        let work = Work { fed: self, actor, activity: &activity, budget: &budget };
        if let Err(error) = work.withdraw_what_waits().await {
            return Verdict::RetryLater(error.to_string());
        }
        let outcome = match activity.kind {
            ActivityKind::Create => create::process(&work).await,
            ActivityKind::Update => update::process(&work).await,
            ActivityKind::Delete => delete::process(&work).await,
            ActivityKind::Follow => follow::process(&work).await,
            ActivityKind::Accept => accept::process(&work).await,
            ActivityKind::Reject => reject::process(&work).await,
            ActivityKind::Undo => undo::process(&work).await,
            ActivityKind::Like | ActivityKind::EmojiReact => like::process(&work).await,
            ActivityKind::Announce => announce::process(&work).await,
            ActivityKind::Block => block::process(&work).await,
            ActivityKind::Add => add::process(&work).await,
            ActivityKind::Remove => remove::process(&work).await,
            ActivityKind::Move => move_::process(&work).await,
            ActivityKind::Flag => flag::process(&work).await,
        };
        verdict(outcome, &actor.uri)
    }
}

fn verdict(outcome: Outcome, actor: &str) -> Verdict {
    match outcome {
        Ok(verdict) => verdict,
        Err(e) if e.is_temporary() => Verdict::RetryLater(e.to_string()),
        Err(ResolveError::Suspended) => Verdict::Ignored("from a community that is not connected"),
        Err(ResolveError::NotFound | ResolveError::Gone) => Verdict::Ignored("what it is about is not there"),
        Err(ResolveError::App(app::Error::Conflict(_))) => {
            // Two of us at the same row: the second look finds it written.
            Verdict::RetryLater("at the same time as another".to_owned())
        }
        Err(e) => {
            tracing::debug!(error = %e, actor, "an activity was refused");
            Verdict::Rejected("what it is about cannot be used")
        }
    }
}

impl Work<'_> {
    /// What is taken back may still wait here, put off by a failure: it is dropped, or it would be done after it was
    /// undone.
    async fn withdraw_what_waits(&self) -> storage::Result<()> {
        if !matches!(self.activity.kind, ActivityKind::Delete | ActivityKind::Undo) {
            return Ok(());
        }
        let Some(id) = self.activity.object.id.as_deref() else { return Ok(()) };
        let db = &self.fed.app.db;
        let mut conn = db.read().await?;
        let waits = inbox_items::is_waiting(&mut conn, self.actor.id, id).await?;
        drop(conn);
        if waits {
            let mut tx = db.write().await?;
            inbox_items::withdraw(&mut tx, self.actor.id, id).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// The local account with this ActivityPub id, even one that was closed for now: what ends something between it
    /// and another must not be lost.
    async fn local_even_closed(&self, uri: Option<&str>) -> Result<Option<Account>, ResolveError> {
        let Some(uri) = uri.filter(|uri| self.fed.app.urls.is_ours(uri)) else { return Ok(None) };
        let mut conn = self.fed.app.db.read().await?;
        Ok(accounts::by_uri_even_closed(&mut conn, uri).await?.filter(Account::is_local))
    }

    /// The local account with this ActivityPub id that others may see.
    async fn local(&self, uri: Option<&str>) -> Result<Option<Account>, ResolveError> {
        let Some(uri) = uri.filter(|uri| self.fed.app.urls.is_ours(uri)) else { return Ok(None) };
        let mut conn = self.fed.app.db.read().await?;
        Ok(accounts::by_uri(&mut conn, uri).await?.filter(Account::is_local))
    }

    /// What identifies the activity: its id, or one of ours where it has none that its server may give out. (Two that
    /// say the same are then one.)
    fn identity(&self) -> String {
        let (activity, app) = (self.activity, &self.fed.app);
        activity.id.clone().unwrap_or_else(|| {
            let object = activity.object.id.as_deref().unwrap_or_default();
            app.received_ids.of(&app.urls, &activity.actor, activity.kind.as_str(), object)
        })
    }

    /// The object's id, without which most activities say nothing.
    fn object_id(&self) -> Result<&str, ResolveError> {
        self.activity.object.id.as_deref().ok_or(ResolveError::Unusable(Unusable::Missing("object.id")))
    }

    /// The object as an activity of its own, where it came in full and is by the same actor (for `Undo`), or by
    /// whom it says.
    fn inner(&self) -> Option<ReceivedActivity> {
        ReceivedActivity::read(self.activity.object.value.as_ref()?).ok()
    }
}

fn done_if(changed: bool) -> Outcome {
    Ok(if changed { Verdict::Done } else { Verdict::Ignored("nothing changed") })
}
