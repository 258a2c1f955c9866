//! The addresses of what posts show (pictures, videos, sounds), and the proofs that they carry.
//!
//! What everybody may see has an address without a proof. Anything else is loaded by apps, which send no token for a
//! picture, and by other servers, which sign nothing: for those an address carries a proof of whom it was made for. A
//! proof only says who asks; whether she may see the post is decided anew each time (docs/adr/0006). Every proof is
//! made and checked here, with one secret.

use std::time::Duration;

use hmac::Mac as _;

use crate::attachment::Attachment;
use crate::clock::Timestamp;
use crate::id::{AccountId, ThreadId};
use crate::keyed::{Keyed, keyed};
use crate::urls::Urls;
use crate::visibility::{Viewer, Visibility};

/// An address made for one reader is good for at least so long after it was written …
const AT_LEAST: Duration = Duration::from_secs(3 * DAY);
/// … and is written the same for so long, so that what keeps pictures by their address finds them again.
const STEP: Duration = Duration::from_secs(4 * DAY);
const DAY: u64 = 24 * 60 * 60;
/// Bytes of a proof: half of an HMAC-SHA-256, which RFC 2104 (section 5) holds to be enough.
const PROOF: usize = 16;

/// For whom an address is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Whom {
    /// Whoever may see the file without an address of her own: everybody, or a browser with a session.
    Anyone,
    /// One member, until then.
    Reader { account: AccountId, until: Timestamp },
    /// Other servers, for as long as the post lives.
    Peers,
}

impl Whom {
    /// One member. The end is rounded up: for some days it is the same.
    #[must_use]
    pub fn reader(account: AccountId, now: Timestamp) -> Self {
        let step = i64::try_from(STEP.as_millis()).unwrap_or(i64::MAX);
        let earliest = now.plus(AT_LEAST).0;
        Self::Reader { account, until: Timestamp((earliest.div_euclid(step) + 1).saturating_mul(step)) }
    }

    /// Whoever looks at a post of this audience.
    #[must_use]
    pub fn looking(viewer: Viewer, visibility: Visibility, now: Timestamp) -> Self {
        match viewer {
            Viewer::Account(account) if !visibility.is_open() => Self::reader(account, now),
            _ => Self::Anyone,
        }
    }

    /// Other servers, told of a post of this audience.
    #[must_use]
    pub fn peers(visibility: Visibility) -> Self {
        if visibility.is_open() { Self::Anyone } else { Self::Peers }
    }
}

/// Makes and reads the addresses. Cheap to clone.
#[derive(Debug, Clone)]
pub struct FileUrls {
    urls: Urls,
    keyed: Keyed,
}

impl FileUrls {
    /// `secret` must be random, and the same for every process of the server: with another, no address that was given
    /// out is good any more.
    #[must_use]
    pub fn new(urls: Urls, secret: [u8; 32]) -> Self {
        Self { urls, keyed: keyed(secret) }
    }

    /// Every other address.
    #[must_use]
    pub fn urls(&self) -> &Urls {
        &self.urls
    }

    /// How other servers are told which posts are one discussion. It is no address, and cannot be guessed: a discussion's
    /// id tells when it began.
    #[must_use]
    pub fn discussion(&self, id: ThreadId) -> String {
        let mut hmac = self.keyed.clone();
        hmac.update(format!("discussion\n{id}").as_bytes());
        format!("tag:{},2026:thread:{}", self.urls.host(), hex::encode(&hmac.finalize().into_bytes()[..PROOF]))
    }

    /// Where an attachment's original is loaded from.
    #[must_use]
    pub fn original(&self, a: &Attachment, whom: Whom) -> String {
        match &a.key {
            Some(key) => self.file(key, whom),
            None => self.elsewhere(a, "original", whom),
        }
    }

    /// Where an attachment's small version is loaded from.
    #[must_use]
    pub fn preview(&self, a: &Attachment, whom: Whom) -> String {
        match (&a.preview_key, &a.key) {
            (Some(key), _) | (None, Some(key)) => self.file(key, whom),
            (None, None) => self.elsewhere(a, "small", whom),
        }
    }

    fn file(&self, key: &str, whom: Whom) -> String {
        match whom {
            Whom::Anyone => self.urls.media(key),
            _ => self.proving(key, whom),
        }
    }

    /// A picture of another community, fetched and kept here when first asked for: no page makes third-party requests.
    /// Each of these addresses carries a proof, so that nobody makes this server fetch by trying ids.
    fn elsewhere(&self, a: &Attachment, size: &str, whom: Whom) -> String {
        self.proving(&format!("remote/attachments/{}/{size}", a.id), whom)
    }

