//! Those who run the community change what it says about itself: its name, what it is, its rules, whom to write to.

use domain::account::{Email, Role};
use domain::event::Event;
use domain::instance::CommunitySettings;
use domain::text;
use storage::settings;

use crate::App;
use crate::accounts::By;
use crate::error::{Error, Result};

/// Characters of the name.
pub const TITLE_CHARS: usize = 100;
/// Characters of the short description.
pub const DESCRIPTION_CHARS: usize = 500;
/// Characters of the long one, and of one rule.
pub const ABOUT_CHARS: usize = 10_000;
const RULE_CHARS: usize = 1_000;
const RULES: usize = 50;

/// What is `None` stays as it is; what is empty is taken away, but for the name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    pub title: Option<String>,
    /// One or two plain sentences.
    pub description: Option<String>,
    /// The long text of the about page, as typed.
    pub about: Option<String>,
    pub contact_email: Option<String>,
    /// All of them, in order.
    pub rules: Option<Vec<String>>,
}

/// Gives what holds from now on. Pages of other processes show it within some seconds.
///
/// # Errors
/// [`Error::Forbidden`] for all but admins; [`Error::Invalid`] for what is too long, an empty name, or an address that is none.
pub async fn change(app: &App, by: By<'_>, changes: &Changes) -> Result<CommunitySettings> {
    check(changes)?;
    let mut tx = app.db.write().await?;
    by.require(&mut tx, Role::Admin).await?;
    let mut community = settings::community(&mut tx).await?;
    if let Some(title) = &changes.title {
        community.title = text::one_line(title);
    }
    if let Some(description) = &changes.description {
        community.description = text::one_line(description);
    }
    if let Some(about) = &changes.about {
        // People are not linked: the page is the community's, and nobody named there was asked.
        community.about = text::note(text::trimmed(about), &app.urls, &|_| None);
    }
    if let Some(email) = &changes.contact_email {
        email.trim().clone_into(&mut community.contact_email);
    }
    if let Some(rules) = &changes.rules {
        community.rules = rules.iter().map(|rule| text::one_line(rule)).filter(|rule| !rule.is_empty()).collect();
    }
    settings::set_community(&mut tx, &community).await?;
    tx.emit(Event::SettingsChanged);
    tx.commit().await?;
    Ok(community)
}

fn check(changes: &Changes) -> Result<()> {
    let within = |field: &'static str, text: Option<&str>, most: usize| match text {
        Some(text) if text.chars().count() > most => {
            Err(Error::invalid(field, format!("must have at most {most} characters")))
        }
        _ => Ok(()),
    };
    if changes.title.as_deref().is_some_and(text::is_blank) {
        return Err(Error::invalid("title", "must not be empty"));
    }
    within("title", changes.title.as_deref(), TITLE_CHARS)?;
    within("description", changes.description.as_deref(), DESCRIPTION_CHARS)?;
    within("about", changes.about.as_deref(), ABOUT_CHARS)?;
    if let Some(email) = changes.contact_email.as_deref().map(str::trim).filter(|email| !email.is_empty()) {
        Email::new(email).map_err(|why| Error::invalid("contact", why))?;
    }
    let rules = changes.rules.as_deref().unwrap_or_default();
    if rules.len() > RULES {
        return Err(Error::invalid("rules", format!("must not be more than {RULES}")));
    }
    rules.iter().try_for_each(|rule| within("rule", Some(rule), RULE_CHARS))
}
