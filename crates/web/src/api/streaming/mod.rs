//! `/api/v1/streaming*`: what happens, as it happens, over WebSocket or server-sent events.
//!
//! The token comes by `Authorization`, by `access_token` in the query or by `Sec-WebSocket-Protocol`. Listeners are
//! served by one task a process (`dispatch`); a stream ends with its token, and when the server stops.

mod channel;
mod dispatch;
mod listeners;
mod sse;
mod ws;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts, OptionalFromRequestParts, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use http::request::Parts;

use channel::{Channel, Named};
pub use dispatch::start;
pub use listeners::Listeners;
use listeners::{Inbox, Subscription, Who};

use super::caller::Caller;
use super::error::{Error, Result};
use super::params::Query;
use crate::auth::Authorized;
use crate::limits::Origin;
use crate::line::Line;
use crate::state::Web;

/// Seconds after which whoever found no place may come back.
const COME_BACK: u64 = 60;

pub fn routes() -> Router<Web> {
    let mut router = Router::new()
        .route("/api/v1/streaming", get(any_stream))
        .route("/api/v1/streaming/", get(any_stream))
        .route("/api/v1/streaming/health", get(|| async { "OK" }));
    for (path, name) in [
        ("user", "user"),
        ("user/notification", "user:notification"),
        ("public", "public"),
        ("public/local", "public:local"),
        ("public/remote", "public:remote"),
        ("hashtag", "hashtag"),
        ("hashtag/local", "hashtag:local"),
        ("list", "list"),
        ("direct", "direct"),
    ] {
        let handler = move |State(web): State<Web>, request: Request| stream(web, request, Some(name));
        router = router.route(&format!("/api/v1/streaming/{path}"), get(handler));
    }
    router
}

async fn any_stream(State(web): State<Web>, request: Request) -> Result<Response> {
    stream(web, request, None).await
}

async fn stream(web: Web, request: Request, name: Option<&'static str>) -> Result<Response> {
    let (mut parts, _) = request.into_parts();
    let Query(named) = Query::<Named>::from_request_parts(&mut parts, &web).await?;
    let (caller, protocol) = caller(&mut parts, &web).await?;
    let name = name.or(named.stream.as_deref());
    let channel = name.map(|name| Channel::parse(name, &named)).transpose()?;
    if let Some(channel) = &channel {
        check(&web, caller.as_ref(), channel).await?;
    }
    // She listens before she is told that she does: nothing that happens from now on is missed, the end of her token
    // neither. One that ended since it was looked up said so to nobody.
    let Ok(origin) = Origin::from_request_parts(&mut parts, &web).await;
    let (place, inbox) = join(&web, caller.as_ref(), origin).ok_or(Error::Limited { retry_after: COME_BACK })?;
    if let Some(caller) = &caller {
        let mut conn = web.app.db.read().await?;
        if storage::oauth::usable(&mut conn, &[caller.token().token()], web.app.now()).await?.is_empty() {
            return Err(Error::Unauthorized);
        }
    }
    let wants_socket =
        parts.headers.get(UPGRADE).and_then(|v| v.to_str().ok()).is_some_and(|v| v.eq_ignore_ascii_case("websocket"));
    if wants_socket {
        let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &web)
            .await
            .map_err(|e| Error::BadRequest(format!("not a WebSocket: {e}")))?;
        let upgrade = match protocol {
            Some(protocol) => upgrade.protocols([protocol]),
            None => upgrade,
        };
        if let Some(channel) = channel {
            let _ = place.add(channel);
        }
        return Ok(ws::serve(web, upgrade, caller, place, inbox));
    }
    let channel = channel.ok_or_else(|| Error::BadRequest("Missing parameter: stream".to_owned()))?;
    let _ = place.add(channel);
    if let Some(line) = parts.extensions.get::<Line>() {
        line.begin_stream();
    }
    Ok(sse::serve(place, inbox, web.stop.clone()).into_response())
}

/// Who listens. A browser's WebSocket can send its token only as the name of a protocol, which is then answered.
async fn caller(parts: &mut Parts, web: &Web) -> Result<(Option<Caller>, Option<String>)> {
    let protocol = parts.headers.get(SEC_WEBSOCKET_PROTOCOL).and_then(|v| v.to_str().ok());
    let protocol = protocol.and_then(|all| all.split(',').next()).map(|first| first.trim().to_owned());
    if let Some(token) = <Authorized as OptionalFromRequestParts<Web>>::from_request_parts(parts, web).await? {
        return Ok((Some(Caller::new(token)?), protocol.filter(|p| !p.is_empty())));
    }
    match protocol.filter(|p| !p.is_empty()) {
        None => Ok((None, None)),
        Some(protocol) => {
            let token = Authorized::by_token(web, &protocol).await?;
            Ok((Some(Caller::new(token)?), Some(protocol)))
        }
    }
}

/// May she listen to this channel?
async fn check(web: &Web, caller: Option<&Caller>, channel: &Channel) -> Result<()> {
    channel.allow(caller)?;
    if let (Channel::List(id), Some(caller)) = (channel, caller) {
        let mut conn = web.app.db.read().await?;
        storage::lists::get(&mut conn, caller.id, *id).await?;
    }
    Ok(())
}

/// `None` when there are too many listeners, in all or of this address or member.
fn join(web: &Web, caller: Option<&Caller>, origin: Origin) -> Option<(Subscription, Inbox)> {
    web.listeners.join(match caller {
        None => Who::Stranger(origin),
        Some(caller) => Who::Member {
            account: caller.id,
            token: caller.token().token(),
            notifications: caller.allow("read:notifications").is_ok(),
        },
    })
}
