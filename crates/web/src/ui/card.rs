//! Posts and people as the pages show them: made from `domain::view`, ready for the templates.
//!
//! Pure. What is shown was already allowed for the viewer; nothing here decides access.

use std::collections::HashMap;

use domain::account::Account;
use domain::attachment::{Attachment, AttachmentKind, Focus};
use domain::view::{AccountView, PostView};
use domain::{FileUrls, PostId, Timestamp, Urls, Visibility, Whom};

use super::text;
use super::when::When;

/// What every card is made with.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    pub urls: &'a Urls,
    pub files: &'a FileUrls,
    pub now: Timestamp,
}

#[derive(Debug, Clone)]
pub struct Person {
    /// HTML, emoji included.
    pub name: String,
    /// Plain text.
    pub plain_name: String,
    /// `@name@domain`.
    pub handle: String,
    pub url: String,
    pub avatar: String,
}

#[derive(Debug, Clone)]
pub struct ReplyTo {
    /// Plain text.
    pub whom: String,
    pub url: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Medium {
    kind: AttachmentKind,
    pub src: String,
    pub preview: String,
    /// Plain text; empty = none was written.
    pub alt: String,
    /// Pixels of the preview.
    pub size: Option<(i32, i32)>,
    /// Classes that say which part stays when it is cropped.
    pub focus: String,
}

impl Medium {
    #[must_use]
    pub fn is_image(&self) -> bool {
        self.kind == AttachmentKind::Image
    }

    #[must_use]
    pub fn is_video(&self) -> bool {
        matches!(self.kind, AttachmentKind::Video | AttachmentKind::Gifv)
    }

    #[must_use]
    pub fn is_gifv(&self) -> bool {
        self.kind == AttachmentKind::Gifv
    }

    #[must_use]
    pub fn is_audio(&self) -> bool {
        self.kind == AttachmentKind::Audio
    }
}

#[derive(Debug, Clone)]
pub struct PostCard {
    /// Of the entry in the list: a shared post's own id differs.
    pub id: i64,
    pub url: String,
    pub by: Person,
    pub shared_by: Option<Person>,
    pub when: When,
    pub edited: Option<When>,
    pub lang: Option<String>,
    /// HTML of the content warning; empty = none.
    pub warning: String,
    /// HTML.
    pub content: String,
    pub media: Vec<Medium>,
    /// The media wait behind a cover.
    pub covered: bool,
    pub audience: Option<String>,
    pub reply_to: Option<ReplyTo>,
    pub replies: i64,
    pub app: Option<String>,
    /// The one the page is about.
    pub here: bool,
    /// Its author keeps it at the top of her page.
    pub kept: bool,
}

impl PostCard {
    /// The picture that shines, blurred, through the cover.
    #[must_use]
    pub fn cover_image(&self) -> Option<&str> {
        self.media.iter().find(|m| m.is_image()).map(|m| m.preview.as_str())
    }

    /// Is there anything to say below the post?
    #[must_use]
    pub fn has_tail(&self) -> bool {
        self.here || self.replies > 0 || self.audience.is_some() || self.edited.is_some() || self.app.is_some()
    }

    #[must_use]
    pub fn cover_label(&self) -> &'static str {
        match self.media.as_slice() {
            [one] if one.is_image() => "Sensitive picture",
            all if all.iter().all(Medium::is_image) => "Sensitive pictures",
            _ => "Sensitive media",
        }
    }
}

