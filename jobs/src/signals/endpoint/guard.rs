//! Keeps outgoing requests off everything that is not the public internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Resolves names to public addresses only, at the moment of connecting, so that a name that changes
/// its address gains nothing.
#[derive(Debug, Clone, Copy)]
pub struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses: Addrs = Box::new(public(found)?.into_iter());
            Ok(addresses)
        })
    }
}

fn public(found: impl Iterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, &'static str> {
    let public: Vec<SocketAddr> = found.filter(|a| !is_private(a.ip())).collect();
    if public.is_empty() { Err("the name has no public address") } else { Ok(public) }
}

/// The URL's host is an address that is not public, or a name that can only mean this machine.
#[must_use]
pub fn is_private_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => is_private(ip.into()),
        Some(Host::Ipv6(ip)) => is_private(ip.into()),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name.is_empty() || name == "localhost" || name.ends_with(".localhost")
        }
        None => true,
    }
}

/// The port is one of another service: below 1024 only those of HTTP are not.
#[must_use]
pub fn is_foreign_port(url: &Url) -> bool {
    !matches!(url.port_or_known_default(), Some(80 | 443 | 1024..))
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_private_v4(ip),
        IpAddr::V6(ip) => is_private_v6(ip),
    }
}

/// What the IANA registry of special-purpose IPv4 addresses (RFC 6890) does not call globally reachable, multicast, and
/// the one public address that answers with a cloud machine's own secrets.
fn is_private_v4(ip: Ipv4Addr) -> bool {
    const AZURE_HOST: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);
    let [a, b, c, _] = ip.octets();
    ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (18..20).contains(&b))
        || matches!([a, b, c], [192, 0, 0] | [192, 88, 99])
        || ip == AZURE_HOST
}

/// Public are the addresses of 2000::/3 (RFC 4291) without the registry's exceptions (protocol assignments with Teredo,
/// documentation), and those that only carry a public IPv4 address.
fn is_private_v6(ip: Ipv6Addr) -> bool {
    if let Some(v4) = embedded_v4(ip) {
        return is_private_v4(v4);
    }
    let [a, b, .., e, f, g, h] = ip.segments();
    // ISATAP (RFC 5214): the last half of any prefix may be an IPv4 address.
    let isatap = e & !0x200 == 0 && f == 0x5efe && is_private_v4(join(g, h));
    match (a, b) {
        (0x2001, 0..0x200 | 0xdb8) | (0x3fff, 0..0x1000) => true,
        _ => !(0x2000..0x4000).contains(&a) || isatap,
    }
}

/// The IPv4 address that an IPv6 one stands for: mapped, NAT64 or 6to4.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    match ip.segments() {
        [0, 0, 0, 0, 0, 0xffff, g, h] | [0x64, 0xff9b, 0, 0, 0, 0, g, h] => Some(join(g, h)),
        [0x2002, b, c, ..] => Some(join(b, c)),
        _ => None,
    }
}

fn join(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_name_only_the_public_addresses_are_used() {
        let all = |list: &[&str]| {
            let parsed = list.iter().map(|a| SocketAddr::new(a.parse().unwrap(), 0));
            public(parsed).map(|found| found.iter().map(|a| a.ip().to_string()).collect::<Vec<_>>())
        };
        assert_eq!(all(&["10.0.0.1", "8.8.8.8", "::1"]), Ok(vec!["8.8.8.8".to_owned()]));
        assert_eq!(all(&["2606:4700::1111"]), Ok(vec!["2606:4700::1111".to_owned()]));
        assert!(all(&["127.0.0.1", "fe80::1", "::ffff:10.0.0.1"]).is_err());
        assert!(all(&[]).is_err());
    }

    #[tokio::test]
    async fn a_name_is_resolved_by_the_guard() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = |guarded: bool| {
            let client = reqwest::Client::builder().no_proxy();
            if guarded { client.dns_resolver(PublicOnly) } else { client }.build().unwrap()
        };
        let url = format!("http://localhost:{port}/");
        let refused = client(true).get(&url).send().await.unwrap_err();
        assert!(format!("{refused:?}").contains("no public address"), "{refused:?}");
        let reached = tokio::spawn(client(false).get(&url).send());
        listener.accept().await.unwrap();
        reached.abort();
    }
}
