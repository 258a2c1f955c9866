//! Ids for what other servers send without a usable id of their own.
//!
//! Made from what was done with a secret: the same thing has the same id however often it comes, and nobody else can
//! tell which.

use domain::{Keyed, Urls, keyed};
use hmac::Mac as _;

/// Tells these proofs from others that are made with the same secret.
const PURPOSE: &[u8] = b"ids of received activities";
/// Bytes of an id: 128 bits.
const LENGTH: usize = 16;

/// Makes the ids. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ReceivedIds(Keyed);

impl ReceivedIds {
    /// `secret` must be random, and the same for every process of the server.
    #[must_use]
    pub fn new(secret: [u8; 32]) -> Self {
        let mut keyed = keyed(secret);
        keyed.update(PURPOSE);
        Self(keyed)
    }

    /// An address below our own, which leads nowhere.
    #[must_use]
    pub fn of(&self, urls: &Urls, actor: &str, kind: &str, object: &str) -> String {
        let mut keyed = self.0.clone();
        for part in [actor, kind, object] {
            keyed.update(&[0]);
            keyed.update(part.as_bytes());
        }
        urls.received(&hex::encode(&keyed.finalize().into_bytes()[..LENGTH]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_ours_and_belongs_to_one_thing_and_one_secret() {
        let urls = Urls::new(&"https://maple.example".parse().unwrap()).unwrap();
        let ids = ReceivedIds::new([7; 32]);
        let id = ids.of(&urls, "https://a.example/u", "Like", "https://maple.example/1");
        assert!(urls.is_ours(&id) && id.len() > urls.base().len() + 2 * LENGTH);
        assert_eq!(id, ids.of(&urls, "https://a.example/u", "Like", "https://maple.example/1"));
        assert_ne!(id, ids.of(&urls, "https://a.example/u", "Announce", "https://maple.example/1"));
        assert_ne!(id, ids.of(&urls, "https://a.example/u\0Like", "", "https://maple.example/1"));
        assert_ne!(id, ReceivedIds::new([8; 32]).of(&urls, "https://a.example/u", "Like", "https://maple.example/1"));
    }
}
