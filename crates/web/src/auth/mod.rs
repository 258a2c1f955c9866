//! Who asks: apps by their token, browsers by their session.

mod bearer;
mod session;

pub use bearer::{Authorized, Presented, Tokens};
pub use session::{Cookies, SignedIn};
