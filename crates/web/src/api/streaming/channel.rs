//! What can be listened to: a timeline, notifications, conversations. Read from an address or from a message.

use domain::ListId;
use domain::text::Tag;
use serde::Deserialize;

use crate::api::caller::Caller;
use crate::api::error::{Error, Result};
use crate::api::params::OptionalId;

/// One stream of events.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Home timeline and notifications.
    User,
    /// Notifications alone.
    UserNotification,
    Public(Which),
    /// A normalised hashtag.
    Hashtag {
        key: String,
        local: bool,
    },
    List(ListId),
    /// Conversations.
    Direct,
}

/// Which public posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Which {
    pub local: bool,
    pub remote: bool,
    pub only_media: bool,
}

/// What names a channel beside its own name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Named {
    /// The channel itself, where the address does not say it.
    pub stream: Option<String>,
    pub tag: Option<String>,
    pub list: OptionalId,
    pub only_media: bool,
}

impl Channel {
    /// Reads `public:local:media`, `hashtag`, `list` … as the address or a message names them.
    ///
    /// # Errors
    /// [`Error::BadRequest`] for a channel that does not exist or is not fully named.
    pub fn parse(name: &str, named: &Named) -> Result<Self> {
        let public = |local, remote| {
            Self::Public(Which { local, remote, only_media: named.only_media || name.ends_with(":media") })
        };
        Ok(match name {
            "user" => Self::User,
            "user:notification" => Self::UserNotification,
            "public" | "public:media" => public(false, false),
            "public:local" | "public:local:media" => public(true, false),
            "public:remote" | "public:remote:media" => public(false, true),
            "hashtag" | "hashtag:local" => {
                let tag = named.tag.as_deref().and_then(Tag::new);
                let tag = tag.ok_or_else(|| Error::BadRequest("Missing or wrong parameter: tag".to_owned()))?;
                Self::Hashtag { key: tag.key, local: name.ends_with(":local") }
            }
            "list" => {
                let id = named.list.0.ok_or_else(|| Error::BadRequest("Missing parameter: list".to_owned()))?;
                Self::List(ListId(id))
            }
            "direct" => Self::Direct,
            _ => return Err(Error::BadRequest("Unknown stream type".to_owned())),
        })
    }

    /// May this caller listen? Whose list it is, is checked by whoever subscribes.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] when a person is needed, [`Error::OutsideScope`].
    pub fn allow(&self, caller: Option<&Caller>) -> Result<()> {
        let scope = match self {
            Self::User | Self::Direct | Self::Public(_) | Self::Hashtag { .. } => "read:statuses",
            Self::UserNotification => "read:notifications",
            Self::List(_) => "read:lists",
        };
        match (self, caller) {
            (Self::Public(_) | Self::Hashtag { .. }, None) => Ok(()),
            (_, None) => Err(Error::Unauthorized),
            (_, Some(caller)) => caller.allow(scope),
        }
    }

    /// Is it for posts from here alone?
    pub(super) fn is_local(&self) -> bool {
        matches!(self, Self::Hashtag { local: true, .. } | Self::Public(Which { local: true, .. }))
    }

    /// In which order one event is told on the channels of a listener.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::User => 0,
            Self::UserNotification => 1,
            Self::Public(_) => 2,
            Self::Hashtag { .. } => 3,
            Self::List(_) => 4,
            Self::Direct => 5,
        }
    }

    /// The name in messages: `["hashtag", "tea"]`.
    #[must_use]
    pub fn label(&self) -> Vec<String> {
        let public = |which: &Which| {
            let whose = match (which.local, which.remote) {
                (true, _) => ":local",
                (_, true) => ":remote",
                _ => "",
            };
            format!("public{whose}{}", if which.only_media { ":media" } else { "" })
        };
        match self {
            Self::User => vec!["user".to_owned()],
            Self::UserNotification => vec!["user:notification".to_owned()],
            Self::Public(which) => vec![public(which)],
            Self::Hashtag { key, local: false } => vec!["hashtag".to_owned(), key.clone()],
            Self::Hashtag { key, local: true } => vec!["hashtag:local".to_owned(), key.clone()],
            Self::List(id) => vec!["list".to_owned(), id.to_string()],
            Self::Direct => vec!["direct".to_owned()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_keep_their_names() {
        let named = Named { tag: Some("Tea".into()), list: OptionalId(Some(7)), ..Named::default() };
        for name in [
            "user",
            "user:notification",
            "public",
            "public:media",
            "public:local",
            "public:local:media",
            "public:remote",
            "public:remote:media",
            "hashtag",
            "hashtag:local",
            "list",
            "direct",
        ] {
            assert_eq!(Channel::parse(name, &named).unwrap().label()[0], name);
        }
        let tag = Channel::parse("hashtag", &named).unwrap();
        assert_eq!(tag.label(), ["hashtag", "tea"]);
        for bad in ["", "home", "hashtag:remote"] {
            assert_eq!(Channel::parse(bad, &named).unwrap_err().status().as_u16(), 400, "{bad}");
        }
        assert!(Channel::parse("hashtag", &Named::default()).is_err());
        assert!(Channel::parse("list", &Named::default()).is_err());
    }

    #[test]
    fn what_is_hers_needs_her() {
        assert!(matches!(Channel::User.allow(None), Err(Error::Unauthorized)));
        assert!(matches!(Channel::List(ListId(1)).allow(None), Err(Error::Unauthorized)));
        assert!(Channel::Public(Which::default()).allow(None).is_ok());
    }
}
