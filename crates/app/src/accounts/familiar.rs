//! Addresses that members have signed in from: too many wrong passwords from elsewhere never keep a member out there.
//!
//! Kept per member, the last [`MOST`] for [`KEPT`], and not as addresses: 24 bits of an HMAC with the server's secret
//! and the member's id. Some 256 IPv4 addresses share a tag, so even who has the database and the secret learns only
//! which one in 256 a member may have had; and a stranger hits one of a member's tags once in 800,000 addresses.

use std::net::IpAddr;
use std::time::Duration;

use domain::{AccountId, Keyed, keyed};
use hmac::Mac as _;
use storage::member_addresses;

use super::log_in::Login;
use crate::App;
use crate::error::Result;

/// Addresses of one member.
pub const MOST: i64 = 20;
/// How long an address counts after its last use.
pub const KEPT: Duration = Duration::from_secs(90 * 24 * 3600);

const PURPOSE: &[u8] = b"porchlight sign-in address\0";

/// The member signed in from there. An address is as the door counts it: of IPv6, the first half.
///
/// # Errors
/// When the database refuses.
pub async fn remember(app: &App, account: AccountId, from: IpAddr) -> Result<()> {
    let tag = app.sign_in_tags.of(account, from);
    let mut tx = app.db.write().await?;
    member_addresses::keep(&mut tx, account, tag, MOST).await?;
    tx.commit().await?;
    Ok(())
}

/// Did the member of this name, or with this e-mail address, sign in from there lately? A name that is nobody's is asked
/// for all the same, so that the answer takes as long.
///
/// # Errors
/// When the database cannot answer.
pub async fn is_familiar(app: &App, login: &str, from: IpAddr) -> Result<bool> {
    let Some(login) = Login::new(login, &app.urls) else { return Ok(false) };
    let mut conn = app.db.read().await?;
    let found = login.find(&mut conn).await?;
    let account = found.map_or(AccountId(0), |(account, _)| account.id);
    let since = app.now().minus(KEPT);
    Ok(member_addresses::is_kept(&mut conn, account, app.sign_in_tags.of(account, from), since).await?)
}

/// Makes the tags. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SignInTags(Keyed);

impl SignInTags {
    /// `secret` must be random, and the same for every process of the server.
    #[must_use]
    pub fn new(secret: [u8; 32]) -> Self {
        let mut keyed = keyed(secret);
        keyed.update(PURPOSE);
        Self(keyed)
    }

    fn of(&self, account: AccountId, from: IpAddr) -> i64 {
        let mut keyed = self.0.clone();
        keyed.update(&account.0.to_be_bytes());
        match from.to_canonical() {
            IpAddr::V4(v4) => keyed.update(&v4.octets()),
            IpAddr::V6(v6) => keyed.update(&v6.octets()),
        }
        keyed.finalize().into_bytes().iter().take(3).fold(0, |tag, byte| tag << 8 | i64::from(*byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_an_addresses_for_one_member_of_one_server() {
        let tag =
            |secret, account, from: &str| SignInTags::new([secret; 32]).of(AccountId(account), from.parse().unwrap());
        let mine = tag(1, 1, "192.0.2.1");
        assert_eq!(mine, tag(1, 1, "::ffff:192.0.2.1"));
        assert!((0..1 << 24).contains(&mine));
        for other in [tag(2, 1, "192.0.2.1"), tag(1, 2, "192.0.2.1"), tag(1, 1, "192.0.2.2"), tag(1, 1, "2001:db8::")] {
            assert_ne!(mine, other);
        }
        let all: std::collections::HashSet<i64> =
            (0..10_000).map(|n: u16| tag(1, 1, &format!("10.0.{}.{}", n / 256, n % 256))).collect();
        assert!(all.len() > 9_980, "24 bits, not fewer: {}", all.len());
    }
}
