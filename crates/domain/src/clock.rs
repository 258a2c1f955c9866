//! Time, passed in: tests move it, the program reads the system's.
//!
//! Times are milliseconds since 1970-01-01T00:00:00Z everywhere, the database included.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// A moment, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// RFC 3339 in UTC with milliseconds, as the Mastodon API and ActivityPub write it.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        self.datetime().to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// The day alone, `YYYY-MM-DD`.
    #[must_use]
    pub fn to_date(self) -> String {
        self.datetime().format("%Y-%m-%d").to_string()
    }

    /// Reads RFC 3339 (any offset); `None` when the text is not a date.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|t| Self(t.timestamp_millis()))
    }

    /// A time as other programs write it: RFC 3339 with seconds, fractions, minutes of the zone or the zone itself left
    /// out (UTC then), with a blank for the `T`, in the basic format of ISO 8601, or as mail writes it (RFC 2822).
    #[must_use]
    pub fn parse_lenient(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(at) = Self::parse_rfc3339(text) {
            return Some(at);
        }
        if let Ok(at) = DateTime::parse_from_rfc2822(text) {
            return Some(Self(at.timestamp_millis()));
        }
        let mut text = text.replacen([' ', 't'], "T", 1).replace(',', ".");
        if let Some(utc) = text.strip_suffix(['Z', 'z']) {
            text = format!("{utc}+00:00");
        }
        let zoned = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z", "%Y%m%dT%H%M%S%.f%#z", "%Y%m%dT%H%M%#z"];
        if let Some(at) = zoned.iter().find_map(|form| DateTime::parse_from_str(&text, form).ok()) {
            return Some(Self(at.timestamp_millis()));
        }
        let utc = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y%m%dT%H%M%S%.f"];
        let at = utc.iter().find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok());
        let at = at.or_else(|| NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0));
        at.map(|at| Self(at.and_utc().timestamp_millis()))
    }

    /// As a chrono value, for formatting. Values outside chrono's range become the epoch.
    #[must_use]
    pub fn datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }

    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Whole seconds since the epoch.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

impl From<i64> for Timestamp {
    fn from(ms: i64) -> Self {
        Self(ms)
    }
}

impl From<Timestamp> for i64 {
    fn from(at: Timestamp) -> i64 {
        at.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

/// Where the time comes from.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    #[default]
    System,
    /// A clock that only moves when told to.
    Manual(Arc<AtomicI64>),
    /// The system's clock, shifted by so many milliseconds: a running server whose time a test moves.
    Shifted(Arc<AtomicI64>),
}

impl Clock {
    #[must_use]
    pub fn manual(at: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(at.0)))
    }

    #[must_use]
    pub fn shifted() -> Self {
        Self::Shifted(Arc::default())
    }

    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system for the time")]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp(Utc::now().timestamp_millis()),
            Self::Manual(at) => Timestamp(at.load(Ordering::Relaxed)),
            Self::Shifted(by) => Timestamp(Utc::now().timestamp_millis() + by.load(Ordering::Relaxed)),
        }
    }

    /// Sets a manual clock. The system's clock is not ours to set: there this does nothing.
    pub fn set(&self, to: Timestamp) {
        if let Self::Manual(at) = self {
            at.store(to.0, Ordering::Relaxed);
        }
    }

    /// Moves a manual or shifted clock back, as somebody does who sets a computer's.
    pub fn step_back(&self, by: Duration) {
        if let Self::Manual(at) | Self::Shifted(at) = self {
            at.fetch_sub(i64::try_from(by.as_millis()).unwrap_or(0), Ordering::Relaxed);
        }
    }

    /// Moves a manual or shifted clock forward.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(at) | Self::Shifted(at) = self {
            at.fetch_add(i64::try_from(by.as_millis()).unwrap_or(0), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_mastodon_writes_them() {
        assert_eq!(Timestamp(1_700_000_000_123).to_rfc3339(), "2023-11-14T22:13:20.123Z");
        assert_eq!(Timestamp::parse_rfc3339("2023-11-15T00:13:20.123+02:00"), Some(Timestamp(1_700_000_000_123)));
        assert_eq!(Timestamp::parse_rfc3339("yesterday"), None);
        assert_eq!(Timestamp(i64::MAX).to_rfc3339(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn times_are_read_as_others_write_them() {
        let noon = Timestamp::parse_rfc3339("2025-07-14T12:00:00Z").unwrap();
        for text in [
            "2025-07-14T12:00:00Z",
            "2025-07-14T12:00Z",
            "2025-07-14t12:00z",
            "2025-07-14T12:00:00.000+00:00",
            "2025-07-14T12:00:00",
            "2025-07-14T12:00",
            "2025-07-14 12:00:00",
            "2025-07-14 12:00:00Z",
            "2025-07-14T14:00:00+0200",
            "2025-07-14T14:00+02",
            "2025-07-14T06:30:00-05:30",
            "2025-07-14T12:00:00,0Z",
            "20250714T120000Z",
            " 2025-07-14T12:00:00Z ",
            "Mon, 14 Jul 2025 14:00:00 +0200",
        ] {
            assert_eq!(Timestamp::parse_lenient(text), Some(noon), "{text}");
        }
        let day = Timestamp::parse_rfc3339("2025-07-14T00:00:00Z");
        assert_eq!(Timestamp::parse_lenient("2025-07-14"), day);
        for text in ["", "noon", "2025", "2025-07", "14.07.2025", "2025-13-14T12:00Z", "2025-07-14T25:00Z", "12:00"] {
            assert_eq!(Timestamp::parse_lenient(text), None, "{text}");
        }
    }
}
