//! The prompts, articles and settings of another revision.

use std::path::{Component, Path, PathBuf};
use std::process::Command;

use crate::cli::Exit;
use crate::config::Config;

/// Those of one revision, for as long as it lives.
pub(super) struct Worktree {
    dir: PathBuf,
    /// The repository here.
    root: PathBuf,
    /// Where we are in it.
    here: PathBuf,
    /// The revision in short.
    pub(super) revision: String,
}

impl Worktree {
    /// Of this revision; nothing is checked out yet.
    ///
    /// # Errors
    /// Where git knows no such revision, or can't make a work tree; in words.
    pub(super) fn of(name: &str) -> Result<Self, String> {
        let at_home = |words: &[&str]| git(words, Path::new("."));
        let root = PathBuf::from(at_home(&["rev-parse", "--show-toplevel"])?);
        let here = PathBuf::from(at_home(&["rev-parse", "--show-prefix"])?);
        let revision = at_home(&["rev-parse", "--short", "--verify", &format!("{name}^{{commit}}")])?;
        let dir = std::env::temp_dir().join(format!("firstline-eval-{}-{revision}", std::process::id()));
        let path = dir.display().to_string();
        let there = Self { dir, root, here, revision };
        at_home(&["worktree", "add", "--force", "--detach", "--no-checkout", &path, &there.revision])?;
        Ok(there)
    }

    /// The settings of then, from the file that was named or from `config.toml`, with the prompts and articles of then.
    ///
    /// # Errors
    /// Where one of them is not to be had, with its name and the mend.
    pub(super) fn config(&self, settings: Option<&Path>) -> anyhow::Result<Config> {
        let file = match settings {
            Some(file) => Some(self.check_out("--config", file)?),
            // Who has never written settings had those that are built in.
            None => self.check_out("", Path::new("config.toml")).ok(),
        };
        let mut config = Config::load(file.as_deref(), std::env::vars())
            .map_err(|error| Exit::invalid(&format!("the settings of {} are wrong: {error}", self.revision)))?;
        config.prompts.dir = self.check_out("prompts.dir", &config.prompts.dir)?;
        config.knowledge.dir = self.check_out("knowledge.dir", &config.knowledge.dir)?;
        Ok(config)
    }

    /// A file or directory as it stood then; `what` names it for people.
    ///
    /// # Errors
    /// Where it lies outside of the repository, or git did not have it then.
    pub(super) fn check_out(&self, what: &str, path: &Path) -> anyhow::Result<PathBuf> {
        let shown = path.display();
        let Some(inside) = self.inside(path) else {
            let why = "lies outside of this repository, so git can't tell how it stood";
            return Err(Exit::invalid(&format!("{what}: {shown} {why} at {}", self.revision)).into());
        };
        let words = ["checkout", &self.revision, "--", &inside.display().to_string()];
        git(&words, &self.dir)
            .map_err(|why| Exit::invalid(&format!("{what}: git has no {shown} at {}: {why}", self.revision)))?;
        Ok(self.dir.join(inside))
    }

    /// Where a path lies in the repository.
    fn inside(&self, path: &Path) -> Option<PathBuf> {
        let real = path.canonicalize();
        let path = if path.is_absolute() {
            real.as_deref().unwrap_or(path).strip_prefix(&self.root).ok()?.to_owned()
        } else {
            self.here.join(path)
        };
        let mut inside = PathBuf::new();
        for part in path.components() {
            match part {
                Component::ParentDir if !inside.pop() => return None,
                Component::Normal(part) => inside.push(part),
                _ => {}
            }
        }
        Some(inside)
    }
}

impl Drop for Worktree {
    fn drop(&mut self) {
        let _ = git(&["worktree", "remove", "--force", &self.dir.display().to_string()], Path::new("."));
    }
}

/// What a command of git says.
///
/// # Errors
/// What it complains of, or that there is no git.
pub(super) fn git(arguments: &[&str], dir: &Path) -> Result<String, String> {
    let done = Command::new("git").args(arguments).current_dir(dir).output();
    let done = done.map_err(|error| format!("git can't be run: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if done.status.success() { Ok(text(&done.stdout)) } else { Err(text(&done.stderr)) }
}