impl Look<'_> {
    #[must_use]
    pub fn person(&self, view: &AccountView) -> Person {
        let account = &view.account;
        // Names are kept like this; those from before may be not.
        let plain_name = domain::text::one_line(account.name());
        Person {
            name: text::plain_with_emoji(&plain_name, &view.emojis, self.urls),
            plain_name,
            handle: self.handle(account),
            url: profile_address(account),
            avatar: self.urls.avatar(account),
        }
    }

    /// With the domain, also for people at home here: it is what one passes on.
    #[must_use]
    pub fn handle(&self, account: &Account) -> String {
        let host = account.domain.as_ref().unwrap_or_else(|| self.urls.own_host());
        format!("@{}@{}", account.username, host.display())
    }

    #[must_use]
    pub fn post(&self, view: &PostView) -> PostCard {
        let (shown, shared_by) = match &view.boost_of {
            Some(inner) => (inner.as_ref(), Some(self.person(&view.account))),
            None => (view, None),
        };
        let core = &shown.core;
        let post = &core.post;
        let by = self.person(&shown.account);
        let audience = match post.visibility {
            Visibility::Public | Visibility::Unlisted => None,
            Visibility::Followers => Some(format!("For people who follow {}", by.plain_name)),
            Visibility::Direct => Some("Only for the people named".to_owned()),
        };
        PostCard {
            id: view.id().0,
            url: post_address(shown),
            shared_by,
            when: When::new(post.created_at, self.now),
            edited: post.edited_at.map(|at| When::new(at, self.now)),
            lang: post.language.clone(),
            warning: text::plain_with_emoji(post.spoiler_text.trim(), &core.emojis, self.urls),
            content: text::with_emoji(&post.content, &core.emojis, self.urls),
            media: core.attachments.iter().map(|a| self.medium(a)).collect(),
            covered: post.sensitive && post.spoiler_text.trim().is_empty(),
            audience,
            reply_to: reply_to(shown),
            replies: post.replies_count,
            app: core.app.as_ref().map(|(name, _)| name.clone()),
            here: false,
            kept: false,
            by,
        }
    }

    /// The card of a post inside its own conversation, where what it answers may be on the same page:
    /// `authors` names who wrote what is there.
    #[must_use]
    pub fn post_in_thread(&self, view: &PostView, authors: &HashMap<PostId, String>) -> PostCard {
        let mut card = self.post(view);
        if let Some(parent) = view.post().in_reply_to_id
            && let Some(author) = authors.get(&parent)
        {
            card.reply_to = Some(ReplyTo { whom: author.clone(), url: Some(format!("#p{parent}")) });
        }
        card
    }

    fn medium(&self, a: &Attachment) -> Medium {
        let size = match (a.preview_width.zip(a.preview_height), a.width.zip(a.height)) {
            (Some(size), _) | (None, Some(size)) if size.0 > 0 && size.1 > 0 => Some(size),
            _ => None,
        };
        Medium {
            kind: a.kind,
            // Whoever may see it comes with her session, and what she copies opens nothing for others.
            src: self.files.original(a, Whom::Anyone),
            preview: self.files.preview(a, Whom::Anyone),
            alt: a.description.trim().to_owned(),
            size,
            focus: a.focus.map(focus_classes).unwrap_or_default(),
        }
    }
}

/// The page of a person: ours for those at home here, her own community's otherwise.
#[must_use]
pub fn profile_address(account: &Account) -> String {
    if account.is_local() {
        format!("/@{}", account.username)
    } else if account.url.is_empty() {
        text::linkable(&account.uri).to_owned()
    } else {
        text::linkable(&account.url).to_owned()
    }
}

/// The page of a post, likewise.
#[must_use]
pub fn post_address(view: &PostView) -> String {
    let post = view.post();
    if post.local {
        text::path_of(&post.url).to_owned()
    } else if post.url.is_empty() {
        text::linkable(&post.uri).to_owned()
    } else {
        text::linkable(&post.url).to_owned()
    }
}

fn reply_to(view: &PostView) -> Option<ReplyTo> {
    let post = view.post();
    if post.in_reply_to_id.is_none() && post.in_reply_to_uri.is_none() {
        return None;
    }
    let parent = post.in_reply_to_account_id;
    let mention = view.core.mentions.iter().find(|m| Some(m.account_id) == parent);
    Some(match (parent, mention) {
        (Some(parent), _) if parent == post.account_id => {
            ReplyTo { whom: "an earlier post of their own".to_owned(), url: None }
        }
        (_, Some(mention)) => ReplyTo {
            whom: format!("@{}", mention.acct),
            url: Some(match mention.acct.contains('@') {
                true => text::linkable(&mention.url).to_owned(),
                false => format!("/@{}", mention.username),
            }),
        },
        _ => ReplyTo { whom: "an earlier post".to_owned(), url: None },
    })
}

/// Fifths of the picture, as the style sheet knows them; none for the middle.
fn focus_classes(focus: Focus) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and 4")]
    let fifth = |share: f64| (share.clamp(0.0, 1.0) * 4.0).round() as i64;
    let x = fifth((focus.x + 1.0) / 2.0);
    let y = fifth((1.0 - focus.y) / 2.0);
    let mut classes = Vec::new();
    if x != 2 {
        classes.push(format!("fx{x}"));
    }
    if y != 2 {
        classes.push(format!("fy{y}"));
    }
    classes.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_focus_of_a_picture_becomes_one_of_five_by_five() {
        assert_eq!(focus_classes(Focus { x: 0.0, y: 0.0 }), "");
        assert_eq!(focus_classes(Focus { x: -1.0, y: 1.0 }), "fx0 fy0");
        assert_eq!(focus_classes(Focus { x: 0.4, y: -9.0 }), "fx3 fy4");
        assert_eq!(focus_classes(Focus { x: f64::NAN, y: 0.0 }), "fx0");
    }
}
