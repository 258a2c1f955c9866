//! A bound on what one line of the code may write to the log, so that nobody fills a disk by making it repeat itself.
//! `debug` and `trace` are not bounded: whoever asks for them wants everything.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Messages of one line of the code in one [`WINDOW`].
const MOST: u32 = 20;

const WINDOW: Duration = Duration::from_secs(10);

/// Since it was last told.
static LEFT_OUT: AtomicU64 = AtomicU64::new(0);

/// Lets the first messages of each line of the code through, and counts the others.
#[derive(Debug, Default)]
pub struct Repeats {
    /// As many as there are lines of the code that log.
    lines: Mutex<HashMap<Identifier, Line>>,
}

#[derive(Debug)]
struct Line {
    since: Instant,
    written: u32,
}

impl Repeats {
    fn take(&self, line: Identifier, now: Instant) -> bool {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.entry(line).or_insert(Line { since: now, written: 0 });
        if now.duration_since(line.since) >= WINDOW {
            *line = Line { since: now, written: 0 };
        }
        line.written = line.written.saturating_add(1);
        line.written <= MOST
    }
}

impl<S: Subscriber> Layer<S> for Repeats {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let about = event.metadata();
        let written = *about.level() > Level::INFO || self.take(about.callsite(), Instant::now());
        if !written {
            LEFT_OUT.fetch_add(1, Ordering::Relaxed);
        }
        written
    }
}

/// Says how many messages were left out since the last time, if there were any.
pub fn tell_left_out() {
    let left_out = LEFT_OUT.swap(0, Ordering::Relaxed);
    if left_out > 0 {
        tracing::warn!(left_out, "messages that repeated others were left out of this log");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicU32;

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    struct Count(Arc<AtomicU32>);

    impl<S: Subscriber> Layer<S> for Count {
        fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// One line that repeats itself is cut off and the number told; other lines, and what is for debugging, are not.
    #[test]
    fn one_line_cannot_fill_the_log() {
        let count = Arc::new(AtomicU32::new(0));
        let written = || count.swap(0, Ordering::Relaxed);
        let subscriber = tracing_subscriber::registry().with(Count(Arc::clone(&count))).with(Repeats::default());
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..MOST + 30 {
                tracing::warn!("failed");
            }
            assert_eq!(written(), MOST);
            tracing::warn!("something else failed");
            assert_eq!(written(), 1);
            for _ in 0..MOST + 30 {
                tracing::debug!("for debugging");
            }
            assert_eq!(written(), MOST + 30);
            assert!(LEFT_OUT.load(Ordering::Relaxed) >= 30);
            tell_left_out();
            assert_eq!(written(), 1);
        });
    }

    /// After a while it is heard again.
    #[test]
    fn a_line_is_heard_again() {
        struct Here;
        impl tracing::callsite::Callsite for Here {
            fn set_interest(&self, _: tracing::subscriber::Interest) {}
            fn metadata(&self) -> &tracing::Metadata<'_> {
                unreachable!("nobody asks")
            }
        }
        static HERE: Here = Here;
        let (repeats, start) = (Repeats::default(), Instant::now());
        let written = |at| (0..100).filter(|_| repeats.take(tracing::callsite::Identifier(&HERE), at)).count();
        assert_eq!(written(start), 20);
        assert_eq!(written(start + WINDOW - Duration::from_millis(1)), 0);
        assert_eq!(written(start + WINDOW), 20);
    }
}
