//! Times as people say them. The server does not know the reader's time zone, so what is recent is told by its
//! age, and what is older by its day.

use domain::Timestamp;

/// A moment, three ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct When {
    /// For `<time datetime>`.
    pub iso: String,
    /// Short: "5 min", "3 h", "2 days", "14 Nov", "14 Nov 2023".
    pub text: String,
    /// `text` inside a sentence: "just now", "5 min ago", "14 Nov".
    pub since: String,
    /// In full, in UTC.
    pub full: String,
}

impl When {
    #[must_use]
    pub fn new(at: Timestamp, now: Timestamp) -> Self {
        let date = at.datetime();
        let minutes = (now.0 - at.0) / 60_000;
        let text = match minutes {
            i64::MIN..=0 => "just now".to_owned(),
            1..60 => format!("{minutes} min"),
            60..1_440 => format!("{} h", minutes / 60),
            1_440..2_880 => "1 day".to_owned(),
            2_880..10_080 => format!("{} days", minutes / 1_440),
            _ if date.format("%Y").to_string() == now.datetime().format("%Y").to_string() => {
                date.format("%-d %b").to_string()
            }
            _ => date.format("%-d %b %Y").to_string(),
        };
        let since = if (1..10_080).contains(&minutes) { format!("{text} ago") } else { text.clone() };
        Self { iso: at.to_rfc3339(), text, since, full: date.format("%-d %B %Y, %H:%M UTC").to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recent_is_told_by_its_age_and_the_old_by_its_day() {
        let now = Timestamp::parse_rfc3339("2026-11-22T12:00:00Z").unwrap();
        let text = |at: &str| When::new(Timestamp::parse_rfc3339(at).unwrap(), now).text;
        assert_eq!(text("2026-11-22T11:59:30Z"), "just now");
        assert_eq!(text("2026-11-22T12:05:00Z"), "just now");
        assert_eq!(text("2026-11-22T11:15:00Z"), "45 min");
        assert_eq!(text("2026-11-21T13:00:00Z"), "23 h");
        assert_eq!(text("2026-11-20T13:00:00Z"), "1 day");
        assert_eq!(text("2026-11-18T12:00:00Z"), "4 days");
        assert_eq!(text("2026-01-14T12:00:00Z"), "14 Jan");
        assert_eq!(text("2023-11-14T22:13:20Z"), "14 Nov 2023");
        let since = |at: &str| When::new(Timestamp::parse_rfc3339(at).unwrap(), now).since;
        assert_eq!(since("2026-11-22T11:59:30Z"), "just now");
        assert_eq!(since("2026-11-22T11:43:00Z"), "17 min ago");
        assert_eq!(since("2026-11-18T12:00:00Z"), "4 days ago");
        assert_eq!(since("2026-11-15T12:00:00Z"), "15 Nov");
    }
}
