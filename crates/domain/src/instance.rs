//! What a community says about itself, and who may join it.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::clock::Timestamp;

/// How new members come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum SignUp {
    Open,
    /// Anyone may ask; those who run the community decide.
    #[default]
    Approval,
    /// Only with an invite link.
    Invite,
    Closed,
}

impl SignUp {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approval => "approval",
            Self::Invite => "invite",
            Self::Closed => "closed",
        }
    }
}

/// Set by the people who run the community; kept in the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CommunitySettings {
    pub title: String,
    /// One or two plain sentences.
    pub description: String,
    /// Shown on the about page, safe HTML.
    pub about: String,
    pub contact_email: String,
    pub rules: Vec<String>,
    pub languages: Vec<String>,
}

impl Default for CommunitySettings {
    fn default() -> Self {
        Self {
            title: "Porchlight".to_owned(),
            description: "A small community of parents and caregivers.".to_owned(),
            about: String::new(),
            contact_email: String::new(),
            rules: Vec::new(),
            languages: vec!["en".to_owned()],
        }
    }
}

/// How we treat another community, from the milder to the harder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DomainSeverity {
    /// Its accounts are kept out of public timelines and strangers' notifications.
    Silence,
    /// Nothing comes in and nothing goes out.
    Suspend,
}

impl DomainSeverity {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Silence => "silence",
            Self::Suspend => "suspend",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "silence" => Some(Self::Silence),
            "suspend" => Some(Self::Suspend),
            _ => None,
        }
    }
}

/// What those who run the community decided about a domain and those below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainPolicy {
    pub domain: DomainName,
    pub severity: DomainSeverity,
    /// Why, in their words; for them alone.
    pub comment: String,
    pub created_at: Timestamp,
}

impl DomainPolicy {
    /// The harder of the decisions that hold for a domain; of two alike, the one about the narrower domain.
    #[must_use]
    pub fn for_domain<'a>(all: &'a [Self], domain: &str) -> Option<&'a Self> {
        all.iter()
            .filter(|policy| policy.domain.covers(domain))
            .max_by_key(|policy| (policy.severity, policy.domain.as_str().len()))
    }
}

/// Another community's domain that was checked: lower case, in ASCII, with a port where it needs one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DomainName(String);

impl DomainName {
    /// Reads what a person typed: a domain, with `@` or `https://` before it or not.
    ///
    /// # Errors
    /// Says what is wrong, to be shown beside the field.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        const WRONG: &str = "must be a domain, such as willow.example";
        let text = text.trim();
        let bare = ["https://", "http://", "@"].iter().find_map(|p| text.strip_prefix(p)).unwrap_or(text);
        let bare = bare.strip_suffix('/').unwrap_or(bare);
        if bare.is_empty() {
            return Err("must not be empty");
        }
        let url = Url::parse(&format!("https://{bare}/")).map_err(|_| WRONG)?;
        let whole = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !whole || !url.username().is_empty() || url.password().is_some() || bare.len() > 255 {
            return Err(WRONG);
        }
        let host =
            url.host_str().map(|host| host.trim_end_matches('.')).filter(|host| !host.is_empty()).ok_or(WRONG)?;
        Ok(Self(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))))
    }

    /// One that was checked before it was written.
    #[must_use]
    pub fn kept(text: String) -> Self {
        Self(text)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Is it this domain, or one below it? A name without a port stands for every port.
    #[must_use]
    pub fn covers(&self, domain: &str) -> bool {
        let domain = domain.to_lowercase();
        let is_port = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let bare = domain.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(&*domain, |(host, _)| host);
        [&*domain, bare]
            .iter()
            .any(|d| *d == self.0 || d.strip_suffix(&*self.0).is_some_and(|rest| rest.ends_with('.')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DomainName {
        DomainName::new(text).unwrap()
    }

    #[test]
    fn domains_are_read_as_people_write_them() {
        for text in
            ["willow.example", " Willow.Example ", "https://willow.example/", "@willow.example", "willow.example."]
        {
            assert_eq!(name(text).as_str(), "willow.example", "{text}");
        }
        assert_eq!(name("bücher.example").as_str(), "xn--bcher-kva.example");
        assert_eq!(name("http://willow.localhost:4000").as_str(), "willow.localhost:4000");
        for wrong in ["", " ", "@", "bob@willow.example", "willow.example/about", "wil low.example", "willow.example?x"]
        {
            assert!(DomainName::new(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_domain_covers_what_is_below_it_and_nothing_that_only_ends_alike() {
        let willow = name("willow.example");
        for covered in
            ["willow.example", "WILLOW.example", "a.willow.example", "a.b.willow.example", "a.willow.example:4000"]
        {
            assert!(willow.covers(covered), "{covered}");
        }
        for other in ["", "example", "notwillow.example", "willow.example.org", "maple.example", "willow.example:x"] {
            assert!(!willow.covers(other), "{other}");
        }
        let port = name("willow.localhost:4000");
        assert!(port.covers("willow.localhost:4000") && !port.covers("willow.localhost:4001"));
    }

    #[test]
    fn the_harder_decision_holds() {
        let policy = |domain, severity| DomainPolicy {
            domain: name(domain),
            severity,
            comment: String::new(),
            created_at: Timestamp(0),
        };
        let all = [
            policy("willow.example", DomainSeverity::Suspend),
            policy("a.willow.example", DomainSeverity::Silence),
            policy("oak.example", DomainSeverity::Silence),
        ];
        let of = |domain| DomainPolicy::for_domain(&all, domain).map(|p| p.severity);
        assert_eq!(of("a.willow.example"), Some(DomainSeverity::Suspend));
        assert_eq!(of("b.oak.example"), Some(DomainSeverity::Silence));
        assert_eq!(of("maple.example"), None);
    }
}
