//! Our own addresses as others write them, and the ids that they lead to.

use url::Url;

use crate::host::Host;
use crate::urls::Urls;

impl Urls {
    /// The ActivityPub id of the account or post that one of our addresses leads to: its page, or its id in another
    /// spelling (scheme, upper case in the host, a slash at the end, `%40`, a query or fragment). `None` for any other
    /// address. Whether there is such an account or post is another question.
    #[must_use]
    pub fn own_id(&self, address: &str) -> Option<String> {
        let url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        // The port that goes without saying is another one on the other scheme: that is the same place then.
        if Host::of(&url)? != *self.own_host() {
            return None;
        }
        let path = percent_encoding::percent_decode_str(url.path()).decode_utf8().ok()?;
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let post = |name: &str, key: &str| key.parse().ok().map(|key| self.post(name, key));
        match *parts.as_slice() {
            ["users", name] if !name.is_empty() => Some(self.actor(name)),
            ["users", name, "statuses", key] => post(name, key),
            [page] => page.strip_prefix('@').filter(|name| !name.is_empty()).map(|name| self.actor(name)),
            [page, key] => page.strip_prefix('@').and_then(|name| post(name, key)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_of_ours_leads_to_its_id() {
        let urls = Urls::new(&Url::parse("https://maple.example").unwrap()).unwrap();
        for (address, id) in [
            ("https://maple.example/@dana", Some("https://maple.example/users/dana")),
            ("https://maple.example/%40dana/", Some("https://maple.example/users/dana")),
            ("http://MAPLE.example/users/dana?x=1", Some("https://maple.example/users/dana")),
            ("https://maple.example:443/@dana/42#top", Some("https://maple.example/users/dana/statuses/42")),
            ("https://maple.example/users/dana/statuses/42/", Some("https://maple.example/users/dana/statuses/42")),
            ("https://maple.example/users/dana/followers", None),
            ("https://maple.example/@dana/42/embed", None),
            ("https://maple.example/@dana/media", None),
            ("https://maple.example/@", None),
            ("https://maple.example/", None),
            ("https://maple.example:8443/@dana", None),
            ("https://willow.example/@dana", None),
            ("https://sub.maple.example/@dana", None),
            ("acct:dana@maple.example", None),
            ("@dana", None),
        ] {
            assert_eq!(urls.own_id(address).as_deref(), id, "{address}");
        }
        let urls = Urls::new(&Url::parse("https://maple.example:8443").unwrap()).unwrap();
        for address in
            ["https://maple.example/@dana", "http://maple.example/users/dana", "https://maple.example:80/@dana"]
        {
            assert_eq!(urls.own_id(address), None, "{address} is another server's");
        }
    }
}
