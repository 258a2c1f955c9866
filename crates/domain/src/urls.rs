//! Every address this server gives out, made in one place; but for what posts show (`file_urls`).
//!
//! HTML lives at `/@name`, ActivityPub ids at `/users/name`. Ids never change once given out.

use url::Url;

use crate::account::Account;
use crate::host::Host;
use crate::id::{AccountId, PostId};
use crate::view::Emoji;

/// Makes addresses below the public base URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Urls {
    base: String,
    host: Host,
}

impl Urls {
    /// `base` is the public address, such as `https://maple.example`; a path, query or fragment is ignored.
    ///
    /// # Errors
    /// When it is not an http(s) address with a host.
    pub fn new(base: &Url) -> Result<Self, &'static str> {
        if !matches!(base.scheme(), "http" | "https") {
            return Err("must start with https:// or http://");
        }
        let host = Host::of(base).ok_or("must name a host")?;
        // On plain http, 443 is a port like any other.
        let port = base.port().map_or(String::new(), |port| format!(":{port}"));
        Ok(Self { base: format!("{}://{}{port}", base.scheme(), host.name()), host })
    }

    /// Without a slash at the end.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// What follows the second `@` of handles here: the host, and the port if it is not the scheme's own.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.host.as_str()
    }

    /// The host without a port.
    #[must_use]
    pub fn host(&self) -> &str {
        self.host.name()
    }

    /// [`Urls::domain`] as a value to compare with.
    #[must_use]
    pub fn own_host(&self) -> &Host {
        &self.host
    }

    /// Is it an address that only this machine can reach: `localhost`, a name below it, or a loopback address?
    #[must_use]
    pub fn is_at_home(&self) -> bool {
        let name = self.host();
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        name == "localhost"
            || name.ends_with(".localhost")
            || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    #[must_use]
    pub fn is_https(&self) -> bool {
        self.base.starts_with("https:")
    }

    /// `ws://` or `wss://`, without a path.
    #[must_use]
    pub fn streaming(&self) -> String {
        self.base.replacen("http", "ws", 1)
    }

    /// An absolute address for a path that starts with `/`.
    #[must_use]
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Is this address one of ours, in whatever spelling of our host and on either scheme? Only an address spelt as we
    /// spell it leads to something here.
    #[must_use]
    pub fn is_ours(&self, uri: &str) -> bool {
        uri.strip_prefix(self.base.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
            || Host::of_address(uri).is_some_and(|host| host == self.host)
    }

    #[must_use]
    pub fn actor(&self, username: &str) -> String {
        format!("{}/users/{username}", self.base)
    }

    /// The path of `uri` below `/users/`, split: `("dana", "statuses/42")`. `None` when it is not ours.
    #[must_use]
    pub fn parse_user_path<'a>(&self, uri: &'a str) -> Option<(&'a str, &'a str)> {
        let rest = uri.strip_prefix(self.base.as_str())?.strip_prefix("/users/")?;
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (name, below) = rest.split_once('/').unwrap_or((rest, ""));
        (!name.is_empty()).then_some((name, below.trim_end_matches('/')))
    }

    #[must_use]
    pub fn profile(&self, username: &str) -> String {
        format!("{}/@{username}", self.base)
    }

    #[must_use]
    pub fn inbox(&self, username: &str) -> String {
        format!("{}/users/{username}/inbox", self.base)
    }

    #[must_use]
    pub fn outbox(&self, username: &str) -> String {
        format!("{}/users/{username}/outbox", self.base)
    }

    #[must_use]
    pub fn followers(&self, username: &str) -> String {
        format!("{}/users/{username}/followers", self.base)
    }

    #[must_use]
    pub fn following(&self, username: &str) -> String {
        format!("{}/users/{username}/following", self.base)
    }

    #[must_use]
    pub fn featured(&self, username: &str) -> String {
        format!("{}/users/{username}/collections/featured", self.base)
    }

    #[must_use]
    pub fn public_key(&self, username: &str) -> String {
        format!("{}/users/{username}#main-key", self.base)
    }

    #[must_use]
    pub fn shared_inbox(&self) -> String {
        format!("{}/inbox", self.base)
    }

    /// The actor in whose name this server fetches.
    #[must_use]
    pub fn instance_actor(&self) -> String {
        format!("{}/actor", self.base)
    }

    /// The ActivityPub id of a local post.
    #[must_use]
    pub fn post(&self, username: &str, id: PostId) -> String {
        format!("{}/users/{username}/statuses/{id}", self.base)
    }

    /// The page of a local post.
    #[must_use]
    pub fn post_page(&self, username: &str, id: PostId) -> String {
        format!("{}/@{username}/{id}", self.base)
    }

    /// The ActivityPub id of the activity that a post came with.
    #[must_use]
    pub fn post_activity(&self, username: &str, id: PostId) -> String {
        format!("{}/users/{username}/statuses/{id}/activity", self.base)
    }

    /// An id for something an account did that has no page, such as a follow.
    #[must_use]
    pub fn activity(&self, username: &str, kind: &str, id: i64) -> String {
        format!("{}/users/{username}#{kind}/{id}", self.base)
    }

    /// The id of an activity that another server sent without a usable one.
    #[must_use]
    pub fn received(&self, word: &str) -> String {
        format!("{}/received/{word}", self.base)
    }

    /// The page of a hashtag; `name` is without `#`.
    #[must_use]
    pub fn tag(&self, name: &str) -> String {
        let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
        format!("{}/tags/{name}", self.base)
    }

    /// A file of the media store that everybody may see. What posts show has its addresses from
    /// [`crate::FileUrls`].
    #[must_use]
    pub fn media(&self, key: &str) -> String {
        format!("{}/media/{key}", self.base)
    }

    /// A picture of another community's account, fetched and kept here when first asked for: no page makes third-party
    /// requests.
    #[must_use]
    pub fn remote_profile_image(&self, id: AccountId, which: &str) -> String {
        format!("{}/media/remote/accounts/{id}/{which}", self.base)
    }

    /// Where a custom emoji's picture is loaded from.
    #[must_use]
    pub fn emoji(&self, emoji: &Emoji) -> String {
        match &emoji.key {
            Some(key) => self.media(key),
            None => format!("{}/media/remote/emojis/{}", self.base, emoji.id),
        }
    }

    /// The avatar's address; a drawing of our own where she has none.
    #[must_use]
    pub fn avatar(&self, account: &Account) -> String {
        self.profile_image(account.id, account.avatar.as_ref(), "avatar", "/static/avatar.png")
    }

    /// The header's address; a drawing of our own where she has none.
    #[must_use]
    pub fn header(&self, account: &Account) -> String {
        self.profile_image(account.id, account.header.as_ref(), "header", "/static/header.png")
    }

    /// The avatar's address where nothing should move.
    #[must_use]
    pub fn avatar_static(&self, account: &Account) -> String {
        self.still(account.avatar.as_ref()).unwrap_or_else(|| self.avatar(account))
    }

    /// The header's address where nothing should move.
    #[must_use]
    pub fn header_static(&self, account: &Account) -> String {
        self.still(account.header.as_ref()).unwrap_or_else(|| self.header(account))
    }

    fn still(&self, image: Option<&crate::account::ProfileImage>) -> Option<String> {
        Some(self.media(image?.still_key.as_deref()?))
    }

    fn profile_image(
        &self,
        id: AccountId,
        image: Option<&crate::account::ProfileImage>,
        which: &str,
        fallback: &str,
    ) -> String {
        match image {
            None => self.path(fallback),
            Some(image) => match &image.key {
                Some(key) => self.media(key),
                None => self.remote_profile_image(id, which),
            },
        }
    }
}

