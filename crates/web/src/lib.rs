//! Everything that a client app or a browser talks to. Never holds SQL, never speaks to other servers itself.

pub mod api;
pub mod auth;
pub mod compose;
mod counts;
pub mod cross_origin;
pub mod csrf;
pub mod limits;
pub mod line;
pub mod media;
pub mod oauth;
pub mod places;
pub mod resolve;
pub mod shares;
pub mod sign_in;
pub mod state;
pub mod ui;

use axum::Router;

pub use state::{Config, Web};

/// Everything that is served here. Needs the address of the connection (`into_make_service_with_connect_info`) to
/// know whom it limits.
pub fn router(web: Web) -> Router {
    Router::new()
        .merge(api::routes(&web))
        .merge(oauth::routes())
        .merge(ui::routes(&web))
        .merge(self::media::routes())
        .fallback(ui::message::nothing_here)
        .with_state(web)
}
