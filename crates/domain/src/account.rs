//! Accounts: a person, group or service, of this community or another.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::host::Host;
use crate::id::AccountId;
use crate::urls::Urls;
use crate::visibility::Visibility;

/// The ActivityPub actor type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
pub enum ActorKind {
    #[default]
    Person,
    Service,
    Group,
    Organization,
    Application,
}

impl ActorKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "Person",
            Self::Service => "Service",
            Self::Group => "Group",
            Self::Organization => "Organization",
            Self::Application => "Application",
        }
    }

    /// Reads an actor type; `None` for a type that is no actor.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "Person" => Self::Person,
            "Service" => Self::Service,
            "Group" => Self::Group,
            "Organization" => Self::Organization,
            "Application" => Self::Application,
            _ => return None,
        })
    }
}

/// A row of a profile's table: label and value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileField {
    /// Plain text.
    pub name: String,
    /// Safe HTML.
    pub value: String,
    /// When a link back was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Timestamp>,
}

/// An avatar or header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileImage {
    /// Where the bytes are in the media store; `None` while a remote picture was not fetched.
    pub key: Option<String>,
    /// Where a still version is in the media store, if the picture moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub still_key: Option<String>,
    /// Where another community serves it.
    pub remote_url: Option<String>,
    /// Alternative text.
    #[serde(default)]
    pub description: String,
}

impl ProfileImage {
    /// What it has in the media store.
    pub fn keys(&self) -> impl Iterator<Item = String> {
        self.key.iter().chain(&self.still_key).cloned()
    }
}

/// A public key under which an account's signatures are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountKey {
    /// What a signature calls it: an address.
    pub id: String,
    /// SubjectPublicKeyInfo (or, for RSA, PKCS #1) in PEM.
    pub pem: String,
}

/// An account as stored: what everybody may know of it, whoever looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: AccountId,
    /// Without `@`, in the case its owner chose. Compared without case.
    pub username: String,
    /// The server of its handle; `None` for this community's own accounts.
    pub domain: Option<Host>,
    /// The ActivityPub id.
    pub uri: String,
    /// The page for people.
    pub url: String,
    pub kind: ActorKind,
    /// Plain text; may hold `:emoji:` shortcodes.
    pub display_name: String,
    /// The introduction, safe HTML.
    pub note: String,
    pub fields: Vec<ProfileField>,
    pub avatar: Option<ProfileImage>,
    pub header: Option<ProfileImage>,
    /// Followers need her approval.
    pub locked: bool,
    pub discoverable: bool,
    pub indexable: bool,
    /// Whom she follows and who follows her is not shown.
    pub hide_collections: bool,
    pub inbox_url: String,
    pub shared_inbox_url: Option<String>,
    pub outbox_url: Option<String>,
    pub followers_url: Option<String>,
    pub following_url: Option<String>,
    pub featured_url: Option<String>,
    /// SubjectPublicKeyInfo in PEM. A remote account may have more keys: `storage::account_keys`.
    pub public_key_pem: String,
    pub public_key_id: String,
    pub also_known_as: Vec<String>,
    pub moved_to_uri: Option<String>,
    pub posts_count: i64,
    pub followers_count: i64,
    pub following_count: i64,
    pub last_post_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// When a remote actor document was last read.
    pub fetched_at: Option<Timestamp>,
    /// Nothing of hers is shown and nothing is sent to her.
    pub suspended_at: Option<Timestamp>,
    /// Kept out of public timelines and of strangers' notifications.
    pub silenced_at: Option<Timestamp>,
}

impl Account {
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.domain.is_none()
    }

    /// The server of its handle as it is stored; empty for this community's own accounts.
    #[must_use]
    pub fn domain_or_empty(&self) -> &str {
        self.domain.as_ref().map_or("", Host::as_str)
    }

    /// `name` for this community's accounts, `name@domain` for others: the client API's `acct`. The domain is as people
    /// read it ([`Host::display`]).
    #[must_use]
    pub fn acct(&self) -> String {
        acct(&self.username, self.domain.as_ref())
    }

    #[must_use]
    pub fn is_suspended(&self) -> bool {
        self.suspended_at.is_some()
    }

    #[must_use]
    pub fn is_bot(&self) -> bool {
        matches!(self.kind, ActorKind::Service | ActorKind::Application)
    }

    /// What to call her: the display name, or the username where none was set.
    #[must_use]
    pub fn name(&self) -> &str {
        if self.display_name.trim().is_empty() { &self.username } else { &self.display_name }
    }

    /// The inbox to deliver to when several recipients share a host.
    #[must_use]
    pub fn delivery_inbox(&self) -> &str {
        self.shared_inbox_url.as_deref().unwrap_or(&self.inbox_url)
    }
}

