//! `POST /api/v1/accounts/:id/{follow,unfollow,remove_from_followers}`.

use app::follows;
use axum::extract::State;
use axum::response::Response;
use domain::AccountId;
use domain::follow::FollowOptions;
use serde::Deserialize;

use super::relationships;
use crate::api::caller::Caller;
use crate::api::error::Result;
use crate::api::params::{Body, List, PathId};
use crate::state::Web;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Params {
    reblogs: Option<bool>,
    notify: Option<bool>,
    languages: List<String>,
}

/// Follows, or changes what she wants to see of somebody she follows. What is not named stays as it is.
pub async fn follow(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId<AccountId>,
    Body(params): Body<Params>,
) -> Result<Response> {
    caller.allow_either("follow", "write:follows")?;
    let mut conn = web.app.db.read().await?;
    let me = caller.account(&mut conn).await?;
    let now = match storage::follows::find(&mut conn, caller.id, id).await? {
        Some(follow) => Some(follow),
        None => storage::follows::find_request(&mut conn, caller.id, id).await?,
    };
    drop(conn);
    let now = now.map_or_else(FollowOptions::default, |f| f.options);
    let options = FollowOptions {
        show_boosts: params.reblogs.unwrap_or(now.show_boosts),
        notify: params.notify.unwrap_or(now.notify),
        languages: params.languages.0.map_or(now.languages, |l| l.into_iter().filter(|l| !l.is_empty()).collect()),
    };
    follows::request::request(&web.app, &me, id, options).await?;
    relationships::one(&web, caller.id, id).await
}

pub async fn unfollow(State(web): State<Web>, caller: Caller, PathId(id): PathId<AccountId>) -> Result<Response> {
    caller.allow_either("follow", "write:follows")?;
    let me = caller.account(&mut web.app.db.read().await?).await?;
    follows::remove::remove(&web.app, &me, id).await?;
    relationships::one(&web, caller.id, id).await
}

pub async fn remove_from_followers(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId<AccountId>,
) -> Result<Response> {
    caller.allow_either("follow", "write:follows")?;
    let me = caller.account(&mut web.app.db.read().await?).await?;
    follows::reject::remove_follower(&web.app, &me, id).await?;
    relationships::one(&web, caller.id, id).await
}
