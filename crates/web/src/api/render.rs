//! Views → JSON, with what was written before kept: a page of a timeline is mostly copied.
//!
//! A kept text is used only while the view it was made from is the same as the one at hand (the same `Arc`, or
//! equal): whatever changed is written anew, and nobody needs to be told that it did. What holds addresses made for one
//! reader is kept for her alone. Never reads a database.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use domain::view::{AccountView, ConversationView, NotificationView, PostCore, PostFlags, PostView};
use domain::{AccountId, FileUrls, PostId, Timestamp, Viewer, Visibility, Whom};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::dto::account::Account;
use super::dto::conversation::Conversation;
use super::dto::media::Addresses;
use super::dto::notification::Notification;
use super::dto::report::Report;
use super::dto::status::{Seen, Status};
use super::error::{Error, Result};
use crate::state::Web;

/// Bytes of JSON kept for accounts and for posts, each.
const KEEP: u64 = 12 * 1024 * 1024;
/// What one of them usually weighs.
const USUALLY: usize = 4 * 1024;

/// JSON that is ready to be sent.
pub type Json = Arc<RawValue>;

/// What was written before.
#[derive(Debug)]
pub struct Rendered {
    accounts: Cache<AccountId, KeptAccount, Size>,
    posts: Cache<PostKey, KeptPost, Size>,
}

/// Which post, what its reader did with it, and for whom the addresses in it are.
type PostKey = (PostId, u16, Whom);

#[derive(Debug, Clone)]
struct KeptAccount {
    view: Arc<AccountView>,
    json: Json,
}

#[derive(Debug, Clone)]
struct KeptPost(Arc<PostParts>);

#[derive(Debug)]
struct PostParts {
    core: Arc<PostCore>,
    account: Arc<AccountView>,
    boosted: Option<(Arc<PostCore>, Arc<AccountView>)>,
    json: Json,
}

fn same<T: PartialEq>(a: &Arc<T>, b: &Arc<T>) -> bool {
    Arc::ptr_eq(a, b) || a == b
}

/// Weighs in bytes.
#[derive(Debug, Clone)]
struct Size;

impl Size {
    fn of(json: &RawValue) -> u64 {
        // The view it was made from stays alive with it, and is about as large.
        json.get().len() as u64 * 2 + 256
    }
}

impl Weighter<AccountId, KeptAccount> for Size {
    fn weight(&self, _: &AccountId, kept: &KeptAccount) -> u64 {
        Self::of(&kept.json)
    }
}

impl Weighter<PostKey, KeptPost> for Size {
    fn weight(&self, _: &PostKey, kept: &KeptPost) -> u64 {
        Self::of(&kept.0.json)
    }
}

impl Default for Rendered {
    fn default() -> Self {
        let entries = usize::try_from(KEEP).unwrap_or(usize::MAX) / USUALLY;
        Self { accounts: Cache::with_weighter(entries, KEEP, Size), posts: Cache::with_weighter(entries, KEEP, Size) }
    }
}

/// Writes views for one viewer.
#[derive(Debug, Clone, Copy)]
pub struct Render<'a> {
    pub files: &'a FileUrls,
    pub kept: &'a Rendered,
    pub viewer: Viewer,
    pub now: Timestamp,
}

