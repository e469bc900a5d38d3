//! Stays and measures again whenever something is saved.

use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::RunArgs;
use super::measure::measure;
use crate::cli::{load_config, output};
use crate::config::Config;
use crate::eval::journal::{self, files};

/// How often files are looked at. What is saved in several writes is seen as a whole when it stands still this long.
const EVERY: Duration = Duration::from_millis(400);

/// The endings of what people write; recordings and reports are ours.
const WRITTEN: [&str; 4] = [".yaml", ".toml", ".md", ".j2"];

/// Measures now and after every change of prompts, articles, settings or cases, until Ctrl-C. What is wrong is told, and
/// mended by the next save.
///
/// # Errors
/// Where Ctrl-C can't be listened to.
pub(super) async fn watch(settings: Option<&Path>, args: &RunArgs, json: bool) -> anyhow::Result<()> {
    tokio::select! {
        never = forever(settings, args, json) => match never {},
        stopped = tokio::signal::ctrl_c() => Ok(stopped?),
    }
}

async fn forever(settings: Option<&Path>, args: &RunArgs, json: bool) -> Infallible {
    let mut seen = None;
    loop {
        let config = load_config(settings);
        let now = settled(settings, config.as_ref().ok(), args).await;
        if seen.as_ref() == Some(&now) {
            continue;
        }
        seen = Some(now);
        let measured = match config {
            Ok(config) => measure(&config, settings, args, json).await,
            Err(error) => Err(error),
        };
        if let Err(error) = measured {
            output::line(&format!("{error:#}"));
        }
        output::line("waiting for a change; Ctrl-C ends");
    }
}

/// What stands in the files, once nobody is writing them.
async fn settled(settings: Option<&Path>, config: Option<&Config>, args: &RunArgs) -> Option<String> {
    loop {
        let before = state(settings, config, args).ok();
        tokio::time::sleep(EVERY).await;
        if state(settings, config, args).ok() == before {
            return before;
        }
    }
}

/// What stands in the files that people write.
fn state(settings: Option<&Path>, config: Option<&Config>, args: &RunArgs) -> io::Result<String> {
    let mut all = std::fs::read(settings.unwrap_or(Path::new("config.toml"))).unwrap_or_default();
    if let Some(gates) = &args.gates {
        all.extend(std::fs::read(gates).unwrap_or_default());
    }
    let dirs = config.into_iter().flat_map(|config| [config.prompts.dir.as_path(), config.knowledge.dir.as_path()]);
    for dir in dirs.chain([args.dir.as_path()]) {
        for (name, bytes) in files(dir)? {
            if WRITTEN.iter().any(|ending| name.ends_with(ending)) {
                all.extend_from_slice(name.as_bytes());
                all.extend_from_slice(&bytes);
            }
        }
    }
    Ok(journal::hash(&all))
}
