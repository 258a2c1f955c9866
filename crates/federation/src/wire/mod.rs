//! The shapes on the wire: strict in what we send (this folder), lenient in what we read (`read`).

pub mod activity;
pub mod actor;
pub mod collection;
pub mod context;
pub mod lenient;
pub mod note;
pub mod read;

pub use context::{Context, Document};
pub(crate) use domain::text::{escape, plain as to_plain, sanitise};
