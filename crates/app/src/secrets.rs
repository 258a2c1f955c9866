//! Random secrets that are given out once and kept as a digest: tokens, codes, sessions, invites.
//!
//! They carry 256 bits of randomness, so a plain SHA-256 is enough to keep them: nobody can guess one to try.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::AddressKey;
use sha2::{Digest as _, Sha256};

/// A fresh secret: 43 characters fit for an address, 256 bits.
#[must_use]
pub fn generate() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// A short one for links that people read out or type: 16 characters, 96 bits.
#[must_use]
pub fn generate_short() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 12]>())
}

/// For an address that nobody can guess: 64 bits.
#[must_use]
pub fn address_key() -> AddressKey {
    AddressKey::new(rand::random())
}

/// What is kept of it.
#[must_use]
pub fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_their_digests_are_sha_256() {
        assert_eq!(generate().len(), 43);
        assert_ne!(generate(), generate());
        assert_eq!(generate_short().len(), 16);
        assert_eq!(hex::encode(digest("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
