//! The SQL store: SQLite in the data directory, or PostgreSQL shared by several processes. One type, one set of
//! statements, two folders of migrations.
//!
//! A write is one transaction. It takes its locks in one order: the inbox row, the conversation, then everything that
//! belongs to the conversation, the address last. What a conversation holds changes only under the lock of its row, so
//! that every fence (token, epoch, "nothing newer") is a condition on that row. A transaction that lost a race to
//! another is repeated as a whole.

mod accept;
mod applying;
mod attachments;
mod changes;
mod csat;
mod delivery;
mod desk;
mod facts;
mod held;
mod identity;
mod ledger;
mod open;
mod operator;
mod outside;
mod past;
mod ports;
mod privacy;
mod proofs;
mod receipts;
mod recovery;
mod rows;
mod sql;
mod timers;
mod turn;
mod visitors;

use std::fs::File;

use sqlx::AnyPool;

pub use open::OpenError;
use sql::{Dialect, Failure, Tx};

use crate::domain::id::Ids;

/// Everything the product keeps, in one database.
pub struct SqlStore {
    dialect: Dialect,
    /// Where transactions that write are begun; on SQLite a single connection, since it has a single writer.
    write: AnyPool,
    read: AnyPool,
    ids: Ids,
    /// Locked while SQLite's file is ours.
    lock: Option<File>,
    applying: applying::Applying,
}

impl SqlStore {
    /// The same store with another source of ids for customers, conversations and messages that it makes.
    #[must_use]
    pub fn with_ids(mut self, ids: Ids) -> Self {
        self.ids = ids;
        self
    }

    /// Waits for what is under way and closes the database.
    pub async fn close(self) {
        self.read.close().await;
        self.write.close().await;
        // Only now may another process have the file.
        drop(self.lock);
    }

    async fn begin(&self) -> Result<Tx, Failure> {
        self.dialect.begin(&self.write).await
    }
}
