//! A post arrived from another server, or was looked up there.
//!
//! `federation` has read and resolved it: here it is only checked against what we have, and written.

use domain::account::Account;
use domain::attachment::Attachment;
use domain::event::Event;
use domain::job::Job;
use domain::post::Post;
use domain::{AccountId, PostId, ThreadId, Timestamp, Viewer, Visibility};
use storage::posts::Links;
use storage::{Tx, accounts, attachments, counts, follows, incoming, posts, threads};

use crate::App;
use crate::error::Result;
use crate::fanout::{self, News};

/// A post of a remote author: safe HTML, known accounts.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    pub uri: String,
    pub url: String,
    pub content: String,
    pub spoiler_text: String,
    pub sensitive: bool,
    pub language: Option<String>,
    pub visibility: Visibility,
    pub in_reply_to_uri: Option<String>,
    pub published: Timestamp,
    pub edited: Option<Timestamp>,
    /// Whom it addresses; `true` = addressed without being named.
    pub mentions: Vec<(AccountId, bool)>,
    /// Normalised name and the name as written.
    pub tags: Vec<(String, String)>,
    /// Ids are given here; `id`, `account_id` and `post_id` are ignored.
    pub attachments: Vec<Attachment>,
}

/// How fresh a post must be to sort by its arrival rather than by its date, and to be news though it was edited.
const FRESH_MS: i64 = 10 * 60 * 1000;
const INTERESTING: &str =
    "somebody here follows its author or the author of what it answers, is addressed by it, or wrote what it answers";

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Created(PostId),
    /// We have it, or had it and it was deleted.
    Known,
    /// It concerns nobody here.
    Irrelevant,
}

/// Writes a received post. `requested`: somebody here asked for it (a search, a thread), so it is kept even if
/// it concerns nobody.
///
/// # Errors
/// When the database refuses.
pub async fn receive(app: &App, author: &Account, r: Received, requested: bool) -> Result<Outcome> {
    let mut tx = app.db.write_repeatable().await?;
    let met = incoming::met(&mut tx, &r.uri, author.id, &r.mentions).await?;
    if met.known {
        return Ok(Outcome::Known);
    }
    if !met.author_lives {
        return Ok(Outcome::Irrelevant);
    }
    let answered = match &r.in_reply_to_uri {
        Some(uri) => posts::unchecked_by_uri(&mut tx, uri).await?,
        None => None,
    };
    let found = answered.is_some();
    let parent = match answered {
        Some(parent) if may_answer(&mut tx, author, &parent, r.visibility).await? => Some(parent),
        _ => None,
    };
    if !requested && !met.concerns_us && !is_of_discussion(&mut tx, parent.as_ref()).await? {
        tracing::debug!(uri = %r.uri, "dropped: a post is kept if {INTERESTING}");
        return Ok(Outcome::Irrelevant);
    }

    let now = app.now();
    let published = Timestamp(r.published.0.clamp(0, now.0));
    let fresh = now.0 - published.0 < FRESH_MS;
    // One that was sent long ago and comes late is news all the same; one of which we first hear by an edit is not.
    let news = fresh || r.edited.is_none();
    let id: PostId = if fresh { app.ids().next() } else { app.ids().at(published) };
    let post = Post {
        id,
        uri: r.uri,
        url: r.url,
        account_id: author.id,
        boost_of_id: None,
        in_reply_to_id: parent.as_ref().map(|p| p.id),
        in_reply_to_account_id: parent.as_ref().map(|p| p.account_id),
        in_reply_to_uri: r.in_reply_to_uri,
        thread_id: parent.as_ref().map_or(ThreadId(id.0), |p| p.thread_id),
        visibility: r.visibility,
        content: r.content,
        source: None,
        spoiler_text: r.spoiler_text,
        sensitive: r.sensitive,
        language: r.language,
        local: false,
        app_id: None,
        created_at: published,
        edited_at: r.edited,
        replies_count: 0,
        boosts_count: 0,
        favourites_count: 0,
    };
    let mut ids = Vec::with_capacity(r.attachments.len());
    for attachment in r.attachments.into_iter().take(app.limits().attachments.max(16)) {
        let attachment =
            Attachment { id: app.ids().next(), account_id: author.id, post_id: None, created_at: now, ..attachment };
        attachments::insert(&mut tx, &attachment).await?;
        ids.push(attachment.id);
    }
    let links = Links { mentions: r.mentions, tags: r.tags, attachments: ids };
    posts::insert(&mut tx, &post, &links).await?;
    if met.is_answered {
        adopt_orphans(&mut tx, &post).await?;
    }
    // An old post that was looked up is no news: it belongs to no timeline and nobody is told.
    if requested && !fresh {
        fanout::count(&mut tx, &post, 1);
        tx.emit(Event::AccountChanged { account: author.id });
    } else {
        let news = if news { News::Of { watched: met.is_watched } } else { News::None };
        fanout::post_created(&mut tx, author, &post, &links, news).await?;
    }
    if post.in_reply_to_uri.is_some() && !found {
        tx.enqueue(Job::FetchThread { post: id });
    }
    tx.commit().await?;
    Ok(Outcome::Created(id))
}

