//! Keys, parsed once: what we sign with, and what others' signatures are checked with.
//!
//! RSA of 2048 to 8192 bits and Ed25519; anything weaker is refused. Never prints a private key.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{ED25519, KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};

/// The text is not a key this server can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a usable key (RSA of 2048 bits or more, or Ed25519)")]
pub struct UnusableKey;

/// SubjectPublicKeyInfo of an Ed25519 key is this and the 32 bytes of the key (RFC 8410).
pub(super) const ED25519_SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// A key is refused beyond this many characters of PEM (8192-bit RSA needs about 1,500).
const MAX_PEM: usize = 8 * 1024;

/// Somebody's public key, ready to check signatures with.
pub struct PublicKey {
    key: ParsedPublicKey,
    kind: KeyKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    Rsa,
    Ed25519,
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl PublicKey {
    /// Reads `PUBLIC KEY` (SubjectPublicKeyInfo) or `RSA PUBLIC KEY` (PKCS #1) in PEM.
    ///
    /// # Errors
    /// When it is neither, or too weak, or too long.
    pub fn from_pem(text: &str) -> Result<Self, UnusableKey> {
        if text.len() > MAX_PEM {
            return Err(UnusableKey);
        }
        let parsed = pem::parse(text.trim()).map_err(|_| UnusableKey)?;
        if !matches!(parsed.tag(), "PUBLIC KEY" | "RSA PUBLIC KEY") {
            return Err(UnusableKey);
        }
        match parsed.contents().strip_prefix(&ED25519_SPKI) {
            Some(raw) => Self::ed25519(raw),
            None => Ok(Self {
                key: ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, parsed.contents()).map_err(|_| UnusableKey)?,
                kind: KeyKind::Rsa,
            }),
        }
    }

    /// The 32 bytes of an Ed25519 key.
    ///
    /// # Errors
    /// When there are not 32 of them.
    pub fn ed25519(raw: &[u8]) -> Result<Self, UnusableKey> {
        if raw.len() != 32 {
            return Err(UnusableKey);
        }
        Ok(Self { key: ParsedPublicKey::new(&ED25519, raw).map_err(|_| UnusableKey)?, kind: KeyKind::Ed25519 })
    }

    pub(super) fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Is this the signature of these bytes?
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }
}

/// A local account's private key, ready to sign with, and the id under which others find its public half.
pub struct SigningKey {
    key: KeyPair,
    id: String,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Reads an RSA key in PKCS #8 PEM; `id` is the `keyId` to sign under.
    ///
    /// # Errors
    /// When it is no RSA key, or the id could not stand between quotes.
    pub fn from_pem(id: String, text: &str) -> Result<Self, UnusableKey> {
        if id.contains(['"', '\n', '\r']) || !id.is_ascii() {
            return Err(UnusableKey);
        }
        let parsed = pem::parse(text).map_err(|_| UnusableKey)?;
        let key = KeyPair::from_pkcs8(parsed.contents()).map_err(|_| UnusableKey)?;
        Ok(Self { key, id })
    }

    /// The `keyId`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The public half, SubjectPublicKeyInfo in PEM.
    ///
    /// # Errors
    /// Only if the library fails.
    pub fn public_pem(&self) -> Result<String, UnusableKey> {
        let der: PublicKeyX509Der<'_> = self.key.public_key().as_der().map_err(|_| UnusableKey)?;
        let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
        Ok(pem::encode_config(&pem::Pem::new("PUBLIC KEY", der.as_ref()), config))
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256; a quarter of a millisecond. `None` only if the library fails.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).ok()?;
        Some(signature)
    }
}
