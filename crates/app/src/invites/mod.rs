//! Links by which people are let in without being asked anything. Who used one is kept with the member.

pub mod create;
pub mod revoke;
