//! What a community says about itself, and who may join it.

use serde::{Deserialize, Serialize};

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

/// How we treat another community.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
