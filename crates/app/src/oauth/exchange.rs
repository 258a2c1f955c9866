//! An application trades a code for a token. A code works once, whatever comes of it; used again, it ends the token
//! that it made.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::event::Event;
use sha2::{Digest as _, Sha256};
use storage::members;
use storage::oauth::{self, Client, Token};

use super::grants::granted;
use super::tokens;
use crate::error::{Error, Result};
use crate::{App, secrets};

/// # Errors
/// [`Error::Invalid`] on `code` when the code is unknown, used, expired, another client's, for another address, not
/// proven by its verifier, or its owner's credentials changed since. Gives the token and what it stands for.
pub async fn exchange(
    app: &App,
    client: &Client,
    code: &str,
    redirect_uri: &str,
    verifier: Option<&str>,
) -> Result<(String, Token)> {
    let mut tx = app.db.write().await?;
    let digest = secrets::digest(code);
    // The member's row before the code's, in the order in which a new password takes them.
    let holder = match oauth::holder_of_code(&mut tx, &digest).await? {
        Some(judged) => members::unchanged(&mut tx, judged).await?,
        None => None,
    };
    let Some(taken) = oauth::take_code(&mut tx, &digest).await? else {
        // A code that comes twice was seen by somebody else: what was made from it ends (RFC 6749, section 4.1.2).
        for token in oauth::revoke_made_from(&mut tx, &digest).await? {
            tracing::info!(client = %client.client_id, "a code was used twice: its token was revoked");
            tx.emit(Event::TokenRevoked { token });
        }
        tx.commit().await?;
        return Err(Error::invalid("code", "is unknown or was used before"));
    };
    let refusal = if taken.client != client.id {
        Some("was given to another client")
    } else if taken.expires_at <= tx.now() {
        Some("has expired")
    } else if taken.redirect_uri != redirect_uri {
        Some("was given for another redirect_uri")
    } else if !proves(verifier, taken.challenge.as_deref()) {
        Some("is not proven by the code_verifier")
    } else {
        None
    };
    let Some(holder) = holder.filter(|now| refusal.is_none() && now.is_active()) else {
        // The code is gone all the same: nobody gets a second try at guessing.
        tx.commit().await?;
        let why = refusal.unwrap_or("belongs to an account that changed since, or cannot sign in");
        return Err(Error::invalid("code", why));
    };
    let scopes = granted(&taken.scopes, Some(&client.scopes), Some(holder.role))?;
    let made = tokens::insert(&mut tx, Some(client.id), Some(holder.account_id), scopes).await?;
    oauth::made_from(&mut tx, made.1.id, &digest).await?;
    tx.commit().await?;
    Ok(made)
}

/// RFC 7636, section 4.6, S256 only. A verifier for a code that was asked for without a challenge is refused too: it
/// means that somebody took the challenge out on the way.
fn proves(verifier: Option<&str>, challenge: Option<&str>) -> bool {
    match (verifier.filter(|v| !v.is_empty()), challenge) {
        (None, None) => true,
        (Some(verifier), Some(challenge)) => URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) == challenge,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7636_is_accepted_and_nothing_near_it() {
        let (verifier, challenge) =
            ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert!(proves(Some(verifier), Some(challenge)));
        assert!(!proves(Some(challenge), Some(challenge)), "the plain method is not offered");
        assert!(!proves(None, Some(challenge)));
        assert!(!proves(Some(verifier), None), "a challenge that was taken out on the way");
        assert!(proves(None, None));
        assert!(proves(Some(""), None));
    }
}
