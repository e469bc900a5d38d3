//! What is done beside, for which nobody waits: it is worth no retry and holds up no acknowledgement.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

/// Errands that may be under way at a time. What comes on top is left undone.
const MOST: usize = 64;

/// How long one may take.
const WITHIN: Duration = Duration::from_secs(10);

/// Runs errands.
pub struct Errands {
    tracker: TaskTracker,
    free: Arc<Semaphore>,
}

impl Default for Errands {
    fn default() -> Self {
        Self { tracker: TaskTracker::new(), free: Arc::new(Semaphore::new(MOST)) }
    }
}

impl Errands {
    /// Begins an errand, unless too many are under way.
    pub fn run(&self, errand: impl Future<Output = ()> + Send + 'static) {
        let Ok(place) = Arc::clone(&self.free).try_acquire_owned() else {
            tracing::debug!("too much is done beside: this is left undone");
            return;
        };
        self.tracker.spawn(async move {
            let _place = place;
            // What takes longer is as well left undone.
            let _ = tokio::time::timeout(WITHIN, errand).await;
        });
    }

    /// Waits until none is under way.
    pub async fn done(&self) {
        self.tracker.close();
        self.tracker.wait().await;
        self.tracker.reopen();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn so_many_at_a_time_and_no_more() {
        let (errands, done) = (Errands::default(), Arc::new(AtomicUsize::new(0)));
        for _ in 0..MOST * 2 {
            let done = Arc::clone(&done);
            errands.run(async move {
                tokio::task::yield_now().await;
                done.fetch_add(1, Ordering::Relaxed);
            });
        }
        errands.done().await;
        assert_eq!(done.load(Ordering::Relaxed), MOST);
        errands.run(std::future::ready(()));
        errands.done().await;
    }
}
