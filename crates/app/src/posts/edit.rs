//! A post is changed, by its author here or on her own server. Earlier versions are kept.

use domain::account::Account;
use domain::attachment::Attachment;
use domain::job::Job;
use domain::post::{Post, PostEdit};
use domain::{AccountId, AttachmentId, PostId, Timestamp, Viewer, language};
use storage::posts::{Edit, Links};
use storage::{Tx, attachments, posts};

use super::publish::{Draft, check_attachments, check_limits, write_html};
use super::receive::Received;
use crate::error::{Error, Result};
use crate::fanout::Readdressed;
use crate::{App, fanout};

/// A member edits her post. Audience and what it answers stay as they were.
///
/// # Errors
/// [`Error::NotFound`] when it is not hers; [`Error::Invalid`] as for publishing.
pub async fn edit(app: &App, author: &Account, id: PostId, draft: Draft) -> Result<()> {
    check_limits(app, &draft)?;
    let mut conn = app.db.read().await?;
    let post = posts::get(&mut conn, Viewer::Account(author.id), id).await?;
    if post.account_id != author.id || post.boost_of_id.is_some() {
        return Err(Error::NotFound);
    }
    check_attachments(&mut conn, author.id, &draft.attachments, Some(id)).await?;
    let written = write_html(&mut conn, &app.urls, author, &draft.text).await?;
    drop(conn);

    let links = Links { mentions: written.mentions, tags: written.tags, attachments: draft.attachments };
    let sensitive = draft.sensitive || (!draft.spoiler_text.is_empty() && !links.attachments.is_empty());
    let mut tx = app.db.write().await?;
    let language = draft.language.as_deref().and_then(language::known).or_else(|| post.language.clone());
    let edit = Edit {
        content: &written.html,
        source: Some(&draft.text),
        spoiler_text: &draft.spoiler_text,
        sensitive,
        language: language.as_deref(),
        edited_at: app.now(),
        links: &links,
    };
    let newly_addressed = write(&mut tx, author, &post, &edit).await?;
    tx.enqueue(Job::DistributeEdit { post: id, newly_addressed });
    tx.commit().await?;
    Ok(())
}

/// The author's server sent a newer version. `false` when we do not have the post, it is not hers, or our version
/// is as new.
///
/// # Errors
/// When the database refuses.
pub async fn receive(app: &App, author: &Account, r: Received) -> Result<bool> {
    let mut tx = app.db.write().await?;
    let Some(post) = posts::unchecked_by_uri(&mut tx, &r.uri).await? else { return Ok(false) };
    let edited_at = r.edited.unwrap_or_else(|| app.now());
    if post.account_id != author.id || post.edited_at.is_some_and(|ours| ours >= edited_at) {
        return Ok(false);
    }
    let ids = match_attachments(app, &mut tx, author.id, &post, r.attachments).await?;
    let links = Links { mentions: r.mentions, tags: r.tags, attachments: ids };
    let edit = Edit {
        content: &r.content,
        source: None,
        spoiler_text: &r.spoiler_text,
        sensitive: r.sensitive,
        language: r.language.as_deref().or(post.language.as_deref()),
        edited_at,
        links: &links,
    };
    write(&mut tx, author, &post, &edit).await?;
    tx.commit().await?;
    Ok(true)
}

/// What both doors share: keep the version that was, write the new one, tell who should know. Gives those whom it names
/// and the version before did not.
async fn write(tx: &mut Tx, author: &Account, before: &Post, edit: &Edit<'_>) -> Result<Vec<AccountId>> {
    let addressed_before = posts::mentions(tx, before.id).await?;
    let shown_before = attachments::of_post(tx, before.id).await?;
    if posts::edits(tx, before.id).await?.is_empty() {
        let first = version(&before.content, &before.spoiler_text, before.sensitive, before.created_at, &shown_before);
        posts::keep_edit(tx, before.id, &first).await?;
    }
    posts::update(tx, before.id, edit).await?;
    let shown = attachments::of_post(tx, before.id).await?;
    let now = version(edit.content, edit.spoiler_text, edit.sensitive, edit.edited_at, &shown);
    posts::keep_edit(tx, before.id, &now).await?;

    let after = posts::unchecked(tx, before.id).await?;
    let readdressed = Readdressed { before: &addressed_before, now: &edit.links.mentions };
    fanout::post_edited(tx, author, &after, readdressed).await?;
    Ok(readdressed.newly_named())
}

fn version(
    content: &str,
    spoiler_text: &str,
    sensitive: bool,
    created_at: Timestamp,
    shown: &[Attachment],
) -> PostEdit {
    PostEdit {
        content: content.to_owned(),
        spoiler_text: spoiler_text.to_owned(),
        sensitive,
        attachment_ids: shown.iter().map(|a| a.id).collect(),
        created_at,
    }
}

/// Keeps the rows of attachments that are still shown (they may have been fetched), updates their descriptions, and
/// makes rows for new ones.
async fn match_attachments(
    app: &App,
    tx: &mut Tx,
    author: AccountId,
    post: &Post,
    wanted: Vec<Attachment>,
) -> Result<Vec<AttachmentId>> {
    let have = attachments::of_post(tx, post.id).await?;
    let mut ids = Vec::with_capacity(wanted.len());
    for attachment in wanted.into_iter().take(app.limits().attachments.max(16)) {
        match have.iter().find(|a| a.remote_url == attachment.remote_url) {
            Some(old) => {
                attachments::describe(tx, old.id, &attachment.description, attachment.focus).await?;
                ids.push(old.id);
            }
            None => {
                let new = Attachment {
                    id: app.ids().next(),
                    account_id: author,
                    post_id: None,
                    created_at: app.now(),
                    ..attachment
                };
                attachments::insert(tx, &new).await?;
                ids.push(new.id);
            }
        }
    }
    Ok(ids)
}
