//! Signs what we send.
//!
//! The form is the one that every deployed server takes: `(request-target) host date`, and `digest` where there is
//! a body, RSA-SHA256. Never signs a request without its host and date.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Timestamp;
use url::Url;

use super::key::{SigningKey, UnusableKey};

/// The headers that a signed request carries beside its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHeaders {
    pub host: String,
    pub date: String,
    /// Only where there is a body.
    pub digest: Option<String>,
    pub signature: String,
}

/// Signs a request. `digest` is the value of the `Digest` header ([`crate::digest::header`]), made once for all
/// receivers of the same bytes. With `with_query` false the query string is left out of what is signed, for
/// servers that check it so.
///
/// # Errors
/// When the address has no host, or the library fails.
pub fn sign(
    key: &SigningKey,
    method: &str,
    url: &Url,
    digest: Option<String>,
    with_query: bool,
    now: Timestamp,
) -> Result<SignedHeaders, UnusableKey> {
    let host = host_header(url).ok_or(UnusableKey)?;
    let date = http_date(now);
    let path = url.path();
    let (mark, query) = match url.query() {
        Some(query) if with_query => ("?", query),
        _ => ("", ""),
    };
    let method = method.to_ascii_lowercase();
    let mut text = format!("(request-target): {method} {path}{mark}{query}\nhost: {host}\ndate: {date}");
    let names = match &digest {
        Some(digest) => {
            text.push_str("\ndigest: ");
            text.push_str(digest);
            "(request-target) host date digest"
        }
        None => "(request-target) host date",
    };
    let signature = STANDARD.encode(key.sign(text.as_bytes()).ok_or(UnusableKey)?);
    let signature = format!(r#"keyId="{}",algorithm="rsa-sha256",headers="{names}",signature="{signature}""#, key.id());
    Ok(SignedHeaders { host, date, digest, signature })
}

/// The `Host` header of a request to this address: the port only where it is not the scheme's own.
fn host_header(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

fn http_date(now: Timestamp) -> String {
    // The formatter knows years up to 9999; a clock beyond that is a test's mistake, not worth a panic.
    let seconds = u64::try_from(now.seconds()).unwrap_or(0).min(253_402_300_799);
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}
