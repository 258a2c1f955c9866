//! A post is changed, by its author here or on her own server. Earlier versions are kept; an edit that changes nothing
//! makes none.

use std::collections::BTreeSet;

use domain::account::Account;
use domain::attachment::{Attachment, Shown};
use domain::job::Job;
use domain::post::{Post, PostEdit};
use domain::{AccountId, PostId, Timestamp, Viewer, language};
use storage::posts::{Edit, Links};
use storage::withdrawn::withdraw_from_former_audience;
use storage::{Conn, Tx, accounts, attachments, posts};

use super::publish::{Draft, check_attachments, check_limits, write_html};
use super::receive::Received;
use crate::attachments::checked_description;
use crate::error::{Error, Result};
use crate::fanout::Readdressed;
use crate::{App, fanout};

/// A member edits her post. Audience and what it answers stay as they were. Nothing happens, here or elsewhere, when it
/// says the same as before.
///
/// # Errors
/// [`Error::NotFound`] when it is not hers; [`Error::Invalid`] as for publishing.
pub async fn edit(app: &App, author: &Account, id: PostId, draft: Draft) -> Result<()> {
    let draft = draft.settled();
    check_limits(app, &draft)?;
    let mut conn = app.db.read().await?;
    let written = write_html(&mut conn, &app.urls, author, &draft.text).await?;
    drop(conn);

    let mut tx = app.db.write().await?;
    let post = posts::get(&mut tx, Viewer::Account(author.id), id).await?;
    if post.account_id != author.id || post.boost_of_id.is_some() {
        return Err(Error::NotFound);
    }
    let post = as_it_stays(&mut tx, id).await?;
    check_attachments(&mut tx, author.id, &draft.attachments, Some(id)).await?;
    let shown = described(app, &mut tx, &draft).await?;
    let sensitive = draft.sensitive || (!draft.spoiler_text.is_empty() && !shown.is_empty());
    let links = Links { mentions: written.mentions, tags: written.tags, attachments: draft.attachments };
    let language = draft.language.as_deref().and_then(language::known).or_else(|| post.language.clone());
    let edit = Edit {
        visibility: post.visibility,
        content: &written.html,
        source: Some(&draft.text),
        spoiler_text: &draft.spoiler_text,
        sensitive,
        language: language.as_deref(),
        edited_at: after_versions(&post, app.now()),
        links: &links,
    };
    if let Some(newly_addressed) = write(&mut tx, author, &post, &edit, &shown).await? {
        tx.enqueue(Job::DistributeEdit { author: author.id, post: id, newly_addressed });
        tx.commit().await?;
    }
    Ok(())
}

/// The post as it is, once whoever changes it now is done. Nobody else does until this transaction ends: two edits at
/// once come one after the other, and the same twice is one.
async fn as_it_stays(tx: &mut Tx, id: PostId) -> Result<Post> {
    posts::lock(tx, id).await?;
    Ok(posts::unchecked(tx, id).await?)
}

/// The time of a new version: later than those there are, also by a clock that was set back. Who is addressed by it
/// first is shown the versions from that time on.
fn after_versions(post: &Post, now: Timestamp) -> Timestamp {
    now.max(Timestamp(post.edited_at.unwrap_or(post.created_at).0 + 1))
}

/// What the draft shows, as it is described with it.
async fn described(app: &App, conn: &mut Conn, draft: &Draft) -> Result<Vec<Shown>> {
    let mut all = Vec::with_capacity(draft.attachments.len());
    for id in &draft.attachments {
        let mut shown = attachments::unchecked(conn, *id).await?.shown();
        for new in draft.described.iter().filter(|new| new.id == *id) {
            if let Some(description) = &new.description {
                shown.description = checked_description(app, description)?;
            }
            shown.focus = new.focus.or(shown.focus);
        }
        all.push(shown);
    }
    Ok(all)
}

/// New words for a picture that a member's post shows: an edit of the post, by which other servers learn of them.
pub(crate) async fn redescribe(tx: &mut Tx, id: PostId, new: &Shown) -> Result<()> {
    let post = as_it_stays(tx, id).await?;
    let author = accounts::get(tx, post.account_id).await?;
    let mut shown: Vec<Shown> = attachments::of_post(tx, id).await?.iter().map(Attachment::shown).collect();
    for old in shown.iter_mut().filter(|old| old.id == new.id) {
        *old = new.clone();
    }
    let links = Links {
        mentions: posts::mentions(tx, id).await?,
        tags: posts::tags(tx, id).await?,
        attachments: shown.iter().map(|shown| shown.id).collect(),
    };
    let edit = Edit {
        visibility: post.visibility,
        content: &post.content,
        source: post.source.as_deref(),
        spoiler_text: &post.spoiler_text,
        sensitive: post.sensitive,
        language: post.language.as_deref(),
        edited_at: after_versions(&post, tx.now()),
        links: &links,
    };
    if let Some(newly_addressed) = write(tx, &author, &post, &edit, &shown).await? {
        tx.enqueue(Job::DistributeEdit { author: author.id, post: id, newly_addressed });
    }
    Ok(())
}

