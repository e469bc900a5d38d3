//! The store as the web chat sees it: who a visitor is, what they may see, what they have read.

use async_trait::async_trait;
use jiff::Timestamp;

use super::store::StoreError;
use crate::domain::channel::Address;
use crate::domain::customer::Claims;
use crate::domain::id::{AttachmentId, ConversationId, CustomerId, MessageId};
use crate::domain::message::StoredAttachment;

/// Visitors of the web chat, each by the hash of their token.
#[async_trait]
pub trait Visitors: Send + Sync {
    /// Remembers a visitor under the hash of their token, with what their site vouches for. Of a token that is known only
    /// that is renewed: it does not change hands.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn add_visitor(
        &self,
        token_hash: &str,
        address: &Address,
        claims: &Claims,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// The visitor with this token.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn visitor(&self, token_hash: &str) -> Result<Option<KnownVisitor>, StoreError>;

    /// Lets go of a token: nobody is known by it any more.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn end_visitor(&self, token_hash: &str) -> Result<(), StoreError>;

    /// Whoever wrote at `from` is known to write at `to`, of the same account: from now on the feed of `to` has the words of
    /// both. Where nobody has written at `to` before, `from` becomes it. Otherwise returns the customers of both, which may
    /// be one already; `None` where there is nobody at `from`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn join(&self, from: &Address, to: &Address) -> Result<Option<(CustomerId, CustomerId)>, StoreError>;

    /// Enters what the site vouches for as statements of the customer, once a token, with a message of theirs as the source.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn state_claims(&self, token_hash: &str, message: MessageId, now: Timestamp) -> Result<(), StoreError>;

    /// The visitor has seen the feed up to a position. Returns the conversations of which something was not read before.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn read_up_to(
        &self,
        address: &Address,
        position: i64,
        now: Timestamp,
    ) -> Result<Vec<ConversationId>, StoreError>;

    /// A file of a message that stands in the feed of an address.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn attachment_in_feed(
        &self,
        address: &Address,
        id: AttachmentId,
    ) -> Result<Option<StoredAttachment>, StoreError>;
}

/// A visitor as their token tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownVisitor {
    /// Where they write and read.
    pub address: Address,
    /// What their site vouches for.
    pub claims: Claims,
    /// It was entered as statements.
    pub stated: bool,
}
