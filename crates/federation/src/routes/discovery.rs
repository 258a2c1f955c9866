//! WebFinger, host-meta and NodeInfo.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use domain::instance::SignUp;
use http::HeaderValue;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE};
use serde::Deserialize;
use storage::{accounts, posts, settings};

use super::Refused;
use crate::webfinger::{self, Resource};
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
    let jrd = match webfinger::resource(&asked, urls).ok_or(Refused::NotFound)? {
        Resource::Instance => webfinger::instance(urls),
        Resource::Name(name) => {
            let mut conn = fed.app.db.read().await?;
            let account = accounts::by_handle(&mut conn, &name, "").await?;
            let account = match account.filter(|account| !account.is_suspended()) {
                Some(account) => account,
                None if accounts::name_was_deleted(&mut conn, &name).await? => return Err(Refused::Gone(None)),
                None => return Err(Refused::NotFound),
            };
            webfinger::account(&account, urls)
        }
    };
    let body = serde_json::to_vec(&jrd).map_err(app::Error::internal)?;
    let kind = HeaderValue::from_static("application/jrd+json; charset=utf-8");
    Ok(([(CONTENT_TYPE, kind), (ACCESS_CONTROL_ALLOW_ORIGIN, ANYONE)], body).into_response())
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
    let mut conn = fed.app.db.read().await?;
    let (posts, members) = posts::local_totals(&mut conn).await?;
    let community = settings::community(&mut conn).await?;
    drop(conn);
    let open = fed.app.config.sign_up == SignUp::Open;
    let usage = nodeinfo::Usage { members, posts };
    let document = nodeinfo::document(&version, &community.title, &community.description, open, usage);
    let body = serde_json::to_vec(&document.ok_or(Refused::NotFound)?).map_err(app::Error::internal)?;
    let kind = format!("application/json; profile=\"http://nodeinfo.diaspora.software/ns/schema/{version}#\"");
    let kind = HeaderValue::from_str(&kind).map_err(app::Error::internal)?;
    let headers = [
        (CONTENT_TYPE, kind),
        (ACCESS_CONTROL_ALLOW_ORIGIN, ANYONE),
        (CACHE_CONTROL, HeaderValue::from_static("max-age=600, public")),
    ];
    Ok((headers, body).into_response())
}
