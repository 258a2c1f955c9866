//! One TCP connection that nobody holds open by doing nothing.
//!
//! HTTP above it says by [`Turn`] whether a request's head is waited for. Then the peer has a deadline: for the head, or
//! for its next request. Bodies have their own pace ([`super::body`]), since only their reader knows whether it waits. A
//! peer that does not read what we write is dropped too; a stream that it does not read ends at once when the server
//! stops, since what waits in it would never be written.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use web::line::Line;
use web::shares::Share;

use super::{Pace, earned};

/// How long a stream's last words may take once the server stops.
pub(super) const FAREWELL: Duration = Duration::from_secs(1);

/// How long what comes in is still read, and thrown away, after a request was answered before all of it had come. A
/// connection that is closed with bytes unread is reset, and the peer may never see the answer. (What has come already
/// is always read, except of who has too much under way.)
const LINGER: Duration = Duration::from_secs(2);

/// Bytes that are thrown away so at most.
const MOST_LINGERED: usize = 512 << 10;

/// Connections that linger at a time. What nobody wants to have costs no more than that: the others are reset.
pub(super) const MOST_LINGERING: usize = 64;

/// Bytes that are thrown away before others have their turn.
const LINGERED_AT_ONCE: usize = 64 << 10;

/// Whose turn it is on a connection, told to it by whoever speaks HTTP over it.
#[derive(Debug)]
pub(super) struct Turn {
    began: Instant,
    /// Requests that are being answered.
    busy: AtomicU32,
    /// Requests that were answered: which wait for a head this is.
    answered: AtomicU32,
    /// When the last one was, in milliseconds since the beginning.
    answered_at: AtomicU64,
    /// A request was answered although its body had not come whole.
    left_unread: AtomicBool,
    /// Whoever sent it is not listened to any further.
    cut_off: AtomicBool,
    /// What the request held that the connection stopped speaking HTTP with: the connection holds it from then on.
    upgraded: OnceLock<Option<Share>>,
}

impl Turn {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            busy: AtomicU32::default(),
            answered: AtomicU32::default(),
            answered_at: AtomicU64::default(),
            left_unread: AtomicBool::default(),
            cut_off: AtomicBool::default(),
            upgraded: OnceLock::new(),
        })
    }

    /// A request's head has come: it is ours to answer, until what is given back is dropped.
    pub(super) fn begin(self: &Arc<Self>, place: Option<Share>) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy { turn: self.clone(), place }
    }

    /// `worth_a_hearing`: what still comes is read for a while, so that the answer arrives.
    pub(super) fn leave_unread(&self, worth_a_hearing: bool) {
        self.left_unread.store(true, Ordering::Relaxed);
        self.cut_off.store(!worth_a_hearing, Ordering::Relaxed);
    }

    /// Which wait for a head this is; `None` while nobody waits for one.
    fn waits(&self) -> Option<u32> {
        (self.busy.load(Ordering::Relaxed) == 0).then(|| self.answered.load(Ordering::Relaxed))
    }

    /// When this wait for a head began.
    fn waits_since(&self) -> Instant {
        self.began + Duration::from_millis(self.answered_at.load(Ordering::Relaxed))
    }

    fn is_http(&self) -> bool {
        self.upgraded.get().is_none()
    }
}

/// A request that is being answered, and the place it takes.
#[derive(Debug)]
pub(super) struct Busy {
    turn: Arc<Turn>,
    place: Option<Share>,
}

