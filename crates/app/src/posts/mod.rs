//! What can be done with posts, one verb a file.
//!
//! Taking back what is one's own always works, whoever has blocked whom since: it asks for one's own mark, not for the
//! right to see the post. Only where there is nothing to take back does it say whether there is such a post.

pub mod bookmark;
pub mod boost;
pub mod delete;
pub mod edit;
pub mod favourite;
pub mod mute;
pub mod pin;
pub mod publish;
pub mod receive;
