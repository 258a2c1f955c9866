//! Passwords: argon2id, on blocking threads, never more at once than there are processors.
//!
//! The same password is the same bytes, whichever keyboard it was typed on: NFKC, as NIST SP 800-63B (section 3.1.1.2)
//! has it. Hashes that were made before may be of another form, and are still matched.
//!
//! A wrong name costs as much time as a wrong password, so that nobody learns by the clock who is a member.

use std::sync::LazyLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization as _;

use crate::error::{Error, Result};

pub const MIN_CHARS: usize = 8;
/// More is refused: hashing it would cost us, and protects nobody.
pub const MAX_BYTES: usize = 1_024;

/// Each hash takes 19 MiB and one processor for some 20 ms: this bounds both.
static AT_ONCE: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(2, usize::from)));

/// What is compared with when there is no such member.
static NOBODYS: LazyLock<String> = LazyLock::new(|| hash_now("nobody's password").unwrap_or_default());

/// argon2id with OWASP's first choice of parameters: 19 MiB, 2 passes, 1 lane.
fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

/// Is it long enough, and not too long? Nothing else is asked of a password (NIST SP 800-63B, section 3.1.1.2).
///
/// # Errors
/// [`Error::Invalid`] on `password`.
pub fn check(password: &str) -> Result<()> {
    if password.nfkc().count() < MIN_CHARS {
        return Err(Error::invalid("password", format!("must have at least {MIN_CHARS} characters")));
    }
    if password.len() > MAX_BYTES {
        return Err(Error::invalid("password", "is too long"));
    }
    Ok(())
}

/// A PHC string with a fresh salt.
///
/// # Errors
/// [`Error::Invalid`] as [`check`]; [`Error::Unavailable`] while shutting down.
pub async fn hash(password: &str) -> Result<String> {
    check(password)?;
    let password = normal(password);
    on_a_thread(move || hash_now(&password)).await?
}

/// Is this the password? `None` (no such member, or none set) takes as long, and is `false`.
///
/// # Errors
/// [`Error::Unavailable`] while shutting down.
pub async fn verify(password: &str, hash: Option<&str>) -> Result<bool> {
    if password.len() > MAX_BYTES {
        return Ok(false);
    }
    let (forms, hash) = (forms(password), hash.map(str::to_owned));
    on_a_thread(move || {
        // Compared in either case; nobody's password is right for nobody.
        let against = hash.as_deref().unwrap_or(&NOBODYS);
        let matches = forms.iter().any(|form| verify_now(form, against));
        matches && hash.is_some()
    })
    .await
}

/// The form that is hashed.
fn normal(password: &str) -> String {
    password.nfkc().collect()
}

/// The forms that a hash may be of: the one that is hashed now; and from before, what was typed, in any form that a
/// keyboard gives it. One for most passwords.
fn forms(password: &str) -> Vec<String> {
    let mut forms = vec![normal(password)];
    for before in [password.to_owned(), password.nfc().collect(), password.nfd().collect()] {
        if !forms.contains(&before) {
            forms.push(before);
        }
    }
    forms
}

async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let stopping = || Error::Unavailable("shutting down".to_owned());
    let permit = AT_ONCE.acquire().await.map_err(|_| stopping())?;
    tokio::task::spawn_blocking(move || {
        // Held by the thread: work goes on even if whoever asked has left.
        let _permit = permit;
        work()
    })
    .await
    .map_err(|_| stopping())
}

fn hash_now(password: &str) -> Result<String> {
    argon2().hash_password(password.as_bytes()).map(|hash: PasswordHash| hash.to_string()).map_err(Error::internal)
}

fn verify_now(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other() {
        let hash = hash("correct horse").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(verify("correct horse", Some(&hash)).await.unwrap());
        assert!(!verify("Correct horse", Some(&hash)).await.unwrap());
        assert!(!verify("", Some(&hash)).await.unwrap());
        assert!(!verify("correct horse", Some("not a hash")).await.unwrap());
    }

    #[tokio::test]
    async fn nobodys_password_opens_nothing() {
        assert!(!verify("nobody's password", None).await.unwrap());
        assert!(NOBODYS.starts_with("$argon2id$"), "it must cost as much as a real one");
    }

    #[tokio::test]
    async fn a_password_is_the_same_in_every_unicode_form() {
        let apart = |text: &str| text.nfd().collect::<String>();
        for (one, other) in [
            ("pässwörter", apart("pässwörter")),
            ("비밀번호열쇠구름", apart("비밀번호열쇠구름")),
            ("ｑｕｉｅｔ ｗｏｒｄｓ", "quiet words".to_owned()),
            ("Ångström über", "\u{212b}ngstro\u{308}m u\u{308}ber".to_owned()),
        ] {
            let hash_of_one = hash(one).await.unwrap();
            assert_ne!(one, other);
            assert!(verify(&other, Some(&hash_of_one)).await.unwrap(), "{one}");
            let hash_of_other = hash(&other).await.unwrap();
            assert!(verify(one, Some(&hash_of_other)).await.unwrap(), "{one}");
            assert!(!verify("passworter", Some(&hash_of_one)).await.unwrap());
        }
    }

    #[tokio::test]
    async fn a_hash_from_before_lets_its_member_in() {
        for (hashed, typed) in [
            ("pa\u{308}sswo\u{308}rter", "pässwörter"),
            ("pa\u{308}sswo\u{308}rter", "pa\u{308}sswo\u{308}rter"),
            ("ｑｕｉｅｔ", "ｑｕｉｅｔ"),
            ("ﬁne naïve words", "ﬁne nai\u{308}ve words"),
        ] {
            let old = hash_now(hashed).unwrap();
            assert!(verify(typed, Some(&old)).await.unwrap(), "{hashed:?} by {typed:?}");
        }
        assert_eq!(forms("correct horse").len(), 1, "most cost one hash");
    }

    #[tokio::test]
    async fn short_and_endless_passwords_are_refused() {
        assert!(matches!(hash("seven77").await, Err(Error::Invalid { field: "password", .. })));
        assert!(hash("üüüüüüüü").await.is_ok());
        assert!(hash(&"x".repeat(MAX_BYTES + 1)).await.is_err());
        assert!(!verify(&"x".repeat(MAX_BYTES + 1), None).await.unwrap());
    }
}
