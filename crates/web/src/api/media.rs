//! `/api/v1/media*`, `POST /api/v2/media`: pictures, uploaded before the post that shows them.
//!
//! A picture is ready when the upload is answered, so v1 and v2 differ in nothing but their address.

use app::attachments::{describe, remove, upload};
use axum::Json;
use axum::Router;
use axum::extract::{FromRequest as _, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::attachment::{Attachment, Focus};
use domain::{AccountId, AttachmentId, Whom};
use serde::Deserialize;

use super::caller::Caller;
use super::dto::media::{Addresses, MediaAttachment};
use super::error::{Error, Result};
use super::params::{Body, PathId, WithFiles};
use super::render::nothing;
use crate::state::Web;

pub fn routes() -> Router<Web> {
    Router::new()
        .route("/api/v1/media", post(create))
        .route("/api/v2/media", post(create))
        .route("/api/v1/media/{id}", get(one).put(update).delete(delete))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Params {
    description: Option<String>,
    /// `x,y`, each from -1.0 to 1.0.
    focus: Option<String>,
}

/// `x,y`; `None` for nothing.
pub(super) fn focus(text: Option<String>) -> Result<Option<Focus>> {
    let Some(text) = text.filter(|t| !t.trim().is_empty()) else { return Ok(None) };
    let wrong = || Error::Invalid("focus must be two numbers from -1.0 to 1.0, such as 0.5,-0.25".to_owned());
    let (x, y) = text.split_once(',').ok_or_else(wrong)?;
    let part = |t: &str| t.trim().parse::<f64>().ok().filter(|v| (-1.0..=1.0).contains(v));
    Ok(Some(Focus { x: part(x).ok_or_else(wrong)?, y: part(y).ok_or_else(wrong)? }))
}

async fn create(State(web): State<Web>, caller: Caller, request: Request) -> Result<Response> {
    caller.allow("write:media")?;
    let WithFiles { params, mut files } = WithFiles::<Params>::from_request(request, &web).await?;
    let file = files.remove("file").ok_or_else(|| Error::Invalid("file can't be blank".to_owned()))?;
    let focus = focus(params.focus)?;
    let description = params.description.unwrap_or_default();
    let made = upload::upload(&web.app, caller.id, file.sent, &description, focus).await?;
    Ok(shown(&web, caller.id, &made))
}

/// Whatever shows it, or nothing yet: she may load it.
fn shown(web: &Web, owner: AccountId, a: &Attachment) -> Response {
    let addresses = Addresses { files: &web.app.files, whom: Whom::reader(owner, web.app.now()) };
    Json(MediaAttachment::new(a, &addresses)).into_response()
}

async fn one(State(web): State<Web>, caller: Caller, PathId(id): PathId<AttachmentId>) -> Result<Response> {
    caller.allow("write:media")?;
    let mut conn = web.app.db.read().await?;
    let found = storage::attachments::unchecked(&mut conn, id).await?;
    if found.account_id != caller.id {
        return Err(Error::NotFound);
    }
    Ok(shown(&web, caller.id, &found))
}

async fn update(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId<AttachmentId>,
    Body(params): Body<Params>,
) -> Result<Response> {
    caller.allow("write:media")?;
    describe::describe(&web.app, caller.id, id, params.description.as_deref(), focus(params.focus)?).await?;
    one(State(web), caller, PathId(id)).await
}

async fn delete(State(web): State<Web>, caller: Caller, PathId(id): PathId<AttachmentId>) -> Result<Response> {
    caller.allow("write:media")?;
    remove::remove(&web.app, caller.id, id).await?;
    Ok(nothing())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_focus_is_two_numbers_around_the_centre() {
        assert_eq!(focus(Some("0.5, -0.25".into())).unwrap(), Some(Focus { x: 0.5, y: -0.25 }));
        assert_eq!(focus(None).unwrap(), None);
        for bad in ["1", "2,0", "a,b", "0,NaN", "0;0"] {
            assert_eq!(focus(Some(bad.into())).unwrap_err().status().as_u16(), 422, "{bad}");
        }
    }
}
