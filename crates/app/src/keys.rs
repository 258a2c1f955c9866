//! Makes the key pairs that local accounts and the server itself sign with.
//!
//! Only makes keys; signing and verifying live in `federation::signature`. Never runs on an async thread:
//! finding two primes takes about a tenth of a second.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use pem::{EncodeConfig, LineEnding, Pem};
use storage::settings;

use crate::{App, error};

/// An RSA key pair of 2048 bits, as text.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// PKCS #8 in PEM. Never leaves the database.
    pub private_pem: String,
    /// SubjectPublicKeyInfo in PEM, as actors publish it.
    pub public_pem: String,
}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyPair").field("public_pem", &self.public_pem).finish_non_exhaustive()
    }
}

/// The library refused, or the thread that worked on it was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key pair could not be made")]
pub struct KeyGenerationFailed;

/// Makes a fresh pair on a blocking thread (about 100 ms of processor time).
///
/// # Errors
/// When the system has no randomness to give, or the runtime is shutting down.
pub async fn generate() -> Result<KeyPair, KeyGenerationFailed> {
    tokio::task::spawn_blocking(generate_now).await.map_err(|_| KeyGenerationFailed)?
}

/// The key of the server itself, in whose name it fetches, as PKCS #8 in PEM. Made when it is first asked for, and the
/// same for every process on the database from then on.
///
/// # Errors
/// When the database refuses, or no key can be made.
pub async fn of_instance(app: &App) -> error::Result<String> {
    let kept = settings::instance_private_key(&mut app.db.read().await?).await?;
    if let Some(pem) = kept {
        return Ok(pem);
    }
    let fresh = generate().await.map_err(error::Error::internal)?;
    let mut tx = app.db.write().await?;
    let pem = settings::keep_instance_private_key(&mut tx, &fresh.private_pem).await?;
    tx.commit().await?;
    Ok(pem)
}

/// Makes a fresh pair on the calling thread: for start-up and command lines, never inside async code.
///
/// # Errors
/// When the system has no randomness to give.
pub fn generate_now() -> Result<KeyPair, KeyGenerationFailed> {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyGenerationFailed)?;
    let private: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyGenerationFailed)?;
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| KeyGenerationFailed)?;
    Ok(KeyPair {
        private_pem: to_pem("PRIVATE KEY", private.as_ref()),
        public_pem: to_pem("PUBLIC KEY", public.as_ref()),
    })
}

fn to_pem(tag: &str, der: &[u8]) -> String {
    pem::encode_config(&Pem::new(tag, der), EncodeConfig::new().set_line_ending(LineEnding::LF))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_written_as_other_servers_read_it() {
        let pair = generate_now().unwrap();
        assert!(pair.private_pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
        assert!(pair.public_pem.starts_with("-----BEGIN PUBLIC KEY-----\n"));
        let der = pem::parse(&pair.private_pem).unwrap();
        assert!(RsaKeyPair::from_pkcs8(der.contents()).is_ok());
        assert!(!format!("{pair:?}").contains("PRIVATE"));
    }
}
