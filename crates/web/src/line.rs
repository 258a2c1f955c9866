//! The connection that a request came by, as far as a handler can say something about it to whoever listens.
//!
//! Never anything about who asks: that is for `auth` and `limits`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Shared by a connection and its requests, in their extensions where the listener put it there.
#[derive(Debug, Clone, Default)]
pub struct Line {
    streams: Arc<AtomicBool>,
}

impl Line {
    /// Another request came by it: what the ones before were does not matter.
    pub fn begin_request(&self) {
        self.streams.store(false, Ordering::Relaxed);
    }

    /// It carries a stream from now on: nothing that anybody waits for to be whole.
    pub fn begin_stream(&self) {
        self.streams.store(true, Ordering::Relaxed);
    }

    #[must_use]
    pub fn carries_a_stream(&self) -> bool {
        self.streams.load(Ordering::Relaxed)
    }
}
