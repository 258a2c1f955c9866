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

use domain::InboxItemId;
use domain::account::Account;
use storage::{accounts, inbox_items, taken_back};

use crate::Federation;
use crate::client::Budget;
use crate::inbox::fingerprint_of;
use crate::resolve::ResolveError;
use crate::wire::lenient::with_default;
use crate::wire::read::activity::{ActivityKind, about};
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
    came: Came,
}

/// When an activity came, and whether its actor had taken it back by then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Came {
    pub as_item: InboxItemId,
    /// `None` where it is to be looked up.
    pub taken_back: Option<bool>,
}

impl Came {
    /// Just now, and nobody has looked.
    pub(crate) const NOW: Self = Self { as_item: InboxItemId(i64::MAX), taken_back: None };
}

type Outcome = Result<Verdict, ResolveError>;

impl Federation {
    /// Processes one activity that `actor` signed and that came just now.
    pub async fn process(&self, actor: &Account, body: &serde_json::Value) -> Verdict {
        self.process_that_came(Came::NOW, actor, body).await
    }

    /// Processes one accepted activity that `actor` signed.
    pub(crate) async fn process_that_came(&self, came: Came, actor: &Account, body: &serde_json::Value) -> Verdict {
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
        let work = Work { fed: self, actor, activity: &activity, budget: &budget, came };
        match work.was_taken_back().await {
            Ok(true) => return Verdict::Ignored("its actor took it back before it came"),
            Ok(false) => {}
            Err(error) => return Verdict::RetryLater(error.to_string()),
        }
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
        let Some(what) = self.takes_back() else { return Ok(()) };
        let db = &self.fed.app.db;
        let mut conn = db.read().await?;
        let waits = inbox_items::is_waiting(&mut conn, self.actor.id, &what).await?;
        drop(conn);
        if waits {
            let mut tx = db.write().await?;
            inbox_items::withdraw(&mut tx, self.actor.id, &what, self.came.as_item).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// What the activity takes back, as [`about`] calls it.
    fn takes_back(&self) -> Option<String> {
        let object = self.activity.object.id.as_deref();
        match self.activity.kind {
            ActivityKind::Delete => object.map(str::to_owned),
            ActivityKind::Undo => match self.inner() {
                Some(inner) => about(inner.kind, inner.id.as_deref(), inner.object.id.as_deref()),
                None => object.map(str::to_owned),
            },
            _ => None,
        }
    }

    /// Did the actor take this back before it came? Then that is done with, but for a post, which comes once.
    async fn was_taken_back(&self) -> storage::Result<bool> {
        if self.came.taken_back == Some(false) {
            return Ok(false);
        }
        let activity = self.activity;
        let about = about(activity.kind, activity.id.as_deref(), activity.object.id.as_deref());
        let Some(about) = about else { return Ok(false) };
        let db = &self.fed.app.db;
        let mut conn = db.read().await?;
        if !taken_back::is_kept(&mut conn, self.actor.id, &about).await? {
            return Ok(false);
        }
        drop(conn);
        if !matches!(activity.kind, ActivityKind::Create | ActivityKind::Update) {
            let mut tx = db.write().await?;
            taken_back::forget(&mut tx, self.actor.id, &about).await?;
            tx.commit().await?;
        }
        Ok(true)
    }

    /// What the activity takes back was here, however long ago it came: the same `Undo` once more does not mean that it
    /// is yet to come.
    async fn was_here(&self) -> Outcome {
        if let Some(what) = self.takes_back() {
            let mut tx = self.fed.app.db.write_repeatable().await?;
            inbox_items::note_accepted(&mut tx, fingerprint_of(&self.actor.uri, &what)).await?;
            tx.commit().await?;
        }
        Ok(Verdict::Done)
    }

    /// What the activity takes back is not here. Where it never came, it is not done if it comes yet; where it came
    /// before, that was taken back before as well.
    async fn not_here(&self, why: &'static str) -> Outcome {
        let Some(what) = self.takes_back() else { return Ok(Verdict::Ignored(why)) };
        let mut tx = self.fed.app.db.write_repeatable().await?;
        let mark = fingerprint_of(&self.actor.uri, &what);
        if !inbox_items::was_accepted_before(&mut tx, mark, self.came.as_item).await? {
            taken_back::keep(&mut tx, self.actor.id, &what).await?;
            tx.commit().await?;
        }
        Ok(Verdict::Ignored(why))
    }

    /// The local account with this ActivityPub id, even one that was closed for now: what ends something between it
    /// and another must not be lost.
    async fn local_even_closed(&self, uri: Option<&str>) -> Result<Option<Account>, ResolveError> {
        let Some(uri) = uri.filter(|uri| self.fed.app.urls.is_ours(uri)) else { return Ok(None) };
        let mut conn = self.fed.app.db.read().await?;
        Ok(accounts::by_uri_even_closed(&mut conn, &self.own_id(uri)).await?.filter(Account::is_local))
    }

    /// The local account with this ActivityPub id that others may see.
    async fn local(&self, uri: Option<&str>) -> Result<Option<Account>, ResolveError> {
        let Some(uri) = uri.filter(|uri| self.fed.app.urls.is_ours(uri)) else { return Ok(None) };
        let mut conn = self.fed.app.db.read().await?;
        Ok(accounts::by_uri(&mut conn, &self.own_id(uri)).await?.filter(Account::is_local))
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

    /// The object as an activity of its own, where it came in full. Some servers name no actor in it: what is undone or
    /// announced is the same actor's then, until its origin says otherwise.
    fn inner(&self) -> Option<ReceivedActivity> {
        let value = self.activity.object.value.as_ref()?;
        match self.activity.kind {
            ActivityKind::Undo | ActivityKind::Announce => {
                ReceivedActivity::read(&with_default(value, "actor", &self.activity.actor)).ok()
            }
            _ => ReceivedActivity::read(value).ok(),
        }
    }

    /// The id of what one of our addresses leads to, however it is written; any other address as it is.
    fn own_id(&self, address: &str) -> String {
        self.fed.app.urls.own_id(address).unwrap_or_else(|| address.to_owned())
    }
}

fn done_if(changed: bool) -> Outcome {
    Ok(if changed { Verdict::Done } else { Verdict::Ignored("nothing changed") })
}
