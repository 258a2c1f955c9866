//! Ids and times as the client API writes them: decimal strings, RFC 3339 in UTC with milliseconds.
//!
//! Written without allocating: a page of a timeline has hundreds of them.

use domain::Timestamp;
use serde::{Serialize, Serializer};

/// An id, as a string: JavaScript cannot hold it as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Id(pub i64);

impl Id {
    pub fn of(id: impl Into<i64>) -> Self {
        Self(id.into())
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&self.0)
    }
}

/// A moment: `2026-11-22T14:00:00.000Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(pub Timestamp);

/// The day of a moment, at midnight: when an account was made is nobody's business to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Midnight(pub Timestamp);

/// The day alone: `2026-11-22`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(pub Timestamp);

const DAY_MS: i64 = 86_400_000;

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        write(self.0.0, 24, s)
    }
}

impl Serialize for Midnight {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        write(self.0.0.div_euclid(DAY_MS).saturating_mul(DAY_MS), 24, s)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        write(self.0.0, 10, s)
    }
}

fn write<S: Serializer>(ms: i64, len: usize, s: S) -> Result<S::Ok, S::Error> {
    let mut text = *b"0000-00-00T00:00:00.000Z";
    let (days, of_day) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS));
    let (year, month, day) = civil(days);
    // Years outside 0–9999 cannot be written; such a time is an error elsewhere and shown as the epoch.
    let (year, month, day, of_day) =
        if (0..=9999).contains(&year) { (year, month, day, of_day) } else { (1970, 1, 1, 0) };
    let mut put = |at: usize, digits: usize, mut value: i64| {
        for slot in text[at..at + digits].iter_mut().rev() {
            *slot = b'0' + u8::try_from(value % 10).unwrap_or(0);
            value /= 10;
        }
    };
    put(0, 4, year);
    put(5, 2, month);
    put(8, 2, day);
    put(11, 2, of_day / 3_600_000);
    put(14, 2, of_day / 60_000 % 60);
    put(17, 2, of_day / 1_000 % 60);
    put(20, 3, of_day % 1_000);
    s.serialize_str(std::str::from_utf8(&text[..len]).unwrap_or_default())
}

/// Year, month and day of so many days since 1970-01-01 (proleptic Gregorian calendar; eras of 400 years).
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(value: impl Serialize) -> String {
        serde_json::to_string(&value).unwrap()
    }

    #[test]
    fn times_agree_with_the_calendar() {
        for ms in (-62_000_000_000_000..250_000_000_000_000_i64).step_by(86_399_987_003) {
            let at = Timestamp(ms);
            assert_eq!(json(Time(at)), format!("\"{}\"", at.to_rfc3339()));
            assert_eq!(json(Day(at)), format!("\"{}\"", at.to_date()));
            assert_eq!(json(Midnight(at)), format!("\"{}T00:00:00.000Z\"", at.to_date()));
        }
        assert_eq!(json(Time(Timestamp(i64::MAX))), "\"1970-01-01T00:00:00.000Z\"");
    }

    #[test]
    fn ids_are_strings() {
        assert_eq!(json(Id(i64::MAX)), "\"9223372036854775807\"");
    }
}
