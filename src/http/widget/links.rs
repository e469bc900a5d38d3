//! `POST /widget/v1/links`: where the visitor can go on, and be known there. Each link is good once, for a while.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{Body, Visitor, allow};
use crate::domain::text::Language;
use crate::flow::{FlowError, proof};
use crate::http::Site;
use crate::http::peer::Peer;
use crate::http::problem::Problem;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    /// The language of the page, `ru` or `en`.
    #[serde(default)]
    language: Option<Language>,
}

#[derive(Serialize)]
pub(super) struct Links {
    links: Vec<Link>,
}

#[derive(Serialize)]
struct Link {
    channel: &'static str,
    url: String,
}

pub(super) async fn post(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    peer: Peer,
    Body(request): Body<Request>,
) -> Result<Json<Links>, Problem> {
    allow(&site, &site.rates, &[visitor.key(), format!("links:{}", peer.key())])?;
    let language = request.language.unwrap_or(Language::Ru);
    let made = proof::links(&site.ctx, &visitor.address, language).await.map_err(|error| match error {
        FlowError::Store { source, .. } => Problem::store(&source),
        _ => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the links could not be made"),
    })?;
    let links = made.ok_or_else(|| {
        Problem::new(StatusCode::CONFLICT, "nothing_to_continue", "there is no conversation that could go on elsewhere")
            .detail("the visitor has not written yet, or is not to be remembered")
    })?;
    let links = links.into_iter().map(|link| Link { channel: link.channel.name(), url: link.url.into() }).collect();
    Ok(Json(Links { links }))
}
