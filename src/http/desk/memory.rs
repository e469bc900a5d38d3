//! `POST /desk/c/{id}/memory`: what an operator says of a fact, and whether the customer is remembered at all.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::{Desk, Form, redirect, store_fault};
use crate::domain::id::FactId;
use crate::flow::FlowError;
use crate::flow::ledger::{AmendError, Amendment, amend};
use crate::flow::wake::Bell;
use crate::http::{Site, fault};

pub(super) async fn post(
    State(site): State<Arc<Site>>,
    desk: Desk,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: Form,
) -> Response {
    let id = match desk.conversation(&form, &id) {
        Ok(id) => id,
        Err(status) => return fault(&site, &headers, status),
    };
    let (ctx, store) = (&site.ctx, &*site.ctx.store);
    let customer = match store.conversation(id).await {
        Ok(Some(conversation)) => conversation.customer,
        Ok(None) => return fault(&site, &headers, StatusCode::NOT_FOUND),
        Err(error) => return store_fault(&site, &headers, &error),
    };
    let now = ctx.clock.now();
    let done = match form.get("what") {
        what @ ("on" | "off") => store.set_memory(customer, what == "on", now).await.map(|_| ()),
        what @ ("ended" | "never") => {
            let Ok(fact) = form.get("fact").parse::<FactId>() else {
                return fault(&site, &headers, StatusCode::BAD_REQUEST);
            };
            let amendment = if what == "ended" { Amendment::Ended } else { Amendment::Never };
            match amend(store, &ctx.ids, desk.operator.id, (customer, fact), &amendment, now).await {
                // Somebody else was faster, or it was pressed twice: the page shows how it is now.
                Ok(_) | Err(AmendError::NotFound | AmendError::Value(_) | AmendError::Flow(FlowError::Busy)) => Ok(()),
                Err(AmendError::Flow(FlowError::Store { source, .. })) => Err(source),
                Err(AmendError::Flow(_)) => return fault(&site, &headers, StatusCode::INTERNAL_SERVER_ERROR),
            }
        }
        _ => return fault(&site, &headers, StatusCode::BAD_REQUEST),
    };
    if let Err(error) = done {
        return store_fault(&site, &headers, &error);
    }
    ctx.wake.ring(Bell::Indexing);
    ctx.wake.changed(id);
    redirect(&format!("/desk/c/{id}#memory"))
}
