//! A member changes her profile, and what she prefers when she writes.

use std::collections::HashMap;

use domain::account::{Account, ActorKind, Handle, Member, ProfileField, ProfileImage};
use domain::event::Event;
use domain::job::Job;
use domain::text::{self, MentionTarget};
use domain::{AccountId, Host, Visibility, language};
use media::Sent;
use storage::{Conn, accounts, members};

use crate::App;
use crate::attachments::{checked_description, in_memory, keep_profile_picture, limits, refused};
use crate::error::{Error, Result};

/// A row of the profile's table, as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub value: String,
}

/// What becomes of an avatar or header.
#[derive(Debug)]
pub enum Picture {
    /// The bytes of a picture.
    New(Sent),
    None,
}

/// What is `None` stays as it is.
#[derive(Debug, Default)]
pub struct Profile {
    pub display_name: Option<String>,
    /// As typed.
    pub note: Option<String>,
    /// All rows; an empty list takes them away.
    pub fields: Option<Vec<Field>>,
    pub avatar: Option<Picture>,
    pub avatar_description: Option<String>,
    pub header: Option<Picture>,
    pub header_description: Option<String>,
    pub locked: Option<bool>,
    pub bot: Option<bool>,
    pub discoverable: Option<bool>,
    pub indexable: Option<bool>,
    pub hide_collections: Option<bool>,
    pub default_visibility: Option<Visibility>,
    pub default_sensitive: Option<bool>,
    /// Empty = guess from the text.
    pub default_language: Option<String>,
    /// Sites whose pages may say that the member wrote them, as typed.
    pub attribution_domains: Option<Vec<String>>,
}

/// Sites that a member may name, as in Mastodon.
const ATTRIBUTION_DOMAINS: usize = 100;

/// # Errors
/// [`Error::Invalid`] for what is too long, too much, or no picture.
pub async fn change(app: &App, me: AccountId, mut profile: Profile) -> Result<()> {
    check(app, &profile)?;
    let attribution_domains = profile.attribution_domains.take().map(|typed| sites(&typed)).transpose()?;
    let avatar = match profile.avatar.take() {
        Some(Picture::New(sent)) => {
            let file = in_memory(app, "avatar", sent).await?;
            let made =
                media::image::avatar(file.bytes.clone(), &limits(app)).await.map_err(|e| refused("avatar", e))?;
            drop(file);
            Some(Some(keep_profile_picture(app, &made).await?))
        }
        Some(Picture::None) => Some(None),
        None => None,
    };
    let header = match profile.header.take() {
        Some(Picture::New(sent)) => {
            let file = in_memory(app, "header", sent).await?;
            let made =
                media::image::header(file.bytes.clone(), &limits(app)).await.map_err(|e| refused("header", e))?;
            drop(file);
            Some(Some(keep_profile_picture(app, &made).await?))
        }
        Some(Picture::None) => Some(None),
        None => None,
    };
    let mut tx = app.db.write().await?;
    // What is told of it now is told before what is told of the new one.
    accounts::lock(&mut tx, me).await?;
    let (mut account, mut member) = members::with_account(&mut tx, me).await?;
    let before = account.clone();
    write_texts(app, &mut tx, &mut account, &mut member, &profile).await?;
    let mut gone: Vec<String> = Vec::new();
    set_picture(&mut account.avatar, avatar, profile.avatar_description.as_deref(), &mut gone);
    set_picture(&mut account.header, header, profile.header_description.as_deref(), &mut gone);
    account.locked = profile.locked.unwrap_or(account.locked);
    account.discoverable = profile.discoverable.unwrap_or(account.discoverable);
    account.indexable = profile.indexable.unwrap_or(account.indexable);
    account.hide_collections = profile.hide_collections.unwrap_or(account.hide_collections);
    if let Some(bot) = profile.bot {
        account.kind = if bot { ActorKind::Service } else { ActorKind::Person };
    }
    let preferences = &mut member.preferences;
    preferences.default_visibility = profile.default_visibility.unwrap_or(preferences.default_visibility);
    preferences.default_sensitive = profile.default_sensitive.unwrap_or(preferences.default_sensitive);
    if let Some(language) = profile.default_language {
        preferences.default_language = language::known(&language);
    }
    if let Some(sites) = attribution_domains {
        preferences.attribution_domains = sites;
    }
    members::set_preferences(&mut tx, me, &member.preferences, &member.locale).await?;
    if account != before {
        accounts::upsert(&mut tx, &account).await?;
        tx.enqueue(Job::DistributeAccount { account: me });
        tx.emit(Event::AccountChanged { account: me });
    }
    if !gone.is_empty() {
        tx.enqueue(Job::DeleteMedia { keys: gone });
    }
    tx.commit().await?;
    Ok(())
}

