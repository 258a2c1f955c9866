//! What clients and browsers get from a server that really listens.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod api;
mod chromium;
mod house;
mod oauth;
mod ui;
