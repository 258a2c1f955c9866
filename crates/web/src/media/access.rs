//! Who may load what posts show.
//!
//! A file of a post that everybody may see is everybody's. Any other is given only to somebody who may see the post
//! now: the one rule for posts (`storage::visible`) decides, anew each time. Who asks is known by the proof in the
//! address, by the session of a browser, by an app's token, or by another server's signature. Whoever may not see a
//! file is answered as if there were none, and so is a community that we do not speak with.

use axum::extract::OptionalFromRequestParts;
use axum_extra::extract::cookie::CookieJar;
use domain::attachment::Attachment;
use domain::{AccountId, Viewer, Whom};
use http::request::Parts;
use storage::{attachments, members, posts};

use crate::api::caller::Caller;
use crate::auth::SignedIn;
use crate::state::Web;

/// Who else may see what is given now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForWhom {
    Everybody,
    /// Nobody may be assumed to: no cache that is shared, no page elsewhere.
    Some,
}

/// What a post shows, to whoever asks for it. `proven` is for whom its address was written. `None`: not for her.
///
/// # Errors
/// When the database refuses.
pub async fn given(web: &Web, a: &Attachment, proven: Option<Whom>, parts: &mut Parts) -> app::Result<Option<ForWhom>> {
    if web.federation.refuses(parts).await? {
        return Ok(None);
    }
    if may_see(web, Viewer::Anonymous, a).await? {
        return Ok(Some(ForWhom::Everybody));
    }
    let allowed = by_address(web, a, proven).await?
        || by_session(web, a, parts).await?
        || by_token(web, a, parts).await?
        || by_signature(web, a, parts).await?;
    Ok(allowed.then_some(ForWhom::Some))
}

async fn may_see(web: &Web, viewer: Viewer, a: &Attachment) -> app::Result<bool> {
    let mut conn = web.app.db.read().await?;
    Ok(attachments::may_see(&mut conn, viewer, a.id).await?)
}

async fn by_address(web: &Web, a: &Attachment, proven: Option<Whom>) -> app::Result<bool> {
    match proven {
        None | Some(Whom::Anyone) => Ok(false),
        Some(Whom::Reader { account, .. }) => Ok(is_member(web, account).await? && may_see_as(web, account, a).await?),
        Some(Whom::Peers) => lives(web, a).await,
    }
}

async fn may_see_as(web: &Web, account: AccountId, a: &Attachment) -> app::Result<bool> {
    may_see(web, Viewer::Account(account), a).await
}

/// Could she sign in now?
async fn is_member(web: &Web, account: AccountId) -> app::Result<bool> {
    let mut conn = web.app.db.read().await?;
    match members::with_account(&mut conn, account).await {
        Ok((account, member)) => Ok(member.may_sign_in(&account)),
        Err(storage::Error::NotFound) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Is there still a post that shows it, whose author is still here?
async fn lives(web: &Web, a: &Attachment) -> app::Result<bool> {
    match a.post_id {
        Some(_) => may_see_as(web, a.account_id, a).await,
        None => Ok(false),
    }
}

async fn by_session(web: &Web, a: &Attachment, parts: &Parts) -> app::Result<bool> {
    let jar = CookieJar::from_headers(&parts.headers);
    match SignedIn::by_cookie(web, &jar).await? {
        Some(me) => may_see_as(web, me.account.id, a).await,
        None => Ok(false),
    }
}

/// A token that is not good is no token here: a file is asked for by much that only passes one on.
async fn by_token(web: &Web, a: &Attachment, parts: &mut Parts) -> app::Result<bool> {
    match <Caller as OptionalFromRequestParts<Web>>::from_request_parts(parts, web).await {
        Ok(Some(caller)) if caller.allow("read:statuses").is_ok() => may_see_as(web, caller.id, a).await,
        _ => Ok(false),
    }
}

async fn by_signature(web: &Web, a: &Attachment, parts: &Parts) -> app::Result<bool> {
    let Some(post) = a.post_id.filter(|_| parts.headers.contains_key("signature")) else { return Ok(false) };
    let found = posts::unchecked(&mut web.app.db.read().await?, post).await;
    match found {
        Ok(post) => Ok(post.local && web.federation.may_fetch(parts, &post).await? && lives(web, a).await?),
        Err(storage::Error::NotFound) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
