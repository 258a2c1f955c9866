//! Server-sent events: one channel a connection.

use std::convert::Infallible;
use std::future::ready;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{once, unfold};
use futures_util::{Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;

use super::listeners::{Inbox, Subscription};

/// A line is sent this often, so that nothing between us takes the connection for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Ends when the listener is let go or the server stops. What the other end does not read then is dropped by whoever listens
/// for connections ([`crate::line::Line`]).
pub fn serve(
    place: Subscription,
    inbox: Inbox,
    stop: CancellationToken,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    // Proxies, and browsers, take a stream for open with its first byte.
    let begun = once(ready(Ok(Event::default().comment("welcome"))));
    let events = unfold((place, inbox, stop), |(place, mut inbox, stop)| async move {
        let message = stop.run_until_cancelled(inbox.recv()).await??;
        Some((Ok(Event::default().event(message.event).data(&*message.payload)), (place, inbox, stop)))
    });
    Sse::new(begun.chain(events)).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("thump"))
}
