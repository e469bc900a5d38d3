//! Which process applies changes to an index that several processes share.
//!
//! Two that apply the same changes would write over each other, and what one of them has read long ago would take the
//! place of what the other has just written: a customer who was erased meanwhile would come back.

use std::collections::HashMap;

use sqlx::{AnyConnection, Connection};
use tokio::sync::Mutex;

use super::SqlStore;
use super::sql::{Dialect, Failure, Fields, Put};

/// Connections, each of which holds the right to apply changes to an index: it ends with the connection, and so with the
/// process.
#[derive(Default)]
pub(super) struct Applying(Mutex<HashMap<String, AnyConnection>>);

pub(super) async fn applies_changes(store: &SqlStore, index: &str) -> Result<bool, Failure> {
    // SQLite's file has one owner; who looks into it beside that one applies nothing.
    if store.dialect == Dialect::Sqlite {
        return Ok(store.lock.is_some());
    }
    let mut held = store.applying.0.lock().await;
    if let Some(mut connection) = held.remove(index)
        && sqlx::query("select 1").execute(&mut connection).await.is_ok()
    {
        held.insert(index.to_owned(), connection);
        return Ok(true);
    }
    // Not one of the pool's any more: it must not go back there with a lock.
    let mut connection = store.write.acquire().await?.detach();
    let row = sqlx::query(
        "select case when pg_try_advisory_lock(hashtextextended($1, 0)) then cast(1 as bigint) \
         else cast(0 as bigint) end as i_mine",
    )
    .put(&format!("firstline applies changes to {index}"))
    .fetch_one(&mut connection)
    .await?;
    let is_mine = Fields::new(&row, "pg_locks", "i_").integer("mine")? == 1;
    if is_mine {
        held.insert(index.to_owned(), connection);
    } else {
        connection.close().await?;
    }
    Ok(is_mine)
}
