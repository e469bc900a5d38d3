//! `POST /widget/v1/typing` and `POST /widget/v1/read`: what a visitor does without saying anything.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;

use super::{Body, Visitor, allow};
use crate::domain::conversation::Ownership;
use crate::http::Site;
use crate::http::peer::Peer;
use crate::http::problem::Problem;
use crate::http::typing::Side;

/// The visitor is writing: who answers them may know.
pub(super) async fn typing(State(site): State<Arc<Site>>, visitor: Visitor, peer: Peer) -> Result<StatusCode, Problem> {
    let keys = [format!("typing:{}", visitor.key()), format!("typing:{}", peer.key())];
    allow(&site, &site.signs, &keys)?;
    let found = site.ctx.store.conversation_at(&visitor.address).await.map_err(|error| Problem::store(&error))?;
    if let Some(found) = found.filter(|found| found.ownership != Ownership::Resolved)
        && site.typing.sign(found.id, Side::Visitor, site.ctx.clock.now())
    {
        site.ctx.wake.changed(found.id);
    }
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    /// The position of the newest message that was in sight.
    position: i64,
}

/// The visitor has seen the feed up to a position.
pub(super) async fn read(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    peer: Peer,
    Body(request): Body<Request>,
) -> Result<StatusCode, Problem> {
    let keys = [format!("read:{}", visitor.key()), format!("read:{}", peer.key())];
    allow(&site, &site.signs, &keys)?;
    let read = site.ctx.store.read_up_to(&visitor.address, request.position, site.ctx.clock.now()).await;
    for conversation in read.map_err(|error| Problem::store(&error))? {
        site.ctx.wake.changed(conversation);
    }
    Ok(StatusCode::NO_CONTENT)
}
