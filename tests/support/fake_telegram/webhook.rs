//! Posts updates to the bot's webhook, until it says 2xx.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::task::TaskTracker;

use super::{Shared, State, Update, Webhook};

/// Waits after a failed post: doubled from the first to the longest.
const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Runs for ever.
pub(super) async fn deliver(shared: &Arc<Shared>) {
    // Refused where another part of the test has chosen one already; any will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().expect("a client");
    let tasks = TaskTracker::new();
    let mut changes = shared.changes.subscribe();
    loop {
        let due = shared.lock().due();
        for (webhook, update) in due {
            tasks.spawn(post_until_taken(Arc::clone(shared), client.clone(), webhook, update));
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

impl State {
    /// Updates whose turn it is, marked as being posted.
    fn due(&mut self) -> Vec<(Webhook, Update)> {
        let Some(webhook) = &self.webhook else {
            return Vec::new();
        };
        let is_posting = |update: &&Update| self.posting.contains(&update.id);
        let mut busy: HashSet<i64> = self.pending.iter().filter(is_posting).filter_map(|update| update.chat).collect();
        let mut due = Vec::new();
        for update in &self.pending {
            let waits = !self.any_order && update.chat.is_some_and(|chat| busy.contains(&chat));
            if self.posting.len() < webhook.max_connections && !waits && self.posting.insert(update.id) {
                busy.extend(update.chat);
                due.push((webhook.clone(), update.clone()));
            }
        }
        due
    }
}

async fn post_until_taken(shared: Arc<Shared>, client: reqwest::Client, webhook: Webhook, update: Update) {
    let mut wait = FIRST_WAIT;
    loop {
        let post = || async {
            let mut request = client.post(&webhook.url);
            if !webhook.secret.is_empty() {
                request = request.header("X-Telegram-Bot-Api-Secret-Token", &webhook.secret);
            }
            request.json(&update.body).send().await.is_ok_and(|response| response.status().is_success())
        };
        let taken = if shared.lock().twice {
            let (first, second) = tokio::join!(post(), post());
            first && second
        } else {
            post().await
        };
        {
            let mut state = shared.lock();
            if taken {
                state.pending.retain(|pending| pending.id != update.id);
            }
            if taken || state.webhook.as_ref() != Some(&webhook) {
                state.posting.remove(&update.id);
                break;
            }
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
    drop(shared.change());
}
