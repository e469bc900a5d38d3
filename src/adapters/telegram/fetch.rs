//! Files that customers send: asked for by their id, read piece by piece.
//!
//! The token stands in a file's address, so no error quotes it. What an error says is a status, or the innermost cause.

use std::time::Duration;

use futures_util::stream::try_unfold;
use serde_json::Value;
use teloxide::Bot;
use teloxide::payloads::GetFile;
use teloxide::types::FileId;
use tokio::time::timeout;
use url::Url;

use super::call::call;
use super::outcome;
use crate::adapters::http_client::innermost;
use crate::domain::channel::Attachment;
use crate::ports::channel::{ByteStream, FetchError};

/// Largest file that Telegram gives out to bots, in bytes.
const MOST: u64 = 20 * 1024 * 1024;

/// How long a file may take, and how long no piece of it may come.
const FILE_WITHIN: Duration = Duration::from_mins(10);
const PIECE_WITHIN: Duration = Duration::from_secs(20);

/// Opens a file. `within` is for the answer to the question where it is.
pub(super) async fn open(bot: &Bot, file: &Attachment, within: Duration) -> Result<ByteStream, FetchError> {
    if file.size.is_some_and(|size| size > MOST) {
        return Err(too_large());
    }
    let told = call(bot, &GetFile::new(FileId(file.remote.clone())), within).await;
    let told = told.map_err(|error| outcome::of_fetch(&error))?;
    if told["file_size"].as_u64().is_some_and(|size| size > MOST) {
        return Err(too_large());
    }
    let address = address(bot, &told)?;
    let request = bot.client().get(address).timeout(FILE_WITHIN);
    let sent = timeout(PIECE_WITHIN, request.send()).await.map_err(|_| stalled())?;
    let response = sent.map_err(|error| FetchError::NotNow { why: innermost(&error) })?;
    let status = response.status();
    if !status.is_success() {
        let why = format!("{} of telegram", status.as_u16());
        let is_passing = status.is_server_error() || matches!(status.as_u16(), 401 | 408 | 429);
        return Err(if is_passing { FetchError::NotNow { why } } else { FetchError::Gone { why } });
    }
    Ok(Box::pin(try_unfold((response, 0), |(mut response, read)| async move {
        let piece = timeout(PIECE_WITHIN, response.chunk()).await.map_err(|_| stalled())?;
        let Some(piece) = piece.map_err(|error| FetchError::NotNow { why: innermost(&error) })? else {
            return Ok(None);
        };
        let read = read + u64::try_from(piece.len()).unwrap_or(u64::MAX);
        if read > MOST { Err(too_large()) } else { Ok(Some((piece, (response, read)))) }
    })))
}

/// `/file/bot{token}/{path}`. A server of one's own that runs in local mode tells a path of its disk, where we can't look.
fn address(bot: &Bot, told: &Value) -> Result<Url, FetchError> {
    let path = told["file_path"].as_str().filter(|path| !path.is_empty());
    let path = path.ok_or_else(|| FetchError::NotNow { why: "telegram tells no place of the file".to_owned() })?;
    let is_plain = |part: &str| !matches!(part, "" | "." | "..");
    if !path.split('/').all(is_plain) {
        let why = "telegram tells a place on its own disk: telegram.api_url must not run with --local".to_owned();
        return Err(FetchError::Gone { why });
    }
    let mut address = bot.api_url();
    if let Ok(mut segments) = address.path_segments_mut() {
        segments.pop_if_empty().push("file").push(&format!("bot{}", bot.token())).extend(path.split('/'));
    }
    Ok(address)
}

fn too_large() -> FetchError {
    FetchError::Gone { why: "it is larger than the 20 MB that telegram gives out to bots".to_owned() }
}

fn stalled() -> FetchError {
    FetchError::NotNow { why: format!("nothing came for {} seconds", PIECE_WITHIN.as_secs()) }
}
