//! The pages: what people see in a browser, without an app and without script.

pub mod about;
pub mod assets;
pub mod card;
pub mod community;
pub mod frame;
pub mod front;
pub mod login;
pub mod message;
pub mod new_account;
pub mod paging;
pub mod post;
pub mod profile;
pub mod set_up;
pub mod sign_up;
pub mod tag;
pub mod text;
pub mod visitor;
pub mod when;
