//! `/desk`: who waits, who is being helped, and by whom.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::view::{self, Eyes};
use super::{Desk, store_fault};
use crate::http::{Site, secret};
use crate::ports::desk::QueueEntry;
use crate::ports::store::StoreError;

/// Conversations that the page shows at most.
pub(super) const LENGTH: usize = 300;

pub(super) async fn get(State(site): State<Arc<Site>>, desk: Desk, headers: HeaderMap) -> Response {
    match load(&site, &desk).await {
        Ok((eyes, entries)) => {
            let view = view::queue(&eyes, entries, |waiting| desk.frame(waiting));
            site.pages.render("queue.html", desk.language, desk.words, view)
        }
        Err(error) => store_fault(&site, &headers, &error),
    }
}

async fn load<'a>(site: &Site, desk: &Desk) -> Result<(Eyes<'a>, Vec<QueueEntry>), StoreError> {
    let entries = site.ctx.store.queue(LENGTH).await?;
    Ok((eyes(site, desk, &String::new).await?, entries))
}

/// What a page of this operator is made with.
pub(super) async fn eyes<'a>(
    site: &Site,
    desk: &Desk,
    fresh_key: &'a (dyn Fn() -> String + Sync),
) -> Result<Eyes<'a>, StoreError> {
    let names = Eyes::names(site.ctx.store.operators().await?);
    Ok(Eyes { words: desk.words, me: desk.operator.id, names, now: site.ctx.clock.now(), fresh_key })
}

/// A fresh key for an action.
pub(super) fn fresh_key(site: &Site) -> String {
    secret::fresh_key(&site.ctx.ids)
}
