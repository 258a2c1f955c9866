//! How often one address may try what costs us or what a guesser would try: signing in, joining, registering apps,
//! trading codes, having us ask other servers. Kept in memory, per process; the client API's own limits are elsewhere.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

use axum::extract::FromRequestParts;
use domain::Host;
use governor::clock::{Clock as _, DefaultClock};
use governor::{Quota, RateLimiter};
use http::HeaderMap;
use http::request::Parts;
use ipnet::IpNet;
use sha2::{Digest as _, Sha256};

use crate::counts::Counts;

/// Whoever asks, as one key: an IPv4 address, or the first half of an IPv6 address (a household has the whole half).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Origin(pub IpAddr);

impl Origin {
    #[must_use]
    pub fn new(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            v4 => v4,
        })
    }
}

/// Is this one of the proxies whose word about an address is taken?
#[must_use]
pub fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    let address = address.to_canonical();
    trusted.iter().any(|net| net.contains(&address))
}

/// The address a request came from: the connection's, or what proxies we trust say was behind them.
#[must_use]
pub fn address(connection: Option<IpAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut here = connection.unwrap_or(IpAddr::from([0, 0, 0, 0])).to_canonical();
    let forwarded = headers.get_all("x-forwarded-for").iter().rev().filter_map(|value| value.to_str().ok());
    // Each proxy appends whom it heard from: walk back from ourselves for as long as we trust the teller.
    for hop in forwarded.flat_map(|value| value.rsplit(',')).map(str::trim) {
        if !is_trusted(here, trusted) {
            break;
        }
        let Some(ip) = parse_hop(hop) else { break };
        here = ip.to_canonical();
    }
    here
}

/// `1.2.3.4`, `1.2.3.4:5`, `::1` or `[::1]:5`.
fn parse_hop(text: &str) -> Option<IpAddr> {
    text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|a| a.ip()))
}

impl<S: Send + Sync> FromRequestParts<S> for Origin {
    type Rejection = Infallible;

    /// Whoever listens for connections has put it into the request; what has none is counted together.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().copied().unwrap_or(Self(Ipv4Addr::UNSPECIFIED.into())))
    }
}

/// Asked too often: may be tried again after this long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooOften(pub Duration);

#[derive(Debug)]
struct Gauge<K: std::hash::Hash + Eq + Copy>(RateLimiter<K, Counts<K>, DefaultClock>);

impl<K: std::hash::Hash + Eq + Copy> Gauge<K> {
    /// `burst` at once, and one more each `every`.
    fn new(burst: u32, every: Duration) -> Self {
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(every).unwrap_or(Quota::per_minute(burst)).allow_burst(burst);
        Self(RateLimiter::new(quota, Counts::new(every * burst.get()), DefaultClock::default()))
    }

    fn take(&self, key: &K) -> Result<(), TooOften> {
        self.0.check_key(key).map_err(|until| TooOften(until.wait_time_from(DefaultClock::default().now())))
    }
}

#[derive(Debug)]
struct Gauges {
    sign_in: Gauge<Origin>,
    sign_in_as_from: Gauge<(Key, Origin)>,
    sign_in_as: Gauge<Key>,
    sign_up: Gauge<Origin>,
    apps: Gauge<Origin>,
    tokens: Gauge<Origin>,
    look_up: Gauge<Origin>,
    look_up_at: Gauge<Key>,
}

/// A SHA-256: what strangers type takes the same room, however long it is.
pub type Key = [u8; 32];

/// The limits; none where the owner turned them off.
#[derive(Debug)]
pub struct Limits(Option<Gauges>);

impl Limits {
    #[must_use]
    pub fn new(on: bool) -> Self {
        Self(on.then(|| Gauges {
            sign_in: Gauge::new(12, Duration::from_secs(20)),
            sign_in_as_from: Gauge::new(8, Duration::from_secs(60)),
            // Wide: whoever fills it keeps a member out of nothing but addresses that are new for the account.
            sign_in_as: Gauge::new(100, Duration::from_secs(120)),
            sign_up: Gauge::new(5, Duration::from_secs(600)),
            apps: Gauge::new(20, Duration::from_secs(30)),
            tokens: Gauge::new(60, Duration::from_secs(2)),
            look_up: Gauge::new(20, Duration::from_secs(6)),
            look_up_at: Gauge::new(60, Duration::from_secs(1)),
        }))
    }

