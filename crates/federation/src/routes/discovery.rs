//! WebFinger, host-meta and NodeInfo.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::instance::SignUp;
use http::HeaderValue;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE};
use serde::Deserialize;
use storage::{accounts, community, settings};

use super::Refused;
use crate::remembered::Answer;
use crate::webfinger::{self, Jrd, Resource};
use crate::{Federation, nodeinfo};

const ANYONE: HeaderValue = HeaderValue::from_static("*");

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    resource: Option<String>,
}

/// `GET /.well-known/webfinger?resource=…`
pub(super) async fn webfinger(State(fed): State<Federation>, Query(asked): Query<Asked>) -> Result<Response, Refused> {
    let asked = asked.resource.ok_or(Refused::Invalid("resource is missing"))?;
    let urls = &fed.app.urls;
    match webfinger::resource(&asked, urls).ok_or(Refused::NotFound)? {
        Resource::Instance => jrd(&webfinger::instance(urls)).map(found),
        Resource::Name(name) => {
            if let Some(answer) = fed.remembered.answer(Answer::Finger, &name) {
                return Ok(found(answer));
            }
            let now = fed.remembered.now();
            let mut conn = fed.app.db.read().await?;
            let account = accounts::by_handle(&mut conn, &name, None).await?;
            let account = match account.filter(|account| !account.is_suspended()) {
                Some(account) => account,
                None if accounts::name_was_deleted(&mut conn, &name).await? => return Err(Refused::Gone(None)),
                None => return Err(Refused::NotFound),
            };
            let answer = jrd(&webfinger::account(&account, urls))?;
            fed.remembered.keep_answer(now, Answer::Finger, &name, account.id, answer.clone());
            Ok(found(answer))
        }
    }
}

fn jrd(answer: &Jrd) -> Result<Bytes, Refused> {
    Ok(serde_json::to_vec(answer).map_err(app::Error::internal)?.into())
}

fn found(answer: Bytes) -> Response {
    let kind = HeaderValue::from_static("application/jrd+json; charset=utf-8");
    ([(CONTENT_TYPE, kind), (ACCESS_CONTROL_ALLOW_ORIGIN, ANYONE)], answer).into_response()
}

/// `GET /.well-known/host-meta`
pub(super) async fn host_meta(State(fed): State<Federation>) -> Response {
    let kind = HeaderValue::from_static("application/xrd+xml; charset=utf-8");
    ([(CONTENT_TYPE, kind)], webfinger::host_meta(&fed.app.urls)).into_response()
}

/// `GET /.well-known/nodeinfo`
pub(super) async fn nodeinfo_links(State(fed): State<Federation>) -> Response {
    ([(ACCESS_CONTROL_ALLOW_ORIGIN, ANYONE)], axum::Json(nodeinfo::discovery(&fed.app.urls))).into_response()
}

/// `GET /nodeinfo/2.0` and `2.1`
pub(super) async fn nodeinfo(State(fed): State<Federation>, Path(version): Path<String>) -> Result<Response, Refused> {
    let body = match fed.remembered.answer(Answer::NodeInfo, &version) {
        Some(body) => body,
        None => node_info(&fed, &version).await?,
    };
    let kind = format!("application/json; profile=\"http://nodeinfo.diaspora.software/ns/schema/{version}#\"");
    let kind = HeaderValue::from_str(&kind).map_err(app::Error::internal)?;
    let headers = [
        (CONTENT_TYPE, kind),
        (ACCESS_CONTROL_ALLOW_ORIGIN, ANYONE),
        (CACHE_CONTROL, HeaderValue::from_static("max-age=600, public")),
    ];
    Ok((headers, body).into_response())
}

async fn node_info(fed: &Federation, version: &str) -> Result<Bytes, Refused> {
    let now = fed.remembered.now();
    let mut conn = fed.app.db.read().await?;
    let totals = community::totals(&mut conn, fed.app.now()).await?;
    let community = settings::community(&mut conn).await?;
    drop(conn);
    let open = fed.app.config.sign_up == SignUp::Open;
    let usage = nodeinfo::Usage { members: totals.members, posts: totals.posts };
    let document = nodeinfo::document(version, &fed.app.config.source_url, &community, open, usage);
    let body = serde_json::to_vec(&document.ok_or(Refused::NotFound)?).map_err(app::Error::internal)?;
    let body = Bytes::from(body);
    fed.remembered.keep_node_info(now, version.to_owned(), body.clone());
    Ok(body)
}
