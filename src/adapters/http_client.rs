//! The one place where an HTTP client is made, so that the rules of what may leave the process stand in one place.

use std::time::Duration;

use url::Url;

use crate::config::is_loopback;

/// Longest wait for a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// A client for one endpoint that gives up after `within`.
///
/// It never follows a redirect, so that nobody can send words elsewhere than the configuration says, and never repeats
/// a request: whoever calls decides about that. A loopback endpoint is reached directly, whatever proxy the environment
/// names; others go through that proxy. Where the endpoint is plain `http`, the machine needs no certificates.
///
/// # Errors
/// When TLS can't be set up: usually the machine has no CA certificates.
pub fn http_client(endpoint: &Url, within: Duration) -> Result<reqwest::Client, reqwest::Error> {
    settings(endpoint, within).build()
}

/// The same for an endpoint at which a request does something: each has a connection of its own. One that was kept, and
/// died meanwhile, would turn a send that never left into one that nobody can tell the end of. It costs round trips.
///
/// # Errors
/// As [`http_client`].
pub(super) fn http_client_of_sends(endpoint: &Url, within: Duration) -> Result<reqwest::Client, reqwest::Error> {
    settings(endpoint, within).pool_max_idle_per_host(0).build()
}

/// What such a client is made of, for adapters that set more.
pub(super) fn settings(endpoint: &Url, within: Duration) -> reqwest::ClientBuilder {
    install_crypto();
    let mut client = reqwest::Client::builder()
        .timeout(within)
        .connect_timeout(CONNECT_WITHIN.min(within))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .user_agent(concat!("firstline/", env!("CARGO_PKG_VERSION")));
    if is_loopback(endpoint) {
        client = client.no_proxy();
    }
    if endpoint.scheme() == "http" {
        client = client.tls_certs_only([]);
    }
    client
}

/// Makes *ring* the process's cryptography, unless something was installed before; may be called any number of times.
pub fn install_crypto() {
    // An error says that a provider is there already, which is all that is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The innermost cause of a failed request: the outer ones name the address, and with it, often, a secret.
pub(super) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error.source();
    while let Some(inner) = cause.and_then(std::error::Error::source) {
        cause = Some(inner);
    }
    cause.map_or_else(|| "the request failed".to_owned(), ToString::to_string)
}
