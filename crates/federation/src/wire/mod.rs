//! The shapes on the wire: strict in what we send, lenient in what we read.

pub mod activity;
pub mod actor;
pub mod collection;
pub mod context;
pub mod lenient;
pub mod note;

pub use context::{Context, Document};
