//! Bodies on their way: of a request, which has to come fast enough and weighs on its sender's share of memory; and of an
//! answer, whose end is the end of the request's turn.

use std::future::poll_fn;
use std::io::{Error, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use tokio::time::Instant;
use web::shares::{Full, Share};

use super::connection::{Alarm, Busy};
use super::{Pace, earned};

/// What a piece takes of memory beside its bytes.
const PIECE: usize = 64;

/// Pieces below this are copied, so that a few bytes do not keep the whole buffer alive that they were read into.
const SMALL: usize = super::BUFFER / 2;

/// Bytes of a body that nobody read which are read and thrown away, so that the connection can carry the next request.
const MOST_THROWN_AWAY: usize = 32 << 10;

/// How long such a body may still be on its way.
const THROWN_AWAY_WITHIN: Duration = Duration::from_secs(1);

/// A request's body. Its reader sees [`ErrorKind::TimedOut`] where it comes too slowly, and [`ErrorKind::ResourceBusy`]
/// where its sender has too much under way.
pub(super) struct Arriving {
    body: Incoming,
    memory: Arc<Share>,
    /// Taken once the body turns out not to have come with its head.
    place: Share,
    has_place: bool,
    pace: Pace,
    /// The sender sends nothing before it is told to, which reading does.
    asks_first: bool,
    received: u64,
    began: Instant,
    /// Since when more is waited for.
    waits: Option<Instant>,
    /// How long was waited for what came.
    waited: Duration,
    alarm: Alarm,
    whole: bool,
    failed: bool,
    /// It failed because its sender has too much under way.
    refused: bool,
}

impl Arriving {
    pub(super) fn new(body: Incoming, memory: Arc<Share>, place: Share, pace: Pace, asks_first: bool) -> Self {
        Self {
            body,
            memory,
            place,
            has_place: false,
            pace,
            asks_first,
            received: 0,
            began: Instant::now(),
            waits: None,
            waited: Duration::ZERO,
            alarm: Alarm::default(),
            whole: false,
            failed: false,
            refused: false,
        }
    }

    /// More is to come: only so many bodies are waited for at a time.
    fn take_place(&mut self) -> Result<(), Error> {
        if !self.has_place {
            self.place.take(1).map_err(|full| self.refuse(full))?;
            self.has_place = true;
        }
        Ok(())
    }

    fn refuse(&mut self, full: Full) -> Error {
        tracing::debug!(?full, "a body was refused: too much is under way");
        self.refused = true;
        Error::new(ErrorKind::ResourceBusy, "too much is under way")
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

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, axum::BoxError>>> {
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
        if !self.whole {
            self.take_place()?;
        }
        self.memory.take(bytes.len() + PIECE).map_err(|full| self.refuse(full))?;
        let bytes = if bytes.len() < SMALL { Bytes::copy_from_slice(&bytes) } else { bytes };
        Poll::Ready(Some(Ok(bytes)))
    }

    fn is_whole(&self) -> bool {
        self.whole || self.body.is_end_stream()
    }

    /// Whether what nobody read is little enough to be thrown away.
    fn can_be_thrown_away(&self) -> bool {
        let asked = self.asks_first && self.received == 0;
        !asked && !self.failed && self.body.size_hint().lower() <= MOST_THROWN_AWAY as u64
    }
}

/// A body as its reader has it. The connection keeps hold of it, too: what nobody reads is in the next request's way.
pub(super) struct Reading(pub(super) Arc<Mutex<Arriving>>);

impl Reading {
    fn arriving(&self) -> MutexGuard<'_, Arriving> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl hyper::body::Body for Reading {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let mut arriving = self.arriving();
        let next = ready!(arriving.poll_next(cx));
        arriving.failed = matches!(next, Some(Err(_)));
        Poll::Ready(next.map(|bytes| bytes.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.arriving().is_whole()
    }

    fn size_hint(&self) -> SizeHint {
        self.arriving().body.size_hint()
    }
}

/// What is left of a body once its request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    Nothing,
    /// The connection carries no other request.
    Something,
    /// As above, and the sender has too much under way: it is not even listened to further.
    TooMuch,
}

/// Throws away what nobody read of a body whose request is answered, if it is little and comes at once.
pub(super) async fn throw_away(rest: Reading) -> Left {
    {
        let arriving = rest.arriving();
        if arriving.is_whole() {
            return Left::Nothing;
        }
        if arriving.refused {
            return Left::TooMuch;
        }
        if !arriving.can_be_thrown_away() {
            return Left::Something;
        }
    }
    let mut thrown_away = 0;
    let all = poll_fn(|cx| {
        loop {
            match ready!(rest.arriving().poll_next(cx)) {
                None => return Poll::Ready(Left::Nothing),
                Some(Ok(bytes)) if thrown_away + bytes.len() <= MOST_THROWN_AWAY => thrown_away += bytes.len(),
                Some(_) => return Poll::Ready(Left::Something),
            }
        }
    });
    tokio::time::timeout(THROWN_AWAY_WITHIN, all).await.unwrap_or(Left::Something)
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
