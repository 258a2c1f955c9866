//! What a community says about itself, and who may join it.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::host::Host;

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
    pub domain: Host,
    pub severity: DomainSeverity,
    /// Why, in their words; for them alone.
    pub comment: String,
    pub created_at: Timestamp,
}

impl DomainPolicy {
    /// The harder of the decisions that hold for a domain; of two alike, the one about the narrower domain.
    #[must_use]
    pub fn for_domain<'a>(all: &'a [Self], domain: &Host) -> Option<&'a Self> {
        all.iter()
            .filter(|policy| policy.domain.covers(domain))
            .max_by_key(|policy| (policy.severity, policy.domain.as_str().len()))
    }

    /// Is nothing taken from a domain, and nothing given to it?
    #[must_use]
    pub fn suspend(all: &[Self], domain: &Host) -> bool {
        Self::for_domain(all, domain).is_some_and(|policy| policy.severity == DomainSeverity::Suspend)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Host {
        Host::parse(text).unwrap()
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
        let of = |domain| DomainPolicy::for_domain(&all, &name(domain)).map(|p| p.severity);
        assert_eq!(of("a.willow.example"), Some(DomainSeverity::Suspend));
        assert_eq!(of("b.oak.example"), Some(DomainSeverity::Silence));
        assert_eq!(of("maple.example"), None);
    }
}
