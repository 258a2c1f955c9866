//! `Account`, and `CredentialAccount` for its owner.

use domain::Urls;
use domain::account::{Account as DomainAccount, ActorKind, Member, MemberPreferences, ProfileField, Role};
use domain::view::AccountView;
use serde::Serialize;

use super::emoji::CustomEmoji;
use super::status::visibility_name;
use super::value::{Day, Id, Midnight, Time};
use crate::api::quotes::NOBODY;

#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the shape is Mastodon's")]
pub struct Account<'a> {
    id: Id,
    username: &'a str,
    acct: String,
    display_name: &'a str,
    locked: bool,
    bot: bool,
    discoverable: bool,
    indexable: bool,
    group: bool,
    created_at: Midnight,
    note: &'a str,
    url: &'a str,
    uri: &'a str,
    avatar: String,
    avatar_static: String,
    avatar_description: &'a str,
    header: String,
    header_static: String,
    header_description: &'a str,
    followers_count: i64,
    following_count: i64,
    statuses_count: i64,
    last_status_at: Option<Day>,
    hide_collections: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    noindex: Option<bool>,
    #[serde(skip_serializing_if = "is_false")]
    suspended: bool,
    #[serde(skip_serializing_if = "is_false")]
    limited: bool,
    emojis: Vec<CustomEmoji<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<Vec<AccountRole>>,
    fields: Vec<Field<'a>>,
    /// Where she is now; absent for who did not move, as in Mastodon.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved: Option<Box<Account<'a>>>,
}

fn is_false(value: &bool) -> bool {
    !value
}

#[derive(Debug, Serialize)]
pub struct Field<'a> {
    name: &'a str,
    value: &'a str,
    verified_at: Option<Time>,
}

impl<'a> Field<'a> {
    fn all(fields: &'a [ProfileField]) -> Vec<Self> {
        fields.iter().map(|f| Self { name: &f.name, value: &f.value, verified_at: f.verified_at.map(Time) }).collect()
    }
}

/// A role as others see it.
#[derive(Debug, Serialize)]
pub struct AccountRole {
    id: &'static str,
    name: &'static str,
    color: &'static str,
}

/// Mastodon's numbers of its own roles, which apps know.
fn role_id(role: Role) -> (&'static str, &'static str) {
    match role {
        Role::Member => ("-99", ""),
        Role::Moderator => ("1", "Moderator"),
        Role::Admin => ("2", "Admin"),
        Role::Owner => ("3", "Owner"),
    }
}

impl<'a> Account<'a> {
    pub fn new(view: &'a AccountView, urls: &Urls) -> Self {
        let account = &view.account;
        if account.suspended_at.is_some() {
            return Self::suspended(account, urls);
        }
        let (avatar, header) = (urls.avatar(account), urls.header(account));
        let local = account.is_local();
        Self {
            display_name: &account.display_name,
            note: &account.note,
            avatar_static: urls.avatar_static(account),
            avatar,
            avatar_description: account.avatar.as_ref().map_or("", |i| &i.description),
            header_static: urls.header_static(account),
            header,
            header_description: account.header.as_ref().map_or("", |i| &i.description),
            // Who hides them hides how many: whoever watches the number sees each of them come.
            followers_count: if account.hide_collections { 0 } else { account.followers_count },
            following_count: if account.hide_collections { 0 } else { account.following_count },
            statuses_count: account.posts_count,
            last_status_at: account.last_post_at.map(Day),
            limited: account.silenced_at.is_some(),
            emojis: CustomEmoji::all(&view.emojis, urls),
            roles: local.then(|| {
                let shown = view.role.filter(|r| *r != Role::Member).map(role_id);
                shown.map(|(id, name)| AccountRole { id, name, color: "" }).into_iter().collect()
            }),
            fields: Field::all(&account.fields),
            moved: view.moved.as_deref().map(|there| Box::new(Self::new(there, urls))),
            ..Self::bare(account, urls)
        }
    }

