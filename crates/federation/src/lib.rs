//! ActivityPub, server to server: the envelope (digest, signature), the guarded client, the wire's shapes, the
//! inbox and the delivery queue.
//!
//! JSON-LD exists only here. Nothing here writes a timeline or decides who may see what: received activities end
//! in `app`'s verbs, and what is sent starts from `domain`'s views.

mod charges;
pub mod client;
pub mod config;
pub mod digest;
pub mod inbound;
pub mod inbox;
pub mod jobs;
pub mod keys;
pub mod nodeinfo;
pub mod outbound;
mod policies;
mod remembered;
pub mod resolve;
pub mod routes;
pub mod signature;
mod state;
pub mod webfinger;
pub mod wire;

pub use charges::SentBy;
pub use config::Config;
pub use resolve::{ResolveError, Resolved};
pub use state::Federation;
