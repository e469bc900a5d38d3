//! `firstline serve`: the whole product, and the words at its start.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::output;
use crate::app::{App, Start};
use crate::config::Config;

pub(super) async fn run(config: Config) -> anyhow::Result<()> {
    crate::telemetry::start(&config.log)?;
    let began = Instant::now();
    let app = App::start(config).await?;
    output::line(&words(&app.started, began.elapsed()));
    let stop = CancellationToken::new();
    let asked = stop.clone();
    let mut serving = std::pin::pin!(app.run(stop));
    tokio::select! {
        served = &mut serving => return served,
        () = stop_signal() => {}
    }
    output::line("stopping: what has begun is being finished; press Ctrl-C again to stop at once");
    asked.cancel();
    tokio::select! {
        stopped = serving => stopped,
        () = stop_signal() => Ok(()),
    }
}

/// Ctrl-C, or SIGTERM from a service manager.
async fn stop_signal() {
    let interrupt = tokio::signal::ctrl_c();
    let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
        let _ = interrupt.await;
        return;
    };
    tokio::select! {
        _ = interrupt => {}
        _ = terminate.recv() => {}
    }
}

/// What a person sees at the start: where to click, what is on, what is off and how to switch it on.
fn words(started: &Start, took: Duration) -> String {
    let mut lines = vec![
        String::new(),
        format!("  Firstline is ready after {:.1} s", took.as_secs_f64()),
        String::new(),
        format!("  web chat   {}/chat", started.url),
        format!("  desk       {}/desk", started.url),
    ];
    if let Some((login, password)) = &started.first_operator {
        lines.push(format!("             log in as {login} with the one-time password {password}"));
    }
    lines.push(format!("  data       {}", started.data));
    lines.push(String::new());
    for part in &started.parts {
        let mark = if part.on { "+" } else { "-" };
        lines.push(format!("  {mark} {:<10} {}", part.name, part.words));
    }
    lines.push(String::new());
    lines.join("\n")
}
