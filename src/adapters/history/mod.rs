//! Histories from elsewhere: a Chatwoot export, a Telegram Desktop export, plain JSON Lines.

mod chatwoot;
mod lines;
mod telegram;

use std::path::{Path, PathBuf};

use jiff::SignedDuration;

use crate::domain::channel::{Address, ChannelKind};
use crate::domain::past::{PastConversation, PastMessage};

/// After so long a silence the same chat is another conversation.
const SILENCE: SignedDuration = SignedDuration::from_hours(24);

/// Where a history comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON Lines, one message each.
    Lines,
    /// `result.json` of Telegram Desktop, one chat or all.
    Telegram,
    /// Conversations with their messages, as Chatwoot's API gives them.
    Chatwoot,
}

/// Why a history can't be read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The file can't be read.
    #[error("{}: can't be read", .0.display())]
    File(PathBuf, #[source] std::io::Error),
    /// It is not what its format says. Nobody's words are in the message.
    #[error("{}:{line}:{column}: {what}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1; 0 where the line as a whole is meant.
        column: usize,
        /// What is wrong.
        what: String,
    },
}

/// Reads a history. `account` is our account on each channel that the history may name.
///
/// # Errors
/// [`HistoryError`].
pub fn read(
    path: &Path,
    format: Format,
    accounts: &dyn Fn(ChannelKind) -> Option<String>,
) -> Result<Vec<PastConversation>, HistoryError> {
    let text = std::fs::read_to_string(path).map_err(|error| HistoryError::File(path.to_owned(), error))?;
    let source = Source { path, accounts };
    let chats = match format {
        Format::Lines => lines::read(&text, &source)?,
        Format::Telegram => telegram::read(&text, &source)?,
        Format::Chatwoot => chatwoot::read(&text, &source)?,
    };
    Ok(chats.into_iter().flat_map(apart).collect())
}

/// The file that is being read, and our accounts.
struct Source<'a> {
    path: &'a Path,
    accounts: &'a dyn Fn(ChannelKind) -> Option<String>,
}

impl Source<'_> {
    fn fault(&self, line: usize, column: usize, what: impl Into<String>) -> HistoryError {
        HistoryError::Malformed { path: self.path.to_owned(), line, column, what: what.into() }
    }

    /// A fault of the JSON, where it stands. `before` lines come before the text that was parsed.
    fn json(&self, error: &serde_json::Error, before: usize) -> HistoryError {
        let what = match error.classify() {
            serde_json::error::Category::Data => "a field is missing or not of its kind",
            _ => "this is no JSON",
        };
        self.fault(before + error.line(), error.column(), what)
    }

    fn address(&self, line: usize, channel: &str, external: String) -> Result<Address, HistoryError> {
        let kind = ChannelKind::from_name(channel)
            .ok_or_else(|| self.fault(line, 0, format!("`{channel}` is not a channel: web, terminal, telegram")))?;
        let account = (self.accounts)(kind).ok_or_else(|| {
            self.fault(line, 0, format!("{channel} is switched off, so our account on it is not known"))
        })?;
        Ok(Address { channel: kind, account, external })
    }
}

/// A chat as the conversations that it was.
fn apart(chat: PastConversation) -> Vec<PastConversation> {
    let PastConversation { from, display_name, mut messages } = chat;
    messages.sort_by_key(|message| message.at);
    let stretches = messages.chunk_by(|a, b| b.at.duration_since(a.at) <= SILENCE);
    let conversation = |messages: &[PastMessage]| PastConversation {
        from: from.clone(),
        display_name: display_name.clone(),
        messages: messages.to_vec(),
    };
    stretches.map(conversation).collect()
}

#[cfg(test)]
mod tests;
