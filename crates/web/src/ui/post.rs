//! A post's page, within its conversation.

use askama::Template;

use super::card::PostCard;
use super::frame::Frame;

#[derive(Template)]
#[template(path = "post_page.html")]
pub struct PostPage {
    pub frame: Frame,
    pub above: Vec<PostCard>,
    pub post: PostCard,
    /// With the class of how deep each hangs.
    pub below: Vec<(&'static str, PostCard)>,
    /// There is more than fits on one page.
    pub cut: bool,
}
