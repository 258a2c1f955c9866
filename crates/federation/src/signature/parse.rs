//! Reads and judges a signature before any key is looked for.
//!
//! `http-signature-normalization` builds the text that was signed; everything it would trust a stranger with is
//! checked here first. Left alone it panics on `created` near the end of time, lets `Authorization` hide
//! `Signature`, fails on a space after a comma, cuts a key id at its comma, and takes any unreadable date.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{Host, Timestamp};
use http::{HeaderMap, Method};
use http_signature_normalization::Config;

use super::fields::Fields;
use super::key::{KeyKind, PublicKey};
use crate::digest::DigestHeader;

/// How far a sender's clock may be off, either way.
const SKEW: Duration = Duration::from_secs(3600);
/// A `Signature` header longer than this is refused.
const MAX_HEADER: usize = 8 * 1024;
const MAX_KEY_ID: usize = 2 * 1024;
/// More signed headers than this are refused.
const MAX_SIGNED: usize = 32;
/// A signature of more bytes than RSA-8192 gives is refused.
const MAX_SIGNATURE: usize = 1024;
/// For the library's own expiry check, which ours replaces: longer than any date we let through.
const FOREVER: Duration = Duration::from_secs(100 * 366 * 24 * 3600);

/// Why a signature does not count. Shown to the sender: says what is wrong, never what was expected of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the request is not signed")]
    Missing,
    #[error("the Signature header cannot be read")]
    Malformed,
    #[error("the signature does not cover {0}")]
    NotCovered(&'static str),
    #[error("a signed header is missing from the request")]
    HeaderMissing,
    #[error("the signature is for another host")]
    WrongHost,
    #[error("the signature's date cannot be read")]
    BadDate,
    #[error("the signature is too old, too new, or has expired")]
    Expired,
    #[error("the signature's algorithm is not accepted")]
    Algorithm,
    #[error("the signature is wrong")]
    Wrong,
}

/// The request as it arrived.
#[derive(Debug, Clone, Copy)]
pub struct Expect<'a> {
    pub method: &'a Method,
    /// Path and query, as in the request line.
    pub target: &'a str,
    pub headers: &'a HeaderMap,
    /// Our domain as others write it in `Host`: with the port if it is not the scheme's own.
    pub domain: &'a str,
    /// The body's digest must be signed too. True for every request with a body.
    pub digest: bool,
    pub now: Timestamp,
}

/// A signature that is complete, fresh and meant for us; whether it is true is for [`ParsedSignature::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedSignature {
    key_id: String,
    signature: Vec<u8>,
    algorithm: Algorithm,
    /// What was signed.
    text: String,
    /// The same without the query string, where there is one: some servers sign so.
    text_without_query: Option<String>,
    digest: Option<DigestHeader>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    /// `hs2019`, or none named: the key decides.
    ByKey,
    Rsa,
    Ed25519,
}

impl ParsedSignature {
    /// Under which id the sender's public key is to be found.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The header whose digest of the body was signed.
    #[must_use]
    pub fn digest_header(&self) -> Option<DigestHeader> {
        self.digest
    }

    /// The text that was signed: `name: value`, a line for each header.
    #[must_use]
    pub fn signed_text(&self) -> &str {
        &self.text
    }

    /// The bytes of the signature.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Checks the signature with the key.
    ///
    /// # Errors
    /// [`SignatureError::Wrong`], or [`SignatureError::Algorithm`] when the named one is not the key's.
    pub fn verify(&self, key: &PublicKey) -> Result<(), SignatureError> {
        match (self.algorithm, key.kind()) {
            (Algorithm::ByKey, _) | (Algorithm::Rsa, KeyKind::Rsa) | (Algorithm::Ed25519, KeyKind::Ed25519) => {}
            (Algorithm::Rsa, KeyKind::Ed25519) | (Algorithm::Ed25519, KeyKind::Rsa) => {
                return Err(SignatureError::Algorithm);
            }
        }
        let right = key.verifies(self.text.as_bytes(), &self.signature)
            || self.text_without_query.as_ref().is_some_and(|text| key.verifies(text.as_bytes(), &self.signature));
        if right { Ok(()) } else { Err(SignatureError::Wrong) }
    }
}

