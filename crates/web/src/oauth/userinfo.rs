//! `GET` or `POST /oauth/userinfo`: who let the app in.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::api::error::Result;
use crate::auth::Authorized;
use crate::state::Web;

pub async fn userinfo(State(web): State<Web>, auth: Authorized) -> Result<Response> {
    let id = auth.person("profile")?;
    let mut conn = web.app.db.read().await.map_err(app::Error::from)?;
    let account = storage::accounts::get(&mut conn, id).await.map_err(app::Error::from)?;
    let body = json!({
        "iss": web.app.urls.path("/"),
        "sub": account.uri,
        "name": account.name(),
        "preferred_username": account.username,
        "profile": account.url,
        "picture": web.app.urls.avatar(&account),
    });
    Ok(Json(body).into_response())
}