impl Render<'_> {
    /// # Errors
    /// [`Error::Internal`] when the JSON cannot be written, which no view should cause.
    pub fn account(&self, view: &Arc<AccountView>) -> Result<Json> {
        let id = view.account.id;
        if let Some(kept) = self.kept.accounts.get(&id)
            && same(&kept.view, view)
        {
            return Ok(kept.json);
        }
        let json = raw(&Account::new(view, self.files.urls()))?;
        self.kept.accounts.insert(id, KeptAccount { view: view.clone(), json: json.clone() });
        Ok(json)
    }

    /// # Errors
    /// As [`Render::account`].
    pub fn accounts<'v>(&self, views: impl IntoIterator<Item = &'v Arc<AccountView>>) -> Result<Vec<Json>> {
        views.into_iter().map(|v| self.account(v)).collect()
    }

    /// # Errors
    /// As [`Render::account`].
    pub fn status(&self, view: &PostView) -> Result<Json> {
        let boosted = view.boost_of.as_deref();
        let bits = self.bits(view) | boosted.map_or(0, |b| self.bits(b) << 8);
        let whom = boosted.map_or(Whom::Anyone, |b| self.shown(b));
        let key = (view.id(), bits, if whom == Whom::Anyone { self.shown(view) } else { whom });
        if let Some(KeptPost(kept)) = self.kept.posts.get(&key)
            && same(&kept.core, &view.core)
            && same(&kept.account, &view.account)
            && match (&kept.boosted, boosted) {
                (None, None) => true,
                (Some((core, account)), Some(now)) => same(core, &now.core) && same(account, &now.account),
                _ => false,
            }
        {
            return Ok(kept.json.clone());
        }
        let json = raw(&self.shape(view, self.shown(view))?)?;
        let parts = PostParts {
            core: view.core.clone(),
            account: view.account.clone(),
            boosted: boosted.map(|b| (b.core.clone(), b.account.clone())),
            json: json.clone(),
        };
        self.kept.posts.insert(key, KeptPost(Arc::new(parts)));
        Ok(json)
    }

    /// With what its author typed: the answer to a deletion. Its pictures are hers alone then.
    ///
    /// # Errors
    /// As [`Render::account`].
    pub fn status_with_text(&self, view: &PostView) -> Result<Json> {
        let text = view.post().source.as_deref().unwrap_or_default();
        let whom = Whom::looking(self.viewer, Visibility::Direct, self.now);
        raw(&self.shape(view, whom)?.with_text(text))
    }

    fn shape<'v>(&self, view: &'v PostView, whom: Whom) -> Result<Status<'v>> {
        let account = self.account(&view.account)?;
        let reblog = view.boost_of.as_deref().map(|b| self.status(b)).transpose()?;
        Ok(Status::new(
            &view.core,
            view.flags,
            self.seen(view),
            account,
            reblog,
            &Addresses { files: self.files, whom },
        ))
    }

    /// For whom the addresses in a post's JSON are, boosts aside: without pictures, it is the same for everybody.
    fn shown(&self, view: &PostView) -> Whom {
        match view.core.attachments.is_empty() {
            true => Whom::Anyone,
            false => Whom::looking(self.viewer, view.post().visibility, self.now),
        }
    }

    /// # Errors
    /// As [`Render::account`].
    pub fn statuses(&self, views: &[PostView]) -> Result<Vec<Json>> {
        views.iter().map(|v| self.status(v)).collect()
    }

    /// # Errors
    /// As [`Render::account`].
    pub fn notification(&self, view: &NotificationView) -> Result<Notification> {
        let status = view.post.as_ref().map(|p| self.status(p)).transpose()?;
        let report = match &view.report {
            Some(seen) => Some(Report::new(&seen.report, self.account(&seen.target)?)),
            None => None,
        };
        Ok(Notification::new(view, self.account(&view.from)?, status, report))
    }

    /// # Errors
    /// As [`Render::account`].
    pub fn conversation(&self, view: &ConversationView) -> Result<Conversation> {
        let last = self.status(&view.last_post)?;
        Ok(Conversation::new(view.id, view.unread, self.accounts(&view.accounts)?, last))
    }

    fn seen(&self, view: &PostView) -> Seen {
        match self.viewer {
            Viewer::Anonymous => Seen::ByNobody,
            Viewer::Account(me) if me == view.post().account_id => Seen::ByAuthor,
            Viewer::Account(_) => Seen::BySomebody,
        }
    }

    /// Everything about the viewer that shows in the JSON, in 8 bits.
    fn bits(&self, view: &PostView) -> u16 {
        let PostFlags { favourited, boosted, bookmarked, pinned, muted } = view.flags;
        let seen = match self.seen(view) {
            Seen::ByNobody => 0,
            Seen::BySomebody => 1,
            Seen::ByAuthor => 2,
        };
        seen | u16::from(favourited) << 2
            | u16::from(boosted) << 3
            | u16::from(bookmarked) << 4
            | u16::from(pinned) << 5
            | u16::from(muted) << 6
    }
}

impl Web {
    /// Writes JSON for this viewer.
    #[must_use]
    pub fn render(&self, viewer: Viewer) -> Render<'_> {
        Render { files: &self.app.files, kept: &self.rendered, viewer, now: self.app.now() }
    }
}

/// # Errors
/// [`Error::Internal`] when the value cannot be written as JSON.
pub fn raw(value: &impl Serialize) -> Result<Json> {
    to_raw_value(value).map(Arc::from).map_err(Error::internal)
}

/// A JSON array of finished texts, put together without parsing or escaping anything again.
#[derive(Debug)]
pub struct Listed(pub Vec<Json>);

impl IntoResponse for Listed {
    fn into_response(self) -> Response {
        let size = self.0.iter().map(|j| j.get().len() + 1).sum::<usize>() + 2;
        let mut text = String::with_capacity(size);
        text.push('[');
        for (n, json) in self.0.iter().enumerate() {
            if n > 0 {
                text.push(',');
            }
            text.push_str(json.get());
        }
        text.push(']');
        ready(text)
    }
}

/// One finished JSON text.
#[derive(Debug)]
pub struct One(pub Json);

impl IntoResponse for One {
    fn into_response(self) -> Response {
        ready(self.0.get().to_owned())
    }
}

/// `{}`: done, and nothing to tell.
#[must_use]
pub fn nothing() -> Response {
    ready("{}".to_owned())
}

fn ready(text: String) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))], text).into_response()
}

#[cfg(test)]
mod tests;
