//! A WebSocket: any number of channels, subscribed to and left by messages.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use futures_util::SinkExt;
use serde::{Deserialize, Serialize};

use super::channel::{Channel, Named};
use super::check;
use super::listeners::{Inbox, Message, Subscription};
use crate::api::caller::Caller;
use crate::api::error::Error;
use crate::state::Web;

/// A ping is sent this often.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// A socket from which nothing came for so long (not even the answer to a ping) is dead.
const SILENCE: Duration = Duration::from_secs(100);
/// Bytes of a message from an app: it only ever names channels.
const MAX_MESSAGE: usize = 8 * 1024;
/// Bytes that are read at a time. (The library would take 128 KiB, of every socket.)
const READ_BUFFER: usize = 4 * 1024;
/// Bytes that are gathered before they are written.
const WRITE_BUFFER: usize = 16 * 1024;
/// Messages that are told in a row, before anything else that a socket waits for.
const IN_A_ROW: usize = 64;
/// A socket into which nothing can be written for so long is dropped: it reads too slowly.
const TOO_SLOW: Duration = Duration::from_secs(10);
/// Messages from an app in the time of two heartbeats: it joins and leaves channels, each with a look at the database.
const MESSAGES: u32 = 300;
/// How long the other end has to answer that a socket closes.
const FAREWELL: Duration = Duration::from_secs(1);

pub fn serve(
    web: Web,
    upgrade: WebSocketUpgrade,
    caller: Option<Caller>,
    place: Subscription,
    inbox: Inbox,
) -> Response {
    let upgrade = upgrade.max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE);
    upgrade.read_buffer_size(READ_BUFFER).write_buffer_size(WRITE_BUFFER).on_upgrade(move |socket| {
        let sockets = web.sockets.clone();
        sockets.track_future(run(web, socket, caller, place, inbox))
    })
}

#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(rename = "type")]
    kind: String,
    #[serde(flatten)]
    named: serde_json::Map<String, serde_json::Value>,
}

#[derive(Serialize)]
struct Told<'a> {
    stream: Vec<String>,
    event: &'a str,
    payload: &'a str,
}

#[derive(Serialize)]
struct Refused {
    error: String,
    status: u16,
}

/// Serves a socket to its end. Whatever it waits for, a stop of the server comes first (RFC 6455, section 7.4.1: 1001,
/// going away), so that apps connect again.
async fn run(web: Web, mut socket: WebSocket, caller: Option<Caller>, place: Subscription, inbox: Inbox) {
    let served = serve_until_it_ends(&web, &mut socket, caller, place, inbox);
    let why = match web.stop.run_until_cancelled(served).await {
        Some(End::Gone) => return,
        Some(End::LetGo) => None,
        None => Some(CloseFrame { code: close_code::AWAY, reason: "the server stops".into() }),
    };
    let farewell = async {
        // The other end may be gone already.
        let _ = socket.send(Frame::Close(why)).await;
        while let Some(Ok(_)) = socket.recv().await {}
    };
    // Whether it answered does not matter.
    let _ = tokio::time::timeout(FAREWELL, farewell).await;
}

/// Why a socket is served no longer.
enum End {
    /// Nothing can be sent any more.
    Gone,
    /// It closes in order.
    LetGo,
}

async fn serve_until_it_ends(
    web: &Web,
    socket: &mut WebSocket,
    caller: Option<Caller>,
    place: Subscription,
    mut inbox: Inbox,
) -> End {
    let mut heartbeat = tokio::time::interval(HEARTBEAT);
    let mut heard = tokio::time::Instant::now();
    let mut messages = 0;
    loop {
        let sent = tokio::select! {
            message = inbox.recv() => match message {
                Some(message) => tell(socket, &mut inbox, &message).await,
                None => return End::LetGo,
            },
            frame = socket.recv() => match frame {
                Some(Ok(Frame::Text(text))) => {
                    heard = tokio::time::Instant::now();
                    messages += 1;
                    if messages > MESSAGES {
                        return End::LetGo;
                    }
                    match asked(web, caller.as_ref(), &place, &text).await {
                        Ok(()) => Ok(()),
                        Err(e) => send(socket, refused(&e)).await,
                    }
                }
                Some(Ok(Frame::Close(_)) | Err(_)) | None => return End::LetGo,
                Some(Ok(_)) => {
                    heard = tokio::time::Instant::now();
                    Ok(())
                }
            },
            _ = heartbeat.tick() => {
                if heard.elapsed() > SILENCE {
                    return End::LetGo;
                }
                messages /= 2;
                send(socket, Frame::Ping(bytes::Bytes::new())).await
            }
        };
        if sent.is_err() {
            return End::Gone;
        }
    }
}

/// Tells a message, and what waits behind it: of a post that is on many channels of a socket, not each is a write of
/// its own.
async fn tell(socket: &mut WebSocket, inbox: &mut Inbox, first: &Message) -> Result<(), ()> {
    in_time(socket.feed(told(first))).await?;
    for _ in 1..IN_A_ROW {
        let Some(message) = inbox.waiting() else { break };
        in_time(socket.feed(told(&message))).await?;
    }
    in_time(socket.flush()).await
}

async fn send(socket: &mut WebSocket, frame: Frame) -> Result<(), ()> {
    in_time(socket.send(frame)).await
}

/// `Err` when nothing can be sent any more, or the other end does not read.
async fn in_time<E>(sending: impl Future<Output = Result<(), E>>) -> Result<(), ()> {
    match tokio::time::timeout(TOO_SLOW, sending).await {
        Ok(sent) => sent.map_err(drop),
        Err(_) => Err(()),
    }
}

fn told(message: &Message) -> Frame {
    let text = message.text.get_or_init(|| {
        let told = Told { stream: message.channel.label(), event: message.event, payload: &message.payload };
        serde_json::to_string(&told).unwrap_or_default().into()
    });
    Frame::Text(text.clone())
}

fn refused(e: &Error) -> Frame {
    let refused = Refused { error: e.to_string(), status: e.status().as_u16() };
    Frame::Text(serde_json::to_string(&refused).unwrap_or_default().into())
}

/// `{"type": "subscribe", "stream": "hashtag", "tag": "tea"}`, or `unsubscribe`.
async fn asked(web: &Web, caller: Option<&Caller>, place: &Subscription, text: &str) -> Result<(), Error> {
    let asked: Asked =
        serde_json::from_str(text).map_err(|_| Error::BadRequest("Invalid JSON in the message".to_owned()))?;
    let named: Named = serde_json::from_value(serde_json::Value::Object(asked.named))
        .map_err(|_| Error::BadRequest("Wrong type of a parameter".to_owned()))?;
    let name = named.stream.as_deref().unwrap_or_default();
    let channel = Channel::parse(name, &named)?;
    match asked.kind.as_str() {
        "subscribe" => {
            check(web, caller, &channel).await?;
            if place.add(channel) { Ok(()) } else { Err(Error::BadRequest("Too many streams".to_owned())) }
        }
        "unsubscribe" => {
            place.remove(&channel);
            Ok(())
        }
        _ => Err(Error::BadRequest("Unknown message type".to_owned())),
    }
}
