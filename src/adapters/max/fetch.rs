//! Files that customers send: where they lie, and their bytes piece by piece.
//!
//! The address of a file comes from outside, so nothing is asked that is not public, no redirect is followed, and the token
//! is not sent along.

use futures_util::stream::try_unfold;
use reqwest::{Client, Response};
use serde_json::Value;
use url::{Host, Url};

use crate::adapters::http_client::innermost;
use crate::adapters::public_address::is_public;
use crate::ports::channel::{ByteStream, FetchError};

/// What a film's key begins with; its token stands behind. The address that comes with a film is that of a page.
pub(super) const FILM: &str = "video:";

/// The sizes of a film, the one that is wanted most first: what matters can be seen, and it is soon there.
const SIZES: [&str; 6] = ["mp4_480", "mp4_720", "mp4_360", "mp4_1080", "mp4_240", "mp4_144"];

/// Where a film's bytes are, by what MAX says of it.
pub(super) fn address_of_film(told: &Value) -> Result<String, FetchError> {
    let found = SIZES.iter().find_map(|size| told["urls"][size].as_str());
    found.map(str::to_owned).ok_or_else(|| FetchError::Gone { why: "max no longer has the film".to_owned() })
}

/// Opens the file at `address`. `anywhere` lets it be in our own network: for tests, which have their MAX there.
pub(super) async fn open(client: &Client, address: &str, anywhere: bool) -> Result<ByteStream, FetchError> {
    let address = Url::parse(address).ok().filter(|address| anywhere || may_be_asked(address));
    let address =
        address.ok_or_else(|| FetchError::Gone { why: "its address is not one of the internet".to_owned() })?;
    let response = client.get(address).send().await.map_err(|error| not_now(&error))?;
    let status = response.status();
    if !status.is_success() {
        let why = format!("{} of the server that has it", status.as_u16());
        let is_passing = status.is_server_error() || matches!(status.as_u16(), 408 | 429);
        return Err(if is_passing { FetchError::NotNow { why } } else { FetchError::Gone { why } });
    }
    Ok(Box::pin(try_unfold(response, |mut response: Response| async move {
        let piece = response.chunk().await.map_err(|error| not_now(&error))?;
        Ok(piece.map(|piece| (piece, response)))
    })))
}

/// Encrypted, and not written as an address of our own network. Names are looked at where they are looked up.
fn may_be_asked(address: &Url) -> bool {
    let is_outside = match address.host() {
        Some(Host::Ipv4(v4)) => is_public(v4.into()),
        Some(Host::Ipv6(v6)) => is_public(v6.into()),
        Some(Host::Domain(_)) => true,
        None => false,
    };
    address.scheme() == "https" && is_outside
}

fn not_now(error: &reqwest::Error) -> FetchError {
    FetchError::NotNow { why: innermost(error) }
}
