//! A server's name, spelt the one way in which it is stored, compared, blocked and shown.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use unicode_security::MixedScript as _;
use unicode_security::confusable_detection::skeleton;
use url::Url;

/// Another spelling of the same host is the same value: lower case, without the final dot of an absolute name, in
/// ASCII (punycode), addresses in their usual form, the port as a number and only where it is not 443.
///
/// An IPv4 address written inside an IPv6 one (`::ffff:192.0.2.1`) is the IPv4 address. Made by [`Host::parse`],
/// [`Host::typed`] or [`Host::of`] at the edge; everything behind the edge takes and keeps this type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Host(String);

/// The text is no host name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a domain, such as willow.example")]
pub struct NotAHost;

/// The port that is never written: that of https.
const USUAL_PORT: u16 = 443;
/// RFC 1035, section 2.3.4, without the root's length byte and the final dot.
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

impl Host {
    /// Longest text that is looked at, in bytes: a name of 253 characters may come percent-encoded or in another script.
    pub const MAX_INPUT: usize = 1_024;

    /// Reads `name`, `name:port` or an address, as it stands behind the `@` of a handle or in a `Host` header.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn parse(text: &str) -> Result<Self, NotAHost> {
        if text.len() > Self::MAX_INPUT {
            return Err(NotAHost);
        }
        let (name, port) = split_port(text)?;
        Self::from_parts(url::Host::parse(name).map_err(|_| NotAHost)?, port)
    }

    /// Reads what a person typed: a host, with `@` or `https://` before it or not.
    ///
    /// # Errors
    /// Says what is wrong, to be shown beside the field.
    pub fn typed(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let bare = ["https://", "http://", "@"].iter().find_map(|p| text.strip_prefix(p)).unwrap_or(text);
        let bare = bare.strip_suffix('/').unwrap_or(bare);
        if bare.is_empty() {
            return Err("must not be empty");
        }
        Self::parse(bare).map_err(|_| "must be a domain, such as willow.example")
    }

    /// The host of an address; `None` where it has none, or one that could not stand in a handle.
    #[must_use]
    pub fn of(url: &Url) -> Option<Self> {
        let host = match url.host()? {
            // The host of a scheme that is not the web's was not read as a name: `x://a.1` ends like an address.
            url::Host::Domain(name) => url::Host::parse(name).ok()?,
            url::Host::Ipv4(ip) => url::Host::Ipv4(ip),
            url::Host::Ipv6(ip) => url::Host::Ipv6(ip),
        };
        Self::from_parts(host, url.port()).ok()
    }

    /// [`Host::of`] for an address that is still text.
    #[must_use]
    pub fn of_address(address: &str) -> Option<Self> {
        Self::of(&Url::parse(address).ok()?)
    }

    /// One that was in this form when it was stored.
    #[must_use]
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The column of an account or emoji: the empty text is this community itself.
    #[must_use]
    pub fn stored_unless_ours(text: String) -> Option<Self> {
        (!text.is_empty()).then_some(Self(text))
    }

    fn from_parts(host: url::Host<String>, port: Option<u16>) -> Result<Self, NotAHost> {
        let name = match host {
            url::Host::Domain(name) => checked_name(name)?,
            url::Host::Ipv4(ip) => ip.to_string(),
            url::Host::Ipv6(ip) => match IpAddr::V6(ip).to_canonical() {
                IpAddr::V4(ip) => ip.to_string(),
                IpAddr::V6(ip) => format!("[{ip}]"),
            },
        };
        match port {
            Some(0) => Err(NotAHost),
            None | Some(USUAL_PORT) => Ok(Self(name)),
            Some(port) => Ok(Self(format!("{name}:{port}"))),
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without the port.
    #[must_use]
    pub fn name(&self) -> &str {
        self.split().0
    }

    /// The port, where it is not 443.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.split().1
    }

    fn split(&self) -> (&str, Option<u16>) {
        match self.0.rsplit_once(':') {
            // `[::1]` has colons and no port.
            Some((name, port)) => port.parse().map_or((&*self.0, None), |port| (name, Some(port))),
            None => (&self.0, None),
        }
    }

    /// Does a decision about this host hold for `other`? It holds for the host and for those below it; one without a
    /// port holds for every port.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        [&*other.0, other.name()]
            .iter()
            .any(|d| *d == self.0 || d.strip_suffix(&*self.0).is_some_and(|rest| rest.ends_with('.')))
    }

    /// As people read it: other scripts in their letters, but in punycode where a label mixes scripts or looks like
    /// ASCII letters (UTS 39).
    #[must_use]
    pub fn display(&self) -> Cow<'_, str> {
        let (name, _) = self.split();
        if !name.split('.').any(|label| label.starts_with("xn--")) {
            return Cow::Borrowed(&self.0);
        }
        let unicode = url::quirks::domain_to_unicode(name);
        let plain = !unicode.is_empty() && unicode.split('.').all(is_unambiguous);
        // It must lead back here, or nobody could type it.
        if plain && Self::parse(&unicode).is_ok_and(|host| host.0 == name) {
            Cow::Owned(format!("{unicode}{}", &self.0[name.len()..]))
        } else {
            Cow::Borrowed(&self.0)
        }
    }
}

