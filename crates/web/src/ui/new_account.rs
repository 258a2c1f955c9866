//! The fields that make an account, as typed, with what is wrong with them.

use app::accounts::create::NewMember;
use serde::Deserialize;

use super::message::Problem;

/// What the sign-up, invite and set-up forms send. The password is never shown again.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct NewAccount {
    pub csrf: String,
    /// The community's name; set-up only.
    pub title: String,
    /// What the server printed when it started; set-up only.
    pub code: String,
    pub username: String,
    pub email: String,
    pub password: String,
    pub reason: String,
    #[serde(deserialize_with = "checked")]
    pub agreement: bool,
    #[serde(skip)]
    problems: Vec<(&'static str, String)>,
}

/// A checkbox: present and not empty = ticked.
fn checked<'de, D: serde::Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Ok(!String::deserialize(from)?.is_empty())
}

impl NewAccount {
    /// What is wrong with a field, for its reader.
    #[must_use]
    pub fn amiss(&self, field: &str) -> Option<&str> {
        self.problems.iter().find(|(name, _)| *name == field).map(|(_, why)| why.as_str())
    }

    #[must_use]
    pub fn is_amiss(&self) -> bool {
        !self.problems.is_empty()
    }

    /// What stands above a form that came back.
    #[must_use]
    pub fn any_amiss(&self) -> Option<String> {
        self.is_amiss()
            .then(|| "Nearly there. Please look at what is marked below, and type your password again.".to_owned())
    }

    pub fn object(&mut self, field: &'static str, why: impl Into<String>) {
        self.problems.push((field, why.into()));
    }

    /// Puts a refusal beside the field that it is about.
    ///
    /// # Errors
    /// Whatever is not about a field.
    pub fn take(&mut self, error: app::Error) -> Result<(), Problem> {
        let app::Error::Invalid { field, why } = error else { return Err(error.into()) };
        let name = match field {
            "username" => "This name",
            "email" => "This address",
            "password" => "The password",
            "code" => "This code",
            _ => "This",
        };
        self.object(field, format!("{name} {why}."));
        Ok(())
    }

    #[must_use]
    pub fn member(&self) -> NewMember {
        NewMember {
            username: self.username.clone(),
            email: self.email.clone(),
            password: self.password.clone(),
            locale: "en".to_owned(),
            reason: self.reason.clone(),
        }
    }
}
