//! `POST /widget/v1/attachments`: a file of a visitor, as the plain body. `GET /widget/v1/attachments/{id}`: one that stands in
//! their feed.
//!
//! What comes is written to the data directory under a key that only the server knows, and is what its first bytes say, whatever
//! was claimed. It waits there for the message that names it; what waits for a day goes. The web chat's channel fetches it from
//! there by [`Attachment::remote`], as other channels fetch from their messenger.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Json;
use axum::body::Body;
use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;
use url::form_urlencoded;

use super::wire::WireFile;
use super::{Visitor, allow};
use crate::domain::channel::{Address, Attachment, AttachmentKind};
use crate::domain::id::{AttachmentId, ConversationId, MessageId};
use crate::domain::message::AttachmentState;
use crate::http::peer::Peer;
use crate::http::problem::Problem;
use crate::http::{Site, secret};
use crate::ports::desk::FeedItem;
use crate::ports::store::StoreError;

/// Files of one message.
const MOST: usize = 10;

/// How long an upload may take.
const WITHIN: Duration = Duration::from_mins(3);

/// How long a file may wait for the message that it belongs to.
const WAITS: Duration = Duration::from_hours(24);

/// First bytes, by which a type is known: an office document tells what it is in its first entries.
const HEAD: usize = 8_192;

/// Longest name, in characters.
const NAME: usize = 120;

/// The types that are taken. What a browser would run, or draw from somebody's script, is not among them.
const TYPES: [(&str, AttachmentKind); 23] = [
    ("image/png", AttachmentKind::Photo),
    ("image/jpeg", AttachmentKind::Photo),
    ("image/gif", AttachmentKind::Photo),
    ("image/webp", AttachmentKind::Photo),
    ("image/heif", AttachmentKind::Photo),
    ("application/pdf", AttachmentKind::Document),
    ("text/plain", AttachmentKind::Document),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", AttachmentKind::Document),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", AttachmentKind::Document),
    ("application/vnd.openxmlformats-officedocument.presentationml.presentation", AttachmentKind::Document),
    ("application/vnd.oasis.opendocument.text", AttachmentKind::Document),
    ("application/vnd.oasis.opendocument.spreadsheet", AttachmentKind::Document),
    ("audio/mpeg", AttachmentKind::Audio),
    ("audio/m4a", AttachmentKind::Audio),
    ("audio/ogg", AttachmentKind::Audio),
    ("audio/opus", AttachmentKind::Audio),
    ("audio/aac", AttachmentKind::Audio),
    ("audio/amr", AttachmentKind::Audio),
    ("audio/x-wav", AttachmentKind::Audio),
    ("audio/x-flac", AttachmentKind::Audio),
    ("video/mp4", AttachmentKind::Video),
    ("video/webm", AttachmentKind::Video),
    ("video/quicktime", AttachmentKind::Video),
];

/// The same for a browser's choice of files, which goes by what it knows: the server looks again.
pub(crate) const ACCEPT: &str = "image/*,audio/*,video/*,.pdf,.txt,.docx,.xlsx,.pptx,.odt,.ods";

/// Pictures that every browser draws: shown as what they are.
const SHOWN: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/// What is known of a file that waits for its message.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Note {
    kind: AttachmentKind,
    mime: String,
    name: Option<String>,
    size: u64,
}

/// The answer to an upload.
#[derive(Serialize)]
pub(super) struct Uploaded {
    /// What the message names it by, in `attachment_ids`.
    id: String,
    kind: AttachmentKind,
    mime: String,
    size: u64,
}

pub(super) async fn post(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    peer: Peer,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Uploaded>), Problem> {
    allow(&site, &site.files, &[format!("file:{}", visitor.key()), format!("file:{}", peer.key())])?;
    let Ok(_place) = site.uploads.try_acquire() else {
        return Err(Problem::too_many(jiff::SignedDuration::from_secs(5)));
    };
    let place = Place::fresh(&site, &visitor.address);
    let kept = tokio::time::timeout(WITHIN, keep(&site, &place, name(&headers), body)).await;
    let note =
        kept.unwrap_or_else(|_| Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "slow", "the file took too long")))?;
    let Note { kind, mime, size, .. } = note;
    Ok((StatusCode::CREATED, Json(Uploaded { id: place.id, kind, mime, size })))
}