    /// A try at a password, from this address and for this name: what one address may do to anybody, and to one member.
    ///
    /// # Errors
    /// [`TooOften`].
    pub fn sign_in(&self, from: Origin, login: Key) -> Result<(), TooOften> {
        let Some(gauges) = &self.0 else { return Ok(()) };
        gauges.sign_in.take(&from)?;
        gauges.sign_in_as_from.take(&(login, from))
    }

    /// A try at a password for this name, from whatever address. For those where the member is not known alone:
    /// strangers can use this one up.
    ///
    /// # Errors
    /// [`TooOften`].
    pub fn sign_in_as(&self, login: Key) -> Result<(), TooOften> {
        self.0.as_ref().map_or(Ok(()), |g| g.sign_in_as.take(&login))
    }

    /// # Errors
    /// [`TooOften`].
    pub fn sign_up(&self, from: Origin) -> Result<(), TooOften> {
        self.0.as_ref().map_or(Ok(()), |g| g.sign_up.take(&from))
    }

    /// # Errors
    /// [`TooOften`].
    pub fn register_app(&self, from: Origin) -> Result<(), TooOften> {
        self.0.as_ref().map_or(Ok(()), |g| g.apps.take(&from))
    }

    /// A page that may ask another server, whoever looks at it.
    ///
    /// # Errors
    /// [`TooOften`].
    pub fn look_up(&self, from: Origin) -> Result<(), TooOften> {
        self.0.as_ref().map_or(Ok(()), |g| g.look_up.take(&from))
    }

    /// A stranger has us ask this server: not more often than it could bear from us, however many strangers.
    ///
    /// # Errors
    /// [`TooOften`].
    pub fn look_up_at(&self, host: &Host) -> Result<(), TooOften> {
        self.0.as_ref().map_or(Ok(()), |g| g.look_up_at.take(&Sha256::digest(host.as_str()).into()))
    }

    /// # Errors
    /// [`TooOften`].
    pub fn token(&self, from: Origin) -> Result<(), TooOften> {
        self.0.as_ref().map_or(Ok(()), |g| g.tokens.take(&from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(connection: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|t| t.parse().unwrap()).collect();
        address(connection.parse().ok(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(seen("9.9.9.9", &["1.1.1.1"], &[]), "9.9.9.9");
        assert_eq!(seen("127.0.0.1", &["1.1.1.1"], &["127.0.0.0/8"]), "1.1.1.1");
        assert_eq!(seen("127.0.0.1", &["6.6.6.6, 1.1.1.1"], &["127.0.0.0/8"]), "1.1.1.1", "the last is the teller's");
        assert_eq!(seen("127.0.0.1", &["6.6.6.6", "1.1.1.1, 10.0.0.2"], &["127.0.0.0/8", "10.0.0.0/8"]), "1.1.1.1");
        assert_eq!(seen("127.0.0.1", &["nonsense"], &["127.0.0.0/8"]), "127.0.0.1");
        assert_eq!(seen("::ffff:127.0.0.1", &["[2001:db8::7]:443"], &["127.0.0.0/8"]), "2001:db8::7");
    }

    #[test]
    fn a_household_is_one_origin() {
        let origin = |ip: &str| Origin::new(ip.parse().unwrap());
        assert_eq!(origin("2001:db8:1:2:3::4"), origin("2001:db8:1:2:ffff::1"));
        assert_ne!(origin("2001:db8:1:2::1"), origin("2001:db8:1:3::1"));
        assert_eq!(origin("::ffff:1.2.3.4"), origin("1.2.3.4"));
    }

    #[test]
    fn a_guesser_is_stopped_by_address_and_by_name_and_others_are_not() {
        let limits = Limits::new(true);
        let from = |n: u8| Origin::new(IpAddr::from([1, 2, 3, n]));
        let (dana, name) = ([0; 32], |n: u8| [n + 1; 32]);
        for n in 0..12 {
            limits.sign_in(from(1), name(n)).unwrap();
        }
        let stopped = limits.sign_in(from(1), dana).unwrap_err();
        assert!(stopped.0 > Duration::from_secs(1) && stopped.0 <= Duration::from_secs(20));
        assert_eq!((0..12).filter(|_| limits.sign_in(from(2), dana).is_ok()).count(), 8, "one name, one address");
        limits.sign_in(from(3), dana).unwrap();
        assert_eq!(
            (0..120).filter(|_| limits.sign_in_as(dana).is_ok()).count(),
            100,
            "one name, however many addresses"
        );
        limits.sign_in_as(name(1)).unwrap();
        let off = Limits::new(false);
        assert!((0..200).all(|_| off.sign_in(from(1), dana).is_ok() && off.sign_in_as(dana).is_ok()));
    }
}
