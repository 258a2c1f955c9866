//! Every statement runs on SQLite and on PostgreSQL: one module per table family, one binary, so that everything is
//! linked once.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

#[macro_use]
mod both;

mod cancelled;
mod clock;
mod counts;
mod domains;
mod former_readers;
mod hidden;
mod host_names;
mod incoming;
mod invites;
mod jobs;
mod kept;
mod leaks;
mod long;
mod members;
mod newer;
mod node;
mod pages;
mod peers;
mod people;
mod plans;
#[cfg(unix)]
mod private;
mod queues;
mod settings;
mod sign_in;
mod transactions;
mod visible;
mod walks;
