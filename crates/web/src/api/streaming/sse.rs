//! Server-sent events: one channel a connection.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;

use super::listeners::{Inbox, Subscription};

/// A line is sent this often, so that nothing between us takes the connection for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);

pub fn serve(place: Subscription, inbox: Inbox) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = unfold((place, inbox), |(place, mut inbox)| async move {
        let message = inbox.recv().await?;
        Some((Ok(Event::default().event(message.event).data(&*message.payload)), (place, inbox)))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("thump"))
}