/// See [`Account::acct`].
#[must_use]
pub fn acct(username: &str, domain: Option<&Host>) -> String {
    domain.map_or_else(|| username.to_owned(), |domain| format!("{username}@{}", domain.display()))
}

/// What a member may do for her community.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    #[default]
    Member,
    Moderator,
    Admin,
    Owner,
}

impl Role {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Moderator => "moderator",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "member" => Self::Member,
            "moderator" => Self::Moderator,
            "admin" => Self::Admin,
            "owner" => Self::Owner,
            _ => return None,
        })
    }
}

/// The private half of a local account: how she signs in and what she prefers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub account_id: AccountId,
    pub email: String,
    /// A PHC string (argon2id); `None` for accounts that cannot sign in by password.
    pub password_hash: Option<String>,
    pub role: Role,
    pub locale: String,
    /// `None` while she waits for approval.
    pub approved_at: Option<Timestamp>,
    pub confirmed_at: Option<Timestamp>,
    pub disabled_at: Option<Timestamp>,
    /// Why she wants to join, in her words.
    pub sign_up_reason: String,
    pub preferences: MemberPreferences,
    pub created_at: Timestamp,
    pub last_active_at: Option<Timestamp>,
    /// Grows with every change of password, role, approval and closing.
    pub credentials_version: i64,
}

/// Who may sign in, and the version of the member's credentials that this was judged by. A session, a code or a token
/// that is made from the judgement is written only while the version still holds: a password reset or a closed account
/// ends what is still under way, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Credentials {
    pub account: AccountId,
    pub version: i64,
}

impl Credentials {
    /// Of a member who was made just now.
    #[must_use]
    pub fn new_members(account: AccountId) -> Self {
        Self { account, version: 0 }
    }
}

impl Member {
    /// What holds now.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        Credentials { account: self.account_id, version: self.credentials_version }
    }

    /// May sign in and use the API.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.standing() == Standing::Active
    }

    /// As [`Self::is_active`], with the account whose member this is: it must not be suspended either.
    #[must_use]
    pub fn may_sign_in(&self, account: &Account) -> bool {
        self.is_active() && !account.is_suspended()
    }

    #[must_use]
    pub fn standing(&self) -> Standing {
        Standing::of(self.approved_at.is_some(), self.disabled_at.is_some())
    }
}

/// Whether a member may sign in and use the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    Active,
    /// She waits for those who run the community to let her in.
    Waiting,
    /// Those who run the community closed her account; it can be opened again.
    Disabled,
}

impl Standing {
    #[must_use]
    pub fn of(approved: bool, disabled: bool) -> Self {
        match (approved, disabled) {
            (_, true) => Self::Disabled,
            (false, false) => Self::Waiting,
            (true, false) => Self::Active,
        }
    }
}

/// What a member chose; the client API's `preferences` and `source`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MemberPreferences {
    pub default_visibility: Visibility,
    pub default_sensitive: bool,
    /// ISO 639-1; `None` = guess from the text.
    pub default_language: Option<String>,
    /// `default`, `show_all` or `hide_all`.
    pub expand_media: String,
    pub expand_spoilers: bool,
    /// The introduction as she typed it; `note` of the account is made from it.
    pub note_source: String,
    /// The fields as she typed them.
    pub fields_source: Vec<ProfileField>,
    /// Sites whose pages may say that the member wrote them.
    pub attribution_domains: Vec<String>,
}

impl Default for MemberPreferences {
    fn default() -> Self {
        Self {
            default_visibility: Visibility::Public,
            default_sensitive: false,
            default_language: None,
            expand_media: "default".to_owned(),
            expand_spoilers: false,
            note_source: String::new(),
            fields_source: Vec::new(),
            attribution_domains: Vec::new(),
        }
    }
}

/// A local username that was checked: 1–30 of `a-z A-Z 0-9 _`, as Mastodon allows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Username(String);

impl Username {
    pub const MAX_CHARS: usize = 30;

