//! Wake-ups: "something changed", without saying what. Polling is the truth; this only makes it quick.

use tokio::sync::{Notify, broadcast};

use crate::domain::id::ConversationId;

/// Bells for workers and pages of this process.
pub struct Wake {
    turns: Notify,
    deliveries: Notify,
    timers: Notify,
    indexing: Notify,
    pages: broadcast::Sender<ConversationId>,
}

impl Default for Wake {
    fn default() -> Self {
        Self {
            turns: Notify::new(),
            deliveries: Notify::new(),
            timers: Notify::new(),
            indexing: Notify::new(),
            pages: broadcast::channel(256).0,
        }
    }
}

/// What a worker waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bell {
    /// Unanswered messages.
    Turns,
    /// Parts to be sent.
    Deliveries,
    /// Timers set to now.
    Timers,
    /// Changes owed to the index.
    Indexing,
}

impl Wake {
    /// Rings for one waiting worker; a ring with nobody waiting is kept for the next.
    pub fn ring(&self, bell: Bell) {
        self.notify(bell).notify_one();
    }

    /// Waits for a ring.
    pub async fn heard(&self, bell: Bell) {
        self.notify(bell).notified().await;
    }

    /// Tells pages that a conversation changed.
    pub fn changed(&self, conversation: ConversationId) {
        // No page is open: nobody to tell.
        let _ = self.pages.send(conversation);
    }

    /// Hears of changed conversations from now on. A page that lags must look at everything it shows.
    pub fn changes(&self) -> broadcast::Receiver<ConversationId> {
        self.pages.subscribe()
    }

    fn notify(&self, bell: Bell) -> &Notify {
        match bell {
            Bell::Turns => &self.turns,
            Bell::Deliveries => &self.deliveries,
            Bell::Timers => &self.timers,
            Bell::Indexing => &self.indexing,
        }
    }
}