impl Busy {
    /// From now on the connection speaks something else than HTTP, to its end: no head is waited for any more.
    pub(super) fn upgrade(mut self) {
        self.turn.busy.fetch_add(1, Ordering::Relaxed);
        // It happens once at the most.
        let _ = self.turn.upgraded.set(self.place.take());
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let since = u64::try_from(self.turn.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.turn.answered_at.store(since, Ordering::Relaxed);
        self.turn.answered.fetch_add(1, Ordering::Relaxed);
        self.turn.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A deadline whose timer is set again only when it runs out, since most deadlines are put off before that.
#[derive(Debug, Default)]
pub(super) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Ready once `by` has passed.
    pub(super) fn poll(&mut self, by: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(by)));
        if sleep.deadline() > by {
            sleep.as_mut().reset(by);
        }
        loop {
            ready!(sleep.as_mut().poll(cx));
            if sleep.deadline() >= by {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(by);
        }
    }
}

/// A TCP connection with deadlines.
#[derive(Debug)]
pub(super) struct Connection {
    tcp: TcpStream,
    line: Line,
    turn: Arc<Turn>,
    stop: CancellationToken,
    pace: Pace,
    /// For the next request, once one was answered.
    idle: Duration,
    /// The wait that `head_by` is of.
    waits: u32,
    /// Something of this head has come.
    begun: bool,
    head_by: Instant,
    head: Alarm,
    /// Since when nothing could be written.
    stalled: Option<Instant>,
    /// When something could be written at last.
    flowed_at: Instant,
    /// How long nothing could be written, before that.
    waited: Duration,
    written: u64,
    write: Alarm,
    /// Runs from the first time that a stream could not be written after the stop.
    farewell: Option<Pin<Box<Sleep>>>,
    linger: Alarm,
    linger_by: Option<Instant>,
    /// Places among those that linger, and its own.
    lingering: Arc<Semaphore>,
    lingers: Option<OwnedSemaphorePermit>,
    thrown_away: usize,
    /// Its place among all connections.
    _place: Share,
}

/// Bytes of an answer that the kernel takes before it is read, so that many unread ones cost little. (Linux takes twice
/// the number, for what it needs beside.)
const WRITTEN_AHEAD: usize = 256 << 10;

/// Bounds what the kernel keeps for a peer that does not read: how much, and for how long, even once the connection is
/// closed on our side. Set on each connection: not every system hands the second bound on from the listening socket.
fn bound_what_lies_unread(tcp: &TcpStream, unread: Duration) {
    let mut done = rustix::net::sockopt::set_socket_send_buffer_size(tcp, WRITTEN_AHEAD);
    #[cfg(target_os = "linux")]
    {
        let at_most = u32::try_from(2 * unread.as_millis()).unwrap_or(u32::MAX);
        done = done.and(rustix::net::sockopt::set_tcp_user_timeout(tcp, at_most));
    }
    if let Err(error) = done {
        tracing::debug!(%error, "a connection has the system's bounds");
    }
}

impl Connection {
    pub(super) fn new(
        tcp: TcpStream,
        line: Line,
        turn: Arc<Turn>,
        stop: CancellationToken,
        (pace, from_proxy): (Pace, bool),
        lingering: Arc<Semaphore>,
        place: Share,
    ) -> Self {
        bound_what_lies_unread(&tcp, pace.unread);
        Self {
            idle: if from_proxy { pace.proxy_idle } else { pace.idle },
            head_by: Instant::now() + pace.head,
            tcp,
            line,
            turn,
            stop,
            pace,
            waits: 0,
            begun: true,
            head: Alarm::default(),
            stalled: None,
            flowed_at: Instant::now(),
            waited: Duration::ZERO,
            written: 0,
            write: Alarm::default(),
            farewell: None,
            linger: Alarm::default(),
            linger_by: None,
            lingering,
            lingers: None,
            thrown_away: 0,
            _place: place,
        }
    }

    /// Something came: if it is the first of a head, the head's time begins.
    fn heard(&mut self) {
        if let Some(wait) = self.turn.waits()
            && (self.waits != wait || !self.begun)
        {
            (self.waits, self.begun) = (wait, true);
            self.head_by = Instant::now() + self.pace.head;
        }
    }

