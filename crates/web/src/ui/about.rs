//! The about page: what the community says about itself, its rules, and who looks after it.

use askama::Template;

use super::card::Person;
use super::frame::Frame;

#[derive(Template)]
#[template(path = "about.html")]
pub struct AboutPage {
    pub frame: Frame,
    pub description: String,
    /// Safe HTML.
    pub about: String,
    pub rules: Vec<String>,
    pub people: Vec<Person>,
    pub contact: String,
}
