//! A WebSocket: any number of channels, subscribed to and left by messages.

use std::time::Duration;

use axum::extract::ws::{Message as Frame, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::channel::{Channel, Named};
use super::listeners::{Message, Subscription};
use super::{check, join};
use crate::api::caller::Caller;
use crate::api::error::Error;
use crate::state::Web;

/// A ping is sent this often.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// A socket from which nothing came for so long (not even the answer to a ping) is dead.
const SILENCE: Duration = Duration::from_secs(100);
/// Bytes of a message from an app: it only ever names channels.
const MAX_MESSAGE: usize = 8 * 1024;

pub fn serve(web: Web, upgrade: WebSocketUpgrade, caller: Option<Caller>, first: Option<Channel>) -> Response {
    upgrade
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE)
        .on_upgrade(move |socket| async move { run(web, socket, caller, first).await })
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

async fn run(web: Web, mut socket: WebSocket, caller: Option<Caller>, first: Option<Channel>) {
    let (place, mut inbox) = join(&web, caller.as_ref());
    if let Some(channel) = first {
        let _ = place.add(channel);
    }
    let mut heartbeat = tokio::time::interval(HEARTBEAT);
    let mut heard = tokio::time::Instant::now();
    loop {
        let sent = tokio::select! {
            message = inbox.recv() => match message {
                Some(message) => socket.send(told(&message)).await,
                None => break,
            },
            frame = socket.recv() => match frame {
                Some(Ok(Frame::Text(text))) => {
                    heard = tokio::time::Instant::now();
                    match asked(&web, caller.as_ref(), &place, &text).await {
                        Ok(()) => Ok(()),
                        Err(e) => socket.send(refused(&e)).await,
                    }
                }
                Some(Ok(Frame::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {
                    heard = tokio::time::Instant::now();
                    Ok(())
                }
            },
            _ = heartbeat.tick() => {
                if heard.elapsed() > SILENCE {
                    break;
                }
                socket.send(Frame::Ping(bytes::Bytes::new())).await
            }
        };
        if sent.is_err() {
            return;
        }
    }
    // The other end may be gone already.
    let _ = socket.send(Frame::Close(None)).await;
}

fn told(message: &Message) -> Frame {
    let told = Told { stream: message.channel.label(), event: message.event, payload: &message.payload };
    Frame::Text(serde_json::to_string(&told).unwrap_or_default().into())
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
