//! WebFinger and host-meta: from a handle to an actor, both ways.
//!
//! Shapes and pure readers; who asks whom is in `resolve`.

use domain::Urls;
use domain::account::{Account, Handle};
use serde::Serialize;
use serde_json::Value;
use url::Url;

use crate::client::MediaType;
use crate::wire::lenient::{list, text, web_address};

/// A WebFinger answer (RFC 7033).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jrd {
    pub subject: String,
    pub aliases: Vec<String>,
    pub links: Vec<Link>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    pub rel: &'static str,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
}

const PROFILE_PAGE: &str = "http://webfinger.net/rel/profile-page";
const SUBSCRIBE: &str = "http://ostatus.org/schema/1.0/subscribe";

/// The answer for a local account.
#[must_use]
pub fn account(account: &Account, urls: &Urls) -> Jrd {
    Jrd {
        subject: format!("acct:{}@{}", account.username, urls.domain()),
        aliases: vec![account.url.clone(), account.uri.clone()],
        links: vec![
            Link { rel: PROFILE_PAGE, kind: Some("text/html"), href: Some(account.url.clone()), template: None },
            Link {
                rel: "self",
                kind: Some("application/activity+json"),
                href: Some(account.uri.clone()),
                template: None,
            },
            Link {
                rel: SUBSCRIBE,
                kind: None,
                href: None,
                template: Some(urls.path("/authorize_interaction?uri={uri}")),
            },
        ],
    }
}

/// The answer for the instance actor, whose handle is the domain twice.
#[must_use]
pub fn instance(urls: &Urls) -> Jrd {
    Jrd {
        subject: format!("acct:{}@{}", urls.host(), urls.domain()),
        aliases: vec![urls.instance_actor()],
        links: vec![Link {
            rel: "self",
            kind: Some("application/activity+json"),
            href: Some(urls.instance_actor()),
            template: None,
        }],
    }
}

/// What a WebFinger query asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// The name of a local account.
    Name(String),
    Instance,
}

/// Reads the `resource` of a query: `acct:name@us`, or the address of a profile or actor of ours. `None` when it is
/// not about us.
#[must_use]
pub fn resource(text: &str, urls: &Urls) -> Option<Resource> {
    if urls.is_ours(text) {
        if text == urls.instance_actor() {
            return Some(Resource::Instance);
        }
        if let Some((name, "")) = urls.parse_user_path(text) {
            return Some(Resource::Name(name.to_owned()));
        }
        let page = text.strip_prefix(urls.base())?.strip_prefix("/@")?;
        return (!page.contains('/')).then(|| Resource::Name(page.to_owned()));
    }
    let handle = Handle::parse(text)?;
    if handle.domain.as_ref() != Some(urls.own_host()) {
        return None;
    }
    if handle.username.eq_ignore_ascii_case(urls.host()) {
        return Some(Resource::Instance);
    }
    Some(Resource::Name(handle.username))
}

/// host-meta (RFC 6415), for servers that look for WebFinger by it.
#[must_use]
pub fn host_meta(urls: &Urls) -> String {
    let template = urls.path("/.well-known/webfinger?resource={uri}");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<XRD xmlns=\"http://docs.oasis-open.org/ns/xri/xrd-1.0\">\n  \
         <Link rel=\"lrdd\" type=\"application/jrd+json\" template=\"{template}\"/>\n</XRD>\n"
    )
}

/// A WebFinger answer of another server, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub handle: Handle,
    /// The actor's id.
    pub actor: Url,
}

/// Reads another server's answer. `None` when it names no account or no actor.
#[must_use]
pub fn read(value: &Value) -> Option<Found> {
    let handle = text(value, "subject").and_then(Handle::parse).filter(|handle| handle.domain.is_some())?;
    let actor = list(value, "links")
        .filter(|link| text(link, "rel") == Some("self"))
        .filter(|link| text(link, "type").and_then(MediaType::parse).is_some_and(|kind| kind.is_inbox_body()))
        .find_map(|link| text(link, "href").and_then(web_address))
        .and_then(|href| Url::parse(href).ok())?;
    Some(Found { handle, actor })
}

/// Where somebody at home there can do something with a thing elsewhere: an address with `{uri}` in it, for that thing's.
#[must_use]
pub fn interaction_template(value: &Value) -> Option<&str> {
    list(value, "links")
        .filter(|link| text(link, "rel") == Some(SUBSCRIBE))
        .filter_map(|link| text(link, "template"))
        .find(|template| template.contains("{uri}"))
}

/// The template for WebFinger queries in a host-meta document; it must be an address with `{uri}` in it.
#[must_use]
pub fn template_of(host_meta: &str) -> Option<String> {
    host_meta.split('<').filter(|tag| tag.contains("lrdd")).find_map(|tag| {
        let after = tag.split_once("template=\"")?.1;
        let template = after.split_once('"')?.0.replace("&amp;", "&");
        (template.contains("{uri}") && web_address(&template.replace("{uri}", "x")).is_some()).then_some(template)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn urls() -> Urls {
        Urls::new(&Url::parse("https://maple.example:4001").unwrap()).unwrap()
    }

    #[test]
    fn every_way_to_name_one_of_us_is_understood() {
        let dana = Some(Resource::Name("dana".into()));
        for text in [
            "acct:dana@maple.example:4001",
            "dana@Maple.example:4001",
            "https://maple.example:4001/users/dana",
            "https://maple.example:4001/@dana",
        ] {
            assert_eq!(resource(text, &urls()), dana, "{text}");
        }
        for text in ["acct:maple.example@maple.example:4001", "https://maple.example:4001/actor"] {
            assert_eq!(resource(text, &urls()), Some(Resource::Instance), "{text}");
        }
        for text in [
            "acct:dana@willow.example",
            "acct:dana@maple.example",
            "dana",
            "https://maple.example:4001/users/dana/statuses/1",
            "https://maple.example:4001/@dana/1",
            "https://maple.example:40011/@dana",
            "",
        ] {
            assert_eq!(resource(text, &urls()), None, "{text}");
        }
    }

    #[test]
    fn other_servers_answers_are_read() {
        let answer = |links| json!({"subject": "acct:bob@willow.example", "links": links});
        let good = answer(json!([
            {"rel": "http://webfinger.net/rel/profile-page", "type": "text/html", "href": "https://willow.example/@bob"},
            {"rel": "self", "type": "application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"", "href": "https://willow.example/users/bob"},
        ]));
        let found = read(&good).unwrap();
        assert_eq!(found.actor.as_str(), "https://willow.example/users/bob");
        assert_eq!(found.handle, Handle::parse("bob@willow.example").unwrap());
        assert_eq!(read(&answer(json!([{"rel": "self", "type": "text/html", "href": "https://x.example/"}]))), None);
        assert_eq!(
            read(&answer(json!([{"rel": "self", "type": "application/activity+json", "href": "javascript:1"}]))),
            None
        );
        assert_eq!(read(&json!({"subject": "bob", "links": []})), None);
    }

    #[test]
    fn our_host_meta_leads_back_to_us() {
        let template = template_of(&host_meta(&urls())).unwrap();
        assert_eq!(template, "https://maple.example:4001/.well-known/webfinger?resource={uri}");
        assert_eq!(template_of("<Link rel=\"lrdd\" template=\"file:///{uri}\"/>"), None);
        assert_eq!(template_of(""), None);
    }
}
