//! Which addresses outgoing requests may reach.
//!
//! Names are resolved here and the answer is filtered, so what is checked is what is connected to; an address
//! written into the URL is checked before any request, and every redirect again. On in every build, opened only
//! by the configuration.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, Mutex, PoisonError};

use domain::urls::has_credentials;
use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::turns::{less, site_of};
use crate::config::Config;

/// Names that are looked up at a time, in all and of one site. Each holds a thread for as long as the resolver waits,
/// which nothing can end: longer than any request. (Files and pictures need threads, too: there are 512.)
const LOOKUPS: usize = 192;
const LOOKUPS_OF_SITE: usize = 32;

/// Why an address is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("only https is allowed")]
    Scheme,
    #[error("the address has no host")]
    NoHost,
    #[error("the address holds a name or password")]
    Credentials,
    #[error("the host is in a private or reserved network")]
    Network,
    #[error("its community is not connected with this one")]
    Blocked,
    /// That says nothing of the host.
    #[error("too many names are being looked up")]
    LookUps,
}

/// The rules, shared by every request.
#[derive(Debug, Clone)]
pub struct Guard {
    rules: Arc<Rules>,
}

#[derive(Debug)]
struct Rules {
    allow_http: bool,
    allow: Vec<IpNet>,
    /// How many names of each site are being looked up.
    lookups: Mutex<HashMap<String, usize>>,
}

/// A name that is being looked up.
struct LookUp {
    rules: Arc<Rules>,
    site: String,
}

impl LookUp {
    /// `None` when too many are under way.
    fn begin(rules: &Arc<Rules>, host: &str) -> Option<Self> {
        let site = site_of(host);
        let mut lookups = rules.lookups.lock().unwrap_or_else(PoisonError::into_inner);
        let of_site = lookups.get(&site).copied().unwrap_or(0);
        if of_site >= LOOKUPS_OF_SITE || lookups.values().sum::<usize>() >= LOOKUPS {
            return None;
        }
        lookups.insert(site.clone(), of_site + 1);
        Some(Self { rules: Arc::clone(rules), site })
    }
}

impl Drop for LookUp {
    fn drop(&mut self) {
        let mut lookups = self.rules.lookups.lock().unwrap_or_else(PoisonError::into_inner);
        less(&mut lookups, &self.site, 1);
    }
}

impl Guard {
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let (allow_http, allow) = (config.allow_http, config.allow_addresses.clone());
        Self { rules: Arc::new(Rules { allow_http, allow, lookups: Mutex::default() }) }
    }

    /// Checks an address before it is asked: the scheme, and the host where it is written as numbers.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn check_url(&self, url: &Url) -> Result<(), Refused> {
        match url.scheme() {
            "https" => {}
            "http" if self.rules.allow_http => {}
            _ => return Err(Refused::Scheme),
        }
        if has_credentials(url) {
            return Err(Refused::Credentials);
        }
        match url.host().ok_or(Refused::NoHost)? {
            // Decimal, octal and hexadecimal spellings were made into addresses by the URL parser.
            Host::Ipv4(ip) => self.check_ip(IpAddr::V4(ip)),
            Host::Ipv6(ip) => self.check_ip(IpAddr::V6(ip)),
            Host::Domain(_) => Ok(()),
        }
    }

    fn check_ip(&self, ip: IpAddr) -> Result<(), Refused> {
        if self.allows(ip) { Ok(()) } else { Err(Refused::Network) }
    }

    /// May this address be connected to?
    #[must_use]
    pub fn allows(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.rules.allow.iter().any(|net| net.contains(&ip)) || is_public(ip)
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let host = name.as_str().trim_end_matches('.').to_ascii_lowercase();
            let found: Vec<SocketAddr> = if host == "localhost" || host.ends_with(".localhost") {
                // RFC 6761: these never leave the machine, whatever a resolver would say.
                [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)].map(|ip| (ip, 0).into()).to_vec()
            } else {
                let place = LookUp::begin(&guard.rules, &host).ok_or(Refused::LookUps)?;
                let found = tokio::task::spawn_blocking(move || {
                    let _place = place;
                    (host.as_str(), 0).to_socket_addrs()
                });
                found.await??.collect()
            };
            let allowed: Vec<SocketAddr> = found.into_iter().filter(|addr| guard.allows(addr.ip())).collect();
            if allowed.is_empty() {
                return Err(Box::new(Refused::Network) as Box<dyn StdError + Send + Sync>);
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Is this an address of the public internet? Everything else is somebody's inside, or nobody's.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !(a == 0 // "this network"; reaches the machine itself on Linux
        || ip.is_loopback()
        || ip.is_private()
        || ip.is_link_local() // holds the metadata services of the clouds, 169.254.169.254
        || (a == 100 && (64..128).contains(&b)) // CGNAT; 100.100.100.200 is a metadata service too
        || (a == 192 && b == 0 && c == 0) // IETF protocol assignments
        || ip.is_documentation()
        || (a == 192 && b == 88 && c == 99) // 6to4 relays
        || (a == 198 && (b == 18 || b == 19)) // benchmarks
        || a >= 224) // multicast, reserved, broadcast
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let s = ip.segments();
    if let Some(inner) = embedded_v4(ip) {
        return is_public_v4(inner);
    }
    // Only 2000::/3 is given out at all; of it some parts are special.
    (s[0] & 0xe000) == 0x2000
        && !(s[0] == 0x2001 && s[1] < 0x0200) // IETF protocol assignments, Teredo, ORCHID, benchmarks
        && !(s[0] == 0x2001 && s[1] == 0x0db8) // documentation
        && !(s[0] == 0x3fff && s[1] < 0x1000) // documentation
        && s[0] != 0x2002 // 6to4 without an inner address we could read never gets here
}

