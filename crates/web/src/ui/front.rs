//! The front page: what this community is, how to join, and what its people said in public lately.

use askama::Template;

use super::card::PostCard;
use super::frame::Frame;
use super::paging::Pages;

#[derive(Template)]
#[template(path = "front.html")]
pub struct FrontPage {
    pub frame: Frame,
    pub description: String,
    /// What people type as their server in an app.
    pub domain: String,
    /// How new members come in: `open`, `approval`, `invite` or `closed`.
    pub sign_up: String,
    pub posts: Vec<PostCard>,
    pub pages: Pages,
}