/// The name that the visitor's file has, from a header that can hold ASCII only.
fn name(headers: &HeaderMap) -> Option<String> {
    let encoded = headers.get("x-file-name")?.to_str().ok()?;
    let field = format!("{}=", encoded.replace(['&', '=', '+'], "_"));
    let (name, _) = form_urlencoded::parse(field.as_bytes()).next()?;
    let plain: String = name.chars().filter(|c| !c.is_control() && !matches!(c, '/' | '\\')).collect();
    let short: String = plain.trim().chars().take(NAME).collect();
    Some(short).filter(|name| !name.is_empty())
}

/// Where a file lies.
struct Place {
    dir: PathBuf,
    /// The directory's name, which stands for the visitor.
    owner: String,
    id: String,
}

impl Place {
    fn fresh(site: &Site, address: &Address) -> Self {
        Self::of(site, address, secret::fresh_key(&site.ctx.ids))
    }

    fn of(site: &Site, address: &Address, id: String) -> Self {
        let Address { channel, account, external } = address;
        let owner = secret::token_hash(&format!("{channel}:{account}:{external}"))[..32].to_owned();
        Self { dir: site.ctx.config.uploads_dir().join(&owner), owner, id }
    }

    fn file(&self) -> PathBuf {
        self.dir.join(&self.id)
    }

    /// What is written beside a file until its message is stored, and afterwards.
    fn note(&self, end: &str) -> PathBuf {
        self.dir.join(format!("{}.{end}", self.id))
    }
}

/// A file that is being written; gone, unless it is whole in the end.
struct Unfinished(Option<PathBuf>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // What can't be deleted now goes with what waits for a day.
            let _ = std::fs::remove_file(path);
        }
    }
}

async fn keep(site: &Site, place: &Place, name: Option<String>, body: Body) -> Result<Note, Problem> {
    fs::create_dir_all(&place.dir).await.map_err(|error| disk(&error))?;
    let part = place.note("part");
    let mut unfinished = Unfinished(Some(part.clone()));
    let (size, head) = write(site, &part, body).await?;
    let (mime, kind) = type_of(&head).ok_or_else(|| {
        let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "file_type", "files of this type are not taken");
        problem.detail("pictures, sound, films, PDF, plain text and office documents are")
    })?;
    let note = Note { kind, mime: mime.to_owned(), name, size };
    let text = serde_json::to_vec(&note).expect("a note has text keys only");
    fs::write(place.note("json"), text).await.map_err(|error| disk(&error))?;
    fs::rename(&part, place.file()).await.map_err(|error| disk(&error))?;
    unfinished.0 = None;
    Ok(note)
}

/// Writes what comes, as far as a file may be long. Returns its length and its first bytes.
async fn write(site: &Site, path: &Path, body: Body) -> Result<(u64, Vec<u8>), Problem> {
    let most = site.ctx.config.web.file_bytes();
    let mut file = File::create(path).await.map_err(|error| disk(&error))?;
    let (mut size, mut head) = (0_u64, Vec::new());
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Problem::invalid("the body ended before its end"))?;
        size += piece.len() as u64;
        if size > most {
            let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the file is too large");
            return Err(problem.detail(format!("at most {most} bytes are taken")));
        }
        head.extend_from_slice(&piece[..piece.len().min(HEAD - head.len())]);
        file.write_all(&piece).await.map_err(|error| disk(&error))?;
    }
    if size == 0 {
        return Err(Problem::invalid("there is nothing in the file"));
    }
    file.sync_all().await.map_err(|error| disk(&error))?;
    Ok((size, head))
}

