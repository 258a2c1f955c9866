//! `PATCH /api/v1/accounts/update_credentials`: her profile and what she prefers.

use app::accounts::profile::{Field, Picture, Profile, change};
use axum::extract::{FromRequest as _, Request, State};
use axum::response::Response;
use serde::Deserialize;

use super::verify_credentials::myself;
use crate::api::caller::Caller;
use crate::api::dto::status::visibility_from;
use crate::api::error::{Error, Result};
use crate::api::params::{List, WithFiles};
use crate::api::quotes::check_policy;
use crate::state::Web;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Params {
    display_name: Option<String>,
    note: Option<String>,
    avatar: Option<String>,
    header: Option<String>,
    avatar_description: Option<String>,
    header_description: Option<String>,
    locked: Option<bool>,
    bot: Option<bool>,
    discoverable: Option<bool>,
    indexable: Option<bool>,
    hide_collections: Option<bool>,
    fields_attributes: List<FieldParams>,
    attribution_domains: List<String>,
    source: Source,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FieldParams {
    name: String,
    value: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Source {
    privacy: Option<String>,
    sensitive: Option<bool>,
    language: Option<String>,
    quote_policy: Option<String>,
}

pub async fn update_credentials(State(web): State<Web>, caller: Caller, request: Request) -> Result<Response> {
    caller.allow("write:accounts")?;
    let WithFiles { params, mut files } = WithFiles::<Params>::from_request(request, &web).await?;
    let mut picture = |name: &str, sent: Option<String>| match (files.remove(name), sent.as_deref()) {
        (Some(file), _) => Ok(Some(Picture::New(file.sent))),
        // An empty text takes the picture away.
        (None, Some("")) => Ok(Some(Picture::None)),
        (None, Some(_)) => Err(Error::Invalid(format!("{name} must be sent as a file"))),
        (None, None) => Ok(None),
    };
    let default_visibility = match params.source.privacy.as_deref() {
        None | Some("") => None,
        Some(name) => Some(visibility_from(name).ok_or_else(|| {
            Error::Invalid("source[privacy] must be one of public, unlisted, private, direct".to_owned())
        })?),
    };
    check_policy("source[quote_policy]", params.source.quote_policy.as_deref())?;
    let profile = Profile {
        display_name: params.display_name,
        note: params.note,
        fields: params
            .fields_attributes
            .0
            .map(|rows| rows.into_iter().map(|f| Field { name: f.name, value: f.value }).collect()),
        avatar: picture("avatar", params.avatar)?,
        avatar_description: params.avatar_description,
        header: picture("header", params.header)?,
        header_description: params.header_description,
        locked: params.locked,
        bot: params.bot,
        discoverable: params.discoverable,
        indexable: params.indexable,
        hide_collections: params.hide_collections,
        default_visibility,
        default_sensitive: params.source.sensitive,
        default_language: params.source.language,
        attribution_domains: params.attribution_domains.0,
    };
    change(&web.app, caller.id, profile).await?;
    myself(&web, &caller).await
}
