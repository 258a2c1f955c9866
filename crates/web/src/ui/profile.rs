//! A person's page: who she is, and what she said that the reader may see.

use askama::Template;

use super::card::{Person, PostCard};
use super::frame::Frame;
use super::paging::Pages;

/// A row of the table on a profile.
#[derive(Debug, Clone)]
pub struct Fact {
    /// HTML.
    pub name: String,
    /// HTML.
    pub value: String,
    pub proven: bool,
}

#[derive(Template)]
#[template(path = "profile.html")]
pub struct ProfilePage {
    pub frame: Frame,
    pub person: Person,
    pub header: String,
    pub header_alt: String,
    pub avatar_alt: String,
    pub marks: Vec<&'static str>,
    pub moved_to: Option<(String, String)>,
    /// HTML.
    pub intro: String,
    pub fields: Vec<Fact>,
    pub is_me: bool,
    pub locked: bool,
    pub feed: Option<String>,
    pub heading: &'static str,
    /// What is said where there is nothing to show.
    pub empty: String,
    pub posts: Vec<PostCard>,
    pub pages: Pages,
}