    /// Nothing came: for how long may that be?
    fn wait_for_head(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(wait) = self.turn.waits() else {
            if self.turn.is_http() {
                // HTTP may not ask again once the answer is written, but after this time it has to.
                let _ = self.head.poll(Instant::now() + self.idle, cx);
            }
            return Poll::Pending;
        };
        if self.stalled.is_some() {
            // HTTP has done its part of the answer, and the peer still reads it: that has a deadline of its own.
            let _ = self.head.poll(Instant::now() + self.idle, cx);
            return Poll::Pending;
        }
        if self.waits != wait {
            (self.waits, self.begun) = (wait, false);
        }
        if !self.begun {
            self.head_by = self.turn.waits_since().max(self.flowed_at) + self.idle;
        }
        ready!(self.head.poll(self.head_by, cx));
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }

    /// Nothing more can be written now: for how long may that be? (At the stop, every connection is asked again.)
    fn wait_to_write<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let is_stream = self.line.carries_a_stream();
        if is_stream && self.stop.is_cancelled() {
            ready!(self.farewell.get_or_insert_with(|| Box::pin(sleep(FAREWELL))).as_mut().poll(cx));
            return self.give_up();
        }
        let since = *self.stalled.get_or_insert_with(Instant::now);
        let mut patience = self.pace.unread;
        if !is_stream {
            // Whoever reads a little now and then has to read at the least rate in the end.
            let earned = earned(self.written, self.pace.read_rate);
            patience = patience.min((self.pace.unread + earned).saturating_sub(self.waited));
        }
        ready!(self.write.poll(since + patience, cx));
        self.give_up()
    }

    /// Nobody reads: what was written is not kept for them either, which the kernel would do otherwise.
    fn give_up<T>(&self) -> Poll<io::Result<T>> {
        Poll::Ready(Err(self.tcp.set_zero_linger().err().unwrap_or_else(|| ErrorKind::TimedOut.into())))
    }

    fn wrote(&mut self, written: &io::Result<usize>) {
        if let Some(since) = self.stalled.take() {
            self.flowed_at = Instant::now();
            self.waited += self.flowed_at - since;
        }
        self.written += written.as_ref().map_or(0, |n| *n as u64);
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.tcp).poll_read(cx, buf);
        match &read {
            Poll::Pending => return self.wait_for_head(cx),
            Poll::Ready(Ok(())) if buf.filled().len() > before => self.heard(),
            Poll::Ready(_) => {}
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.tcp).poll_write(cx, buf) {
            Poll::Pending => self.wait_to_write(cx),
            Poll::Ready(written) => {
                self.wrote(&written);
                Poll::Ready(written)
            }
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs) {
            Poll::Pending => self.wait_to_write(cx),
            Poll::Ready(written) => {
                self.wrote(&written);
                Poll::Ready(written)
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let by = match self.linger_by {
            Some(by) => by,
            None => {
                ready!(Pin::new(&mut self.tcp).poll_shutdown(cx))?;
                if self.turn.cut_off.load(Ordering::Relaxed) {
                    return Poll::Ready(Ok(()));
                }
                if self.turn.left_unread.load(Ordering::Relaxed) {
                    let Ok(lingers) = self.lingering.clone().try_acquire_owned() else { return Poll::Ready(Ok(())) };
                    self.lingers = Some(lingers);
                }
                *self.linger_by.insert(Instant::now() + LINGER)
            }
        };
        let pause_at = self.thrown_away + LINGERED_AT_ONCE;
        let mut bytes = [0; 16 << 10];
        while self.thrown_away < MOST_LINGERED && self.linger.poll(by, cx).is_pending() {
            if self.thrown_away >= pause_at {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let mut rest = ReadBuf::new(&mut bytes);
            match Pin::new(&mut self.tcp).poll_read(cx, &mut rest) {
                Poll::Pending if self.lingers.is_some() => return Poll::Pending,
                Poll::Ready(Ok(())) if !rest.filled().is_empty() => self.thrown_away += rest.filled().len(),
                Poll::Pending | Poll::Ready(_) => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}
