//! What stands around every page: the head, the bar at the top, the foot.
//!
//! A frame is filled once per request; it never decides what a page may show.

use super::assets;

/// Whoever is signed in, as far as the bar at the top shows her.
#[derive(Debug, Clone)]
pub struct Me {
    pub username: String,
    /// Plain text.
    pub name: String,
    pub avatar: String,
}

/// What search engines, link previews and feed readers are told.
#[derive(Debug, Clone)]
pub struct Head {
    /// Plain text, one or two sentences; empty = none.
    pub description: String,
    /// The page's own address; `None` = no preview wanted.
    pub canonical: Option<String>,
    /// The OpenGraph type.
    pub kind: &'static str,
    /// Address and alternative text of a picture.
    pub image: Option<(String, String)>,
    pub large_image: bool,
    /// The ActivityPub id of what the page shows.
    pub activity: Option<String>,
    /// Title and address of the RSS feed.
    pub feed: Option<(String, String)>,
    /// Search engines may list it.
    pub indexed: bool,
    pub newer: Option<String>,
    pub older: Option<String>,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            description: String::new(),
            canonical: None,
            kind: "website",
            image: None,
            large_image: false,
            activity: None,
            feed: None,
            indexed: false,
            newer: None,
            older: None,
        }
    }
}

/// Everything `layout.html` needs.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The language of the page's own words.
    pub lang: &'static str,
    /// The community's name.
    pub community: String,
    /// Where the program's source is.
    pub source: String,
    /// The page's title; empty on the front page.
    pub title: String,
    pub head: Head,
    pub me: Option<Me>,
    /// For the forms of this page.
    pub csrf: String,
    /// Strangers can join, or ask to, without an invite link.
    pub may_join: bool,
    /// No way out of what she is in the middle of: signing in for an app.
    pub bare: bool,
    /// Class of `<main>`: empty, `narrow` or `wide`.
    pub width: &'static str,
}

impl Frame {
    #[must_use]
    pub fn new(community: String, source: String) -> Self {
        Self {
            lang: "en",
            community,
            source,
            title: String::new(),
            head: Head::default(),
            me: None,
            csrf: String::new(),
            may_join: false,
            bare: false,
            width: "",
        }
    }

    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    #[must_use]
    pub fn narrow(mut self) -> Self {
        self.width = "narrow";
        self
    }

    #[must_use]
    pub fn bare(mut self) -> Self {
        self.bare = true;
        self
    }

    /// The address of one of our own files, for the templates.
    #[must_use]
    pub fn asset(&self, name: &str) -> String {
        assets::address(name)
    }
}
