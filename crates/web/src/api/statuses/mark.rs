//! `POST /api/v1/statuses/:id/…`: favourite, bookmark, pin, mute the discussion, and the undoing of each.

use app::posts;
use axum::extract::State;
use axum::response::Response;
use domain::PostId;

use super::get::{shown, taken_back};
use crate::api::caller::Caller;
use crate::api::error::Result;
use crate::api::params::PathId;
use crate::state::Web;

macro_rules! marks {
    ($($name:ident: $scope:literal => $verb:path, $answer:ident;)*) => {$(
        pub async fn $name(State(web): State<Web>, caller: Caller, PathId(id): PathId<PostId>) -> Result<Response> {
            caller.allow($scope)?;
            let me = caller.account(&mut web.app.db.read().await?).await?;
            $verb(&web.app, &me, id).await?;
            $answer(&web, caller.viewer(), id).await
        }
    )*};
}

marks! {
    favourite: "write:favourites" => posts::favourite::favourite, shown;
    unfavourite: "write:favourites" => posts::favourite::unfavourite, taken_back;
    bookmark: "write:bookmarks" => posts::bookmark::bookmark, shown;
    unbookmark: "write:bookmarks" => posts::bookmark::unbookmark, taken_back;
    pin: "write:accounts" => posts::pin::pin, shown;
    unpin: "write:accounts" => posts::pin::unpin, shown;
    mute: "write:mutes" => posts::mute::mute, shown;
    unmute: "write:mutes" => posts::mute::unmute, taken_back;
}
