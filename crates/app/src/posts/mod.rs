//! What can be done with posts, one verb a file.

pub mod bookmark;
pub mod boost;
pub mod delete;
pub mod edit;
pub mod favourite;
pub mod mute;
pub mod pin;
pub mod publish;
pub mod receive;
