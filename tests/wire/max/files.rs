//! Files that customers send, and who vouches for MAX.

use std::sync::Arc;

use firstline::adapters::max::{Max, MaxError};
use firstline::config::MaxMode;
use firstline::domain::channel::{Attachment, AttachmentKind};
use firstline::ports::channel::{Channel, FetchError};
use futures_util::StreamExt;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

use super::{connect, is_not_sent, part, settings_at, short_waits};
use crate::support::fake_max::{FakeMax, Fault};

fn file(kind: AttachmentKind, remote: &str) -> Attachment {
    Attachment { kind, remote: remote.to_owned(), name: None, mime: None, size: None, seconds: None, transcript: None }
}

async fn fetched(max: &Max, file: &Attachment) -> Result<Vec<u8>, FetchError> {
    let mut pieces = max.fetch(file).await?;
    let mut whole = Vec::new();
    while let Some(piece) = pieces.next().await {
        whole.extend_from_slice(&piece?);
    }
    Ok(whole)
}

#[tokio::test]
async fn a_file_is_fetched_piece_by_piece_and_without_the_token() {
    let fake = FakeMax::start().await;
    let max = connect(&fake);
    let bytes: Vec<u8> = (0..=255).cycle().take(3_000_000).collect();
    let picture = file(AttachmentKind::Photo, &fake.keeps_file("picture", &bytes));
    assert!(fetched(&max, &picture).await.unwrap() == bytes, "the fake refuses a question with a token");
    fake.keeps_file("film", b"moving pictures");
    let film = file(AttachmentKind::Video, "video:film");
    assert_eq!(fetched(&max, &film).await.unwrap(), b"moving pictures");
}

#[tokio::test]
async fn a_file_that_does_not_come_is_gone_or_comes_later() {
    let fake = FakeMax::start().await;
    let max = connect(&fake);
    let picture = file(AttachmentKind::Photo, &fake.keeps_file("picture", b"bytes"));
    let film = file(AttachmentKind::Video, "video:film");
    for (name, file, fault, is_gone) in [
        ("GET /files", &picture, Fault::Html(404), true),
        ("GET /files", &picture, Fault::Html(410), true),
        ("GET /files", &picture, Fault::Html(302), true),
        ("GET /files", &picture, Fault::Html(429), false),
        ("GET /files", &picture, Fault::Html(503), false),
        ("GET /files", &picture, Fault::Reset, false),
        ("GET /videos/film", &film, Fault::Error(404, "video.not.found"), true),
        ("GET /videos/film", &film, Fault::Error(500, "internal.error"), false),
    ] {
        fake.fail_next(name, 1, fault);
        let error = fetched(&max, file).await.expect_err("it fails");
        assert_eq!(matches!(error, FetchError::Gone { .. }), is_gone, "{name} {fault:?}: {error}");
    }
    assert!(
        matches!(fetched(&max, &film).await, Err(FetchError::Gone { .. })),
        "max knows of a film that is not there"
    );
    assert!(matches!(fetched(&max, &file(AttachmentKind::Photo, "no address")).await, Err(FetchError::Gone { .. })));
}

#[tokio::test]
async fn a_file_never_leads_into_our_own_network() {
    let inside = FakeMax::start().await;
    let secret = inside.keeps_file("secret", b"of the house");
    let port = secret.split(':').nth(2).unwrap().split('/').next().unwrap();
    // An adapter that believes to talk to the real MAX.
    let max = Max::new(&settings_at("https://max.example", "max-token", MaxMode::Polling), short_waits()).unwrap();
    for address in [
        secret.clone(),
        secret.replace("http://", "https://"),
        format!("https://localhost:{port}/files/secret"),
        format!("https://[::1]:{port}/files/secret"),
        format!("https://[::ffff:127.0.0.1]:{port}/files/secret"),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "https://2130706433/".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        assert!(fetched(&max, &file(AttachmentKind::Photo, &address)).await.is_err(), "{address}");
    }
    assert!(inside.all_calls().is_empty());
}

/// A MAX that speaks TLS, with a certificate of a root that nobody knows, and says its name to everybody.
async fn with_tls() -> String {
    firstline::adapters::install_crypto();
    let chain = CertificateDer::from_pem_slice(include_bytes!("tls/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/server.key")).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![chain], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    TaskTracker::new().spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = [0; 4096];
            let read = stream.read(&mut request).await.unwrap_or_default();
            assert!(String::from_utf8_lossy(&request[..read]).contains("authorization: max-token\r\n"), "no Bearer");
            let body = r#"{"user_id":1,"username":"id77_bot"}"#;
            let answer =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    url
}

#[tokio::test]
async fn a_root_of_ones_own_is_trusted_where_it_is_named() {
    let url = with_tls().await;
    let mut settings = settings_at(&url, "max-token", MaxMode::Polling);
    let stranger = Max::new(&settings, short_waits()).unwrap();
    let error = stranger.check().await.expect_err("nobody vouches for it");
    assert!(matches!(error, MaxError::Unreachable(_)), "{error}");
    assert!(error.to_string().contains("max.ca_file"), "the mend is named: {error}");
    let unsent = stranger.send(&part("11", "Здравствуйте")).await.expect_err("nobody vouches for it");
    assert!(is_not_sent(&unsent), "{unsent}");

    let kept = tempfile::tempdir().unwrap();
    settings.ca_file = kept.path().join("root.pem");
    std::fs::write(&settings.ca_file, include_bytes!("tls/root.pem")).unwrap();
    assert_eq!(Max::new(&settings, short_waits()).unwrap().check().await.unwrap(), "@id77_bot");
}
