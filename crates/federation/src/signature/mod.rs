//! HTTP signatures (draft-cavage-http-signatures-12), both ways.
//!
//! Reading is split so that nothing slow happens early: [`parse`] is pure and cheap and gives the key's id;
//! [`verify`](ParsedSignature::verify) then needs the key, which the caller may have to fetch. Neither looks at
//! the body: that is [`crate::digest`]'s part, and a POST counts only when both agree. Never logs or keeps what
//! it was given, never accepts a weaker set of signed headers than [`parse`] lists.

mod fields;
mod key;
pub mod multikey;
mod parse;
mod sign;

pub use key::{PublicKey, SigningKey, UnusableKey};
pub use parse::{Expect, ParsedSignature, SignatureError, parse};
pub use sign::{SignedHeaders, sign};

#[cfg(test)]
mod tests;
