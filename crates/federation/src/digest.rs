//! The digest of a body: made for what we send, compared with the bytes received for what we get.
//!
//! A signature covers the `Digest` header, not the body: whoever replays a signature with another body is
//! found out here and nowhere else. Reads `Digest` (RFC 3230) and `Content-Digest` (RFC 9530); only SHA-256
//! counts, other algorithms beside it are passed over. Never trusts a digest it did not compute itself.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;

/// Why a body does not belong to its headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    #[error("the request has no Digest header")]
    Missing,
    #[error("the Digest header cannot be read")]
    Malformed,
    #[error("the Digest header has no SHA-256 value")]
    NoSha256,
    #[error("the body is not the one that was signed")]
    Mismatch,
}

/// The value of a `Digest` header for these bytes: `SHA-256=…`.
#[must_use]
pub fn header(body: &[u8]) -> String {
    format!("SHA-256={}", STANDARD.encode(digest(&SHA256, body)))
}

/// Compares the body with its `Digest` header, or `Content-Digest` where `name` says so.
///
/// Every SHA-256 value that the header holds must be right: two that contradict each other are refused.
///
/// # Errors
/// When the header is missing, unreadable, has no SHA-256 value, or another body's.
pub fn check(headers: &HeaderMap, name: DigestHeader, body: &[u8]) -> Result<(), DigestError> {
    let computed = digest(&SHA256, body);
    let mut found = false;
    let mut present = false;
    for value in headers.get_all(name.as_str()) {
        present = true;
        let value = value.to_str().map_err(|_| DigestError::Malformed)?;
        for part in value.split(',') {
            let part = part.trim();
            if part.is_empty() {
                continue;
            }
            let (algorithm, encoded) = part.split_once('=').ok_or(DigestError::Malformed)?;
            if !algorithm.trim().eq_ignore_ascii_case("sha-256") {
                continue;
            }
            let encoded = encoded.trim();
            let encoded = match name {
                DigestHeader::Digest => encoded,
                // A byte sequence of a structured field: `:…:`.
                DigestHeader::ContentDigest => {
                    encoded.strip_prefix(':').and_then(|rest| rest.strip_suffix(':')).ok_or(DigestError::Malformed)?
                }
            };
            let claimed = STANDARD.decode(encoded).map_err(|_| DigestError::Malformed)?;
            verify_slices_are_equal(&claimed, computed.as_ref()).map_err(|_| DigestError::Mismatch)?;
            found = true;
        }
    }
    match (present, found) {
        (false, _) => Err(DigestError::Missing),
        (true, false) => Err(DigestError::NoSha256),
        (true, true) => Ok(()),
    }
}

/// Which header carries the digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestHeader {
    /// RFC 3230, what draft-cavage signatures cover.
    Digest,
    /// RFC 9530, what RFC 9421 signatures cover.
    ContentDigest,
}

impl DigestHeader {
    /// The header's name, lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Digest => "digest",
            Self::ContentDigest => "content-digest",
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// SHA-256 of `{"hello": "world"}`, the example of RFC 9530.
    const HELLO: &[u8] = br#"{"hello": "world"}"#;
    const HELLO_B64: &str = "X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=";

    fn with(name: &'static str, values: &[&str]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for value in values {
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        map
    }

    #[test]
    fn the_header_we_make_is_the_one_of_the_rfc() {
        assert_eq!(header(HELLO), format!("SHA-256={HELLO_B64}"));
    }

    #[test]
    fn any_case_lists_and_other_algorithms_are_read() {
        for value in [
            format!("SHA-256={HELLO_B64}"),
            format!("sha-256={HELLO_B64}"),
            format!("Sha-256={HELLO_B64}"),
            format!("MD5=abc=, SHA-256={HELLO_B64}"),
            format!(" SHA-256={HELLO_B64} ,SHA-512=x"),
        ] {
            assert_eq!(check(&with("digest", &[&value]), DigestHeader::Digest, HELLO), Ok(()), "{value}");
        }
        let two = with("digest", &["SHA-512=x", &format!("SHA-256={HELLO_B64}")]);
        assert_eq!(check(&two, DigestHeader::Digest, HELLO), Ok(()));
        let structured = with("content-digest", &[&format!("sha-512=:x:, sha-256=:{HELLO_B64}:")]);
        assert_eq!(check(&structured, DigestHeader::ContentDigest, HELLO), Ok(()));
    }

    #[test]
    fn another_body_is_refused() {
        let headers = with("digest", &[&header(HELLO)]);
        assert_eq!(check(&headers, DigestHeader::Digest, b"{}"), Err(DigestError::Mismatch));
        let contradiction = with("digest", &[&format!("{},{}", header(HELLO), header(b"{}"))]);
        assert_eq!(check(&contradiction, DigestHeader::Digest, HELLO), Err(DigestError::Mismatch));
        let short = with("digest", &["SHA-256="]);
        assert_eq!(check(&short, DigestHeader::Digest, HELLO), Err(DigestError::Mismatch));
    }

    #[test]
    fn what_is_missing_or_unreadable_is_refused() {
        assert_eq!(check(&HeaderMap::new(), DigestHeader::Digest, HELLO), Err(DigestError::Missing));
        assert_eq!(check(&with("digest", &["SHA-512=x"]), DigestHeader::Digest, HELLO), Err(DigestError::NoSha256));
        assert_eq!(check(&with("digest", &["SHA-256"]), DigestHeader::Digest, HELLO), Err(DigestError::Malformed));
        assert_eq!(check(&with("digest", &["SHA-256=%%"]), DigestHeader::Digest, HELLO), Err(DigestError::Malformed));
        let bare = with("content-digest", &[&format!("sha-256={HELLO_B64}")]);
        assert_eq!(check(&bare, DigestHeader::ContentDigest, HELLO), Err(DigestError::Malformed));
    }
}
