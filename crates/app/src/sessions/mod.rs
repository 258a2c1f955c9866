//! Signing in to the pages, staying signed in, signing out.

pub mod end;
pub mod keep;
pub mod start;
