//! A member publishes a post.
//!
//! The text's remote mentions were resolved before (by whoever offers a composer): here a handle is looked up in
//! the database, and one that is not known stays plain text.

use std::collections::HashMap;

use domain::account::{Account, Handle};
use domain::attachment::Focus;
use domain::job::Job;
use domain::post::Post;
use domain::text::{self, MentionTarget};
use domain::{AccountId, AppId, AttachmentId, PostId, ThreadId, Urls, Viewer, Visibility, language};
use storage::posts::Links;
use storage::{Conn, accounts, attachments, follows, idempotency_keys, posts};

use crate::error::{Error, Result};
use crate::fanout::{self, News};
use crate::{App, secrets};

/// New words, or another focus, for a picture that a draft shows. What is `None` stays as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    pub id: AttachmentId,
    pub description: Option<String>,
    pub focus: Option<Focus>,
}

/// What a member wrote.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    pub text: String,
    /// The content warning; empty = none.
    pub spoiler_text: String,
    /// `None` = the audience of what she answers, or anyone.
    pub visibility: Option<Visibility>,
    pub sensitive: bool,
    /// A tag; one that names no language is none.
    pub language: Option<String>,
    pub in_reply_to: Option<PostId>,
    /// Uploaded before, in the order to be shown.
    pub attachments: Vec<AttachmentId>,
    /// For an edit; of attachments that it does not show, nothing is heard.
    pub described: Vec<Described>,
    pub app: Option<AppId>,
    /// Whom the text may mention, where the author says so.
    pub allowed_mentions: Option<Vec<AccountId>>,
    /// A second draft with the same key publishes nothing and gives the first one's post.
    pub idempotency_key: Option<String>,
}

impl Draft {
    /// The draft as it is published. A content warning that covers no text becomes the text, as in Mastodon: nobody
    /// opens it to find nothing. Pictures stay covered.
    #[must_use]
    pub fn settled(mut self) -> Self {
        if text::is_blank(&self.spoiler_text) {
            self.spoiler_text.clear();
        }
        if text::is_blank(&self.text) {
            self.sensitive |= !self.spoiler_text.is_empty();
            self.text = std::mem::take(&mut self.spoiler_text);
        }
        self
    }
}

/// Publishes it: to timelines here in the same transaction, to other servers by a job.
///
/// # Errors
/// [`Error::Invalid`] for an empty or too long text, too many or unknown attachments; [`Error::NotFound`] when she
/// may not see what she answers; [`Error::Forbidden`] when she is blocked there; [`Error::UnexpectedMentions`].
pub async fn publish(app: &App, author: &Account, draft: Draft) -> Result<PostId> {
    let draft = draft.settled();
    check_limits(app, &draft)?;
    let mut conn = app.db.glance().await?;
    if let Some(key) = &draft.idempotency_key
        && let Some(earlier) = idempotency_keys::post_of(&mut conn, author.id, key).await?
    {
        return Ok(earlier);
    }
    let parent = parent(&mut conn, author, draft.in_reply_to).await?;
    let written = write_html(&mut conn, &app.urls, author, &draft.text).await?;
    if let Some(allowed) = &draft.allowed_mentions {
        let named = written.mentions.iter().map(|(id, _)| *id);
        let unexpected: Vec<AccountId> = named.filter(|id| !allowed.contains(id)).collect();
        if !unexpected.is_empty() {
            return Err(Error::UnexpectedMentions(unexpected));
        }
    }
    check_attachments(&mut conn, author.id, &draft.attachments, None).await?;
    drop(conn);

    let id: PostId = app.ids().next();
    let key = secrets::address_key();
    let now = app.now();
    let visibility = draft.visibility.unwrap_or_else(|| parent.as_ref().map_or(Visibility::Public, |p| p.visibility));
    let post = Post {
        id,
        uri: app.urls.post(&author.username, key),
        url: app.urls.post_page(&author.username, key),
        account_id: author.id,
        boost_of_id: None,
        in_reply_to_id: parent.as_ref().map(|p| p.id),
        in_reply_to_account_id: parent.as_ref().map(|p| p.account_id),
        in_reply_to_uri: parent.as_ref().map(|p| p.uri.clone()),
        thread_id: parent.as_ref().map_or(ThreadId(id.0), |p| p.thread_id),
        visibility,
        content: written.html,
        source: Some(draft.text),
        sensitive: draft.sensitive || (!draft.spoiler_text.is_empty() && !draft.attachments.is_empty()),
        spoiler_text: draft.spoiler_text,
        language: draft.language.as_deref().and_then(language::known),
        local: true,
        app_id: draft.app,
        created_at: now,
        edited_at: None,
        replies_count: 0,
        boosts_count: 0,
        favourites_count: 0,
    };
    let links = Links { mentions: written.mentions, tags: written.tags, attachments: draft.attachments };

    let mut tx = app.db.write().await?;
    if let Some(key) = &draft.idempotency_key {
        match idempotency_keys::keep(&mut tx, author.id, key, id).await {
            Err(storage::Error::Conflict(_)) => {
                // The same request, sent twice at once: the other one publishes.
                drop(tx);
                let mut conn = app.db.read().await?;
                return idempotency_keys::post_of(&mut conn, author.id, key).await?.ok_or(Error::Conflict("try again"));
            }
            other => other?,
        }
    }
    posts::insert(&mut tx, &post, &links).await?;
    let reach = follows::reach(&mut tx, author.id).await?;
    fanout::post_created(&mut tx, author, &post, &links, News::Of { watched: reach.is_watched }).await?;
    // One that goes to nobody elsewhere asks for no work. (Whoever begins to follow at this moment follows after it.)
    let named = post.in_reply_to_id.is_some() || !links.mentions.is_empty();
    if named || (reach.is_elsewhere && visibility != Visibility::Direct) {
        tx.enqueue(Job::DistributePost { author: author.id, post: id });
    }
    tx.commit().await?;
    Ok(id)
}

