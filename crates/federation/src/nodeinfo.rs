//! NodeInfo 2.0 and 2.1: what this server says of itself to statistics and to other servers.
//!
//! Only totals; never who or when.

use domain::Urls;
use domain::instance::CommunitySettings;
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
    repository: Option<String>,
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

/// The document of a version, `"2.0"` or `"2.1"`; `None` for others. `source` is where the program's source is.
#[must_use]
pub fn document(
    version: &str,
    source: &str,
    CommunitySettings { title, description, .. }: &CommunitySettings,
    open: bool,
    usage: Usage,
) -> Option<NodeInfo> {
    let (version, repository) = match version {
        "2.0" => ("2.0", None),
        "2.1" => ("2.1", Some(source.to_owned())),
        _ => return None,
    };
    Some(NodeInfo {
        version,
        software: Software { name: "porchlight", version: env!("CARGO_PKG_VERSION"), repository },
        protocols: ["activitypub"],
        services: Services { inbound: [], outbound: [] },
        open_registrations: open,
        usage: Totals { users: Users { total: usage.members }, local_posts: usage.posts },
        metadata: Metadata { node_name: title.clone(), node_description: description.clone() },
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
        let community = CommunitySettings { title: "Maple".to_owned(), ..CommunitySettings::default() };
        let of = |version| {
            serde_json::to_value(document(version, "https://source.example/", &community, false, usage)).unwrap()
        };
        assert_eq!(of("2.0")["software"].as_object().unwrap().keys().collect::<Vec<_>>(), ["name", "version"]);
        assert_eq!(of("2.1")["software"]["repository"], "https://source.example/");
        assert_eq!(of("2.1")["metadata"]["nodeName"], "Maple");
        assert_eq!(of("2.1")["usage"], json!({"users": {"total": 3}, "localPosts": 14}));
        assert_eq!(of("2.1")["protocols"], json!(["activitypub"]));
        assert!(of("3.0").is_null());
    }
}