/// What a file is, by its first bytes.
fn type_of(head: &[u8]) -> Option<(&'static str, AttachmentKind)> {
    let found = match infer::get(head) {
        Some(found) => found.mime_type(),
        None if is_text(head) => "text/plain",
        None => return None,
    };
    TYPES.into_iter().find(|(mime, _)| *mime == found)
}

/// Text without control characters; a letter may be cut where the head ends.
fn is_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or("\0"),
        Err(_) => return false,
    };
    !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

fn disk(error: &std::io::Error) -> Problem {
    tracing::error!(error = error as &dyn std::error::Error, "a visitor's file can't be kept");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the file can't be kept now")
}

/// The files that a message names, as they wait; also those of a message that is sent again.
pub(super) async fn named(site: &Site, address: &Address, ids: &[String]) -> Result<Vec<Attachment>, Problem> {
    if ids.len() > MOST {
        return Err(Problem::invalid(format!("attachment_ids: at most {MOST} files go with one message")));
    }
    let mut files = Vec::with_capacity(ids.len());
    for id in ids {
        let place = Place::of(site, address, id.clone());
        let note = if secret::is_key(id) { note_of(&place).await } else { None };
        let unknown = || Problem::invalid("attachment_ids: there is no such file of this visitor: upload it again");
        let Note { kind, mime, name, size } = note.ok_or_else(unknown)?;
        let remote = format!("{}/{id}", place.owner);
        files.push(Attachment {
            kind,
            remote,
            name,
            mime: Some(mime),
            size: Some(size),
            seconds: None,
            transcript: None,
        });
    }
    Ok(files)
}

async fn note_of(place: &Place) -> Option<Note> {
    for end in ["json", "sent"] {
        if let Ok(text) = fs::read(place.note(end)).await {
            return serde_json::from_slice(&text).ok();
        }
    }
    None
}

/// The message is stored: its files wait no longer.
pub(super) async fn sent(site: &Site, address: &Address, ids: &[String]) {
    for id in ids {
        let place = Place::of(site, address, id.clone());
        // If it fails the file goes with what waits, and the message says that there was one.
        if let Err(error) = fs::rename(place.note("json"), place.note("sent")).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "a file of a message may not be kept");
        }
    }
}

/// Deletes files that have waited too long for their message, and those of messages from before `kept_since`, which are gone
/// themselves. Returns how many.
pub(crate) fn sweep(dir: &Path, now: SystemTime, kept_since: Option<SystemTime>) -> std::io::Result<usize> {
    let mut swept = 0;
    let owners = match std::fs::read_dir(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        owners => owners?,
    };
    for owner in owners {
        for entry in std::fs::read_dir(owner?.path())? {
            let path = entry?.path();
            let since = match path.extension().and_then(|end| end.to_str()) {
                Some("json" | "part") => Some(now - WAITS),
                Some("sent") => kept_since,
                _ => None,
            };
            if since.is_some_and(|since| path.metadata().and_then(|file| file.modified()).is_ok_and(|at| at < since)) {
                // The note goes last: what is cut here is swept the next time.
                match std::fs::remove_file(path.with_extension("")) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                    _ => std::fs::remove_file(&path)?,
                }
                swept += 1;
            }
        }
    }
    Ok(swept)
}

/// What stands beside the messages of a feed.
pub(super) type Files = HashMap<MessageId, Vec<WireFile>>;

/// The files of messages of a feed.
pub(super) async fn of_feed(site: &Site, feed: &[FeedItem]) -> Result<Files, StoreError> {
    let mut first: HashMap<ConversationId, i64> = HashMap::new();
    for FeedItem { message, .. } in feed {
        let seq = first.entry(message.conversation).or_insert(message.seq);
        *seq = message.seq.min(*seq);
    }
    let mut files = Files::new();
    for (conversation, seq) in first {
        for found in site.ctx.store.attachments(conversation, seq - 1).await? {
            let here = !matches!(found.state, AttachmentState::Gone | AttachmentState::Refused);
            let shown = here && found.file.mime.as_deref().is_some_and(|mime| SHOWN.contains(&mime));
            files.entry(found.message).or_default().push(WireFile::of(found, here, shown));
        }
    }
    Ok(files)
}

