//! Received actors.

use domain::Timestamp;
use domain::account::{ActorKind, ProfileField};
use domain::text::one_line;
use serde::Serialize;
use serde_json::Value;

use super::{ReceivedEmoji, Unusable, emojis, same_server};
use crate::signature::multikey;
use crate::wire::lenient::{
    acceptable_uri, cut, elements, file_link, flag, id, id_of, ids, list, page_link, said, text, time, types,
    web_address,
};
use crate::wire::sanitise;

const MAX_NAME: usize = 200;
const MAX_SUMMARY: usize = 20_000;
const MAX_FIELDS: usize = 16;
const MAX_ALIASES: usize = 20;
const MAX_KEYS: usize = 8;
/// Where actors show their keys.
const KEYS: [&str; 3] = ["publicKey", "assertionMethod", "authentication"];

/// An actor as far as we understand it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReceivedActor {
    pub id: String,
    pub kind: ActorKind,
    pub username: String,
    /// FEP-2c59: the handle it claims, to be checked by WebFinger.
    pub claimed_handle: Option<String>,
    /// Plain text.
    pub display_name: String,
    /// Safe HTML.
    pub summary: String,
    pub url: Option<String>,
    pub inbox: String,
    pub shared_inbox: Option<String>,
    pub outbox: Option<String>,
    pub followers: Option<String>,
    pub following: Option<String>,
    pub featured: Option<String>,
    pub locked: bool,
    pub discoverable: bool,
    pub indexable: bool,
    pub icon: Option<ReceivedImage>,
    pub image: Option<ReceivedImage>,
    pub fields: Vec<ProfileField>,
    pub keys: Vec<ReceivedKey>,
    /// The ids of all its keys, also of those that stand in documents of their own.
    pub named_keys: Vec<String>,
    pub also_known_as: Vec<String>,
    pub moved_to: Option<String>,
    pub published: Option<Timestamp>,
    pub emojis: Vec<ReceivedEmoji>,
}

/// An avatar or header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReceivedImage {
    pub url: String,
    pub description: String,
}

/// A public key that an actor shows, or that stands in a document of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReceivedKey {
    pub id: String,
    pub owner: Option<String>,
    pub pem: String,
}

impl ReceivedActor {
    /// # Errors
    /// When it is no actor, has no name, no inbox or no key of its own, or its inbox is on another server.
    pub fn read(value: &Value) -> Result<Self, Unusable> {
        let kind = types(value).find_map(ActorKind::parse).ok_or(Unusable::UnknownType)?;
        let actor_id = id_of(value).and_then(web_address).ok_or(Unusable::Missing("id"))?.to_owned();
        let username =
            text(value, "preferredUsername").and_then(username).ok_or(Unusable::Missing("preferredUsername"))?;
        let inbox = id(value, "inbox").and_then(web_address).ok_or(Unusable::Missing("inbox"))?;
        if !same_server(inbox, &actor_id) {
            return Err(Unusable::ForeignHost("inbox"));
        }
        let keys: Vec<ReceivedKey> = keys(value)
            .into_iter()
            .filter(|key| key.owner.as_deref().is_none_or(|owner| owner == actor_id))
            .filter(|key| same_server(&key.id, &actor_id))
            .collect();
        // A key in a document of its own is named here and looked for when it is needed.
        let named_keys: Vec<String> = named_keys(value).into_iter().filter(|key| same_server(key, &actor_id)).collect();
        if keys.is_empty() && named_keys.is_empty() {
            return Err(Unusable::Missing("publicKey"));
        }
        // Addresses that speak for the actor must be on its own server; others are as good as absent.
        let own =
            |key| id(value, key).and_then(web_address).filter(|uri| same_server(uri, &actor_id)).map(str::to_owned);
        let shared_inbox = value
            .get("endpoints")
            .and_then(|endpoints| id(endpoints, "sharedInbox"))
            .and_then(web_address)
            .filter(|uri| same_server(uri, &actor_id))
            .map(str::to_owned);
        Ok(Self {
            kind,
            claimed_handle: text(value, "webfinger").map(|handle| cut(handle, 600)),
            display_name: said(value, "name", None).map(|text| name(text, MAX_NAME)).unwrap_or_default(),
            summary: said(value, "summary", None).map(|html| sanitise(&cut(html, MAX_SUMMARY))).unwrap_or_default(),
            url: page_link(value).map(str::to_owned),
            inbox: inbox.to_owned(),
            shared_inbox,
            outbox: own("outbox"),
            followers: own("followers"),
            following: own("following"),
            featured: own("featured"),
            locked: flag(value, "manuallyApprovesFollowers").unwrap_or(false),
            discoverable: flag(value, "discoverable").unwrap_or(false),
            indexable: flag(value, "indexable").unwrap_or(false),
            icon: image(value, "icon"),
            image: image(value, "image"),
            fields: fields(value),
            keys,
            named_keys,
            also_known_as: ids(value, "alsoKnownAs").into_iter().take(MAX_ALIASES).collect(),
            moved_to: id(value, "movedTo").and_then(web_address).filter(|to| *to != actor_id).map(str::to_owned),
            published: time(value, "published"),
            emojis: emojis(value, &actor_id),
            username,
            id: actor_id,
        })
    }
}