fn check(app: &App, profile: &Profile) -> Result<()> {
    let limits = app.limits();
    let within = |field: &'static str, text: &str, most: usize| {
        if text.chars().count() > most {
            return Err(Error::invalid(field, format!("must have at most {most} characters")));
        }
        Ok(())
    };
    within("display_name", profile.display_name.as_deref().unwrap_or_default(), limits.name_chars)?;
    within("note", profile.note.as_deref().unwrap_or_default(), limits.note_chars)?;
    let fields = profile.fields.as_deref().unwrap_or_default();
    if fields.iter().filter(|f| !f.is_empty()).count() > limits.profile_fields {
        return Err(Error::invalid("fields", format!("must not be more than {}", limits.profile_fields)));
    }
    for field in fields {
        within("fields", &field.name, limits.field_chars)?;
        within("fields", &field.value, limits.field_chars)?;
    }
    for description in [&profile.avatar_description, &profile.header_description].into_iter().flatten() {
        checked_description(app, description)?;
    }
    let language = profile.default_language.as_deref().unwrap_or_default();
    if !language.is_empty() && language::known(language).is_none() {
        return Err(Error::invalid("language", "must be a language code such as en"));
    }
    Ok(())
}

/// Names of sites, each once. `*.` before one says nothing: what lies below a site belongs to it.
fn sites(typed: &[String]) -> Result<Vec<String>> {
    let mut sites = Vec::new();
    for text in typed.iter().map(|text| text.trim()).filter(|text| !text.is_empty()) {
        let bare = ["https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or(text);
        let site = Host::typed(bare.strip_prefix("*.").unwrap_or(bare))
            .map_err(|why| Error::invalid("attribution_domains", why))?
            .as_str()
            .to_owned();
        if !sites.contains(&site) {
            sites.push(site);
        }
        if sites.len() > ATTRIBUTION_DOMAINS {
            let why = format!("must not be more than {ATTRIBUTION_DOMAINS}");
            return Err(Error::invalid("attribution_domains", why));
        }
    }
    Ok(sites)
}

impl Field {
    fn is_empty(&self) -> bool {
        text::is_blank(&self.name) && text::is_blank(&self.value)
    }
}

async fn write_texts(
    app: &App,
    conn: &mut Conn,
    account: &mut Account,
    member: &mut Member,
    profile: &Profile,
) -> Result<()> {
    if let Some(name) = &profile.display_name {
        account.display_name = text::one_line(name);
    }
    if let Some(note) = &profile.note {
        let note = text::trimmed(note);
        let known = known(app, conn, note).await?;
        account.note = text::note(note, &app.urls, &|handle| known.get(handle).cloned());
        note.clone_into(&mut member.preferences.note_source);
    }
    if let Some(fields) = &profile.fields {
        let (mut shown, mut typed) = (Vec::new(), Vec::new());
        for field in fields.iter().filter(|f| !f.is_empty()) {
            let (name, value) = (text::one_line(&field.name), text::trimmed(&field.value).to_owned());
            let known = known(app, conn, &value).await?;
            let html = text::field(&value, &app.urls, &|handle| known.get(handle).cloned());
            shown.push(ProfileField { name: name.clone(), value: html, verified_at: None });
            typed.push(ProfileField { name, value, verified_at: None });
        }
        account.fields = shown;
        member.preferences.fields_source = typed;
    }
    Ok(())
}

/// Those named in a text who are known here.
async fn known(app: &App, conn: &mut Conn, source: &str) -> Result<HashMap<Handle, MentionTarget>> {
    let mut known = HashMap::new();
    for handle in text::scan(source, &app.urls).mentions {
        if let Some(account) = accounts::by_handle(conn, &handle.username, handle.elsewhere(&app.urls)).await? {
            let target =
                MentionTarget { url: account.url.clone(), username: account.username.clone(), acct: account.acct() };
            known.insert(handle, target);
        }
    }
    Ok(known)
}

fn set_picture(
    now: &mut Option<ProfileImage>,
    new: Option<Option<ProfileImage>>,
    description: Option<&str>,
    gone: &mut Vec<String>,
) {
    if let Some(image) = new {
        gone.extend(now.take().iter().flat_map(ProfileImage::keys));
        *now = image;
    }
    if let (Some(image), Some(text)) = (now, description) {
        text::trimmed(text).clone_into(&mut image.description);
    }
}
