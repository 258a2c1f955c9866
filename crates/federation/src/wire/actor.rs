//! Accounts on the wire, outgoing: pure builders from an `AccountView` of one of our own.

use activitypub_federation::kinds::actor::ApplicationType;
use activitypub_federation::protocol::public_key::PublicKey;
use domain::Urls;
use domain::view::AccountView;
use serde::Serialize;
use url::Url;

use super::note::{Image, Tag, emoji_tags};

/// An account of ours.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub preferred_username: String,
    pub name: String,
    pub summary: String,
    pub url: String,
    pub inbox: String,
    pub outbox: String,
    pub followers: String,
    pub following: String,
    pub featured: String,
    pub manually_approves_followers: bool,
    pub discoverable: bool,
    pub indexable: bool,
    pub published: String,
    /// FEP-2c59: the handle under which this actor is known.
    pub webfinger: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also_known_as: Vec<String>,
    pub public_key: PublicKey,
    pub tag: Vec<Tag>,
    pub attachment: Vec<PropertyValue>,
    pub endpoints: Endpoints,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon: Option<Image>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
}

/// A row of a profile's table.
#[derive(Debug, Clone, Serialize)]
pub struct PropertyValue {
    #[serde(rename = "type")]
    kind: PropertyValueType,
    pub name: String,
    pub value: String,
}

#[derive(Debug, Clone, Copy, Serialize)]
enum PropertyValueType {
    PropertyValue,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoints {
    pub shared_inbox: String,
}

/// Builds the document of a local account. `None` only when its own id were no address.
#[must_use]
pub fn actor(view: &AccountView, urls: &Urls) -> Option<Actor> {
    let account = &view.account;
    let name = &account.username;
    let image = |image: &Option<domain::account::ProfileImage>| {
        let image = image.as_ref()?;
        Some(Image::new(image.key.as_deref()?, &image.description, urls))
    };
    Some(Actor {
        id: account.uri.clone(),
        kind: account.kind.as_str(),
        preferred_username: name.clone(),
        name: account.display_name.clone(),
        summary: account.note.clone(),
        url: account.url.clone(),
        inbox: urls.inbox(name),
        outbox: urls.outbox(name),
        followers: urls.followers(name),
        following: urls.following(name),
        featured: urls.featured(name),
        manually_approves_followers: account.locked,
        discoverable: account.discoverable,
        indexable: account.indexable,
        published: format!("{}T00:00:00Z", account.created_at.to_date()),
        webfinger: format!("{name}@{}", urls.domain()),
        moved_to: account.moved_to_uri.clone(),
        also_known_as: account.also_known_as.clone(),
        public_key: PublicKey {
            id: account.public_key_id.clone(),
            owner: Url::parse(&account.uri).ok()?,
            public_key_pem: account.public_key_pem.clone(),
        },
        tag: emoji_tags(&view.emojis, urls).collect(),
        attachment: account
            .fields
            .iter()
            .map(|field| PropertyValue {
                kind: PropertyValueType::PropertyValue,
                name: field.name.clone(),
                value: field.value.clone(),
            })
            .collect(),
        endpoints: Endpoints { shared_inbox: urls.shared_inbox() },
        icon: image(&account.avatar),
        image: image(&account.header),
    })
}

/// The actor in whose name this server fetches. It posts nothing and follows nobody.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceActor {
    pub id: String,
    #[serde(rename = "type")]
    kind: ApplicationType,
    pub preferred_username: String,
    pub url: String,
    pub inbox: String,
    pub outbox: String,
    pub manually_approves_followers: bool,
    pub public_key: PublicKey,
    pub endpoints: Endpoints,
}

/// The `keyId` of the instance actor.
#[must_use]
pub fn instance_key_id(urls: &Urls) -> String {
    format!("{}#main-key", urls.instance_actor())
}

/// Builds the instance actor. `None` only when our own address were none.
#[must_use]
pub fn instance_actor(public_key_pem: String, urls: &Urls) -> Option<InstanceActor> {
    let id = urls.instance_actor();
    Some(InstanceActor {
        kind: ApplicationType::Application,
        // Its handle is the domain itself, which no member's name can be.
        preferred_username: urls.host().to_owned(),
        url: urls.path("/about"),
        inbox: urls.path("/actor/inbox"),
        outbox: urls.path("/actor/outbox"),
        manually_approves_followers: true,
        public_key: PublicKey { id: instance_key_id(urls), owner: Url::parse(&id).ok()?, public_key_pem },
        endpoints: Endpoints { shared_inbox: urls.shared_inbox() },
        id,
    })
}
