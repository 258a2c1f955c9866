//! The pages: what people see in a browser, without an app and without script.

pub mod about;
pub mod assets;
pub mod card;
pub mod community;
pub mod feed;
pub mod frame;
pub mod from_home;
pub mod front;
pub mod interact;
pub mod leaving;
pub mod login;
pub mod message;
pub mod new_account;
pub mod paging;
pub mod post;
pub mod profile;
pub mod set_up;
pub mod sign_up;
pub mod tag;
pub mod text;
pub mod visitor;
pub mod when;

use axum::extract::DefaultBodyLimit;
use axum::middleware::map_response;
use axum::routing::{get, post};
use axum::{Router, middleware};

use crate::cross_origin;
use crate::oauth;
use crate::state::Web;

/// Bytes of a form.
const FORM_LIMIT: usize = 64 * 1024;

/// Every page, dressed.
pub fn routes(web: &Web) -> Router<Web> {
    Router::new()
        .route("/", get(front::front))
        .route("/about", get(about::about))
        .route("/@{name}", get(profile::profile).layer(map_response(cross_origin::unless_page)))
        .route("/@{name}/{id}", get(self::post::post).layer(map_response(cross_origin::unless_page)))
        .route("/tags/{name}", get(tag::tag))
        .route("/feed.rss", get(feed::of_community))
        .route("/authorize_interaction", get(interact::show).post(interact::submit))
        .route("/from-home", get(from_home::show))
        .route("/login", get(login::show).post(login::submit))
        .route("/logout", post(login::leave))
        .route("/sign-up", get(sign_up::show).post(sign_up::submit))
        .route("/invite/{code}", get(sign_up::show_invite).post(sign_up::submit_invite))
        .route("/set-up", get(set_up::show).post(set_up::submit))
        .merge(oauth::page_routes())
        .layer(DefaultBodyLimit::max(FORM_LIMIT))
        .layer(middleware::from_fn_with_state(web.clone(), message::dress))
        .route("/static/{name}", get(assets::serve).layer(cross_origin::documents()))
        .route("/favicon.ico", get(assets::favicon))
        .route("/robots.txt", get(assets::robots))
}
