//! What other servers tell us about themselves, one verb a file: accounts, emojis, pins, moves, ends.
//!
//! `federation` has checked that they may say so; here it is only written.

pub mod account;
pub mod emojis;
pub mod moved;
pub mod pin;
