//! Proofs that only this server can make: HMAC-SHA-256 with its secret.

use hmac::{Hmac, KeyInit as _};
use sha2::Sha256;

/// Ready to take the text of a proof. Whoever makes another kind of proof with the same secret begins its texts with
/// words of its own. Its `Debug` tells nothing of the secret.
pub type Keyed = Hmac<Sha256>;

/// `secret` must be random, and the same for every process of the server.
#[must_use]
pub fn keyed(secret: [u8; 32]) -> Keyed {
    // A key shorter than a block is filled up with zeros (RFC 2104, section 2).
    let mut block = [0; 64];
    block[..secret.len()].copy_from_slice(&secret);
    Keyed::new(&block.into())
}

#[cfg(test)]
mod tests {
    use hmac::Mac as _;

    use super::*;

    #[test]
    fn nothing_of_the_secret_is_shown() {
        let mut begun = keyed([9; 32]);
        begun.update(b"words");
        assert_eq!(format!("{begun:?}"), format!("{:?}", keyed([1; 32])));
    }
}
