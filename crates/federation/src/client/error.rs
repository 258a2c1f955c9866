//! How an outgoing request can end badly.

use super::guard::Refused;

/// What went wrong, sorted by what the caller does next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error("refused to ask: {0}")]
    Refused(#[from] Refused),
    /// The other server says there is no such thing (404) or there was (410).
    #[error("not there ({0})")]
    Absent(u16),
    /// 401 or 403: it does not trust us, or not with this.
    #[error("not allowed ({0})")]
    Forbidden(u16),
    /// Any other answer that is no success.
    #[error("answered {status}")]
    Status {
        status: u16,
        /// Seconds, where it said so.
        retry_after: Option<u64>,
    },
    #[error("redirected too often")]
    Redirects,
    #[error("the redirect cannot be followed")]
    BadRedirect,
    #[error("the answer is larger than allowed")]
    TooLarge,
    #[error("the answer has the wrong media type")]
    MediaType,
    #[error("the answer is not what its media type says")]
    Malformed,
    #[error("the document is not the one that was asked for")]
    WrongDocument,
    #[error("too many requests for one occasion")]
    Budget,
    /// The database did not say whether the host is blocked.
    #[error("whether it may be asked is not known now")]
    Undecided,
    /// Whoever this is for made us ask too much of that host lately, or of all.
    #[error("asked too often for one sender")]
    TooOften,
    /// Not asked: too much is being asked for already, or this server did not answer lately. Soon it may be.
    #[error("not asked now")]
    Busy,
    #[error("took too long")]
    TooSlow,
    #[error("could not be reached")]
    Unreachable,
    #[error("the request could not be signed")]
    Unsigned,
}

impl FetchError {
    /// Is it worth asking again later?
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::TooOften | Self::Busy | Self::TooSlow | Self::Unreachable | Self::Undecided => true,
            Self::Status { status, .. } => *status >= 500 || matches!(status, 408 | 425 | 429),
            _ => false,
        }
    }

    /// Is the thing gone for good, as far as its own server says?
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent(_))
    }

    /// Reads the outcome of a request that brought no answer.
    pub(super) fn from_reqwest(error: &reqwest::Error) -> Self {
        let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(inner) = source {
            if let Some(refused) = inner.downcast_ref::<Refused>() {
                return if *refused == Refused::LookUps { Self::Busy } else { Self::Refused(*refused) };
            }
            source = inner.source();
        }
        if error.is_timeout() { Self::TooSlow } else { Self::Unreachable }
    }
}
