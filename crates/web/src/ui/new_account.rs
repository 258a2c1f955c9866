//! The fields that make an account, as typed, with what is wrong with them.

use serde::Deserialize;

/// What the sign-up, invite and set-up forms send. The password is never shown again.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct NewAccount {
    /// The community's name; set-up only.
    pub title: String,
    pub username: String,
    pub email: String,
    #[serde(skip_serializing)]
    pub password: String,
    pub reason: String,
    #[serde(deserialize_with = "checked")]
    pub agreement: bool,
    #[serde(skip)]
    pub problems: Vec<(String, String)>,
}

/// A checkbox: present and not empty = ticked.
fn checked<'de, D: serde::Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Ok(!String::deserialize(from)?.is_empty())
}

impl NewAccount {
    /// What is wrong with a field, for its reader.
    #[must_use]
    pub fn amiss(&self, field: &str) -> Option<&str> {
        self.problems.iter().find(|(name, _)| name == field).map(|(_, why)| why.as_str())
    }

    pub fn object(&mut self, field: &str, why: impl Into<String>) {
        self.problems.push((field.to_owned(), why.into()));
    }
}
