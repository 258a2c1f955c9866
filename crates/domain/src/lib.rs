//! Porchlight's types and rules: what an account, a post, a follow is, and who may see what.
//!
//! Pure: no async, no network, no disk, no database. Every other crate builds on this one;
//! it builds on none of them.

pub mod account;
pub mod address_key;
pub mod attachment;
pub mod clock;
pub mod event;
pub mod file_urls;
pub mod follow;
pub mod host;
pub mod id;
pub mod instance;
pub mod job;
pub mod keyed;
pub mod language;
pub mod limits;
pub mod list;
pub mod notification;
mod own_id;
pub mod page;
pub mod post;
pub mod report;
pub mod scope;
pub mod text;
pub mod urls;
pub mod view;
pub mod visibility;

pub use address_key::AddressKey;
pub use clock::{Clock, Timestamp};
pub use file_urls::{FileUrls, Whom};
pub use host::Host;
pub use id::*;
pub use keyed::{Keyed, keyed};
pub use urls::Urls;
pub use visibility::{Viewer, Visibility};
