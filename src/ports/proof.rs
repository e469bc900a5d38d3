//! What proves that customers are one person.

use async_trait::async_trait;
use jiff::Timestamp;

use super::store::{NewMessage, StoreError};
use crate::domain::channel::{Address, ChannelKind};
use crate::domain::id::{ConversationId, CustomerId};
use crate::domain::proof::Kin;

/// Proofs and links. What comes in with updates is kept by [`super::store::Loop::accept`].
#[async_trait]
pub trait Proofs: Send + Sync {
    /// Keeps a link under its token. False if nobody has written from its address yet, or they are not to be remembered.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn add_link(&self, token: &str, link: &NewLink, now: Timestamp) -> Result<bool, StoreError>;

    /// Asks somebody known who came by a link whether it was them, once. False if there is nothing to ask, or `epoch` has
    /// moved on.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn ask_about_link(
        &self,
        conversation: ConversationId,
        epoch: i64,
        question: &NewMessage,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Customers by whom the same is proven as by this one. Who is not to be remembered is nobody's kin.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn kin(&self, customer: CustomerId) -> Result<Vec<Kin>, StoreError>;
}

/// A link that is to be.
#[derive(Debug, Clone)]
pub struct NewLink {
    /// Where it was asked for.
    pub from: Address,
    /// Where it leads.
    pub channel: ChannelKind,
    /// Our account there.
    pub account: String,
    /// Until when it may be opened.
    pub expires_at: Timestamp,
}