/// The IPv4 address that an IPv6 address leads to.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = ip.segments();
    let of = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match s {
        [0, 0, 0, 0, 0, 0xffff, high, low] // mapped
        | [0, 0, 0, 0, 0xffff, 0, high, low] // translated (SIIT)
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(of(high, low)), // NAT64
        [0x2002, high, low, ..] => Some(of(high, low)), // 6to4
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(allow: &[&str], allow_http: bool) -> Guard {
        Guard::new(&Config {
            allow_http,
            allow_addresses: allow.iter().map(|net| net.parse().unwrap()).collect(),
            ..Config::default()
        })
    }

    /// RFC 6761, section 6: `localhost` is this machine, `.invalid` is nobody.
    #[tokio::test]
    async fn only_localhost_is_this_machine_without_asking() {
        use std::str::FromStr as _;
        let guard = guard(&["127.0.0.0/8", "::1/128"], true);
        let found = async |name: &str| guard.resolve(Name::from_str(name).unwrap()).await.map(|all| all.count());
        for name in ["localhost", "maple.localhost", "LOCALHOST."] {
            assert_eq!(found(name).await.unwrap(), 2, "{name}");
        }
        for name in ["nobody.invalid", "notlocalhost.invalid"] {
            assert!(found(name).await.is_err(), "{name}");
        }
    }

    #[test]
    fn nothing_private_or_reserved_is_reached() {
        let guard = guard(&[], false);
        for bad in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.8.9.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.5",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!guard.allows(bad.parse().unwrap()), "{bad}");
        }
        for good in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1",
            "2a01:4f8::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2001:4860::8888",
            "2002:808:808::1",
        ] {
            assert!(guard.allows(good.parse().unwrap()), "{good}");
        }
    }

    /// What the registries of special addresses (RFC 6890 and after) say, written another way than the rule.
    const RESERVED_V4: [&str; 14] = [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    ];
    /// Inside of 2000::/3; nothing outside of it is public.
    const RESERVED_V6: [&str; 3] = ["2001::/23", "2001:db8::/32", "3fff::/20"];

    fn nets(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().map(|net| net.parse().unwrap()).collect()
    }

    /// The first and the last address of a network, and their neighbours outside.
    fn edges(net: &IpNet) -> Vec<IpAddr> {
        match net {
            IpNet::V4(net) => {
                let (first, last) = (u32::from(net.network()), u32::from(net.broadcast()));
                [first, last, first.wrapping_sub(1), last.wrapping_add(1)].map(|n| Ipv4Addr::from(n).into()).to_vec()
            }
            IpNet::V6(net) => {
                let (first, last) = (u128::from(net.network()), u128::from(net.broadcast()));
                [first, last, first.wrapping_sub(1), last.wrapping_add(1)].map(|n| Ipv6Addr::from(n).into()).to_vec()
            }
        }
    }

    #[test]
    fn the_edges_of_every_reserved_network_are_where_the_registries_have_them() {
        let guard = guard(&[], false);
        let reserved = nets(&RESERVED_V4);
        let public_v4 = |ip: Ipv4Addr| !reserved.iter().any(|net| net.contains(&IpAddr::V4(ip)));
        // Beside the edges, each first and second octet once.
        let octets = (0..=255).flat_map(|a: u8| (0..=255).map(move |b: u8| Ipv4Addr::new(a, b, 1, 1)));
        let third = (0..=255)
            .flat_map(|c: u8| [[192, 0], [192, 88], [198, 51], [203, 0]].map(|[a, b]| Ipv4Addr::new(a, b, c, 9)));
        let edges_v4 = reserved.iter().flat_map(edges).filter_map(|ip| match ip {
            IpAddr::V4(ip) => Some(ip),
            IpAddr::V6(_) => None,
        });
        for ip in octets.chain(third).chain(edges_v4) {
            let public = public_v4(ip);
            assert_eq!(guard.allows(ip.into()), public, "{ip}");
            // However it is wrapped into an IPv6 address.
            let [a, b, c, d] = ip.octets().map(u16::from);
            let (high, low) = ((a << 8) | b, (c << 8) | d);
            for wrapped in [
                Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, high, low),
                Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 1, 2, 3, 4, 5),
            ] {
                assert_eq!(guard.allows(wrapped.into()), public, "{wrapped} leads to {ip}");
            }
        }
        let (reserved, given_out) = (nets(&RESERVED_V6), nets(&["2000::/3"]));
        let firsts = (0..=u16::MAX).map(|first| IpAddr::from(Ipv6Addr::new(first, 0x1234, 0, 0, 0, 0, 0, 1)));
        let seconds = (0..=u16::MAX).flat_map(|second| {
            [0x2001, 0x2003, 0x3fff].map(|first| IpAddr::from(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 1)))
        });
        let edges_v6 = reserved.iter().chain(&given_out).flat_map(edges);
        for ip in firsts.chain(seconds).chain(edges_v6) {
            let IpAddr::V6(v6) = ip else { continue };
            if v6.segments()[0] == 0x2002 {
                continue;
            }
            let public = given_out[0].contains(&ip) && !reserved.iter().any(|net| net.contains(&ip));
            assert_eq!(guard.allows(ip), public, "{ip}");
        }
    }

    #[test]
    fn an_address_is_checked_for_what_it_is_asked_by() {
        let guard = guard(&[], false);
        let checked = |url: &str| guard.check_url(&Url::parse(url).unwrap());
        assert_eq!(checked("https://willow.example/users/bob"), Ok(()));
        assert_eq!(checked("https://8.8.8.8/"), Ok(()));
        assert_eq!(checked("https://[2606:4700::1]/"), Ok(()));
        assert_eq!(checked("https://bob@willow.example/"), Err(Refused::Credentials));
        assert_eq!(checked("https://:secret@willow.example/"), Err(Refused::Credentials));
        assert_eq!(checked("data:text/plain,x"), Err(Refused::Scheme));
    }

    #[test]
    fn addresses_in_urls_are_checked_in_every_spelling() {
        let guard = guard(&[], true);
        for bad in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:a00:1]/",
            "http://10.1.2.3:8080/x",
            "http://0/",
            "https://169.254.169.254/latest/meta-data",
        ] {
            assert_eq!(guard.check_url(&Url::parse(bad).unwrap()), Err(Refused::Network), "{bad}");
        }
        assert_eq!(guard.check_url(&Url::parse("https://u:p@a.example/").unwrap()), Err(Refused::Credentials));
        assert_eq!(guard.check_url(&Url::parse("file:///etc/passwd").unwrap()), Err(Refused::Scheme));
        assert_eq!(guard.check_url(&Url::parse("gopher://a.example/").unwrap()), Err(Refused::Scheme));
    }

    #[test]
    fn http_and_private_networks_are_opened_by_the_configuration_alone() {
        let plain = Url::parse("http://a.example/").unwrap();
        assert_eq!(guard(&[], false).check_url(&plain), Err(Refused::Scheme));
        assert_eq!(guard(&[], true).check_url(&plain), Ok(()));
        let open = guard(&["127.0.0.0/8"], false);
        assert!(open.allows("127.0.0.9".parse().unwrap()) && open.allows("::ffff:127.0.0.9".parse().unwrap()));
        assert!(!open.allows("10.0.0.1".parse().unwrap()) && !open.allows("::1".parse().unwrap()));
    }

    #[test]
    fn a_resolver_that_does_not_answer_holds_few_threads_for_one_site() {
        let rules = guard(&[], false).rules;
        let under_way: Vec<_> = (0..50).map_while(|n| LookUp::begin(&rules, &format!("n{n}.evil.example"))).collect();
        assert_eq!(under_way.len(), LOOKUPS_OF_SITE);
        let others: Vec<_> = (0..500).map_while(|n| LookUp::begin(&rules, &format!("site{n}.example"))).collect();
        assert_eq!(others.len(), LOOKUPS - LOOKUPS_OF_SITE);
        drop((under_way, others));
        assert!(rules.lookups.lock().unwrap().is_empty(), "nothing is left of them");
    }

    #[tokio::test]
    async fn localhost_names_stay_on_the_machine_and_under_the_guard() {
        let name = || "maple.localhost".parse::<Name>().unwrap();
        let refused = guard(&[], true).resolve(name()).await.err().unwrap();
        assert_eq!(refused.downcast_ref::<Refused>(), Some(&Refused::Network));
        let found: Vec<_> = guard(&["127.0.0.0/8"], true).resolve(name()).await.unwrap().collect();
        assert_eq!(found, ["127.0.0.1:0".parse().unwrap()]);
    }
}
