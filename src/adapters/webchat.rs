//! The web chat and the terminal client as channels.
//!
//! There is nobody to send to: a visitor reads the feed, which the store makes of what was delivered. So a part counts
//! as sent the moment it is due, and a second attempt at it shows nothing twice. Files of visitors lie in a directory, under
//! the keys that the page's upload gave them.

use std::path::PathBuf;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use crate::domain::channel::{Attachment, ChannelKind};
use crate::domain::outbox::Outbound;
use crate::ports::channel::{ByteStream, Channel, FetchError, Limits, Receipt, SendError};

/// Longest text of one message, in UTF-16 units: a page can show anything, so this only keeps a fault from growing.
const TEXT_UNITS: usize = 16_384;

/// Bytes of a file that are read at a time.
const PIECE: usize = 65_536;

/// Buttons of one message: a page can show any number.
const BUTTONS: usize = 30;

/// A channel whose customers read our own feed.
#[derive(Debug, Clone)]
pub struct WebChat {
    kind: ChannelKind,
    account: String,
    /// Where files of visitors lie, where there may be any.
    uploads: Option<PathBuf>,
}

impl WebChat {
    /// The channel of `kind`, which is [`ChannelKind::Web`] or [`ChannelKind::Terminal`]; `account` tells several sites
    /// apart.
    pub fn new(kind: ChannelKind, account: impl Into<String>) -> Self {
        Self { kind, account: account.into(), uploads: None }
    }

    /// The same with files of visitors in that directory.
    #[must_use]
    pub fn with_uploads(self, dir: impl Into<PathBuf>) -> Self {
        Self { uploads: Some(dir.into()), ..self }
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

    async fn fetch(&self, attachment: &Attachment) -> Result<ByteStream, FetchError> {
        let gone = |why: &str| FetchError::Gone { why: why.to_owned() };
        let dir = self.uploads.as_ref().ok_or_else(|| gone("this channel has no files"))?;
        if !is_key(&attachment.remote) {
            return Err(gone("it has no key of an upload"));
        }
        let file = File::open(dir.join(&attachment.remote)).await;
        let file = file.map_err(|error| gone(&format!("the upload can't be read: {}", error.kind())))?;
        Ok(Box::pin(stream::try_unfold(file, next_piece)))
    }
}

/// The visitor's directory and the file's own key, both hexadecimal: it leads nowhere else.
fn is_key(remote: &str) -> bool {
    let is_hex = |part: &str| part.len() == 32 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    remote.split_once('/').is_some_and(|(owner, id)| is_hex(owner) && is_hex(id))
}

async fn next_piece(mut file: File) -> Result<Option<(Bytes, File)>, FetchError> {
    let mut piece = vec![0; PIECE];
    let read = file.read(&mut piece).await;
    let read = read.map_err(|error| FetchError::NotNow { why: format!("the upload broke off: {}", error.kind()) })?;
    piece.truncate(read);
    Ok((read > 0).then(|| (Bytes::from(piece), file)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_leads_to_an_upload_and_nowhere_else() {
        let (owner, id) = ("0".repeat(32), "f".repeat(32));
        assert!(is_key(&format!("{owner}/{id}")));
        for wrong in [format!("../{id}"), format!("{owner}/../{id}"), format!("/{owner}/{id}"), id, String::new()] {
            assert!(!is_key(&wrong), "{wrong}");
        }
    }
}
