//! NodeInfo 2.0 and 2.1: what this server says of itself to statistics and to other servers.
//!
//! Only totals; never who or when.

use domain::Urls;
use serde::Serialize;
use serde_json::{Value, json};

/// The numbers that are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    pub members: i64,
    pub posts: i64,
}

/// A NodeInfo document.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeInfo {
    version: &'static str,
    software: Software,
    protocols: [&'static str; 1],
    services: Services,
    open_registrations: bool,
    usage: Totals,
    metadata: Metadata,
}

#[derive(Debug, Clone, Serialize)]
struct Software {
    name: &'static str,
    version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<&'static str>,
}

#[derive(Debug, Clone, Serialize)]
struct Services {
    inbound: [&'static str; 0],
    outbound: [&'static str; 0],
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Totals {
    users: Users,
    local_posts: i64,
}

#[derive(Debug, Clone, Serialize)]
struct Users {
    total: i64,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    node_name: String,
    node_description: String,
}

/// The document of a version, `"2.0"` or `"2.1"`; `None` for others.
#[must_use]
pub fn document(version: &str, title: &str, description: &str, open: bool, usage: Usage) -> Option<NodeInfo> {
    let (version, repository) = match version {
        "2.0" => ("2.0", None),
        "2.1" => ("2.1", Some(env!("CARGO_PKG_REPOSITORY"))),
        _ => return None,
    };
    Some(NodeInfo {
        version,
        software: Software { name: "porchlight", version: env!("CARGO_PKG_VERSION"), repository },
        protocols: ["activitypub"],
        services: Services { inbound: [], outbound: [] },
        open_registrations: open,
        usage: Totals { users: Users { total: usage.members }, local_posts: usage.posts },
        metadata: Metadata { node_name: title.to_owned(), node_description: description.to_owned() },
    })
}

/// Where the documents are.
#[must_use]
pub fn discovery(urls: &Urls) -> Value {
    let link = |version: &str| {
        json!({
            "rel": format!("http://nodeinfo.diaspora.software/ns/schema/{version}"),
            "href": urls.path(&format!("/nodeinfo/{version}")),
        })
    };
    json!({"links": [link("2.0"), link("2.1")]})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_follow_their_schema() {
        let usage = Usage { members: 3, posts: 14 };
        let of = |version| serde_json::to_value(document(version, "Maple", "moms", false, usage)).unwrap();
        assert_eq!(of("2.0")["software"].as_object().unwrap().keys().collect::<Vec<_>>(), ["name", "version"]);
        assert!(of("2.1")["software"]["repository"].as_str().unwrap().starts_with("https://"));
        assert_eq!(of("2.1")["usage"], json!({"users": {"total": 3}, "localPosts": 14}));
        assert_eq!(of("2.1")["protocols"], json!(["activitypub"]));
        assert!(of("3.0").is_null());
    }
}