/// Does the request carry a draft-cavage signature at all?
pub(super) fn header_value(headers: &HeaderMap) -> Result<&str, SignatureError> {
    let mut values = headers.get_all("signature").iter();
    if let Some(value) = values.next() {
        if values.next().is_some() {
            return Err(SignatureError::Malformed);
        }
        return value.to_str().map_err(|_| SignatureError::Malformed);
    }
    // `Authorization: Signature …` counts only where nothing else is given; a bearer token never does.
    let authorization = headers.get("authorization").ok_or(SignatureError::Missing)?;
    let authorization = authorization.to_str().map_err(|_| SignatureError::Missing)?;
    match authorization.split_once(' ') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("signature") => Ok(rest),
        _ => Err(SignatureError::Missing),
    }
}

/// Reads the signature of a request and checks everything that needs no key: that it covers the request target,
/// our host, a time within an hour of ours, and the digest where there is a body. Pure; microseconds.
///
/// # Errors
/// Says what is missing or wrong.
pub fn parse(request: &Expect<'_>) -> Result<ParsedSignature, SignatureError> {
    let value = header_value(request.headers)?;
    if value.len() > MAX_HEADER {
        return Err(SignatureError::Malformed);
    }
    let fields = Fields::read(value).ok_or(SignatureError::Malformed)?;
    let key_id =
        fields.key_id.filter(|id| !id.is_empty() && id.len() <= MAX_KEY_ID).ok_or(SignatureError::Malformed)?;
    let algorithm = algorithm(fields.algorithm)?;
    let signature = fields.signature.ok_or(SignatureError::Malformed)?;
    let signature_bytes = STANDARD.decode(signature).map_err(|_| SignatureError::Malformed)?;
    if signature_bytes.is_empty() || signature_bytes.len() > MAX_SIGNATURE {
        return Err(SignatureError::Malformed);
    }
    let created = fields.created.map(seconds).transpose()?;
    let expires = fields.expires.map(seconds).transpose()?;
    let signed = signed_headers(fields.headers)?;

    covers(&signed, "(request-target)")?;
    covers(&signed, "host")?;
    let digest = [DigestHeader::Digest, DigestHeader::ContentDigest]
        .into_iter()
        .find(|header| signed.iter().any(|name| name == header.as_str()));
    if request.digest && digest.is_none() {
        return Err(SignatureError::NotCovered("digest"));
    }
    let host = only_value(request.headers, "host")?;
    let ours = |host: &str| Host::parse(host).is_ok_and(|host| host.as_str() == request.domain);
    if !host.eq_ignore_ascii_case(request.domain) && !ours(host) {
        return Err(SignatureError::WrongHost);
    }
    check_times(request, &signed, created, expires)?;

    let mut headers = BTreeMap::new();
    for name in signed.iter().filter(|name| !name.starts_with('(')) {
        headers.insert(name.clone(), joined_value(request.headers, name)?);
    }
    let text_of = |target: &str| signing_text(request.method, target, &signed, headers.clone(), created, expires);
    let text = text_of(request.target)?;
    let text_without_query = match request.target.split_once('?') {
        Some((path, _)) => Some(text_of(path)?),
        None => None,
    };
    Ok(ParsedSignature {
        key_id: key_id.to_owned(),
        signature: signature_bytes,
        algorithm,
        text,
        text_without_query,
        digest,
    })
}

fn algorithm(named: Option<&str>) -> Result<Algorithm, SignatureError> {
    match named {
        None => Ok(Algorithm::ByKey),
        Some(name) if name.eq_ignore_ascii_case("hs2019") => Ok(Algorithm::ByKey),
        Some(name) if name.eq_ignore_ascii_case("rsa-sha256") => Ok(Algorithm::Rsa),
        Some(name) if name.eq_ignore_ascii_case("ed25519") || name.eq_ignore_ascii_case("ed25519-sha512") => {
            Ok(Algorithm::Ed25519)
        }
        Some(_) => Err(SignatureError::Algorithm),
    }
}

/// Whole seconds since 1970 as plain digits, up to the year 9999: more would overflow further on.
fn seconds(text: &str) -> Result<u64, SignatureError> {
    let plain = !text.is_empty() && text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit());
    // A leading zero would be lost when the text is built again.
    if !plain || (text.len() > 1 && text.starts_with('0')) {
        return Err(SignatureError::BadDate);
    }
    text.parse().ok().filter(|s| *s <= 253_402_300_799).ok_or(SignatureError::BadDate)
}