/// The page for people of what another server gave the id `id`: where its document says, if that is on the id's host,
/// below it, or on the host of the author's handle, which WebFinger has checked. Otherwise the id: a link must not look
/// like somebody else's.
#[must_use]
pub fn page_of(said: Option<String>, id: &str, handle: Option<&Host>) -> String {
    let own = |said: &String| {
        let (Some(at), Some(home)) = (Host::of_address(said), Host::of_address(id)) else { return false };
        home.covers(&at) || handle == Some(&at)
    };
    said.filter(own).unwrap_or_else(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_lies_with_its_id_or_its_handle() {
        let id = "https://ap.willow.example/notes/1";
        let handle = Host::parse("willow.example").unwrap();
        for (said, kept) in [
            ("https://ap.willow.example/@bob/1", true),
            ("https://AP.willow.example.:443/@bob/1", true),
            ("https://www.ap.willow.example/1", true),
            ("https://willow.example/@bob/1", true),
            ("https://www.willow.example/@bob/1", false),
            ("https://ap.willow.example.evil.example/1", false),
            ("https://ap.willow.example:8443/1", true),
            ("https://willow.example:8443/1", false),
            ("javascript:alert(1)", false),
            ("", false),
        ] {
            let expected = if kept { said } else { id };
            assert_eq!(page_of(Some(said.to_owned()), id, Some(&handle)), expected, "{said}");
        }
        assert_eq!(page_of(Some("https://willow.example/1".to_owned()), id, None), id);
        assert_eq!(page_of(None, id, Some(&handle)), id);
    }

    #[test]
    fn the_port_belongs_to_the_domain() {
        let urls = Urls::new(&Url::parse("http://maple.localhost:4001/x?y").unwrap()).unwrap();
        assert_eq!(urls.base(), "http://maple.localhost:4001");
        assert_eq!(urls.domain(), "maple.localhost:4001");
        assert_eq!(urls.streaming(), "ws://maple.localhost:4001");
        let at_home = |base: &str| Urls::new(&Url::parse(base).unwrap()).unwrap().is_at_home();
        for base in ["http://localhost:4000", "http://maple.localhost", "http://127.0.0.1:4000", "http://[::1]:4000"] {
            assert!(at_home(base), "{base}");
        }
        for base in ["https://maple.example", "http://notlocalhost", "http://localhost.example", "http://10.0.0.2"] {
            assert!(!at_home(base), "{base}");
        }
        assert!(urls.is_ours("http://maple.localhost:4001/users/a"));
        for spelling in
            ["HTTP://Maple.localhost.:04001/users/a", "https://x:y@maple.localhost:4001", " http:maple.localhost:4001"]
        {
            assert!(urls.is_ours(spelling), "{spelling}");
        }
        assert!(!urls.is_ours("http://maple.localhost:40011/users/a"));
        assert!(!urls.is_ours("http://maple.localhost:4001.evil.example/users/a"));
        assert_eq!(
            urls.parse_user_path("http://maple.localhost:4001/users/dana/statuses/42"),
            Some(("dana", "statuses/42"))
        );
        let https = Urls::new(&Url::parse("https://maple.example:443").unwrap()).unwrap();
        assert_eq!(https.domain(), "maple.example");
        let dotted = Urls::new(&Url::parse("https://Maple.example./").unwrap()).unwrap();
        assert_eq!((dotted.base(), dotted.domain()), ("https://maple.example", "maple.example"));
    }

    #[test]
    fn addresses_of_tags_are_ascii() {
        let urls = Urls::new(&Url::parse("https://maple.example").unwrap()).unwrap();
        assert_eq!(urls.tag("play_date"), "https://maple.example/tags/play_date");
        assert_eq!(urls.tag("münchen"), "https://maple.example/tags/m%C3%BCnchen");
    }
}
