//! Why something could not be done, in words that may be shown to whoever asked.

use domain::{AccountId, Timestamp};

/// Mapped once per door: the client API's JSON, a page, ActivityPub's status codes.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It does not exist, or she may not know that it does.
    #[error("not found")]
    NotFound,
    #[error("{0}")]
    Forbidden(&'static str),
    /// What was sent is wrong: which field, and what is wrong with it ("must not be empty"); both together are a
    /// sentence. The field `base` is the whole of it: then `why` is a sentence of its own.
    #[error("{field} {why}")]
    Invalid { field: &'static str, why: String },
    /// A post would go to these accounts, whom its author did not expect.
    #[error("post would be sent to unexpected accounts")]
    UnexpectedMentions(Vec<AccountId>),
    /// It cannot be done now because of how things stand.
    #[error("{0}")]
    Conflict(&'static str),
    /// Too often; may be tried again at this time.
    #[error("too many attempts")]
    Limited { until: Timestamp },
    /// Something we depend on does not answer now.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// A bug. The text is for the log, never for the caller.
    #[error("internal: {0}")]
    Internal(String),
}

/// One of several things that are wrong with what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    pub field: &'static str,
    /// As in [`Error::Invalid`].
    pub why: String,
}

impl From<Mistake> for Error {
    fn from(Mistake { field, why }: Mistake) -> Self {
        Self::Invalid { field, why }
    }
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub fn invalid(field: &'static str, why: impl Into<String>) -> Self {
        Self::Invalid { field, why: why.into() }
    }

    pub fn internal(e: impl std::fmt::Display) -> Self {
        Self::Internal(e.to_string())
    }
}

impl From<storage::Error> for Error {
    fn from(e: storage::Error) -> Self {
        match e {
            storage::Error::NotFound => Self::NotFound,
            storage::Error::Conflict(why) => {
                tracing::debug!(%why, "conflicting write");
                Self::Conflict("this exists already, or what it refers to is gone")
            }
            storage::Error::Unavailable(why) => Self::Unavailable(why),
            storage::Error::TooLong => Self::Unavailable("the database took too long".to_owned()),
            storage::Error::Internal(why) => Self::Internal(why),
        }
    }
}