    /// Names that would clash with pages, or let somebody pose as the people who run the community.
    const RESERVED: &'static [&'static str] = &[
        "about",
        "abuse",
        "admin",
        "administrator",
        "api",
        "auth",
        "help",
        "inbox",
        "instance",
        "internal",
        "mod",
        "moderator",
        "oauth",
        "owner",
        "porchlight",
        "postmaster",
        "root",
        "security",
        "settings",
        "staff",
        "support",
        "system",
        "webmaster",
    ];

    /// # Errors
    /// Says what is wrong, to be shown beside the field.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("must not be empty");
        }
        if text.len() > Self::MAX_CHARS {
            return Err("must have at most 30 characters");
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err("may only have letters a–z, digits and underscores");
        }
        if Self::RESERVED.contains(&text.to_ascii_lowercase().as_str()) {
            return Err("is reserved");
        }
        Ok(Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An e-mail address that looks like one: whether it works is known only once a mail to it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// RFC 5321, section 4.5.3.1.3, less the brackets.
    pub const MAX_BYTES: usize = 254;

    /// # Errors
    /// Says what is wrong, to be shown beside the field.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.is_empty() {
            return Err("must not be empty");
        }
        if text.len() > Self::MAX_BYTES {
            return Err("is too long");
        }
        let Some((local, domain)) = text.rsplit_once('@') else { return Err("must be an e-mail address") };
        let local_ok = !local.is_empty()
            && local.len() <= 64
            && !local
                .contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '@' | ',' | ';' | '<' | '>'));
        let label_ok = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        };
        if local_ok && domain.split('.').all(label_ok) {
            Ok(Self(text.to_owned()))
        } else {
            Err("must be an e-mail address")
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `name@domain` or `name`, read from what a person typed: with or without the first `@`, or `acct:`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Handle {
    pub username: String,
    /// `None` = this community.
    pub domain: Option<Host>,
}

impl Handle {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix("acct:").unwrap_or(text);
        let text = text.strip_prefix('@').unwrap_or(text);
        let (username, domain) = match text.split_once('@') {
            Some((name, domain)) => (name, Some(domain)),
            None => (text, None),
        };
        let name_ok = !username.is_empty()
            && username.len() <= 255
            && username.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'));
        let domain = match domain.map(Host::parse) {
            None => None,
            Some(Ok(host)) => Some(host),
            Some(Err(_)) => return None,
        };
        name_ok.then(|| Self { username: username.to_owned(), domain })
    }

    /// The host where its account lives, unless that is this community.
    #[must_use]
    pub fn elsewhere(&self, urls: &Urls) -> Option<&Host> {
        self.domain.as_ref().filter(|domain| *domain != urls.own_host())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_read_as_people_type_them() {
        let full = Handle { username: "bob".into(), domain: Some(Host::parse("willow.example").unwrap()) };
        for text in ["bob@willow.example", "@bob@Willow.example", "acct:bob@willow.example", " @bob@willow.example "] {
            assert_eq!(Handle::parse(text), Some(full.clone()), "{text}");
        }
        assert_eq!(Handle::parse("@bob"), Some(Handle { username: "bob".into(), domain: None }));
        for bad in ["", "@", "@@x", "bob@", "b b@x", "https://willow.example/@bob", "bob@x/y", "bob@a..b"] {
            assert_eq!(Handle::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn e_mail_addresses_are_told_from_other_texts() {
        assert_eq!(Email::new(" Dana.B+home@maple.example ").unwrap().as_str(), "Dana.B+home@maple.example");
        assert!(Email::new("dana@localhost").is_ok());
        assert!(Email::new("dana@müsli.example").is_ok());
        let long = format!("{}@maple.example", "x".repeat(65));
        for bad in [
            "",
            "dana",
            "@maple.example",
            "dana@",
            "da na@maple.example",
            "a@b@c.example",
            "dana@maple..example",
            "<dana@maple.example>",
            "dana@-x.example",
            &long,
        ] {
            assert!(Email::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_disabled_member_is_disabled_even_if_she_still_waits() {
        assert_eq!(Standing::of(false, true), Standing::Disabled);
        assert_eq!(Standing::of(false, false), Standing::Waiting);
        assert_eq!(Standing::of(true, false), Standing::Active);
    }

    #[test]
    fn usernames_are_checked_once() {
        assert!(Username::new("Dana_46").is_ok());
        for bad in ["", "dana.b", "dana-b", "admin", "Admin", &"x".repeat(31), "düna"] {
            assert!(Username::new(bad).is_err(), "{bad}");
        }
    }
}