/// May this author answer that post, as far as it is known here: may they see it? An answer of somebody who may not is a
/// post that answers nothing we know: without a link that others could read, without a place in the discussion, the
/// counter or the conversation. To its author it looks as if there were no such post.
///
/// Who follows whom between two other servers is not known here. What is for the followers of somebody elsewhere may be
/// answered by people of the same server, which knows, and by anyone for fewer than everybody: that tells those alone
/// whom the answer is for.
async fn may_answer(tx: &mut Tx, author: &Account, parent: &Post, audience: Visibility) -> Result<bool> {
    match posts::get(tx, Viewer::Account(author.id), parent.id).await {
        Ok(_) => return Ok(true),
        Err(storage::Error::NotFound) => {}
        Err(e) => return Err(e.into()),
    }
    if parent.local
        || parent.visibility != Visibility::Followers
        || follows::is_blocking(tx, parent.account_id, author.id).await?
    {
        return Ok(false);
    }
    let writer = match accounts::get(tx, parent.account_id).await {
        Ok(writer) => writer,
        Err(storage::Error::NotFound) => return Ok(false),
        Err(e) => return Err(e.into()),
    };
    Ok(!writer.is_suspended() && (writer.domain == author.domain || !audience.is_open()))
}

/// A post was looked for because something answers it, and may have come at the same time as that: what answers it
/// takes its place.
///
/// # Errors
/// When the database refuses.
pub async fn adopt(app: &App, parent: PostId) -> Result<()> {
    let mut tx = app.db.write_repeatable().await?;
    let parent = posts::unchecked(&mut tx, parent).await?;
    adopt_orphans(&mut tx, &parent).await?;
    tx.commit().await?;
    Ok(())
}

/// Answers that came before what they answer take their place, by the same rule as those that come after it.
async fn adopt_orphans(tx: &mut Tx, parent: &Post) -> Result<()> {
    for orphan in threads::orphans(tx, parent).await? {
        let author = match accounts::get(tx, orphan.account_id).await {
            Err(storage::Error::NotFound) => continue,
            author => author?,
        };
        if !may_answer(tx, &author, parent, orphan.visibility).await? {
            continue;
        }
        if threads::adopt(tx, &orphan, parent).await? && orphan.visibility.is_open() {
            counts::replies(tx, parent.id, 1, author.id);
        }
    }
    Ok(())
}

/// Does it answer a member, or somebody who is followed from here? (Other voices of a discussion belong to it.) See
/// [`INTERESTING`].
async fn is_of_discussion(tx: &mut Tx, parent: Option<&Post>) -> Result<bool> {
    Ok(match parent {
        Some(parent) => parent.local || incoming::concerns_us(tx, parent.account_id, &[]).await?,
        None => false,
    })
}
