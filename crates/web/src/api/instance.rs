//! `/api/v1/instance*`, `/api/v2/instance`: what this community says of itself.

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::instance::CommunitySettings;
use domain::{Host, Viewer};
use storage::{community, hydrate, settings};

use super::dto::instance::{Facts, Instance, Rule, V1Instance, Week};
use super::error::Result;
use super::render::Json as Raw;
use crate::state::Web;

pub fn routes() -> Router<Web> {
    Router::new()
        .route("/api/v1/instance", get(v1))
        .route("/api/v2/instance", get(v2))
        .route("/api/v1/instance/peers", get(peers))
        .route("/api/v1/instance/activity", get(activity))
        .route("/api/v1/instance/rules", get(rules))
}

/// Weeks that `activity` tells of, this one included.
const WEEKS: i64 = 12;

struct Gathered {
    settings: CommunitySettings,
    totals: community::Totals,
    contact: Option<Raw>,
}

async fn gather(web: &Web) -> Result<Gathered> {
    let mut conn = web.app.db.read().await?;
    let settings = settings::community(&mut conn).await?;
    let totals = community::totals(&mut conn, web.app.now()).await?;
    let contact = match community::contact(&mut conn).await? {
        Some(id) => Some(hydrate::account(&mut conn, id).await?),
        None => None,
    };
    let render = web.render(Viewer::Anonymous);
    let contact = contact.as_ref().map(|view| render.account(view)).transpose()?;
    Ok(Gathered { settings, totals, contact })
}

fn facts<'a>(web: &'a Web, g: &'a Gathered) -> Facts<'a> {
    Facts {
        settings: &g.settings,
        limits: web.app.limits(),
        urls: &web.app.urls,
        sign_up: web.app.config.sign_up,
        source_url: &web.app.config.source_url,
        members: g.totals.members,
        active_month: g.totals.active_month,
        posts: g.totals.posts,
        domains: g.totals.domains,
        contact: g.contact.clone(),
    }
}

async fn v1(State(web): State<Web>) -> Result<Response> {
    let gathered = gather(&web).await?;
    Ok(Json(V1Instance::new(&facts(&web, &gathered))).into_response())
}

async fn v2(State(web): State<Web>) -> Result<Response> {
    let gathered = gather(&web).await?;
    Ok(Json(Instance::new(&facts(&web, &gathered))).into_response())
}

async fn peers(State(web): State<Web>) -> Result<Json<Vec<Host>>> {
    let mut conn = web.app.db.read_long().await?;
    Ok(Json(community::peers(&mut conn).await?))
}

async fn activity(State(web): State<Web>) -> Result<Response> {
    let mut conn = web.app.db.read().await?;
    let weeks = community::weeks(&mut conn, web.app.now(), WEEKS).await?;
    let shapes: Vec<Week> = weeks
        .into_iter()
        .map(|w| Week {
            week: w.begins.seconds().to_string(),
            statuses: w.posts.to_string(),
            logins: w.active.to_string(),
            registrations: w.joined.to_string(),
        })
        .collect();
    Ok(Json(shapes).into_response())
}

async fn rules(State(web): State<Web>) -> Result<Response> {
    let mut conn = web.app.db.read().await?;
    let settings = settings::community(&mut conn).await?;
    Ok(Json(Rule::all(&settings.rules)).into_response())
}
