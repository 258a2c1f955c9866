//! Media types, parsed: parameters in any order, any case, quoted or not.
//!
//! A document counts as ActivityPub only by its media type. Otherwise a file that somebody uploaded to a server
//! could speak in that server's name.

/// `type/subtype` in lower case and the parameters as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType {
    essence: String,
    parameters: Vec<(String, String)>,
}

const PROFILE: &str = "https://www.w3.org/ns/activitystreams";

impl MediaType {
    /// Reads a `Content-Type`. `None` when there is no `type/subtype` or a quote is left open.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = split_outside_quotes(text)?.into_iter();
        let essence = parts.next()?.trim().to_ascii_lowercase();
        let (kind, subtype) = essence.split_once('/')?;
        let token =
            |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b));
        if !token(kind) || !token(subtype) {
            return None;
        }
        let parameters = parts
            .filter_map(|part| {
                let (name, value) = part.split_once('=')?;
                Some((name.trim().to_ascii_lowercase(), value.trim().trim_matches('"').to_owned()))
            })
            .collect();
        Some(Self { essence, parameters })
    }

    /// `type/subtype`, lower case.
    #[must_use]
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// A document that another server vouches for as ActivityPub.
    #[must_use]
    pub fn is_activity(&self) -> bool {
        match self.essence.as_str() {
            "application/activity+json" => true,
            "application/ld+json" => self
                .parameters
                .iter()
                .any(|(name, value)| name == "profile" && value.split_ascii_whitespace().any(|p| p == PROFILE)),
            _ => false,
        }
    }

    /// What may be posted to an inbox. The signature vouches for it, so the profile may be missing.
    #[must_use]
    pub fn is_inbox_body(&self) -> bool {
        matches!(self.essence.as_str(), "application/activity+json" | "application/ld+json")
    }

    /// JSON of any kind: `application/json` or `…+json`.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.essence == "application/json"
            || (self.essence.starts_with("application/") && self.essence.ends_with("+json"))
    }

    /// A picture, video or sound.
    #[must_use]
    pub fn is_media(&self) -> bool {
        ["image/", "video/", "audio/"].iter().any(|kind| self.essence.starts_with(kind))
    }
}

fn split_outside_quotes(text: &str) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    let (mut start, mut quoted) = (0, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b';' if !quoted => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    (!quoted).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activity_types_are_known_whatever_their_parameters_look_like() {
        for good in [
            "application/activity+json",
            "Application/Activity+JSON; charset=utf-8",
            r#"application/ld+json; profile="https://www.w3.org/ns/activitystreams""#,
            r#"application/ld+json;charset=utf-8;profile="https://www.w3.org/ns/activitystreams""#,
            r#"application/ld+json; PROFILE=https://www.w3.org/ns/activitystreams; charset="utf-8""#,
            r#"application/ld+json; profile="https://w3id.org/x https://www.w3.org/ns/activitystreams""#,
        ] {
            assert!(MediaType::parse(good).unwrap().is_activity(), "{good}");
        }
        for bad in [
            "application/json",
            "text/html",
            "application/ld+json",
            r#"application/ld+json; profile="https://evil.example/;https://www.w3.org/ns/activitystreams""#,
            r#"text/plain; x="application/activity+json""#,
            "image/png; application/activity+json",
        ] {
            assert!(!MediaType::parse(bad).unwrap().is_activity(), "{bad}");
        }
        for broken in ["", "json", "/", "application/", r#"application/ld+json; profile="open"#, "a b/c"] {
            assert_eq!(MediaType::parse(broken), None, "{broken}");
        }
    }

    #[test]
    fn an_inbox_takes_linked_data_without_a_profile_and_no_plain_json() {
        assert!(MediaType::parse("application/ld+json").unwrap().is_inbox_body());
        assert!(!MediaType::parse("application/json").unwrap().is_inbox_body());
        assert!(MediaType::parse("application/jrd+json; charset=utf-8").unwrap().is_json());
        assert!(!MediaType::parse("text/json").unwrap().is_json());
    }
}
