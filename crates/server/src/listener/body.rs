//! Bodies on their way: of a request, which has to come fast enough and weighs on its sender's share of memory; and of an
//! answer, whose end is the end of the request's turn.

use std::io::{Error, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::Instant;
use web::shares::{Full, Share};

use super::connection::{Alarm, Busy, Turn};
use super::{Pace, earned};

/// What a piece takes of memory beside its bytes.
const PIECE: usize = 64;

/// Pieces below this are copied, so that a few bytes do not keep the whole buffer alive that they were read into.
const SMALL: usize = super::BUFFER / 2;

/// A request's body. Its reader sees [`ErrorKind::TimedOut`] where it comes too slowly, and [`ErrorKind::ResourceBusy`]
/// where its sender has too much under way.
pub(super) struct Arriving {
    body: Incoming,
    memory: Arc<Share>,
    /// Taken once the body turns out not to have come with its head.
    place: Share,
    has_place: bool,
    turn: Arc<Turn>,
    pace: Pace,
    received: u64,
    began: Instant,
    /// Since when more is waited for.
    waits: Option<Instant>,
    /// How long was waited for what came.
    waited: Duration,
    alarm: Alarm,
    whole: bool,
}

impl Arriving {
    pub(super) fn new(body: Incoming, memory: Arc<Share>, place: Share, turn: Arc<Turn>, pace: Pace) -> Self {
        Self {
            body,
            memory,
            place,
            has_place: false,
            turn,
            pace,
            received: 0,
            began: Instant::now(),
            waits: None,
            waited: Duration::ZERO,
            alarm: Alarm::default(),
            whole: false,
        }
    }

    /// More is to come: only so many bodies are waited for at a time.
    fn take_place(&mut self) -> Result<(), Error> {
        if !self.has_place {
            self.place.take(1).map_err(busy)?;
            self.has_place = true;
        }
        Ok(())
    }

    /// Only the time that somebody waited counts: who reads slowly here does not make the sender slow.
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        let since = *self.waits.get_or_insert_with(Instant::now);
        let patience = (self.pace.body_grace + earned(self.received, self.pace.body_rate)).saturating_sub(self.waited);
        let by = (since + patience).min(self.began + self.pace.body_whole);
        ready!(self.alarm.poll(by, cx));
        tracing::debug!(received = self.received, waited = ?(self.waited + since.elapsed()), "a body came too slowly");
        Poll::Ready(Error::new(ErrorKind::TimedOut, "the body came too slowly"))
    }
}

impl hyper::body::Body for Arriving {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        let Poll::Ready(frame) = polled else {
            let error = match self.take_place() {
                Ok(()) => ready!(self.wait(cx)),
                Err(error) => error,
            };
            return Poll::Ready(Some(Err(error.into())));
        };
        if let Some(since) = self.waits.take() {
            self.waited += since.elapsed();
        }
        let frame = match frame {
            None => {
                self.whole = true;
                return Poll::Ready(None);
            }
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
        };
        let Ok(bytes) = frame.into_data() else {
            // Trailers, which nobody here reads.
            self.whole = true;
            return Poll::Ready(None);
        };
        self.received += bytes.len() as u64;
        self.whole = self.body.is_end_stream();
        let taken = if self.whole { Ok(()) } else { self.take_place() };
        if let Err(error) = taken.and_then(|()| self.memory.take(bytes.len() + PIECE).map_err(busy)) {
            return Poll::Ready(Some(Err(error.into())));
        }
        let bytes = if bytes.len() < SMALL { Bytes::copy_from_slice(&bytes) } else { bytes };
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.whole || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn busy(full: Full) -> Error {
    tracing::debug!(?full, "a body was refused: too much is under way");
    Error::new(ErrorKind::ResourceBusy, "too much is under way")
}

impl Drop for Arriving {
    fn drop(&mut self) {
        if !self.whole && !hyper::body::Body::is_end_stream(&self.body) {
            self.turn.leave_unread();
        }
    }
}

/// An answer's body, which keeps the request's place until it is written or given up.
pub(super) struct Answer {
    pub(super) body: Body,
    pub(super) _busy: Option<Busy>,
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
