//! `POST /api/v1/accounts`: an app signs somebody up, with its own token, and gets hers.

use app::accounts::create::NewMember;
use app::accounts::sign_up::sign_up;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::account::Credentials;
use serde::Deserialize;

use crate::api::dto::application::Token;
use crate::api::error::{Error, Result};
use crate::api::params::Body;
use crate::auth::Authorized;
use crate::state::Web;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Params {
    username: String,
    email: String,
    password: String,
    agreement: bool,
    locale: String,
    reason: String,
    invite_code: Option<String>,
}

pub async fn create(State(web): State<Web>, token: Authorized, Body(params): Body<Params>) -> Result<Response> {
    token.require("write:accounts")?;
    if token.account().is_some() {
        return Err(Error::Forbidden("This method requires an app's own token".into()));
    }
    if !params.agreement {
        return Err(Error::Fields { field: "agreement", code: "ERR_ACCEPTED", why: "must be accepted".to_owned() });
    }
    let new = NewMember {
        username: params.username,
        email: params.email,
        password: params.password,
        locale: params.locale,
        reason: params.reason,
    };
    let invite = params.invite_code.as_deref().filter(|code| !code.is_empty());
    let joined = sign_up(&web.app, &new, invite).await.map_err(named)?;
    // While she waits to be let in the token answers 403, and works from then on.
    let hers = Credentials::new_members(joined.account.id);
    let (secret, token) = app::oauth::tokens::issue(&web.app, token.client(), Some(hers), token.scopes()).await?;
    Ok(Json(Token::new(&secret, &token.scopes, token.created_at)).into_response())
}

/// Sign-up forms of apps show what is wrong beside each field.
fn named(e: app::Error) -> Error {
    match e {
        app::Error::Invalid { field, why } => {
            let code = match why.as_str() {
                "is taken" | "belongs to a member already" => "ERR_TAKEN",
                "must not be empty" => "ERR_BLANK",
                "is reserved" => "ERR_RESERVED",
                _ => "ERR_INVALID",
            };
            Error::Fields { field, code, why }
        }
        other => other.into(),
    }
}
