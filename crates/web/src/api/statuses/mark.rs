//! `POST /api/v1/statuses/:id/…`: favourite, bookmark, pin, mute the discussion, and the undoing of each.

use app::posts;
use axum::extract::State;
use axum::response::Response;
use domain::PostId;

use super::get::shown;
use crate::api::caller::Caller;
use crate::api::error::Result;
use crate::api::params::PathId;
use crate::state::Web;

macro_rules! marks {
    ($($name:ident: $scope:literal => $verb:path;)*) => {$(
        pub async fn $name(State(web): State<Web>, caller: Caller, PathId(id): PathId<PostId>) -> Result<Response> {
            caller.allow($scope)?;
            let me = caller.account(&mut web.app.db.read().await?).await?;
            $verb(&web.app, &me, id).await?;
            shown(&web, caller.viewer(), id).await
        }
    )*};
}

marks! {
    favourite: "write:favourites" => posts::favourite::favourite;
    unfavourite: "write:favourites" => posts::favourite::unfavourite;
    bookmark: "write:bookmarks" => posts::bookmark::bookmark;
    unbookmark: "write:bookmarks" => posts::bookmark::unbookmark;
    pin: "write:accounts" => posts::pin::pin;
    unpin: "write:accounts" => posts::pin::unpin;
    mute: "write:mutes" => posts::mute::mute;
    unmute: "write:mutes" => posts::mute::unmute;
}
