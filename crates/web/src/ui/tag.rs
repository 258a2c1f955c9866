//! A tag's page: public posts that carry it.

use askama::Template;

use super::card::PostCard;
use super::frame::Frame;
use super::paging::Pages;

#[derive(Template)]
#[template(path = "tag.html")]
pub struct TagPage {
    pub frame: Frame,
    pub tag: String,
    pub feed: String,
    pub posts: Vec<PostCard>,
    pub pages: Pages,
}