    fn proving(&self, path: &str, whom: Whom) -> String {
        let reader = match whom {
            Whom::Reader { account, until } => format!("r={account}&u={}&", until.0),
            Whom::Anyone | Whom::Peers => String::new(),
        };
        let proof = hex::encode(&self.sign(path, whom).finalize().into_bytes()[..PROOF]);
        format!("{}?{reader}p={proof}", self.urls.media(path))
    }

    /// The one place where a file's proof comes from.
    fn sign(&self, path: &str, whom: Whom) -> Keyed {
        let mut hmac = self.keyed.clone();
        match whom {
            Whom::Anyone => hmac.update(b"anyone\n"),
            Whom::Peers => hmac.update(b"peers\n"),
            Whom::Reader { account, until } => hmac.update(format!("reader\n{account}\n{}\n", until.0).as_bytes()),
        }
        hmac.update(path.as_bytes());
        hmac
    }

    /// For whom the address of a request was written: `path` is what follows `/media/`, `query` what follows `?`.
    /// `None` when it proves nothing, or its time is over.
    #[must_use]
    pub fn proven(&self, path: &str, query: Option<&str>, now: Timestamp) -> Option<Whom> {
        let (mut account, mut until, mut proof) = (None, None, None);
        for (name, value) in url::form_urlencoded::parse(query?.as_bytes()) {
            match &*name {
                "r" => account = Some(AccountId(value.parse().ok()?)),
                "u" => until = Some(Timestamp(value.parse().ok()?)),
                "p" => {
                    let mut bytes = [0; PROOF];
                    hex::decode_to_slice(&*value, &mut bytes).ok()?;
                    proof = Some(bytes);
                }
                _ => {}
            }
        }
        let proof = proof?;
        let right = |whom: &Whom| self.sign(path, *whom).verify_truncated_left(&proof).is_ok();
        match (account, until) {
            (None, None) => [Whom::Anyone, Whom::Peers].into_iter().find(right),
            (Some(account), Some(until)) => Some(Whom::Reader { account, until }).filter(|w| now < until && right(w)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attachment::AttachmentKind;
    use crate::id::AttachmentId;

    const NOW: Timestamp = Timestamp(1_795_000_000_000);
    const DANA: AccountId = AccountId(7);

    fn files(secret: u8) -> FileUrls {
        FileUrls::new(Urls::new(&"https://maple.example".parse().unwrap()).unwrap(), [secret; 32])
    }

    fn picture(key: Option<&str>) -> Attachment {
        Attachment {
            id: AttachmentId(8),
            account_id: DANA,
            post_id: None,
            kind: AttachmentKind::Image,
            mime: "image/webp".into(),
            key: key.map(str::to_owned),
            preview_key: None,
            remote_url: Some("https://willow.example/8.webp".into()),
            description: String::new(),
            blurhash: None,
            focus: None,
            width: None,
            height: None,
            preview_width: None,
            preview_height: None,
            size: None,
            created_at: NOW,
        }
    }

    /// What an address says when it is asked for at `now`.
    fn read(files: &FileUrls, url: &str, now: Timestamp) -> Option<Whom> {
        let rest = url.strip_prefix("https://maple.example/media/").unwrap();
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        files.proven(path, query, now)
    }

    #[test]
    fn each_address_says_for_whom_it_was_written() {
        let files = files(1);
        let reader = Whom::reader(DANA, NOW);
        for a in [picture(Some("posts/aa/bb/c.webp")), picture(None)] {
            for whom in [reader, Whom::Peers] {
                for url in [files.original(&a, whom), files.preview(&a, whom)] {
                    assert_eq!(read(&files, &url, NOW), Some(whom), "{url}");
                }
            }
        }
        let open = files.original(&picture(Some("posts/aa/bb/c.webp")), Whom::Anyone);
        assert_eq!(open, "https://maple.example/media/posts/aa/bb/c.webp", "nothing to prove");
        let elsewhere = files.original(&picture(None), Whom::Anyone);
        assert_eq!(read(&files, &elsewhere, NOW), Some(Whom::Anyone), "an id can be guessed: {elsewhere}");
    }

    #[test]
    fn each_size_has_an_address_of_its_own_where_there_is_one() {
        let files = files(1);
        let at = |path: &str| format!("https://maple.example/media/{path}");
        let both =
            Attachment { preview_key: Some("posts/aa/bb/small.webp".into()), ..picture(Some("posts/aa/bb/c.webp")) };
        assert_eq!(files.original(&both, Whom::Anyone), at("posts/aa/bb/c.webp"));
        assert_eq!(files.preview(&both, Whom::Anyone), at("posts/aa/bb/small.webp"));
        assert_eq!(files.preview(&picture(Some("posts/aa/bb/c.webp")), Whom::Anyone), at("posts/aa/bb/c.webp"));
        let elsewhere = picture(None);
        assert!(files.original(&elsewhere, Whom::Peers).starts_with(&at("remote/attachments/8/original?p=")));
        assert!(files.preview(&elsewhere, Whom::Peers).starts_with(&at("remote/attachments/8/small?p=")));
        let proof = files.original(&elsewhere, Whom::Peers).split_once("?p=").unwrap().1.len();
        assert_eq!(proof, 32, "16 bytes, in hexadecimal");
        assert_eq!(files.urls().base(), "https://maple.example");
        assert!(format!("{files:?}").contains("maple.example"));
    }

    #[test]
    fn a_proof_holds_for_nothing_else() {
        let files = files(1);
        let a = picture(Some("posts/aa/bb/c.webp"));
        let Whom::Reader { until, .. } = Whom::reader(DANA, NOW) else { panic!("a reader") };
        let (hers, peers) = (files.original(&a, Whom::reader(DANA, NOW)), files.original(&a, Whom::Peers));
        assert_eq!(read(&files, &hers, Timestamp(until.0 - 1)), Some(Whom::reader(DANA, NOW)));
        assert_eq!(read(&files, &hers, until), None, "its time is over");
        let other = FileUrls::new(files.urls().clone(), [2; 32]);
        assert_eq!(read(&other, &hers, NOW), None, "another secret");
        let (later, proof) = (until.0 + 1, hers.split_once("&p=").unwrap().1);
        for wrong in [
            hers.replace("r=7", "r=8"),
            hers.replace(&format!("u={}", until.0), &format!("u={later}")),
            hers.replace("c.webp", "d.webp"),
            hers.replace("?r=7&", "?"),
            format!("https://maple.example/media/posts/aa/bb/c.webp?p={proof}"),
            hers[..hers.len() - 2].to_owned(),
            hers[..hers.len() - proof.len()].to_owned(),
            format!("{hers}00"),
            peers.replace("?p=", "?p=+"),
            peers.replace('?', "?r=7&"),
            peers.replace("?p=", "?r=7&u=99999999999999&p="),
            peers.replace("c.webp", "d.webp"),
            "https://maple.example/media/posts/aa/bb/c.webp".to_owned(),
            "https://maple.example/media/posts/aa/bb/c.webp?r=x&u=y&p=ää".to_owned(),
        ] {
            assert_eq!(read(&files, &wrong, NOW), None, "{wrong}");
        }
        assert!(!format!("{files:?}").contains('['), "the secret is told to no log");
    }

    #[test]
    fn a_discussion_has_one_name_that_does_not_tell_its_id() {
        let name = files(1).discussion(ThreadId(115_000_000_000));
        assert!(name.starts_with("tag:maple.example,2026:thread:") && !name.contains("115000000000"), "{name}");
        assert_eq!(name, files(1).discussion(ThreadId(115_000_000_000)));
        assert_ne!(name, files(2).discussion(ThreadId(115_000_000_000)), "another secret");
    }

    #[test]
    fn an_address_is_the_same_for_days_and_good_for_days_more() {
        let hour = |n: u64| NOW.plus(Duration::from_secs(n * 3600));
        let ends: Vec<i64> = (0..24 * 8)
            .map(|n| match Whom::reader(DANA, hour(n)) {
                Whom::Reader { until, .. } => {
                    let left = until.0 - hour(n).0;
                    assert!((3 * 86_400_000..=7 * 86_400_000).contains(&left), "{left}");
                    until.0
                }
                other => panic!("{other:?}"),
            })
            .collect();
        let mut different = ends;
        different.dedup();
        assert!(different.len() <= 3, "in eight days: {different:?}");
    }

    #[test]
    fn only_what_is_not_for_everybody_needs_a_proof() {
        let dana = Viewer::Account(DANA);
        for open in [Visibility::Public, Visibility::Unlisted] {
            assert_eq!((Whom::looking(dana, open, NOW), Whom::peers(open)), (Whom::Anyone, Whom::Anyone));
        }
        for closed in [Visibility::Followers, Visibility::Direct] {
            assert_eq!((Whom::looking(dana, closed, NOW), Whom::peers(closed)), (Whom::reader(DANA, NOW), Whom::Peers));
            assert_eq!(Whom::looking(Viewer::Anonymous, closed, NOW), Whom::Anyone, "proves nothing");
        }
    }
}
