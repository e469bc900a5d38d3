//! Posts changes to the webhook, signed, until it says 200.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use firstline::domain::text::hex;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio_util::task::TaskTracker;

use super::{Post, Shared, State};

/// Waits after a failed post: doubled from the first to the longest.
const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// What Meta asks a new address to answer with.
const CHALLENGE: &str = "1158201444";

/// Asks the address for the challenge.
pub(super) async fn challenge(url: &str, verify_token: &str) -> Result<(), String> {
    let asked = [("hub.mode", "subscribe"), ("hub.verify_token", verify_token), ("hub.challenge", CHALLENGE)];
    let url = url::Url::parse_with_params(url, asked).map_err(|error| error.to_string())?;
    let answer = client().get(url).send().await.map_err(|error| error.to_string())?;
    if answer.status() != 200 {
        return Err(answer.status().to_string());
    }
    let said = answer.text().await.map_err(|error| error.to_string())?;
    if said == CHALLENGE { Ok(()) } else { Err(format!("it says {said}")) }
}

/// Runs for ever.
pub(super) async fn deliver(shared: &Arc<Shared>) {
    let client = client();
    let tasks = TaskTracker::new();
    let mut changes = shared.changes.subscribe();
    loop {
        let due = shared.lock().due();
        for (url, post) in due {
            tasks.spawn(post_until_taken(Arc::clone(shared), client.clone(), url, post));
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

fn client() -> reqwest::Client {
    // Refused where another part of the test has chosen one already; any will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().expect("a client")
}

impl State {
    /// Posts that nobody makes yet, marked as being made. WhatsApp keeps no order.
    fn due(&mut self) -> Vec<(String, Post)> {
        let Some(url) = self.webhook.clone() else { return Vec::new() };
        let due = self.pending.iter().filter(|post| !self.posting.contains(&post.number)).cloned().collect::<Vec<_>>();
        self.posting.extend(due.iter().map(|post| post.number));
        due.into_iter().map(|post| (url.clone(), post)).collect()
    }
}

async fn post_until_taken(shared: Arc<Shared>, client: reqwest::Client, url: String, post: Post) {
    let body = escaped(&post.body);
    let signature = signature(&shared.lock().app_secret, &body);
    let mut wait = FIRST_WAIT;
    loop {
        let once = || async {
            let request = client.post(&url).header("X-Hub-Signature-256", &signature);
            let request = request.header("content-type", "application/json").body(body.clone());
            request.send().await.is_ok_and(|response| response.status() == 200)
        };
        let twice = shared.lock().twice;
        let taken = if twice {
            let (first, second) = tokio::join!(once(), once());
            first && second
        } else {
            once().await
        };
        if taken {
            let mut state = shared.change();
            state.pending.retain(|pending| pending.number != post.number);
            state.posting.remove(&post.number);
            return;
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// As Meta writes it: whoever reads the body and writes it anew has other bytes.
pub fn escaped(body: &Value) -> String {
    let mut escaped = String::new();
    for c in body.to_string().chars() {
        if c.is_ascii() {
            escaped.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(escaped, "\\u{unit:04x}").expect("a string takes it");
            }
        }
    }
    escaped
}

/// The header's value.
pub fn signature(secret: &str, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length will do");
    format!("sha256={}", hex(&mac.chain_update(body.as_bytes()).finalize().into_bytes()))
}
