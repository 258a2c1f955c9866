//! Registers an application.

use domain::scope::Scopes;
use domain::text::one_line;
use domain::urls::{as_typed, web_url};
use storage::oauth::{self, Client};
use url::Url;

use crate::error::{Error, Result};
use crate::{App, secrets};

/// The address that stands for "show the code, she will copy it" (from before RFC 8252; every command-line client
/// of Mastodon uses it).
pub const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";

const MAX_NAME_CHARS: usize = 100;
const MAX_URI_BYTES: usize = 2_000;
const MAX_URIS: usize = 20;

/// What an application says about itself.
#[derive(Debug, Clone, Default)]
pub struct NewClient {
    pub name: String,
    pub website: Option<String>,
    pub redirect_uris: Vec<String>,
    /// The most it will ask for.
    pub scopes: Scopes,
}

/// # Errors
/// [`Error::Invalid`] on `client_name`, `website` or `redirect_uris`. Gives the client and its secret.
pub async fn register(app: &App, new: &NewClient) -> Result<(Client, String)> {
    let name = one_line(&new.name);
    if name.is_empty() {
        return Err(Error::invalid("client_name", "must not be empty"));
    }
    if name.chars().count() > MAX_NAME_CHARS {
        return Err(Error::invalid("client_name", format!("must have at most {MAX_NAME_CHARS} characters")));
    }
    let website = new.website.as_deref().map(str::trim).filter(|w| !w.is_empty());
    let website = website
        .map(|typed| {
            let url = web_url(typed).map(|url| as_typed(typed, url)).filter(|url| url.len() <= MAX_URI_BYTES);
            url.ok_or_else(|| Error::invalid("website", "must be an http or https address"))
        })
        .transpose()?;
    let redirect_uris: Vec<String> =
        new.redirect_uris.iter().map(|uri| uri.trim().to_owned()).filter(|uri| !uri.is_empty()).collect();
    if redirect_uris.is_empty() {
        return Err(Error::invalid("redirect_uris", "must not be empty"));
    }
    if redirect_uris.len() > MAX_URIS {
        return Err(Error::invalid("redirect_uris", format!("must not be more than {MAX_URIS}")));
    }
    if !redirect_uris.iter().all(|uri| is_redirect(uri)) {
        return Err(Error::invalid("redirect_uris", "must be absolute addresses without a fragment"));
    }
    let secret = secrets::generate();
    let mut tx = app.db.write().await?;
    let client = Client {
        id: tx.id(),
        client_id: secrets::generate(),
        secret_hash: secrets::digest(&secret),
        name,
        website,
        redirect_uris,
        scopes: new.scopes.clone(),
        created_at: tx.now(),
    };
    oauth::insert_client(&mut tx, &client).await?;
    tx.commit().await?;
    Ok((client, secret))
}

/// RFC 6749, section 3.1.2: absolute and without a fragment. Schemes that a browser would run itself are refused.
fn is_redirect(text: &str) -> bool {
    const NEVER: [&str; 9] =
        ["javascript", "data", "vbscript", "file", "filesystem", "blob", "about", "view-source", "ws"];
    if text == OUT_OF_BAND {
        return true;
    }
    if text.len() > MAX_URI_BYTES || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return false;
    }
    Url::parse(text).is_ok_and(|url| {
        url.fragment().is_none()
            && !NEVER.contains(&url.scheme())
            && (!matches!(url.scheme(), "http" | "https") || web_url(text).is_some())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_are_absolute_and_harmless() {
        for good in [
            OUT_OF_BAND,
            "https://elk.example/api/callback?x=1",
            "http://localhost:1234/",
            "tusky://oauth",
            "com.example.app:/cb",
        ] {
            assert!(is_redirect(good), "{good}");
        }
        for bad in [
            "",
            "/callback",
            "https://",
            "https://a.example/#x",
            "javascript:alert(1)",
            "data:text/html,x",
            "a b:c",
            "filesystem:http://x/",
            "https://a.example@b.example/",
        ] {
            assert!(!is_redirect(bad), "{bad}");
        }
    }
}