pub(super) async fn get(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    UrlPath(id): UrlPath<String>,
) -> Result<Response, Problem> {
    allow(&site, &site.signs, &[format!("look:{}", visitor.key())])?;
    let id: AttachmentId = id.parse().map_err(|_| Problem::not_found())?;
    let found = site.ctx.store.attachment_in_feed(&visitor.address, id).await;
    let found = found.map_err(|error| Problem::store(&error))?.ok_or_else(Problem::not_found)?;
    let channel = site.ctx.channel(&visitor.address).ok_or_else(Problem::not_found)?;
    let bytes = channel.fetch(&found.file).await.map_err(|_| Problem::not_found())?;
    let shown = SHOWN.into_iter().find(|shown| found.file.mime.as_deref() == Some(shown));
    let kind = HeaderValue::from_static(shown.unwrap_or("application/octet-stream"));
    // Opened by itself it may do nothing, whatever is in it.
    let policy = HeaderValue::from_static("default-src 'none'; sandbox; frame-ancestors 'none'");
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment")),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600")),
    ];
    Ok((headers, Body::from_stream(bytes)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_bytes_say() {
        for (head, expected) in [
            (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], Some("image/png")),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", Some("image/jpeg")),
            (b"%PDF-1.7\n", Some("application/pdf")),
            ("Накладная № 5\n".as_bytes(), Some("text/plain")),
            (&"буквы".as_bytes()[..9], Some("text/plain")),
            (b"<!DOCTYPE html><script>alert(1)</script>", None),
            (b"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"/>", None),
            (b"MZ\x90\0\x03\0\0\0", None),
            (b"\x7fELF\x02\x01\x01\0", None),
            (b"#!/bin/sh\nrm -rf /\n", None),
            (b"PK\x03\x04\x14\0\0\0", None),
            (b"\0\x01\x02", None),
        ] {
            assert_eq!(type_of(head).map(|(mime, _)| mime), expected, "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn names_are_decoded_shortened_and_lead_nowhere() {
        for (given, expected) in [
            (Some("%D1%84%D0%BE%D1%82%D0%BE.png"), Some("фото.png")),
            (Some("..%2F..%2Fetc%2Fpasswd"), Some("....etcpasswd")),
            (Some("a%0Ab+c%3Dd"), Some("ab_c=d")),
            (Some("%20"), None),
            (None, None),
        ] {
            let mut headers = HeaderMap::new();
            given.map(|given| headers.insert("x-file-name", given.parse().unwrap()));
            assert_eq!(name(&headers).as_deref(), expected, "{given:?}");
        }
        let mut headers = HeaderMap::new();
        headers.insert("x-file-name", "x".repeat(500).parse().unwrap());
        assert_eq!(name(&headers).unwrap().len(), NAME);
    }

    #[test]
    fn what_waited_too_long_goes_and_what_was_sent_stays() {
        let dir = tempfile::tempdir().unwrap();
        let owner = dir.path().join("owner");
        std::fs::create_dir(&owner).unwrap();
        for name in ["a", "a.json", "b", "b.sent", "c.part"] {
            std::fs::write(owner.join(name), "x").unwrap();
        }
        let written = owner.join("a").metadata().unwrap().modified().unwrap();
        let minute = Duration::from_mins(1);
        assert_eq!(sweep(dir.path(), written + WAITS - minute, None).unwrap(), 0);
        assert_eq!(sweep(dir.path(), written + WAITS + minute, Some(written - minute)).unwrap(), 2);
        let mut left: Vec<_> = std::fs::read_dir(&owner).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["b", "b.sent"]);
        assert_eq!(sweep(dir.path(), written, Some(written + minute)).unwrap(), 1, "its message is past its retention");
        assert_eq!(sweep(&dir.path().join("nowhere"), written, None).unwrap(), 0);
    }
}
