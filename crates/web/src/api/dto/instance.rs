//! `Instance` (v2) and `V1Instance`: what a community says of itself and what it allows.

use domain::Urls;
use domain::instance::{CommunitySettings, SignUp};
use domain::limits::Limits;
use serde::Serialize;

use crate::api::render::Json;

/// The version of Mastodon's API that apps may expect. Named so that apps do not hide what works here;
/// features this server lacks answer 404.
const COMPATIBLE: &str = "4.2.0";
/// Mastodon's number of the API's generation, for features that apps ask by number: 2 would promise grouped
/// notifications.
const API_GENERATION: i64 = 1;
const IMAGE_TYPES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

/// What the shapes are made from.
#[derive(Debug)]
pub struct Facts<'a> {
    pub settings: &'a CommunitySettings,
    pub limits: &'a Limits,
    pub urls: &'a Urls,
    pub sign_up: SignUp,
    pub source_url: &'a str,
    pub members: i64,
    pub active_month: i64,
    pub posts: i64,
    pub domains: i64,
    pub contact: Option<Json>,
}

#[must_use]
pub fn version() -> String {
    format!("{COMPATIBLE} (compatible; Porchlight {})", env!("CARGO_PKG_VERSION"))
}

#[derive(Debug, Serialize)]
struct Statuses {
    max_characters: usize,
    max_media_attachments: usize,
    characters_reserved_per_url: usize,
    supported_mime_types: [&'static str; 1],
}

#[derive(Debug, Serialize)]
struct Media {
    supported_mime_types: [&'static str; 4],
    description_limit: usize,
    image_size_limit: usize,
    image_matrix_limit: u64,
    /// 0: videos are not taken.
    video_size_limit: usize,
    video_frame_rate_limit: usize,
    video_matrix_limit: usize,
}

/// Polls cannot be made here: no options are allowed.
#[derive(Debug, Serialize)]
struct Polls {
    max_options: usize,
    max_characters_per_option: usize,
    min_expiration: usize,
    max_expiration: usize,
}

#[derive(Debug, Serialize)]
struct Accounts {
    max_featured_tags: usize,
    max_pinned_statuses: i64,
    max_display_name_length: usize,
    max_note_length: usize,
    max_profile_fields: usize,
    profile_field_name_limit: usize,
    profile_field_value_limit: usize,
}

#[derive(Debug, Serialize)]
struct Configuration {
    #[serde(skip_serializing_if = "Option::is_none")]
    urls: Option<ConfiguredUrls>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vapid: Option<Vapid>,
    accounts: Accounts,
    statuses: Statuses,
    media_attachments: Media,
    polls: Polls,
    translation: Translation,
}

#[derive(Debug, Serialize)]
struct ConfiguredUrls {
    streaming: String,
    about: String,
    status: Option<()>,
    privacy_policy: Option<()>,
    terms_of_service: Option<()>,
}

#[derive(Debug, Serialize)]
struct Vapid {
    public_key: &'static str,
}

#[derive(Debug, Serialize)]
struct Translation {
    enabled: bool,
}

impl Configuration {
    fn new(limits: &Limits) -> Self {
        Self {
            urls: None,
            vapid: None,
            accounts: Accounts {
                max_featured_tags: 0,
                max_pinned_statuses: limits.pins,
                max_display_name_length: limits.name_chars,
                max_note_length: limits.note_chars,
                max_profile_fields: limits.profile_fields,
                profile_field_name_limit: limits.field_chars,
                profile_field_value_limit: limits.field_chars,
            },
            statuses: Statuses {
                max_characters: limits.post_chars,
                max_media_attachments: limits.attachments,
                characters_reserved_per_url: Limits::LINK_CHARS,
                supported_mime_types: ["text/plain"],
            },
            media_attachments: Media {
                supported_mime_types: IMAGE_TYPES,
                description_limit: limits.description_chars,
                image_size_limit: limits.image_bytes,
                image_matrix_limit: limits.image_pixels,
                video_size_limit: 0,
                video_frame_rate_limit: 0,
                video_matrix_limit: 0,
            },
            polls: Polls { max_options: 0, max_characters_per_option: 0, min_expiration: 0, max_expiration: 0 },
            translation: Translation { enabled: false },
        }
    }
}

/// A rule of the community.
#[derive(Debug, Serialize)]
pub struct Rule<'a> {
    /// Its place in the list, from 1.
    id: String,
    text: &'a str,
    hint: &'static str,
}

impl<'a> Rule<'a> {
    pub fn all(rules: &'a [String]) -> Vec<Self> {
        rules.iter().enumerate().map(|(n, text)| Self { id: (n + 1).to_string(), text, hint: "" }).collect()
    }
}

#[derive(Debug, Serialize)]
pub struct Instance<'a> {
    domain: &'a str,
    title: &'a str,
    version: String,
    source_url: &'a str,
    description: &'a str,
    usage: Usage,
    thumbnail: Thumbnail,
    icon: [Icon; 1],
    languages: &'a [String],
    configuration: Configuration,
    registrations: Registrations,
    api_versions: ApiVersions,
    contact: Contact<'a>,
    rules: Vec<Rule<'a>>,
}

