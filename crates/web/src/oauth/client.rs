//! Which app asks: by HTTP Basic (RFC 6749, section 2.3.1) or by parameters of the body, and never without its secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use percent_encoding::percent_decode_str;
use storage::oauth::{self, Client};
use subtle::ConstantTimeEq as _;

use super::error::OAuthError;
use crate::state::Web;

/// # Errors
/// [`OAuthError::InvalidClient`].
pub async fn authenticate(
    web: &Web,
    headers: &HeaderMap,
    client_id: Option<&str>,
    client_secret: Option<&str>,
) -> Result<Client, OAuthError> {
    let basic = basic(headers);
    let (id, secret) = match &basic {
        Some((id, secret)) => (id.as_str(), secret.as_str()),
        None => client_id.zip(client_secret).ok_or(OAuthError::InvalidClient)?,
    };
    let mut conn = web.app.db.read().await?;
    let client = oauth::client_by_client_id(&mut conn, id).await?.ok_or(OAuthError::InvalidClient)?;
    let same = app::secrets::digest(secret).as_slice().ct_eq(client.secret_hash.as_slice());
    if bool::from(same) { Ok(client) } else { Err(OAuthError::InvalidClient) }
}

/// Both halves are form-encoded before they are joined.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, text) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decode = |part: &str| percent_decode_str(part).decode_utf8().map(std::borrow::Cow::into_owned).ok();
    Some((decode(id)?, decode(secret)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_read_as_the_rfc_writes_them() {
        let read = |text: &str| basic(&HeaderMap::from_iter([(header::AUTHORIZATION, text.parse().unwrap())]));
        let encoded = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert_eq!(read(&encoded("id:se%3Acret")), Some(("id".to_owned(), "se:cret".to_owned())));
        assert_eq!(read(&encoded("nothing")), None);
        assert_eq!(read("Basic ???"), None);
        assert_eq!(read("Bearer aWQ6c2VjcmV0"), None);
    }
}