/// The author's server sent a newer version, for the same people or for fewer. `false` when we do not have the post, it is
/// not hers, or our version is as new.
///
/// # Errors
/// When the database refuses.
pub async fn receive(app: &App, author: &Account, r: Received) -> Result<bool> {
    let mut tx = app.db.write_repeatable().await?;
    let Some(post) = posts::unchecked_by_uri(&mut tx, &r.uri).await? else { return Ok(false) };
    if post.account_id != author.id {
        return Ok(false);
    }
    let post = as_it_stays(&mut tx, post.id).await?;
    let edited_at = r.edited.unwrap_or_else(|| after_versions(&post, app.now()));
    if post.edited_at.is_some_and(|ours| ours >= edited_at) {
        return Ok(false);
    }
    let shown = match_attachments(app, &mut tx, author.id, &post, r.attachments).await?;
    let ids = shown.iter().map(|shown| shown.id).collect();
    let links = Links { mentions: r.mentions, tags: r.tags, attachments: ids };
    let edit = Edit {
        visibility: post.visibility.narrower(r.visibility),
        content: &r.content,
        source: None,
        spoiler_text: &r.spoiler_text,
        sensitive: r.sensitive,
        language: r.language.as_deref().or(post.language.as_deref()),
        edited_at,
        links: &links,
    };
    if write(&mut tx, author, &post, &edit, &shown).await?.is_some() {
        tx.commit().await?;
    }
    Ok(true)
}

/// What both doors share: keep the version that was, write the new one, tell who should know. Gives those whom it names
/// and the version before did not; `None` when it is the version before, and nothing was written.
async fn write(
    tx: &mut Tx,
    author: &Account,
    before: &Post,
    edit: &Edit<'_>,
    shown: &[Shown],
) -> Result<Option<Vec<AccountId>>> {
    let addressed_before = posts::mentions(tx, before.id).await?;
    let shown_before: Vec<Shown> = attachments::of_post(tx, before.id).await?.iter().map(Attachment::shown).collect();
    let same_words = before.visibility == edit.visibility
        && before.content == edit.content
        && before.spoiler_text == edit.spoiler_text
        && before.sensitive == edit.sensitive
        && before.language.as_deref() == edit.language;
    if same_words && shown_before == shown && same_links(tx, before, &addressed_before, edit.links).await? {
        return Ok(None);
    }
    if posts::edits(tx, Viewer::Account(author.id), before.id).await?.is_empty() {
        posts::keep_edit(
            tx,
            before.id,
            &PostEdit {
                content: before.content.clone(),
                spoiler_text: before.spoiler_text.clone(),
                sensitive: before.sensitive,
                shown: shown_before.clone(),
                created_at: before.created_at,
            },
        )
        .await?;
    }
    posts::update(tx, before.id, edit).await?;
    for new in shown.iter().filter(|new| !shown_before.contains(new)) {
        attachments::describe(tx, new.id, &new.description, new.focus).await?;
    }
    posts::keep_edit(
        tx,
        before.id,
        &PostEdit {
            content: edit.content.to_owned(),
            spoiler_text: edit.spoiler_text.to_owned(),
            sensitive: edit.sensitive,
            shown: shown.to_vec(),
            created_at: edit.edited_at,
        },
    )
    .await?;

    if before.local {
        withdraw_from_former_audience(tx, before.id).await?;
    }
    let after = posts::unchecked(tx, before.id).await?;
    let readdressed = Readdressed { before: &addressed_before, now: &edit.links.mentions };
    fanout::post_edited(tx, author, before, &after, readdressed).await?;
    Ok(Some(readdressed.newly_named()))
}

/// Does it address and tag the same as before?
async fn same_links(conn: &mut Conn, before: &Post, addressed: &[(AccountId, bool)], links: &Links) -> Result<bool> {
    let tags: BTreeSet<String> = posts::tags(conn, before.id).await?.into_iter().map(|(name, _)| name).collect();
    let addressed: BTreeSet<&(AccountId, bool)> = addressed.iter().collect();
    Ok(tags == links.tags.iter().map(|(name, _)| name.clone()).collect()
        && addressed == links.mentions.iter().collect())
}

/// What an edit that was received shows. Keeps the rows of attachments that a version shows already (they may have been
/// fetched), and makes rows for new ones.
async fn match_attachments(
    app: &App,
    tx: &mut Tx,
    author: AccountId,
    post: &Post,
    wanted: Vec<Attachment>,
) -> Result<Vec<Shown>> {
    let have = attachments::of_versions(tx, post.id).await?;
    let mut all = Vec::with_capacity(wanted.len());
    for attachment in wanted.into_iter().take(app.limits().attachments.max(16)) {
        match have.iter().find(|a| a.remote_url == attachment.remote_url) {
            Some(old) => all.push(Shown { id: old.id, ..attachment.shown() }),
            None => {
                let new = Attachment {
                    id: app.ids().next(),
                    account_id: author,
                    post_id: None,
                    created_at: app.now(),
                    ..attachment
                };
                attachments::insert(tx, &new).await?;
                all.push(new.shown());
            }
        }
    }
    Ok(all)
}
