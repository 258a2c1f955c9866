//! `POST /oauth/token`.

use app::accounts::log_in::Outcome;
use app::oauth::exchange::exchange;
use app::oauth::tokens::issue;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use domain::scope::Scopes;
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use storage::oauth::{Client, Token};

use super::client::authenticate;
use super::error::OAuthError;
use crate::api::params::Body;
use crate::limits::Origin;
use crate::sign_in::{sign_in, signed_in};
use crate::state::Web;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TokenRequest {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    code: Option<String>,
    redirect_uri: Option<String>,
    code_verifier: Option<String>,
    scope: Option<String>,
    username: Option<String>,
    password: Option<String>,
}

#[derive(Serialize)]
struct TokenAnswer {
    access_token: String,
    token_type: &'static str,
    scope: String,
    /// Seconds since 1970.
    created_at: i64,
}

pub async fn token(
    State(web): State<Web>,
    origin: Origin,
    headers: HeaderMap,
    Body(form): Body<TokenRequest>,
) -> Result<Response, OAuthError> {
    web.limits.token(origin)?;
    let client = authenticate(&web, &headers, form.client_id.as_deref(), form.client_secret.as_deref()).await?;
    let (secret, token) = match form.grant_type.as_deref() {
        Some("authorization_code") => by_code(&web, &client, &form).await?,
        Some("client_credentials") => {
            let scopes = requested(&client, form.scope.as_deref())?;
            issue(&web.app, Some(client.id), None, &scopes).await?
        }
        Some("password") => by_password(&web, &client, origin, &form).await?,
        Some(_) => return Err(OAuthError::UnsupportedGrantType),
        None => return Err(OAuthError::InvalidRequest("Missing required parameter: grant_type.".to_owned())),
    };
    let answer = TokenAnswer {
        access_token: secret,
        token_type: "Bearer",
        scope: token.scopes.to_string(),
        created_at: token.created_at.seconds(),
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

async fn by_code(web: &Web, client: &Client, form: &TokenRequest) -> Result<(String, Token), OAuthError> {
    let missing = |name: &str| OAuthError::InvalidRequest(format!("Missing required parameter: {name}."));
    let code = form.code.as_deref().ok_or_else(|| missing("code"))?;
    let redirect_uri = form.redirect_uri.as_deref().ok_or_else(|| missing("redirect_uri"))?;
    Ok(exchange(&web.app, client, code, redirect_uri, form.code_verifier.as_deref()).await?)
}

/// RFC 6749, section 4.3: the app saw the password. Command-line clients and bots of Mastodon still ask this way; it is
/// limited as signing in is.
async fn by_password(
    web: &Web,
    client: &Client,
    origin: Origin,
    form: &TokenRequest,
) -> Result<(String, Token), OAuthError> {
    let (Some(login), Some(password)) = (form.username.as_deref(), form.password.as_deref()) else {
        return Err(OAuthError::InvalidRequest("Missing required parameter: username or password.".to_owned()));
    };
    let scopes = requested(client, form.scope.as_deref())?;
    match sign_in::<OAuthError>(web, origin, login, password).await? {
        Outcome::Welcome(who) => {
            let judged = who.1.credentials();
            let made = issue(&web.app, Some(client.id), Some(judged), &scopes).await?;
            signed_in(web, judged.account, origin).await;
            Ok(made)
        }
        Outcome::Wrong => Err(OAuthError::InvalidGrant("The name or the password is wrong.".to_owned())),
        Outcome::Waiting => Err(OAuthError::InvalidGrant("The account waits to be let in.".to_owned())),
        Outcome::Disabled => Err(OAuthError::InvalidGrant("The account is closed.".to_owned())),
    }
}

/// What it asks for, or `read`; never more than it was registered with.
fn requested(client: &Client, scope: Option<&str>) -> Result<Scopes, OAuthError> {
    let asked = scope.filter(|s| !s.trim().is_empty()).unwrap_or("read");
    let scopes = Scopes::parse(asked).map_err(|_| OAuthError::InvalidScope)?;
    if client.scopes.contains_all(&scopes) { Ok(scopes) } else { Err(OAuthError::InvalidScope) }
}