    /// What stays when an account is suspended: that it is.
    fn suspended(account: &'a DomainAccount, urls: &Urls) -> Self {
        Self { suspended: true, ..Self::bare(account, urls) }
    }

    fn bare(account: &'a DomainAccount, urls: &Urls) -> Self {
        let (avatar, header) = (urls.path("/static/avatar.png"), urls.path("/static/header.png"));
        Self {
            id: Id::of(account.id),
            username: &account.username,
            acct: account.acct(),
            display_name: "",
            locked: account.locked,
            bot: matches!(account.kind, ActorKind::Service | ActorKind::Application),
            discoverable: account.discoverable,
            indexable: account.indexable,
            group: account.kind == ActorKind::Group,
            created_at: Midnight(account.created_at),
            note: "",
            url: if account.url.is_empty() { &account.uri } else { &account.url },
            uri: &account.uri,
            avatar_static: avatar.clone(),
            avatar,
            avatar_description: "",
            header_static: header.clone(),
            header,
            header_description: "",
            followers_count: 0,
            following_count: 0,
            statuses_count: 0,
            last_status_at: None,
            hide_collections: account.hide_collections,
            noindex: account.is_local().then_some(!account.indexable),
            suspended: false,
            limited: false,
            emojis: Vec::new(),
            roles: None,
            fields: Vec::new(),
            moved: None,
        }
    }
}

/// An account as its owner sees it.
#[derive(Debug, Serialize)]
pub struct CredentialAccount<'a> {
    #[serde(flatten)]
    account: Account<'a>,
    source: Source<'a>,
    role: OwnRole,
}

#[derive(Debug, Serialize)]
struct Source<'a> {
    privacy: &'static str,
    sensitive: bool,
    language: Option<&'a str>,
    note: &'a str,
    fields: Vec<Field<'a>>,
    follow_requests_count: i64,
    hide_collections: bool,
    discoverable: bool,
    indexable: bool,
    attribution_domains: &'a [String],
    quote_policy: &'static str,
}

#[derive(Debug, Serialize)]
struct OwnRole {
    id: &'static str,
    name: &'static str,
    /// Bits of Mastodon's moderation API, which this server does not offer: none.
    permissions: &'static str,
    color: &'static str,
    highlighted: bool,
}

impl<'a> CredentialAccount<'a> {
    pub fn new(view: &'a AccountView, member: &'a Member, follow_requests_count: i64, urls: &Urls) -> Self {
        let MemberPreferences { default_visibility, default_sensitive, default_language, note_source, .. } =
            &member.preferences;
        let account = &view.account;
        let (id, name) = role_id(member.role);
        Self {
            account: Account {
                followers_count: account.followers_count,
                following_count: account.following_count,
                ..Account::new(view, urls)
            },
            source: Source {
                privacy: visibility_name(*default_visibility),
                sensitive: *default_sensitive,
                language: default_language.as_deref(),
                note: note_source,
                fields: Field::all(&member.preferences.fields_source),
                follow_requests_count,
                hide_collections: account.hide_collections,
                discoverable: account.discoverable,
                indexable: account.indexable,
                attribution_domains: &member.preferences.attribution_domains,
                quote_policy: NOBODY,
            },
            role: OwnRole { id, name, permissions: "0", color: "", highlighted: member.role != Role::Member },
        }
    }
}

/// An account that she muted, with when that ends.
#[derive(Debug, Serialize)]
pub struct MutedAccount<'a> {
    #[serde(flatten)]
    account: Account<'a>,
    mute_expires_at: Option<Time>,
}

impl<'a> MutedAccount<'a> {
    pub fn new(view: &'a AccountView, until: Option<domain::Timestamp>, urls: &Urls) -> Self {
        Self { account: Account::new(view, urls), mute_expires_at: until.map(Time) }
    }
}
