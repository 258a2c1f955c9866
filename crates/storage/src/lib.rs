//! All SQL, and only SQL: one text for SQLite and PostgreSQL.
//!
//! Functions take a [`Conn`] (or a [`Tx`], which derefs to one) and give back domain types. Whatever lists posts
//! takes a `Viewer` and goes through [`visible`] and [`hydrate`]. Nothing here decides what may be done
//! (that is `app`), knows about HTTP, or keeps state beyond caches.

pub mod account_keys;
pub mod accounts;
pub mod attachments;
pub mod audience;
mod clock;
pub mod community;
pub mod conversations;
pub mod counts;
pub mod db;
pub mod deliveries;
pub mod domain_blocks;
pub mod domains;
pub mod emojis;
pub mod error;
pub mod follows;
pub mod former_readers;
pub mod homes;
mod host_names;
pub mod hosts;
pub mod hub;
pub mod hydrate;
pub mod idempotency_keys;
pub mod inbox_items;
pub mod incoming;
pub mod interactions;
pub mod invites;
pub mod jobs;
mod kept;
mod leases;
pub mod lists;
mod long;
pub mod markers;
mod marks;
pub mod member_addresses;
pub mod members;
pub mod node;
pub mod notifications;
pub mod oauth;
pub mod peers;
mod place;
#[cfg(debug_assertions)]
mod plans;
mod postgres;
pub mod posts;
mod private;
pub mod purges;
mod recent;
pub mod recipients;
pub mod record;
pub mod relationships;
pub mod reports;
pub mod search;
mod session;
pub mod sessions;
pub mod settings;
pub mod sql;
mod sqlite;
mod statistics;
pub mod tags;
pub mod taken_back;
mod teller;
pub mod threads;
pub mod timelines;
pub(crate) mod visible;
pub mod walks;
pub mod withdrawn;

pub use db::era::Era;
pub use db::{Config, Conn, Db, Tx};
pub use error::{Error, Result};
pub use hub::{Hub, Queue};
pub use node::Serving;
pub use recent::Recent;
