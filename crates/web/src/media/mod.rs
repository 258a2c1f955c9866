//! Pictures, videos and sounds: those kept here, and those of other communities, fetched when first asked for, so
//! that no reader's browser or app ever asks another server.
//!
//! What a post shows is given to those who may see the post ([`access`]); avatars, headers and emoji to everybody.

mod access;
pub(crate) mod file;
mod remote;

use axum::Router;
use axum::routing::get;

pub use remote::Fetched;

use crate::state::Web;

pub fn routes() -> Router<Web> {
    Router::new()
        .route("/media/{*key}", get(file::file))
        .route("/media/remote/attachments/{id}/{size}", get(remote::attachment))
        .route("/media/remote/accounts/{id}/{which}", get(remote::profile_image))
        .route("/media/remote/emojis/{id}", get(remote::emoji))
}
