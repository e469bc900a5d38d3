//! Posts updates to whoever subscribed, one behind the other, until each says 200.

use std::time::Duration;

use reqwest::Client;

use super::{Shared, Subscription, Update};

/// Waits after a failed post: doubled from the first to the longest.
const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Runs for ever.
pub(super) async fn deliver(shared: &Shared) {
    // Refused where another part of the test has chosen one already; any will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().expect("a client");
    let mut changes = shared.changes.subscribe();
    let mut wait = FIRST_WAIT;
    loop {
        let due = {
            let state = shared.lock();
            let update = state.pending.front().filter(|_| !state.subscriptions.is_empty()).cloned();
            update.map(|update| (update, state.subscriptions.clone(), state.twice))
        };
        let Some((update, subscriptions, twice)) = due else {
            if changes.changed().await.is_err() {
                return;
            }
            continue;
        };
        let mut taken = true;
        for one in subscriptions.iter().filter(|one| one.wants(&update)) {
            taken &= if twice {
                let (first, second) = tokio::join!(post(&client, one, &update), post(&client, one, &update));
                first && second
            } else {
                post(&client, one, &update).await
            };
        }
        if taken {
            wait = FIRST_WAIT;
            shared.change().pending.retain(|pending| pending.number != update.number);
        } else {
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }
}

impl Subscription {
    fn wants(&self, update: &Update) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|kind| update.body["update_type"] == kind.as_str())
    }
}

async fn post(client: &Client, to: &Subscription, update: &Update) -> bool {
    let mut request = client.post(&to.url).json(&update.body);
    if let Some(secret) = &to.secret {
        request = request.header("X-Max-Bot-Api-Secret", secret);
    }
    request.send().await.is_ok_and(|response| response.status() == 200)
}
