//! What those who run the community are asked to look at. Kept for them alone: whoever reported is told nothing more,
//! and who is reported nothing at all.

pub mod create;
pub mod receive;
pub mod resolve;

use std::time::Duration;

/// For how long reports of one member or server are counted.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Posts that one report names, at most.
pub const POSTS: usize = 100;