/// The names that were signed, lower case, each once.
fn signed_headers(list: Option<&str>) -> Result<Vec<String>, SignatureError> {
    // Without a list only `(created)` or `date` would be signed: never enough.
    let list = list.ok_or(SignatureError::NotCovered("(request-target)"))?;
    let mut names: Vec<String> = Vec::new();
    for name in list.split_ascii_whitespace() {
        let name = name.to_ascii_lowercase();
        let known = match name.strip_prefix('(') {
            Some(_) => matches!(name.as_str(), "(request-target)" | "(created)" | "(expires)"),
            None => http::HeaderName::try_from(name.as_str()).is_ok(),
        };
        if !known || names.len() == MAX_SIGNED || names.contains(&name) {
            return Err(SignatureError::Malformed);
        }
        // The signature cannot cover itself, and a signed bearer token is nothing we should hold.
        if matches!(name.as_str(), "signature" | "authorization") {
            return Err(SignatureError::Malformed);
        }
        names.push(name);
    }
    Ok(names)
}

fn covers(signed: &[String], name: &'static str) -> Result<(), SignatureError> {
    if signed.iter().any(|s| s == name) { Ok(()) } else { Err(SignatureError::NotCovered(name)) }
}

fn only_value<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, SignatureError> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or(SignatureError::HeaderMissing)?;
    if values.next().is_some() {
        return Err(SignatureError::Malformed);
    }
    value.to_str().map_err(|_| SignatureError::Malformed)
}

/// All values of a header, as the draft joins them.
fn joined_value(headers: &HeaderMap, name: &str) -> Result<String, SignatureError> {
    let mut joined: Option<String> = None;
    for value in headers.get_all(name) {
        let value = value.to_str().map_err(|_| SignatureError::Malformed)?.trim();
        match &mut joined {
            None => joined = Some(value.to_owned()),
            Some(all) => {
                all.push_str(", ");
                all.push_str(value);
            }
        }
    }
    joined.ok_or(SignatureError::HeaderMissing)
}

/// A signed time within [`SKEW`] of ours must be there; every other time that is given must make sense too.
fn check_times(
    request: &Expect<'_>,
    signed: &[String],
    created: Option<u64>,
    expires: Option<u64>,
) -> Result<(), SignatureError> {
    let has = |name: &str| signed.iter().any(|s| s == name);
    let now = u64::try_from(request.now.seconds()).unwrap_or(0);
    let fresh = |at: u64| now.abs_diff(at) <= SKEW.as_secs();

    let date_signed = has("date");
    let created_signed = has("(created)");
    if !date_signed && !created_signed {
        return Err(SignatureError::NotCovered("date"));
    }
    if date_signed {
        let date = httpdate::parse_http_date(only_value(request.headers, "date")?.trim())
            .map_err(|_| SignatureError::BadDate)?;
        // Before 1970 there is nothing fresh.
        let date = date.duration_since(std::time::UNIX_EPOCH).map_err(|_| SignatureError::BadDate)?;
        if !fresh(date.as_secs()) {
            return Err(SignatureError::Expired);
        }
    }
    if created_signed && created.is_none() {
        return Err(SignatureError::HeaderMissing);
    }
    if has("(expires)") && expires.is_none() {
        return Err(SignatureError::HeaderMissing);
    }
    if created.is_some_and(|at| !fresh(at)) {
        return Err(SignatureError::Expired);
    }
    if expires.is_some_and(|at| at < now.saturating_sub(SKEW.as_secs())) {
        return Err(SignatureError::Expired);
    }
    Ok(())
}

/// The text that was signed, built by the library from a header we wrote ourselves out of checked parts.
///
/// `(created)` and `(expires)` go in as if they were headers: as parameters the library would judge them by the
/// system's clock, and panic on some.
fn signing_text(
    method: &Method,
    target: &str,
    signed: &[String],
    mut headers: BTreeMap<String, String>,
    created: Option<u64>,
    expires: Option<u64>,
) -> Result<String, SignatureError> {
    headers.extend(created.map(|at| ("(created)".to_owned(), at.to_string())));
    headers.extend(expires.map(|at| ("(expires)".to_owned(), at.to_string())));
    headers.insert("signature".to_owned(), format!(r#"keyId="k",signature="s",headers="{}""#, signed.join(" ")));
    let unverified = Config::new()
        .set_expiration(FOREVER)
        .begin_verify(method.as_str(), target, headers)
        .map_err(|_| SignatureError::Malformed)?;
    Ok(unverified.signing_string().to_owned())
}
