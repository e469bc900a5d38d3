//! Conversations of the past: masked as everything that comes in, stored as resolved ones, and learnt from by the timers
//! of whichever process serves.

use super::FlowError;
use crate::domain::past::{PastConversation, PastMessage};
use crate::domain::text::MessageText;
use crate::engine::mask::mask;
use crate::ports::store::Store;

/// What came of an import.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Imported {
    /// Conversations of which something was new.
    pub conversations: u64,
    /// Messages that were new.
    pub messages: u64,
}

/// Stores conversations; what is stored already is passed over, so that it may be done again. `progress` hears how many of
/// them are done.
///
/// # Errors
/// [`FlowError`]; what was stored until then stays.
pub async fn all(
    store: &dyn Store,
    conversations: Vec<PastConversation>,
    mut progress: impl FnMut(u64),
) -> Result<Imported, FlowError> {
    let mut imported = Imported::default();
    for (done, past) in (1..).zip(conversations) {
        let new = store.import(&masked(past)).await.map_err(FlowError::store("import"))?;
        imported.messages += new;
        imported.conversations += u64::from(new > 0);
        progress(done);
    }
    Ok(imported)
}

fn masked(past: PastConversation) -> PastConversation {
    let message =
        |message: PastMessage| PastMessage { text: MessageText::new(mask(message.text.as_str()).text), ..message };
    let display_name = past.display_name.map(|name| mask(&name).text);
    PastConversation { display_name, messages: past.messages.into_iter().map(message).collect(), ..past }
}