#[derive(Debug, Serialize)]
struct Usage {
    users: UsageUsers,
}

#[derive(Debug, Serialize)]
struct UsageUsers {
    active_month: i64,
}

#[derive(Debug, Serialize)]
struct Thumbnail {
    url: String,
}

#[derive(Debug, Serialize)]
struct Icon {
    src: String,
    size: &'static str,
}

#[derive(Debug, Serialize)]
struct Registrations {
    enabled: bool,
    approval_required: bool,
    reason_required: bool,
    message: Option<()>,
    min_age: Option<()>,
    url: Option<()>,
}

#[derive(Debug, Serialize)]
struct ApiVersions {
    mastodon: i64,
}

#[derive(Debug, Serialize)]
struct Contact<'a> {
    email: &'a str,
    account: Option<Json>,
}

impl<'a> Instance<'a> {
    #[must_use]
    pub fn new(facts: &'a Facts<'a>) -> Self {
        let Facts { settings, limits, urls, sign_up, .. } = facts;
        let mut configuration = Configuration::new(limits);
        configuration.urls = Some(ConfiguredUrls {
            streaming: urls.streaming(),
            about: urls.path("/about"),
            status: None,
            privacy_policy: None,
            terms_of_service: None,
        });
        configuration.vapid = Some(Vapid { public_key: "" });
        Self {
            domain: urls.domain(),
            title: &settings.title,
            version: version(),
            source_url: facts.source_url,
            description: &settings.description,
            usage: Usage { users: UsageUsers { active_month: facts.active_month } },
            thumbnail: Thumbnail { url: urls.path("/static/header.png") },
            icon: [Icon { src: urls.path("/static/touch-icon.png"), size: "180x180" }],
            languages: &settings.languages,
            configuration,
            registrations: Registrations {
                enabled: matches!(sign_up, SignUp::Open | SignUp::Approval),
                approval_required: *sign_up == SignUp::Approval,
                reason_required: *sign_up == SignUp::Approval,
                message: None,
                min_age: None,
                url: None,
            },
            api_versions: ApiVersions { mastodon: API_GENERATION },
            contact: Contact { email: &settings.contact_email, account: facts.contact.clone() },
            rules: Rule::all(&settings.rules),
        }
    }
}

#[derive(Debug, Serialize)]
pub struct V1Instance<'a> {
    uri: &'a str,
    title: &'a str,
    short_description: &'a str,
    description: &'a str,
    email: &'a str,
    version: String,
    urls: V1Urls,
    stats: V1Stats,
    thumbnail: String,
    languages: &'a [String],
    registrations: bool,
    approval_required: bool,
    invites_enabled: bool,
    configuration: Configuration,
    contact_account: Option<Json>,
    rules: Vec<Rule<'a>>,
    /// Read by apps that know servers with longer posts.
    max_toot_chars: usize,
}

#[derive(Debug, Serialize)]
struct V1Urls {
    streaming_api: String,
}

#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "the shape is Mastodon's")]
struct V1Stats {
    user_count: i64,
    status_count: i64,
    domain_count: i64,
}

impl<'a> V1Instance<'a> {
    #[must_use]
    pub fn new(facts: &'a Facts<'a>) -> Self {
        let Facts { settings, limits, urls, sign_up, .. } = facts;
        Self {
            uri: urls.domain(),
            title: &settings.title,
            short_description: &settings.description,
            description: if settings.about.is_empty() { &settings.description } else { &settings.about },
            email: &settings.contact_email,
            version: version(),
            urls: V1Urls { streaming_api: urls.streaming() },
            stats: V1Stats { user_count: facts.members, status_count: facts.posts, domain_count: facts.domains },
            thumbnail: urls.path("/static/header.png"),
            languages: &settings.languages,
            registrations: matches!(sign_up, SignUp::Open | SignUp::Approval),
            approval_required: *sign_up == SignUp::Approval,
            invites_enabled: false,
            configuration: Configuration::new(limits),
            contact_account: facts.contact.clone(),
            rules: Rule::all(&settings.rules),
            max_toot_chars: limits.post_chars,
        }
    }
}

/// A week of the community's life, counted; all numbers are texts in Mastodon's shape.
#[derive(Debug, Serialize)]
pub struct Week {
    pub week: String,
    pub statuses: String,
    pub logins: String,
    pub registrations: String,
}
