//! Files: pictures made safe and small, and the store that keeps them.
//!
//! Knows nothing of accounts, posts or the database, and never asks the network for a file.

pub mod image;
pub mod key;
pub mod store;
pub mod temporary;

pub use image::{ImageError, ImageLimits, Processed};
pub use key::MediaKey;
pub use store::{MediaStore, StoreError};
pub use temporary::{Sent, TemporaryFile};
