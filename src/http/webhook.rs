//! `POST /{channel}/{account}`: updates that a channel pushes. 200 means that they are stored. `GET` answers the question by
//! which a channel makes sure that the address is ours.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::routing::get;

use super::Site;
use super::problem::Problem;
use crate::domain::channel::ChannelKind;
use crate::flow::ingest;
use crate::ports::channel::{Channel, DecodeError};

/// Longest body: an update is a few kilobytes, a batch of WhatsApp at most three megabytes.
const LONGEST: usize = 4_194_304;

/// The channels that push.
const PUSHING: [ChannelKind; 3] = [ChannelKind::Telegram, ChannelKind::WhatsApp, ChannelKind::Max];

pub(super) fn routes() -> Router<Arc<Site>> {
    PUSHING.into_iter().fold(Router::new(), |router, kind| {
        let asked = move |State(site): State<Arc<Site>>, path: Path<String>, query: Query<HashMap<String, String>>| async move {
            handshake(&site, kind, &path, &query)
        };
        let posted = move |State(site): State<Arc<Site>>, Path(account): Path<String>, request: Request| async move {
            updates(&site, kind, &account, request).await
        };
        router.route(&format!("/{kind}/{{account}}"), get(asked).post(posted))
    })
}

fn channel_of<'a>(site: &'a Site, kind: ChannelKind, account: &str) -> Result<&'a Arc<dyn Channel>, Problem> {
    let ours = |channel: &&Arc<dyn Channel>| channel.kind() == kind && channel.account() == account;
    site.ctx.channels.iter().find(ours).ok_or_else(Problem::not_found)
}

fn handshake(
    site: &Site,
    kind: ChannelKind,
    account: &str,
    parameters: &HashMap<String, String>,
) -> Result<String, Problem> {
    channel_of(site, kind, account)?
        .handshake(parameters)
        .ok_or_else(|| Problem::new(StatusCode::FORBIDDEN, "forged", "the question does not bear the channel's secret"))
}

async fn updates(site: &Site, kind: ChannelKind, account: &str, request: Request) -> Result<StatusCode, Problem> {
    let channel = channel_of(site, kind, account)?;
    let headers = lower_cased(request.headers());
    let body = to_bytes(request.into_body(), LONGEST)
        .await
        .map_err(|_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_long", "the body is too long"))?;
    let updates = match channel.decode(&headers, &body) {
        Ok(updates) => updates,
        Err(DecodeError::Forged) => {
            // Anybody can make us count; only the first of a thousand makes a line in the log.
            if site.counts.webhooks_forged.fetch_add(1, Relaxed).is_multiple_of(1_000) {
                tracing::warn!(channel = %kind, "a webhook request without the channel's secret was refused");
            }
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "forged", "the request is not signed by the channel"));
        }
        Err(DecodeError::Malformed(_)) => {
            // It will read no better tomorrow: anything but 200 would bring it again for a day.
            site.counts.webhooks_malformed.fetch_add(1, Relaxed);
            tracing::warn!(channel = %kind, body.bytes = body.len(), "a signed update could not be read");
            return Ok(StatusCode::OK);
        }
    };
    ingest::accept(&site.ctx, updates, None).await.map_err(|error| Problem::store(&error))?;
    Ok(StatusCode::OK)
}

/// Header names are lower case already; values that are no text can't be what a channel signs with.
fn lower_cased(headers: &HeaderMap) -> HashMap<String, String> {
    let text =
        |(name, value): (&HeaderName, &HeaderValue)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()));
    headers.iter().filter_map(text).collect()
}