/// Of a draft that is settled.
pub(super) fn check_limits(app: &App, draft: &Draft) -> Result<()> {
    let limits = app.limits();
    if draft.text.is_empty() && draft.attachments.is_empty() {
        return Err(Error::invalid("text", "can't be blank"));
    }
    if text::count_chars(&draft.text, &draft.spoiler_text) > limits.post_chars {
        return Err(Error::invalid("text", format!("must have at most {} characters", limits.post_chars)));
    }
    if draft.attachments.len() > limits.attachments {
        return Err(Error::invalid("media_ids", format!("must not be more than {}", limits.attachments)));
    }
    Ok(())
}

/// The attachments must be hers, and not belong to another post already.
pub(super) async fn check_attachments(
    conn: &mut Conn,
    author: AccountId,
    ids: &[AttachmentId],
    post: Option<PostId>,
) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let found = attachments::attachable(conn, author, ids, post).await?;
    if ids.iter().any(|id| !found.contains(id)) {
        return Err(Error::invalid("media_ids", "must be media you uploaded and did not use yet"));
    }
    Ok(())
}

/// What she answers, if she may see it and is not blocked there.
async fn parent(conn: &mut Conn, author: &Account, id: Option<PostId>) -> Result<Option<Post>> {
    let Some(id) = id else { return Ok(None) };
    let mut parent = posts::get(conn, Viewer::Account(author.id), id).await?;
    if let Some(original) = parent.boost_of_id {
        parent = posts::get(conn, Viewer::Account(author.id), original).await?;
    }
    if follows::is_blocked_either_way(conn, author.id, parent.account_id).await? {
        return Err(Error::Forbidden("You can't answer this post"));
    }
    Ok(Some(parent))
}

/// A text made ready to be shown.
pub(super) struct Written {
    pub html: String,
    pub mentions: Vec<(AccountId, bool)>,
    pub tags: Vec<(String, String)>,
}

/// Makes safe HTML of a text, with links to those it mentions as far as they are known here. Whom the author
/// blocks is not addressed.
pub(super) async fn write_html(conn: &mut Conn, urls: &Urls, author: &Account, source: &str) -> Result<Written> {
    let scanned = text::scan(source, urls);
    let mut known: HashMap<Handle, Account> = HashMap::new();
    for handle in scanned.mentions {
        if let Some(account) = accounts::by_handle(conn, &handle.username, handle.elsewhere(urls)).await?
            && !account.is_suspended()
            && !follows::is_blocking(conn, author.id, account.id).await?
        {
            known.insert(handle, account);
        }
    }
    let composed = text::compose(source, urls, &|handle: &Handle| {
        known.get(handle).map(|account| MentionTarget {
            url: account.url.clone(),
            username: account.username.clone(),
            acct: account.acct(),
        })
    });
    let mut mentions: Vec<(AccountId, bool)> =
        known.values().map(|account| (account.id, false)).filter(|(id, _)| *id != author.id).collect();
    mentions.sort();
    mentions.dedup();
    Ok(Written {
        html: composed.html,
        mentions,
        tags: composed.tags.into_iter().map(|tag| (tag.key, tag.name)).collect(),
    })
}
