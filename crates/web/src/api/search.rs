//! `GET /api/v2/search`: accounts, posts and hashtags by words; with `resolve`, also what other servers have under
//! a handle or an address.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::account::Handle;
use domain::text::Tag as Name;
use domain::{AccountId, PostId};
use federation::Resolved;
use federation::client::Asker;
use serde::Deserialize;
use storage::search::{AccountQuery, PostQuery};
use storage::tags::Tag;
use storage::{hydrate, posts};

use super::caller::Caller;
use super::dto::search::Search;
use super::error::{Error, Result};
use super::pagination::Paging;
use super::params::{OptionalId, Query};
use super::render::Json as Raw;
use super::tags;
use crate::resolve;
use crate::state::Web;

pub fn routes() -> Router<Web> {
    Router::new().route("/api/v2/search", get(search))
}

/// Who searches now: one search at a time for each member. Apps ask with every letter that is typed.
#[derive(Debug, Default)]
pub struct Searches(Mutex<HashMap<AccountId, Weak<tokio::sync::Mutex<()>>>>);

impl Searches {
    fn of(&self, member: AccountId) -> Arc<tokio::sync::Mutex<()>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = all.get(&member).and_then(Weak::upgrade) {
            return turn;
        }
        all.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::default();
        all.insert(member, Arc::downgrade(&turn));
        turn
    }
}

/// Characters of what is looked for.
const MAX_CHARS: usize = 500;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Params {
    q: String,
    #[serde(rename = "type")]
    kind: Option<Kind>,
    resolve: bool,
    following: bool,
    account_id: OptionalId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Accounts,
    Statuses,
    Hashtags,
}

fn checked(q: &str) -> Result<&str> {
    let q = q.trim();
    if q.chars().count() > MAX_CHARS {
        return Err(Error::Invalid(format!("q must have at most {MAX_CHARS} characters")));
    }
    Ok(q)
}

async fn search(
    State(web): State<Web>,
    caller: Caller,
    Query(params): Query<Params>,
    paging: Paging,
) -> Result<Response> {
    caller.allow("read:search")?;
    let q = checked(&params.q)?;
    let wants = |kind| params.kind.is_none_or(|k| k == kind);
    let mut found = Search::default();
    if q.is_empty() {
        return Ok(Json(found).into_response());
    }
    if q.starts_with("https://") || q.starts_with("http://") {
        by_address(&web, &caller, q, params.resolve, &wants, &mut found).await?;
        return Ok(Json(found).into_response());
    }
    if wants(Kind::Accounts) && !q.starts_with('#') {
        found.accounts = accounts(&web, &caller, q, params.resolve, params.following, &paging).await?;
    }
    let words = wants(Kind::Statuses) && !q.starts_with(['@', '#']);
    let tag = if wants(Kind::Hashtags) && !q.starts_with('@') { Name::new(q) } else { None };
    let mut known: Vec<Tag> = Vec::new();
    if words || tag.is_some() {
        // One member's searches wait for each other, not others for them.
        let turn = web.searches.of(caller.id);
        let _mine = turn.lock().await;
        let mut conn = web.app.db.read_long().await?;
        if words {
            let page = paging.page(20, 40);
            let query = PostQuery {
                text: q,
                by: params.account_id.0.map(AccountId),
                max_id: page.max_id.map(PostId),
                min_id: page.min_id.or(page.since_id).map(PostId),
                limit: page.limit,
                offset: paging.offset(),
            };
            let ids = in_time(storage::search::posts(&mut conn, caller.id, &query).await)?;
            let views = hydrate::posts(&mut conn, caller.viewer(), &ids).await?;
            found.statuses = web.render(caller.viewer()).statuses(&views)?;
        }
        if let Some(name) = tag {
            let (limit, offset) = (paging.limit(20, 40), paging.offset());
            let tags = storage::tags::starting_with(&mut conn, caller.viewer(), &name.key, limit, offset).await;
            known = in_time(tags)?;
        }
        found.hashtags = tags::shapes(&web, &mut conn, &known, Some(&caller)).await?;
    }
    Ok(Json(found).into_response())
}

/// Accounts by name, or by handle: one that is not known here is asked for at its own server if `ask`.
pub(super) async fn accounts(
    web: &Web,
    caller: &Caller,
    q: &str,
    ask: bool,
    following: bool,
    paging: &Paging,
) -> Result<Vec<Raw>> {
    let q = checked(q)?;
    if q.is_empty() {
        return Ok(Vec::new());
    }
    let (limit, offset) = (paging.limit(40, 80), paging.offset());
    let mut ids: Vec<AccountId> = Vec::new();
    if let Some(handle @ Handle { domain: Some(_), .. }) = Handle::parse(q)
        && offset == 0
        && let Some(exact) = resolve::account(web, &handle, asker(caller, ask)).await?
    {
        ids.push(exact);
    }
    let mut conn = web.app.db.read().await?;
    let query = AccountQuery { text: q, following, limit, offset };
    for id in storage::search::accounts(&mut conn, caller.id, &query).await? {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let mut views = hydrate::accounts_in_order(&mut conn, &ids).await?;
    views.retain(|view| !view.account.is_suspended());
    web.render(caller.viewer()).accounts(&views)
}

/// What was found, unless looking for it took too long.
fn in_time<T>(found: storage::Result<T>) -> Result<T> {
    match found {
        Err(storage::Error::TooLong) => {
            Err(Error::Invalid("this search takes too long: try a longer or rarer word".to_owned()))
        }
        found => Ok(found?),
    }
}

/// In whose name other servers are asked, if they are.
fn asker(caller: &Caller, ask: bool) -> Option<Asker> {
    ask.then_some(Asker::Member(caller.id))
}

/// The one account or post with this address.
async fn by_address(
    web: &Web,
    caller: &Caller,
    address: &str,
    ask: bool,
    wants: &(dyn Fn(Kind) -> bool + Sync),
    found: &mut Search<'_>,
) -> Result<()> {
    match resolve::address(web, address, asker(caller, ask)).await? {
        Some(Resolved::Account(id)) if wants(Kind::Accounts) => {
            let mut conn = web.app.db.read().await?;
            let view = hydrate::account(&mut conn, id).await?;
            if !view.account.is_suspended() {
                found.accounts = vec![web.render(caller.viewer()).account(&view)?];
            }
        }
        Some(Resolved::Post(id)) if wants(Kind::Statuses) => {
            let mut conn = web.app.db.read().await?;
            // She may not see it: then it is not found.
            if posts::get(&mut conn, caller.viewer(), id).await.is_ok() {
                let view = hydrate::post(&mut conn, caller.viewer(), id).await?;
                found.statuses = vec![web.render(caller.viewer()).status(&view)?];
            }
        }
        _ => {}
    }
    Ok(())
}
