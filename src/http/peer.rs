//! Who is at the other end of the connection, behind a proxy or not.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use url::Url;

use super::Site;
use crate::config::is_loopback;

/// Headers that a proxy adds: a request with one of them was not made by the machine at the other end.
const FORWARDED: [&str; 5] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

/// The other end of a request.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// The visitor's address; a local proxy's word is taken for it.
    ip: IpAddr,
    /// A program on this machine, and no proxy, made the request.
    local_program: bool,
}

impl Peer {
    /// What limits count by. An IPv6 customer has a whole /64.
    pub(crate) fn key(&self) -> String {
        match self.ip {
            IpAddr::V4(ip) => format!("ip:{ip}"),
            IpAddr::V6(ip) => {
                let [a, b, c, d, ..] = ip.segments();
                format!("ip:{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        }
    }

    /// The request was made on this machine, by something that is neither a proxy nor a page in a browser.
    pub(crate) fn is_local_program(&self) -> bool {
        self.local_program
    }
}

impl FromRequestParts<Arc<Site>> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Infallible> {
        let socket = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
        // Without a connection's address (a router under test) everybody is one stranger: limits hold, trust does not.
        let socket = socket.unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED)).to_canonical();
        Ok(peer(socket, &parts.headers, &site.ctx.config.server.public_url))
    }
}

/// `public_url` says that people come through a proxy; then, and from a machine near by, its word is taken for the
/// address. The last entry is the proxy's own: what stands before it, anybody may have written.
fn peer(socket: IpAddr, headers: &HeaderMap, public_url: &str) -> Peer {
    let forwarded = FORWARDED.iter().any(|name| headers.contains_key(*name));
    let told = headers.get_all("x-forwarded-for").iter().next_back().and_then(|value| value.to_str().ok());
    let told = told.and_then(|list| list.rsplit(',').next()).and_then(|last| last.trim().parse::<IpAddr>().ok());
    let ip = told.filter(|_| !public_url.is_empty() && is_near(socket)).map_or(socket, |ip| ip.to_canonical());
    let proxied = !public_url.is_empty() && !Url::parse(public_url).is_ok_and(|url| is_loopback(&url));
    let local_program = socket.is_loopback()
        && !forwarded
        && !proxied
        && !headers.contains_key(header::ORIGIN)
        && host_is_loopback(headers);
    Peer { ip, local_program }
}

/// Loopback or a private network: where a proxy of ours may stand.
fn is_near(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// The name that the client used for us leads to this machine: a page that was rebound to our address has another.
fn host_is_loopback(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    host.and_then(|host| Url::parse(&format!("http://{host}")).ok()).is_some_and(|url| is_loopback(&url))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(socket: &str, headers: &[(&'static str, &str)], public_url: &str) -> Peer {
        let headers = headers.iter().map(|(name, value)| ((*name).parse().unwrap(), value.parse().unwrap())).collect();
        peer(socket.parse().unwrap(), &headers, public_url)
    }

    #[test]
    fn the_proxys_own_entry_counts_and_only_behind_a_proxy() {
        let headers = [("x-forwarded-for", "6.6.6.6, 203.0.113.9")];
        assert_eq!(seen("127.0.0.1", &headers, "https://help.example").key(), "ip:203.0.113.9");
        assert_eq!(seen("10.0.0.2", &headers, "https://help.example").key(), "ip:203.0.113.9");
        assert_eq!(seen("127.0.0.1", &headers, "").key(), "ip:127.0.0.1");
        assert_eq!(seen("198.51.100.7", &headers, "https://help.example").key(), "ip:198.51.100.7");
        let garbage = [("x-forwarded-for", "unknown")];
        assert_eq!(seen("127.0.0.1", &garbage, "https://help.example").key(), "ip:127.0.0.1");
    }

    #[test]
    fn an_ipv6_customer_is_a_network() {
        assert_eq!(seen("2001:db8:1:2:3:4:5:6", &[], "").key(), seen("2001:db8:1:2::1", &[], "").key());
        assert_ne!(seen("2001:db8:1:2::1", &[], "").key(), seen("2001:db8:1:3::1", &[], "").key());
    }

    #[test]
    fn only_a_program_on_this_machine_is_local() {
        let host = ("host", "127.0.0.1:8080");
        assert!(seen("127.0.0.1", &[host], "").is_local_program());
        assert!(seen("::1", &[("host", "localhost:8080")], "http://localhost:8080").is_local_program());
        assert!(!seen("192.0.2.1", &[host], "").is_local_program());
        assert!(!seen("127.0.0.1", &[host, ("x-real-ip", "192.0.2.1")], "").is_local_program());
        assert!(!seen("127.0.0.1", &[host, ("origin", "http://evil.example")], "").is_local_program());
        assert!(!seen("127.0.0.1", &[("host", "evil.example:8080")], "").is_local_program(), "rebound");
        assert!(!seen("127.0.0.1", &[host], "https://help.example").is_local_program(), "through a proxy");
        assert!(!seen("127.0.0.1", &[], "").is_local_program());
    }
}