/// One script, and not to be taken for ASCII letters.
fn is_unambiguous(label: &str) -> bool {
    label.is_ascii() || (label.is_single_script() && !skeleton(label).all(|c| c.is_ascii()))
}

/// `name:port`, `[address]:port`; a port of no digits is none, as in an address (RFC 3986, section 3.2.3).
fn split_port(text: &str) -> Result<(&str, Option<u16>), NotAHost> {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port),
        _ => return Ok((text, None)),
    };
    if port.is_empty() {
        return Ok((name, None));
    }
    if !port.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NotAHost);
    }
    let port = port.trim_start_matches('0').parse().map_err(|_| NotAHost)?;
    Ok((name, Some(port)))
}

/// A name that the URL parser made lower-case ASCII, without its final dot.
fn checked_name(mut name: String) -> Result<String, NotAHost> {
    if name.ends_with('.') {
        name.pop();
    }
    let label_ok = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
    };
    if name.len() <= MAX_NAME && name.split('.').all(label_ok) { Ok(name) } else { Err(NotAHost) }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Host {
    type Error = NotAHost;
    fn try_from(text: String) -> Result<Self, NotAHost> {
        Self::parse(&text)
    }
}

impl From<Host> for String {
    fn from(host: Host) -> Self {
        host.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn host(text: &str) -> Host {
        Host::parse(text).unwrap()
    }

    #[test]
    fn every_spelling_of_a_host_is_one_value() {
        for text in [
            "willow.example",
            "Willow.EXAMPLE",
            "willow.example.",
            "willow.example:443",
            "willow.example:0443",
            "willow.example.:00443",
            "willow.example:",
            "ｗillow。example",
            "%77illow.example",
        ] {
            assert_eq!(host(text).as_str(), "willow.example", "{text}");
        }
        assert_eq!(host("Bücher.example."), host("xn--bcher-kva.example"));
        assert_eq!(host("willow.localhost:04000").as_str(), "willow.localhost:4000");
        assert_eq!(host("0x7f.1").as_str(), "127.0.0.1");
        assert_eq!(host("[::FFFF:192.0.2.1]").as_str(), "192.0.2.1");
        assert_eq!(host("[2001:DB8:0::1]:8443").as_str(), "[2001:db8::1]:8443");
    }

    #[test]
    fn what_is_no_host_is_none() {
        let long_label = format!("{}.example", "x".repeat(64));
        let long_name = format!("{}example", "x.".repeat(124));
        let very_long = "x".repeat(Host::MAX_INPUT + 1);
        for text in [
            "",
            ".",
            "..",
            "a..example",
            "willow.example..",
            ".example",
            "bob@willow.example",
            "willow.example/x",
            "willow.example?x",
            "willow.example#x",
            "wil low.example",
            "willow.example:x",
            "willow.example:0",
            "willow.example:65536",
            "willow.example:443:443",
            "a:b:c",
            "::1",
            "[::1",
            "willow.example\n",
            "wil\u{0}low.example",
            "wil'low.example",
            "xn--\u{fc}.example",
            &long_label,
            &long_name,
            &very_long,
        ] {
            assert_eq!(Host::parse(text), Err(NotAHost), "{text:?}");
        }
    }

    #[test]
    fn an_address_says_which_host_it_is_at() {
        let of = |address| Host::of_address(address).map(|host| host.to_string());
        assert_eq!(of("https://Willow.example.:443/users/x").as_deref(), Some("willow.example"));
        assert_eq!(of("http://willow.example:80/").as_deref(), Some("willow.example"));
        assert_eq!(of("https://willow.example:8443/").as_deref(), Some("willow.example:8443"));
        assert_eq!(of("https://[::ffff:127.0.0.1]/").as_deref(), Some("127.0.0.1"));
        for none in ["mailto:x@willow.example", "data:,x", "https://a..b/", "https://a!b.example/", "x"] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    /// Found by fuzzing: what is not an address of the web was taken as it stood.
    #[test]
    fn an_address_of_another_scheme_names_a_host_only_where_it_is_one() {
        for bad in ["x://maple.e.11", "x://a%2fb", "x://0x7f.1.1.1.1"] {
            assert_eq!(Host::of_address(bad), None, "{bad}");
        }
        assert_eq!(Host::of_address("ssb://willow.example./x"), Some(host("willow.example")));
        assert_eq!(Host::of_address("x://127.1:80/"), Some(host("127.0.0.1:80")));
    }

    #[test]
    fn hosts_are_read_as_people_write_them() {
        for text in
            ["willow.example", " Willow.Example ", "https://willow.example/", "@willow.example", "willow.example."]
        {
            assert_eq!(Host::typed(text).unwrap().as_str(), "willow.example", "{text}");
        }
        assert_eq!(Host::typed("http://willow.localhost:4000").unwrap().as_str(), "willow.localhost:4000");
        for wrong in ["", " ", "@", "bob@willow.example", "willow.example/about", "wil low.example", "willow.example?x"]
        {
            assert!(Host::typed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_host_covers_what_is_below_it_and_nothing_that_only_ends_alike() {
        let willow = host("willow.example");
        for covered in ["willow.example", "a.willow.example", "a.b.willow.example", "a.willow.example:4000"] {
            assert!(willow.covers(&host(covered)), "{covered}");
        }
        for other in ["example", "notwillow.example", "willow.example.org", "maple.example"] {
            assert!(!willow.covers(&host(other)), "{other}");
        }
        let port = host("willow.localhost:4000");
        assert!(port.covers(&port) && port.covers(&host("a.willow.localhost:4000")));
        assert!(!port.covers(&host("willow.localhost:4001")) && !port.covers(&host("willow.localhost")));
    }

    #[test]
    fn names_that_look_like_another_are_shown_in_punycode() {
        for (text, shown) in [
            ("willow.example", "willow.example"),
            ("bücher.example:8443", "bücher.example:8443"),
            ("пример.example", "пример.example"),
            ("みんな.example", "みんな.example"),
            // Latin and Cyrillic in one label.
            ("раypal.example", "xn--ypal-43d9g.example"),
            // All Cyrillic, and yet read as "apple".
            ("аррӏе.example", "xn--80ak6aa92e.example"),
            // A Latin letter that is hardly told from `g`.
            ("ɡood.example", "xn--ood-8tb.example"),
        ] {
            assert_eq!(host(text).display(), shown);
        }
    }

    proptest! {
        #[test]
        fn what_was_read_reads_as_itself(text in ".{0,40}|[a-z.:0-9\\[\\]%]{0,20}") {
            if let Ok(read) = Host::parse(&text) {
                prop_assert_eq!(Host::parse(read.as_str()), Ok(read.clone()));
                prop_assert_eq!(Host::parse(&read.display()), Ok(read.clone()));
                prop_assert_eq!(Host::of_address(&format!("https://{read}/")), Some(read.clone()));
                let port = read.port().map_or(String::new(), |port| format!(":{port}"));
                prop_assert_eq!(format!("{}{port}", read.name()), read.as_str());
            }
        }
    }
}