/// A name that can stand in a handle: letters, digits, `_`, `.`, `-`.
fn username(text: &str) -> Option<String> {
    let sound = text.len() <= 255 && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'));
    sound.then(|| text.to_owned())
}

/// The keys of an actor, or the key that a document of its own holds: PEM (`publicKey`) and Multikeys (FEP-521a), each
/// id once.
#[must_use]
pub fn keys(value: &Value) -> Vec<ReceivedKey> {
    let itself = ["publicKeyPem", "publicKeyMultibase"].iter().any(|key| value.get(key).is_some()).then_some(value);
    let mut found: Vec<ReceivedKey> = Vec::new();
    for key in KEYS.iter().flat_map(|property| list(value, property)).chain(itself).take(MAX_KEYS) {
        let Some(id) = id_of(key).filter(|id| !found.iter().any(|known| known.id == *id)) else { continue };
        let pem = text(key, "publicKeyPem").map(str::to_owned);
        let Some(pem) = pem.or_else(|| multikey::to_pem(text(key, "publicKeyMultibase")?)) else { continue };
        let owner = self::id(key, "owner").or_else(|| self::id(key, "controller")).map(str::to_owned);
        found.push(ReceivedKey { id: id.to_owned(), owner, pem });
    }
    found
}

/// The ids of the keys that an actor calls its own, shown in full or only named.
#[must_use]
pub fn named_keys(value: &Value) -> Vec<String> {
    let mut all: Vec<String> = KEYS.iter().flat_map(|property| ids(value, property)).take(MAX_KEYS).collect();
    all.dedup();
    all
}

fn image(value: &Value, key: &str) -> Option<ReceivedImage> {
    let (first, url) = list(value, key).find_map(|v| Some((v, file_link(v)?)))?;
    let description = said(first, "name", None).or_else(|| said(first, "summary", None)).unwrap_or_default();
    Some(ReceivedImage { url, description: cut(description, 1_500) })
}

/// A name of at most so many characters. What is left of it may end in a space, or show nothing.
fn name(text: &str, most: usize) -> String {
    one_line(&cut(&one_line(text), most))
}

fn fields(value: &Value) -> Vec<ProfileField> {
    list(value, "attachment")
        .filter(|field| types(field).any(|t| t == "PropertyValue" || t == "schema:PropertyValue"))
        .filter_map(|field| {
            Some(ProfileField {
                name: name(said(field, "name", None)?, 255),
                value: sanitise(&cut(said(field, "value", None)?, 2_000)),
                verified_at: None,
            })
        })
        .take(MAX_FIELDS)
        .collect()
}

/// Does an actor say that another account is its own too? For moves, which need it both ways.
#[must_use]
pub fn claims_alias(actor: &Value, alias: &str) -> bool {
    actor
        .get("alsoKnownAs")
        .map(|known| elements(known).filter_map(id_of).filter_map(acceptable_uri).any(|known| known == alias))
        .unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_long_name_is_a_name() {
        for (text, left) in [("Carol", "Carol"), ("Carol of the oak", "Carol of"), ("\u{200b}\u{2060}", "")] {
            assert_eq!(name(text, 9), left);
        }
        assert_eq!(name(&format!("{}x", "\u{2800}".repeat(9)), 9), "");
    }
}
