//! `POST /api/v1/apps` and `GET /api/v1/apps/verify_credentials`.

use app::oauth::register::{self, NewClient};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use domain::AppId;
use domain::scope::Scopes;
use serde::Deserialize;

use crate::api::dto::application::{Application, CredentialApplication};
use crate::api::error::{Error, Result};
use crate::api::params::{Body, OneOrMore};
use crate::auth::Authorized;
use crate::limits::{Origin, TooOften};
use crate::state::Web;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Registration {
    client_name: String,
    /// One, several on lines of their own, or a list.
    redirect_uris: OneOrMore<String>,
    scopes: Option<String>,
    website: Option<String>,
}

pub async fn register(State(web): State<Web>, origin: Origin, Body(form): Body<Registration>) -> Result<Response> {
    let too_often = |TooOften(wait)| Error::Limited { retry_after: wait.as_secs().max(1) };
    web.limits.register_app(origin).map_err(too_often)?;
    let asked = form.scopes.as_deref().filter(|s| !s.trim().is_empty()).unwrap_or("read");
    let scopes = Scopes::parse(asked)
        .map_err(|unknown| Error::Invalid(format!("Scopes doesn't match configured on the server: {unknown}")))?;
    let new = NewClient {
        name: form.client_name,
        website: form.website,
        redirect_uris: form
            .redirect_uris
            .0
            .iter()
            .flat_map(|uris| uris.split_whitespace())
            .map(str::to_owned)
            .collect(),
        scopes,
    };
    let (client, secret) = register::register(&web.app, &new).await?;
    let body = CredentialApplication {
        application: application(&client),
        client_id: &client.client_id,
        client_secret: &secret,
        client_secret_expires_at: 0,
    };
    Ok(Json(body).into_response())
}

/// What `porchlight account token` is called where apps are named; it never registered.
const COMMAND_LINE: &str = "Porchlight command line";

/// Any scope will do: the app asks who it is.
pub async fn verify_credentials(State(web): State<Web>, auth: Authorized) -> Result<Response> {
    let Some(id) = auth.client() else {
        let scopes = auth.scopes().iter();
        let shell = Application::new(AppId(0), COMMAND_LINE, None, scopes, std::iter::empty());
        return Ok(Json(shell).into_response());
    };
    let mut conn = web.app.db.read().await.map_err(app::Error::from)?;
    let client = storage::oauth::client(&mut conn, id).await.map_err(app::Error::from)?;
    Ok(Json(application(&client)).into_response())
}

fn application(client: &storage::oauth::Client) -> Application<'_> {
    Application::new(
        client.id,
        &client.name,
        client.website.as_deref(),
        client.scopes.iter(),
        client.redirect_uris.iter().map(String::as_str),
    )
}
