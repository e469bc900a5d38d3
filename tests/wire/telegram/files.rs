//! Files that customers send.

use firstline::domain::channel::{Attachment, AttachmentKind};
use firstline::ports::channel::{Channel, FetchError};
use futures_util::TryStreamExt;

use super::{Fault, connect};
use crate::support::fake_telegram::FakeTelegram;

const MOST: usize = 20 * 1024 * 1024;

pub(super) fn file(id: &str, size: Option<u64>) -> Attachment {
    Attachment {
        kind: AttachmentKind::Document,
        remote: id.to_owned(),
        name: None,
        mime: None,
        size,
        seconds: None,
        transcript: None,
    }
}

async fn bytes(fake: &FakeTelegram, file: &Attachment) -> Result<Vec<u8>, FetchError> {
    let pieces: Vec<_> = connect(fake).fetch(file).await?.try_collect().await?;
    Ok(pieces.concat())
}

#[tokio::test]
async fn a_file_is_read_piece_by_piece() {
    let fake = FakeTelegram::start().await;
    let long = vec![7; MOST];
    fake.keeps_file("long", long.clone());
    fake.keeps_file("чек 1", b"%PDF".to_vec());
    assert!(bytes(&fake, &file("long", Some(20 * 1024 * 1024))).await.unwrap() == long);
    assert_eq!(bytes(&fake, &file("чек 1", None)).await.unwrap(), b"%PDF");
}

#[tokio::test]
async fn a_file_that_is_too_large_is_not_fetched() {
    let fake = FakeTelegram::start().await;
    fake.keeps_file("huge", vec![7; MOST + 1]);
    let told = bytes(&fake, &file("huge", Some(20 * 1024 * 1024 + 1))).await.expect_err("telegram gives it to nobody");
    assert!(matches!(&told, FetchError::Gone { why } if why.contains("20 MB")), "{told}");
    assert!(fake.calls("getFile").is_empty(), "its size was known");
    let found = bytes(&fake, &file("huge", None)).await.expect_err("telegram gives it to nobody");
    assert!(matches!(&found, FetchError::Gone { why } if why.contains("too big")), "{found}");
}

#[tokio::test]
async fn each_failure_of_a_file_says_whether_to_try_again_and_no_token() {
    let fake = FakeTelegram::start().await;
    fake.keeps_file("x", b"bytes".to_vec());
    let rows = [
        ("getFile", Fault::Error(400, "Bad Request: file is temporarily unavailable"), false, "unavailable"),
        ("getFile", Fault::Error(401, "Unauthorized"), true, "@BotFather"),
        ("getFile", Fault::TooMany(3), true, "429"),
        ("getFile", Fault::Error(500, "Internal Server Error"), true, "500"),
        ("getFile", Fault::Html(200), true, "not the bot api's"),
        ("getFile", Fault::Reset, true, ""),
        ("file", Fault::Html(404), false, "404"),
        ("file", Fault::Html(502), true, "502"),
        ("file", Fault::TooMany(3), true, "429"),
        ("file", Fault::Reset, true, ""),
    ];
    for (method, fault, again, words) in rows {
        fake.fail_next(method, 1, fault);
        let error = bytes(&fake, &file("x", None)).await.expect_err("it fails");
        assert_eq!(matches!(error, FetchError::NotNow { .. }), again, "{method} {fault:?}: {error}");
        let told = format!("{error} {error:?}");
        assert!(told.contains(words) && !told.contains("AAEfake"), "{method} {fault:?}: {told}");
    }
    assert_eq!(bytes(&fake, &file("x", None)).await.unwrap(), b"bytes");
    let gone = bytes(&fake, &file("unknown", None)).await.expect_err("nobody knows it");
    assert!(matches!(gone, FetchError::Gone { .. }), "{gone}");
}
