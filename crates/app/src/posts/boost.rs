//! A post is shared again, and that is taken back.

use domain::account::Account;
use domain::job::Job;
use domain::post::Post;
use domain::{PostId, ThreadId, Timestamp, Viewer, Visibility};
use storage::incoming::Boosted;
use storage::posts::Links;
use storage::{Tx, follows, incoming, members, posts};

use super::delete::{self, Media};
use crate::error::{Error, Result};
use crate::{App, fanout, secrets};

/// A member boosts a post; the boost's id. Boosting twice gives the first boost. Without a `visibility` it is for those
/// whom the member's posts are for.
///
/// # Errors
/// [`Error::NotFound`] when she may not see it; [`Error::Forbidden`] when its audience is not hers to widen.
pub async fn boost(app: &App, who: &Account, id: PostId, visibility: Option<Visibility>) -> Result<PostId> {
    let mut tx = app.db.write().await?;
    let mut original = posts::get(&mut tx, Viewer::Account(who.id), id).await?;
    if let Some(inner) = original.boost_of_id {
        original = posts::get(&mut tx, Viewer::Account(who.id), inner).await?;
    }
    if !original.may_be_boosted_by(who.id) {
        return Err(Error::Forbidden("This post can't be shared again"));
    }
    if follows::is_blocked_either_way(&mut tx, who.id, original.account_id).await? {
        return Err(Error::Forbidden("This post can't be shared again"));
    }
    if let Some(earlier) = posts::boost_by(&mut tx, who.id, original.id).await? {
        return Ok(earlier.id);
    }
    let wanted = match visibility {
        Some(Visibility::Direct) => return Err(Error::invalid("visibility", "can't be direct")),
        Some(visibility) => visibility,
        None => match members::get(&mut tx, who.id).await?.preferences.default_visibility {
            // A boost for nobody would be none.
            Visibility::Direct => Visibility::Followers,
            visibility => visibility,
        },
    };
    let visibility = wanted.narrower(original.visibility);
    let id: PostId = app.ids().next();
    let key = secrets::address_key();
    let uri = app.urls.post_activity(&who.username, key);
    let url = app.urls.post_page(&who.username, key);
    write(&mut tx, who, &original, Row { id, uri, url, visibility, created_at: app.now() }).await?;
    if !original.local || follows::reach(&mut tx, who.id).await?.is_elsewhere {
        tx.enqueue(Job::DistributePost { author: who.id, post: id });
    }
    tx.commit().await?;
    Ok(id)
}

/// A remote account boosted a post that we know. `None` when that is known already, or the post is not one that
/// may be boosted.
///
/// # Errors
/// When the database refuses.
pub async fn receive(
    app: &App,
    who: &Account,
    uri: &str,
    original: Boosted<'_>,
    published: Timestamp,
    visibility: Visibility,
) -> Result<Option<PostId>> {
    let mut tx = app.db.write_repeatable().await?;
    let mut uri = uri.to_owned();
    let mut found = incoming::boostable(&mut tx, &uri, who.id, original).await?;
    if found.is_none() && posts::uri_is_known(&mut tx, &uri).await? {
        // Some servers give all of somebody's boosts the same id.
        uri = app.urls.received(&secrets::address_key().to_string());
        found = incoming::boostable(&mut tx, &uri, who.id, original).await?;
    }
    let Some(original) = found else { return Ok(None) };
    let own = original.account_id == who.id;
    if original.boost_of_id.is_some() || visibility == Visibility::Direct || !(original.visibility.is_open() || own) {
        return Ok(None);
    }
    let row = Row {
        id: app.ids().next(),
        url: uri.clone(),
        uri,
        visibility: visibility.narrower(original.visibility),
        created_at: Timestamp(published.0.clamp(0, app.now().0)),
    };
    let id = row.id;
    write(&mut tx, who, &original, row).await?;
    tx.commit().await?;
    Ok(Some(id))
}

/// A member takes their boost back, of a post that they may see or not; `id` may name the post or a boost of it. Gives the
/// post. Nothing happens when there is no boost.
///
/// # Errors
/// [`Error::NotFound`] when there is none, and the member may not see the post.
pub async fn unboost(app: &App, who: &Account, id: PostId) -> Result<PostId> {
    let mut tx = app.db.write().await?;
    let post = posts::unchecked(&mut tx, id).await?;
    let original = post.boost_of_id.unwrap_or(post.id);
    let Some(boost) = posts::boost_by(&mut tx, who.id, original).await? else {
        posts::get(&mut tx, Viewer::Account(who.id), id).await?;
        return Ok(original);
    };
    let withdrawn = delete::bury(&mut tx, &boost, Media::Remove).await?;
    delete::tell(&mut tx, boost.id, withdrawn);
    tx.commit().await?;
    Ok(original)
}

/// A remote account took its boost back: by the post, or else by the `Announce`'s id, which may be used again from now
/// on. `false` when there was none.
///
/// # Errors
/// When the database refuses.
pub async fn receive_undo(app: &App, who: &Account, uri: Option<&str>, original: Option<PostId>) -> Result<bool> {
    let mut tx = app.db.write_repeatable().await?;
    let boost = match (original, uri) {
        (Some(original), _) => posts::boost_by(&mut tx, who.id, original).await?,
        (None, Some(uri)) => posts::unchecked_by_uri(&mut tx, uri).await?,
        (None, None) => None,
    };
    let Some(boost) = boost.filter(|b| b.account_id == who.id && b.boost_of_id.is_some()) else { return Ok(false) };
    delete::bury(&mut tx, &boost, Media::Remove).await?;
    posts::free_uri(&mut tx, boost.id).await?;
    tx.commit().await?;
    Ok(true)
}

struct Row {
    id: PostId,
    uri: String,
    url: String,
    visibility: Visibility,
    created_at: Timestamp,
}

async fn write(tx: &mut Tx, who: &Account, original: &Post, row: Row) -> Result<()> {
    let boost = Post {
        id: row.id,
        uri: row.uri,
        url: row.url,
        account_id: who.id,
        boost_of_id: Some(original.id),
        in_reply_to_id: None,
        in_reply_to_account_id: None,
        in_reply_to_uri: None,
        thread_id: ThreadId(row.id.0),
        visibility: row.visibility,
        content: String::new(),
        source: None,
        spoiler_text: String::new(),
        sensitive: false,
        language: None,
        local: who.is_local(),
        app_id: None,
        created_at: row.created_at,
        edited_at: None,
        replies_count: 0,
        boosts_count: 0,
        favourites_count: 0,
    };
    posts::insert(tx, &boost, &Links::default()).await?;
    fanout::boost_created(tx, who, &boost, original).await
}
