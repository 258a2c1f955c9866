//! Every address this server gives out, made in one place; but for what posts show (`file_urls`).
//!
//! HTML lives at `/@name`, ActivityPub ids at `/users/name`. Ids never change once given out.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use url::Url;

use crate::account::Account;
use crate::address_key::AddressKey;
use crate::host::Host;
use crate::id::AccountId;
use crate::view::Emoji;

/// What stands for itself in a segment of a path, beside letters and digits.
const SEGMENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@').remove(b':');

/// A name as it stands in a path. Members' names stand for themselves; but a name may be one that somebody asked for.
fn segment(name: &str) -> PercentEncode<'_> {
    utf8_percent_encode(name, SEGMENT)
}

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
        uri.strip_prefix(self.base.as_str()).is_some_and(|rest| rest.starts_with('/'))
            || Host::of_address(uri).is_some_and(|host| host == self.host)
    }

    #[must_use]
    pub fn actor(&self, username: &str) -> String {
        format!("{}/users/{}", self.base, segment(username))
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
        format!("{}/@{}", self.base, segment(username))
    }

    #[must_use]
    pub fn inbox(&self, username: &str) -> String {
        format!("{}/users/{}/inbox", self.base, segment(username))
    }

    #[must_use]
    pub fn outbox(&self, username: &str) -> String {
        format!("{}/users/{}/outbox", self.base, segment(username))
    }

    #[must_use]
    pub fn followers(&self, username: &str) -> String {
        format!("{}/users/{}/followers", self.base, segment(username))
    }

    #[must_use]
    pub fn following(&self, username: &str) -> String {
        format!("{}/users/{}/following", self.base, segment(username))
    }

    #[must_use]
    pub fn featured(&self, username: &str) -> String {
        format!("{}/users/{}/collections/featured", self.base, segment(username))
    }

    #[must_use]
    pub fn public_key(&self, username: &str) -> String {
        format!("{}/users/{}#main-key", self.base, segment(username))
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
    pub fn post(&self, username: &str, key: AddressKey) -> String {
        format!("{}/users/{}/statuses/{key}", self.base, segment(username))
    }

    /// The page of a local post.
    #[must_use]
    pub fn post_page(&self, username: &str, key: AddressKey) -> String {
        format!("{}/@{}/{key}", self.base, segment(username))
    }

    /// The ActivityPub id of a boost, and of the activity that a post came with.
    #[must_use]
    pub fn post_activity(&self, username: &str, key: AddressKey) -> String {
        format!("{}/users/{}/statuses/{key}/activity", self.base, segment(username))
    }

    /// An id for something an account did that has no page, such as a follow.
    #[must_use]
    pub fn activity(&self, username: &str, kind: &str, key: AddressKey) -> String {
        format!("{}/users/{}#{kind}/{key}", self.base, segment(username))
    }

    /// The id of an activity that another server sent without a usable one.
    #[must_use]
    pub fn received(&self, word: &str) -> String {
        format!("{}/received/{word}", self.base)
    }

    /// The id of a report that a member wrote. Leads nowhere, and says nothing about who wrote it.
    #[must_use]
    pub fn report(&self, key: AddressKey) -> String {
        format!("{}/reports/{key}", self.base)
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

/// An address on the web that may be shown as a link: http or https, with a host and without credentials. As text it is
/// written the one way that cannot be mistaken: the host in punycode, what is not ASCII in the path escaped. It is
/// whole: on a page, `https:/x` and `https:x` lead below the page's own host, and `\\` is read as `/`.
#[must_use]
pub fn web_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let whole = text.trim_start().get(url.scheme().len()..)?.starts_with("://") && !text.contains('\\');
    (matches!(url.scheme(), "http" | "https") && whole && !has_credentials(&url) && url.has_host()).then_some(url)
}

/// A name or password stands before the host, and reads as if it were the host: `https://bank.example@evil.example`.
#[must_use]
pub fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// An address as it was typed, unless that can be read as another one: then as [`Url`] writes it.
#[must_use]
pub fn as_typed(typed: &str, url: Url) -> String {
    if typed.is_ascii() { typed.to_owned() } else { url.into() }
}

/// The page for people of what another server gave the id `id`: where its document says, if that is on the id's host,
/// below it, or on the host of the author's handle, which WebFinger has checked. Otherwise the id: a link must not look
/// like somebody else's. Written as [`web_url`] says.
#[must_use]
pub fn page_of(said: Option<String>, id: &str, handle: Option<&Host>) -> String {
    let home = Host::of_address(id);
    let own = |said: &Url| {
        let (Some(at), Some(home)) = (Host::of(said), &home) else { return false };
        home.covers(&at) || handle == Some(&at)
    };
    let page = said.and_then(|said| web_url(&said)).filter(own).or_else(|| web_url(id));
    page.map_or_else(|| id.to_owned(), String::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{ActorKind, ProfileImage};
    use crate::clock::Timestamp;
    use crate::id::EmojiId;

    #[test]
    fn a_page_lies_with_its_id_or_its_handle() {
        let id = "https://ap.willow.example/notes/1";
        let handle = Host::parse("willow.example").unwrap();
        for (said, kept) in [
            ("https://ap.willow.example/@bob/1", true),
            ("https://www.ap.willow.example/1", true),
            ("https://willow.example/@bob/1", true),
            ("https://www.willow.example/@bob/1", false),
            ("https://ap.willow.example.evil.example/1", false),
            ("https://ap.willow.example:8443/1", true),
            ("https://willow.example:8443/1", false),
            ("https://mastodon.social@ap.willow.example/@bob/1", false),
            ("https://mastodon.social:x@ap.willow.example/@bob/1", false),
            ("javascript:alert(1)", false),
            ("", false),
        ] {
            let expected = if kept { said } else { id };
            assert_eq!(page_of(Some(said.to_owned()), id, Some(&handle)), expected, "{said}");
        }
        assert_eq!(page_of(Some("https://willow.example/1".to_owned()), id, None), id);
        assert_eq!(page_of(None, id, Some(&handle)), id);
        for (said, written) in [
            ("https://AP.willow.example:443/@bob/1", "https://ap.willow.example/@bob/1"),
            ("https://ap.willow.example/\u{202e}eno", "https://ap.willow.example/%E2%80%AEeno"),
            ("https://ap.willow.example/\u{2028}@bob", "https://ap.willow.example/%E2%80%A8@bob"),
        ] {
            assert_eq!(page_of(Some(said.to_owned()), id, None), written);
        }
        let cyrillic = "https://\u{430}\u{440}\u{440}\u{4cf}\u{435}.example/notes/1";
        assert_eq!(page_of(None, cyrillic, None), "https://xn--80ak6aa92e.example/notes/1", "an id is written so too");
    }

    #[test]
    fn an_address_on_the_web_is_whole() {
        for text in ["https://x.example", " http://x.example/a b", "HTTPS://X.example:8443/é?a#b", "https://[::1]/"] {
            assert!(web_url(text).is_some(), "{text}");
        }
        for text in [
            "https:/logout",
            "https:logout",
            "https:\\\\evil.example",
            "https://x.example\\@y.example",
            "//x.example",
            "/x",
            "javascript:x",
            "data:,x",
            "ftp://x.example",
            "https://a@x.example",
            "https://a:b@x.example",
            "https://",
            "",
            "x",
        ] {
            assert!(web_url(text).is_none(), "{text}");
        }
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

    fn account(avatar: Option<ProfileImage>, header: Option<ProfileImage>) -> Account {
        Account {
            id: AccountId(7),
            username: "dana".into(),
            domain: None,
            uri: String::new(),
            url: String::new(),
            kind: ActorKind::Person,
            display_name: String::new(),
            note: String::new(),
            fields: Vec::new(),
            avatar,
            header,
            locked: false,
            discoverable: false,
            indexable: false,
            hide_collections: false,
            inbox_url: String::new(),
            shared_inbox_url: None,
            outbox_url: None,
            followers_url: None,
            following_url: None,
            featured_url: None,
            public_key_pem: String::new(),
            public_key_id: String::new(),
            also_known_as: Vec::new(),
            moved_to_uri: None,
            posts_count: 0,
            followers_count: 0,
            following_count: 0,
            last_post_at: None,
            created_at: Timestamp(0),
            fetched_at: None,
            suspended_at: None,
            silenced_at: None,
        }
    }

    /// Ids never change once given out: so neither does how they are made.
    #[test]
    fn every_address_is_what_it_always_was() {
        let urls = Urls::new(&Url::parse("https://maple.example:8443").unwrap()).unwrap();
        let id = AddressKey::new(42);
        for (address, path) in [
            (urls.actor("dana"), "/users/dana"),
            (urls.profile("dana"), "/@dana"),
            (urls.inbox("dana"), "/users/dana/inbox"),
            (urls.outbox("dana"), "/users/dana/outbox"),
            (urls.followers("dana"), "/users/dana/followers"),
            (urls.following("dana"), "/users/dana/following"),
            (urls.featured("dana"), "/users/dana/collections/featured"),
            (urls.public_key("dana"), "/users/dana#main-key"),
            (urls.shared_inbox(), "/inbox"),
            (urls.instance_actor(), "/actor"),
            (urls.post("dana", id), "/users/dana/statuses/42"),
            (urls.post_page("dana", id), "/@dana/42"),
            (urls.post_activity("dana", id), "/users/dana/statuses/42/activity"),
            (urls.activity("dana", "follows", AddressKey::new(5)), "/users/dana#follows/5"),
            (urls.received("x"), "/received/x"),
            (urls.report(AddressKey::new(6)), "/reports/6"),
            (urls.tag("tea"), "/tags/tea"),
            (urls.media("a/b.webp"), "/media/a/b.webp"),
            (urls.remote_profile_image(AccountId(7), "avatar"), "/media/remote/accounts/7/avatar"),
            (urls.path("/about"), "/about"),
        ] {
            assert_eq!(address, format!("https://maple.example:8443{path}"));
        }
        assert_eq!((urls.base(), urls.host()), ("https://maple.example:8443", "maple.example"));
        assert_eq!((urls.domain(), urls.streaming().as_str()), ("maple.example:8443", "wss://maple.example:8443"));
        assert!(urls.is_https());
        assert!(!Urls::new(&Url::parse("http://maple.example").unwrap()).unwrap().is_https());
        assert!(Urls::new(&Url::parse("ftp://maple.example").unwrap()).is_err());
        assert!(Urls::new(&Url::parse("data:x").unwrap()).is_err());
    }

    #[test]
    fn what_is_ours_starts_with_our_base_and_ends_there_or_goes_below_it() {
        let urls = Urls::new(&Url::parse("https://maple.example").unwrap()).unwrap();
        for ours in [
            "https://maple.example",
            "https://maple.example/x",
            "https://maple.example?x",
            "https://maple.example#x",
            "http://maple.example/",
        ] {
            assert!(urls.is_ours(ours), "{ours}");
            assert!(urls.is_ours(&ours.replace("maple.example", "Maple.Example.:443")), "{ours}");
        }
        for other in ["https://maple.example.evil/", "https://maple.example:8443/", "", "https://"] {
            assert!(!urls.is_ours(other), "{other}");
        }
        let path = |uri: &'static str| urls.parse_user_path(uri);
        assert_eq!(path("https://maple.example/users/dana"), Some(("dana", "")));
        assert_eq!(path("https://maple.example/users/dana/statuses/42/?a#b"), Some(("dana", "statuses/42")));
        assert_eq!(path("https://maple.example/users/dana#main-key"), Some(("dana", "")));
        for none in [
            "https://maple.example/users/",
            "https://maple.example/users//x",
            "https://willow.example/users/dana",
            "https://maple.example/@dana",
        ] {
            assert_eq!(path(none), None, "{none}");
        }
    }

    #[test]
    fn pictures_of_people_and_emoji_come_from_here() {
        let urls = Urls::new(&Url::parse("https://maple.example").unwrap()).unwrap();
        let ours = |key: &str, still: Option<&str>| {
            Some(ProfileImage {
                key: Some(key.into()),
                still_key: still.map(str::to_owned),
                remote_url: None,
                description: String::new(),
            })
        };
        let theirs = || {
            let remote_url = Some("https://willow.example/a.png".into());
            Some(ProfileImage { key: None, still_key: None, remote_url, description: String::new() })
        };
        let shown = |account: &Account| {
            [urls.avatar(account), urls.avatar_static(account), urls.header(account), urls.header_static(account)]
        };
        let at = |paths: [&str; 4]| paths.map(|path| format!("https://maple.example{path}"));
        let none = ["/static/avatar.png", "/static/avatar.png", "/static/header.png", "/static/header.png"];
        assert_eq!(shown(&account(None, None)), at(none));
        let moving = account(ours("a.gif", Some("a.webp")), ours("h.gif", Some("h.webp")));
        assert_eq!(shown(&moving), at(["/media/a.gif", "/media/a.webp", "/media/h.gif", "/media/h.webp"]));
        let still = account(ours("a.webp", None), ours("h.webp", None));
        assert_eq!(shown(&still), at(["/media/a.webp", "/media/a.webp", "/media/h.webp", "/media/h.webp"]));
        let emoji = |key: Option<&str>| Emoji {
            id: EmojiId(3),
            shortcode: "tea".into(),
            domain: None,
            key: key.map(str::to_owned),
            remote_url: None,
            visible: true,
            category: None,
        };
        assert_eq!(urls.emoji(&emoji(Some("tea.png"))), "https://maple.example/media/tea.png");
        assert_eq!(urls.emoji(&emoji(None)), "https://maple.example/media/remote/emojis/3");
        let remote = ["avatar", "avatar", "header", "header"].map(|which| format!("/media/remote/accounts/7/{which}"));
        assert_eq!(shown(&account(theirs(), theirs())), at(remote.each_ref().map(String::as_str)));
    }

    /// An address may be made of a name that a stranger asked for: it stays one address, and a header's value.
    #[test]
    fn a_name_stays_within_its_segment() {
        let urls = Urls::new(&Url::parse("https://maple.example").unwrap()).unwrap();
        assert_eq!(urls.profile("dana_46"), "https://maple.example/@dana_46");
        assert_eq!(urls.profile("bob@willow.example:4001"), "https://maple.example/@bob@willow.example:4001");
        for name in ["\n", "a/b", "a?b", "a#b", "..\\", "a%2fb", "é", "\0", " ", "\u{202e}", "<\">"] {
            let addresses = [
                urls.actor(name),
                urls.profile(name),
                urls.inbox(name),
                urls.outbox(name),
                urls.followers(name),
                urls.following(name),
                urls.featured(name),
                urls.public_key(name),
                urls.post(name, AddressKey::new(1)),
                urls.post_page(name, AddressKey::new(1)),
                urls.post_activity(name, AddressKey::new(1)),
                urls.activity(name, "follows", AddressKey::new(1)),
            ];
            for address in addresses {
                let rest =
                    address.split_once(&segment(name).to_string()).map(|(before, after)| format!("{before}x{after}"));
                assert!(address.bytes().all(|b| b.is_ascii_graphic()), "{address}");
                assert_eq!(Url::parse(&address).unwrap().as_str(), address);
                let depth = |address: &str| address.matches(['/', '?', '#']).count();
                assert_eq!(rest.map(|rest| depth(&rest)), Some(depth(&address)), "{address}");
            }
        }
    }

    #[test]
    fn addresses_of_tags_are_ascii() {
        let urls = Urls::new(&Url::parse("https://maple.example").unwrap()).unwrap();
        assert_eq!(urls.tag("play_date"), "https://maple.example/tags/play_date");
        assert_eq!(urls.tag("münchen"), "https://maple.example/tags/m%C3%BCnchen");
    }
}
