//! Conversations that took place before we were there.

use jiff::Timestamp;

use super::channel::Address;
use super::text::MessageText;

/// Who said something in a conversation of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PastAuthor {
    /// The customer.
    Customer,
    /// A bot of that time.
    Bot,
    /// A person of ours.
    Operator,
}

/// Something that was said.
#[derive(Debug, Clone, PartialEq)]
pub struct PastMessage {
    /// The key it has where it comes from: read in once more, it is known.
    pub external_id: String,
    /// Who.
    pub author: PastAuthor,
    /// What; masked before it is stored.
    pub text: MessageText,
    /// When.
    pub at: Timestamp,
}

/// All that was said with one customer on one address, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct PastConversation {
    /// Who, and where.
    pub from: Address,
    /// The name that was shown for the customer.
    pub display_name: Option<String>,
    /// What was said.
    pub messages: Vec<PastMessage>,
}
