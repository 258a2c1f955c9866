//! What apps and the people who use them can do: register, be let in, trade a code for a token, end a token.
//!
//! Nothing here speaks HTTP; `web::oauth` does. Secrets are given out once and kept as digests.

pub mod allow;
pub mod exchange;
mod grants;
pub mod register;
pub mod revoke;
pub mod tokens;
