//! The web chat and the terminal client as channels.
//!
//! There is nobody to send to: a visitor reads the feed, which the store makes of what was delivered. So a part counts
//! as sent the moment it is due, and a second attempt at it shows nothing twice.

use async_trait::async_trait;

use crate::domain::channel::ChannelKind;
use crate::domain::outbox::Outbound;
use crate::ports::channel::{Channel, Limits, Receipt, SendError};

/// Longest text of one message, in UTF-16 units: a page can show anything, so this only keeps a fault from growing.
const TEXT_UNITS: usize = 16_384;

/// Buttons of one message: a page can show any number.
const BUTTONS: usize = 30;

/// A channel whose customers read our own feed.
#[derive(Debug, Clone)]
pub struct WebChat {
    kind: ChannelKind,
    account: String,
}

impl WebChat {
    /// The channel of `kind`, which is [`ChannelKind::Web`] or [`ChannelKind::Terminal`]; `account` tells several sites
    /// apart.
    pub fn new(kind: ChannelKind, account: impl Into<String>) -> Self {
        Self { kind, account: account.into() }
    }
}

#[async_trait]
impl Channel for WebChat {
    fn kind(&self) -> ChannelKind {
        self.kind
    }

    fn account(&self) -> &str {
        &self.account
    }

    fn limits(&self) -> Limits {
        // A terminal has nothing to tap on.
        let buttons = if self.kind == ChannelKind::Web { BUTTONS } else { 0 };
        Limits { idempotent: true, buttons, ..Limits::text(TEXT_UNITS) }
    }

    async fn send(&self, _part: &Outbound) -> Result<Receipt, SendError> {
        Ok(Receipt::default())
    }
}
