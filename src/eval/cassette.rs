//! Replies of models, kept so that a run can be repeated offline, bit for bit: a recording is found by what was asked.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::future::Future;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::domain::text::hex;
use crate::ports::Retry;
use crate::ports::model::{ChatError, ChatModel, ChatReply, ChatRequest, EmbedError, EmbedRole, Embedder, Fingerprint};

/// The ending of files of recordings.
const ENDING: &str = "jsonl";

/// The file that whoever records holds locked.
const LOCK: &str = ".lock";

/// The name of the file with vectors; no task of a model is called so.
const VECTORS: &str = "vectors";

/// Where replies come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// From recordings alone: what was not recorded can't be run.
    Replay,
    /// From recordings; the model is asked for what is missing, and that is recorded.
    Record,
    /// From the model; nothing is recorded.
    Live,
}

/// What was replied to something that was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// [`key_of`] what was asked.
    pub key: String,
    /// The model.
    pub model: String,
    /// The reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// What was wrong with a reply that could not be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unusable: Option<String>,
    /// Tokens read and written.
    #[serde(default)]
    pub tokens: (u64, u64),
    /// A vector, as numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vector: Vec<f32>,
}

/// A directory of recordings: one file a task, one line a recording, sorted by their keys.
pub struct Cassettes {
    dir: PathBuf,
    kept: Mutex<BTreeMap<String, BTreeMap<String, Recording>>>,
    /// Keys that this run asked for.
    used: Mutex<BTreeSet<String>>,
    /// Held by who records, for as long as this lives: two who write would lose each other's recordings.
    _lock: Option<fs::File>,
}

impl Cassettes {
    /// Reads the directory; it need not be there. Who records has it alone.
    ///
    /// # Errors
    /// Where a file can't be read or is none of ours, with its place, or somebody else records there.
    pub fn open(dir: &Path, mode: Option<Mode>) -> Result<Self, String> {
        let lock = (mode == Some(Mode::Record)).then(|| lock(dir)).transpose()?;
        let mut kept: BTreeMap<String, BTreeMap<String, Recording>> = BTreeMap::new();
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            let task = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if path.extension().is_some_and(|ending| ending == ENDING) {
                kept.insert(task, read(&path)?);
            }
        }
        Ok(Self { dir: dir.to_owned(), kept: Mutex::new(kept), used: Mutex::default(), _lock: lock })
    }

    /// The model whose replies these are, where they are of one alone.
    pub fn only_model(&self) -> Option<String> {
        let kept = locked(&self.kept);
        let of_models =
            kept.iter().filter(|(task, _)| *task != VECTORS).flat_map(|(_, recordings)| recordings.values());
        let models: BTreeSet<&str> = of_models.map(|recording| recording.model.as_str()).collect();
        if models.len() == 1 { models.first().map(|&model| model.to_owned()) } else { None }
    }

    fn find(&self, task: &str, key: &str) -> Option<Recording> {
        let found = locked(&self.kept).get(task)?.get(key).cloned()?;
        locked(&self.used).insert(found.key.clone());
        Some(found)
    }

    /// Keeps a recording, in its file as well: a run that is cut loses nothing. Where two cases asked the same at a time, the
    /// first one stands, and is returned.
    fn keep(&self, task: &str, recording: Recording) -> Result<Recording, String> {
        let path = self.file(task);
        let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let line = serde_json::to_string(&recording).map_err(|error| told(&error))?;
        let mut kept = locked(&self.kept);
        locked(&self.used).insert(recording.key.clone());
        let of_task = kept.entry(task.to_owned()).or_default();
        if let Some(first) = of_task.get(&recording.key) {
            return Ok(first.clone());
        }
        let appended = fs::create_dir_all(&self.dir)
            .and_then(|()| fs::OpenOptions::new().create(true).append(true).open(&path))
            .and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
        appended.map_err(|error| told(&error))?;
        of_task.insert(recording.key.clone(), recording.clone());
        Ok(recording)
    }

    /// Writes the files anew, in order; `only_used`: without what this run did not ask for.
    ///
    /// # Errors
    /// Where a file can't be written.
    pub fn tidy(&self, only_used: bool) -> Result<(), String> {
        let used = locked(&self.used);
        let mut kept = locked(&self.kept);
        for (task, recordings) in kept.iter_mut() {
            recordings.retain(|key, _| !only_used || used.contains(key));
            let lines = recordings.values().map(|one| serde_json::to_string(one).map(|line| line + "\n"));
            let text: String = lines.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
            let path = self.file(task);
            let written = if text.is_empty() { fs::remove_file(&path) } else { replace(&path, &text) };
            written.map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(())
    }

    fn file(&self, task: &str) -> PathBuf {
        self.dir.join(task).with_extension(ENDING)
    }
}

/// Locks a directory of recordings against others who record. The system takes the lock back when its holder ends, however
/// that is.
fn lock(dir: &Path) -> Result<fs::File, String> {
    let path = dir.join(LOCK);
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    fs::create_dir_all(dir).map_err(|error| told(&error))?;
    let file = fs::OpenOptions::new().create(true).append(true).open(&path).map_err(|error| told(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(format!(
            "{}: another run with --record writes recordings here: wait for it, or give this one --cassettes of its own",
            dir.display()
        )),
        Err(fs::TryLockError::Error(error)) => Err(told(&error)),
    }
}

/// Writes a file anew: whoever reads it, or is cut meanwhile, has the whole of the old one or of the new one.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let beside = path.with_extension("tmp");
    fs::write(&beside, text)?;
    fs::rename(&beside, path)
}

fn read(path: &Path) -> Result<BTreeMap<String, Recording>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let recordings = text.lines().enumerate().map(|(number, line)| {
        let recording: Recording = serde_json::from_str(line)
            .map_err(|error| format!("{}:{}: {error}: record it anew", path.display(), number + 1))?;
        Ok((recording.key.clone(), recording))
    });
    recordings.collect()
}

fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().expect("no holder of this lock panics")
}

/// What a reply depends on: the model, the words and the schema that it is shown, how long it may be, and which take of
/// the case it is, since a model need not say the same twice.
pub fn key_of(model: &str, request: &ChatRequest, take: usize) -> String {
    let ChatRequest { task, system, user, schema, max_tokens, deadline: _ } = request;
    digest(&serde_json::json!([model, task, system, user, schema, max_tokens, take]))
}

/// 128 bits of a hash: two among a billion recordings are alike with a chance of 10^-21.
fn digest(asked: &serde_json::Value) -> String {
    hex(&Sha256::digest(asked.to_string())[..16])
}

/// What a case has asked of models in one take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// What was asked, in order: the task, and the part of the prompt that is this case's own.
    pub prompts: Vec<(String, String)>,
    /// Tokens read and written by a model that was really asked.
    pub spent: (u64, u64),
    /// Why a reply was not to be had. The bot goes on without a model then, which says nothing of the bot.
    pub fault: Option<String>,
}

/// A take of a case, while it runs.
struct Take {
    number: usize,
    asked: Mutex<Asked>,
}

tokio::task_local! {
    /// Models are shared by the cases that run at a time, and a request does not say for whom it is. The flow spawns
    /// nothing, so the task that runs the case tells.
    static TAKE: Arc<Take>;
}

/// Runs a take of a case and says what it asked of models.
pub async fn take<T>(number: usize, case: impl Future<Output = T>) -> (T, Asked) {
    let take = Arc::new(Take { number, asked: Mutex::default() });
    let output = TAKE.scope(Arc::clone(&take), case).await;
    let asked = locked(&take.asked).clone();
    (output, asked)
}

/// Notes something of the take that is running.
fn note(change: impl FnOnce(&mut Asked)) {
    let _ = TAKE.try_with(|take| change(&mut locked(&take.asked)));
}

/// Tokens that the take which is running has cost so far.
pub fn spent() -> (u64, u64) {
    TAKE.try_with(|take| locked(&take.asked).spent).unwrap_or_default()
}

fn number_of_take() -> usize {
    TAKE.try_with(|take| take.number).unwrap_or(0)
}

/// A language model between a case and its recordings.
pub struct RecordedModel {
    /// Who is asked; nobody in a replay.
    pub inner: Option<Arc<dyn ChatModel>>,
    /// The name of the model.
    pub name: String,
    /// How tokens are counted.
    pub count: fn(&str) -> usize,
    /// Where recordings are.
    pub cassettes: Arc<Cassettes>,
    /// Where replies come from.
    pub mode: Mode,
}

/// The reply that was recorded.
fn replay(task: &str, recording: Recording) -> Result<ChatReply, ChatError> {
    let Recording { model, reply, unusable, tokens: (tokens_in, tokens_out), .. } = recording;
    let json = reply
        .ok_or_else(|| ChatError::Malformed(unusable.unwrap_or_else(|| format!("the recording of {task} is empty"))))?;
    Ok(ChatReply { json, model, tokens_in, tokens_out, took: SignedDuration::ZERO })
}

impl RecordedModel {
    async fn ask(&self, request: &ChatRequest, key: String) -> Result<ChatReply, ChatError> {
        let Some(inner) = self.inner.as_ref().filter(|_| self.mode != Mode::Replay) else {
            let why = format!("no reply to {} is recorded for what is asked now", request.task);
            note(|asked| asked.fault = Some(format!("{why}: run it with --record")));
            return Err(ChatError::Unavailable(why));
        };
        let replied = inner.complete(request).await;
        let empty = Recording {
            key,
            model: self.name.clone(),
            reply: None,
            unusable: None,
            tokens: (0, 0),
            vector: Vec::new(),
        };
        let recording = match &replied {
            Ok(reply) => {
                let tokens = (reply.tokens_in, reply.tokens_out);
                note(|asked| asked.spent = (asked.spent.0 + tokens.0, asked.spent.1 + tokens.1));
                Recording { reply: Some(reply.json.clone()), tokens, ..empty }
            }
            Err(ChatError::Malformed(why)) => Recording { unusable: Some(why.clone()), ..empty },
            Err(error @ (ChatError::Unavailable(_) | ChatError::Refused(_))) => {
                note(|asked| asked.fault = Some(error.to_string()));
                return replied;
            }
        };
        if self.mode != Mode::Record {
            return replied;
        }
        match self.cassettes.keep(request.task, recording) {
            Ok(first) => replay(request.task, first),
            Err(why) => {
                note(|asked| asked.fault = Some(why));
                replied
            }
        }
    }
}

#[async_trait]
impl ChatModel for RecordedModel {
    async fn complete(&self, request: &ChatRequest) -> Result<ChatReply, ChatError> {
        note(|asked| {
            asked.prompts.push((request.task.to_owned(), request.user.clone()));
        });
        let key = key_of(&self.name, request, number_of_take());
        let found = if self.mode == Mode::Live { None } else { self.cassettes.find(request.task, &key) };
        match found {
            Some(recording) => replay(request.task, recording),
            None => self.ask(request, key).await,
        }
    }

    fn count_tokens(&self, text: &str) -> usize {
        (self.count)(text)
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// An embedder behind an endpoint, between cases and its recordings. The embedder in this program needs none.
pub struct RecordedEmbedder {
    /// Who is asked; nobody in a replay.
    pub inner: Arc<dyn Embedder>,
    /// Where recordings are.
    pub cassettes: Arc<Cassettes>,
    /// Where vectors come from.
    pub mode: Mode,
}

impl RecordedEmbedder {
    fn key(&self, text: &str, role: EmbedRole) -> String {
        let Fingerprint { model, dimensions } = self.inner.fingerprint();
        digest(&serde_json::json!([model, dimensions, format!("{role:?}"), text]))
    }

    async fn ask(&self, texts: &[String], role: EmbedRole) -> Result<Vec<Vec<f32>>, EmbedError> {
        if self.mode == Mode::Replay {
            let why = format!("no vector is recorded for {} of the texts", texts.len());
            note(|asked| asked.fault = Some(format!("{why}: run it with --record")));
            return Err(EmbedError { why, retry: Retry::Never });
        }
        let made = self.inner.embed(texts, role).await;
        let vectors = made.inspect_err(|error| note(|asked| asked.fault = Some(error.to_string())))?;
        if self.mode == Mode::Record {
            for (text, vector) in texts.iter().zip(&vectors) {
                let recording = Recording {
                    key: self.key(text, role),
                    model: self.inner.fingerprint().model,
                    reply: None,
                    unusable: None,
                    tokens: (0, 0),
                    vector: vector.clone(),
                };
                self.cassettes.keep(VECTORS, recording).map_err(|why| EmbedError { why, retry: Retry::Never })?;
            }
        }
        Ok(vectors)
    }
}

#[async_trait]
impl Embedder for RecordedEmbedder {
    async fn embed(&self, texts: &[String], role: EmbedRole) -> Result<Vec<Vec<f32>>, EmbedError> {
        let find = |text: &String| match self.mode {
            Mode::Live => None,
            Mode::Replay | Mode::Record => self.cassettes.find(VECTORS, &self.key(text, role)),
        };
        let mut found: Vec<Option<Vec<f32>>> =
            texts.iter().map(|text| find(text).map(|recording| recording.vector)).collect();
        let missing: Vec<usize> = (0..texts.len()).filter(|&place| found[place].is_none()).collect();
        if !missing.is_empty() {
            let asked: Vec<String> = missing.iter().map(|&place| texts[place].clone()).collect();
            for (place, vector) in missing.into_iter().zip(self.ask(&asked, role).await?) {
                found[place] = Some(vector);
            }
        }
        Ok(found.into_iter().flatten().collect())
    }

    fn fingerprint(&self) -> Fingerprint {
        self.inner.fingerprint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_records_into_a_directory() {
        let dir = tempfile::tempdir().unwrap();
        let open = |mode| Cassettes::open(dir.path(), Some(mode)).map(drop);
        let first = Cassettes::open(dir.path(), Some(Mode::Record)).unwrap();
        let told = open(Mode::Record).unwrap_err();
        assert!(told.contains("another run with --record") && told.contains("--cassettes"), "{told}");
        assert_eq!(open(Mode::Replay), Ok(()), "who reads need not wait");
        drop(first);
        assert_eq!(open(Mode::Record), Ok(()));
    }

    #[test]
    fn tidying_leaves_whole_files_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let cassettes = Cassettes::open(dir.path(), Some(Mode::Record)).unwrap();
        let recording = |key: &str| Recording {
            key: key.to_owned(),
            model: "m".to_owned(),
            reply: Some("{}".to_owned()),
            unusable: None,
            tokens: (1, 1),
            vector: Vec::new(),
        };
        for key in ["b", "a"] {
            cassettes.keep("answer", recording(key)).unwrap();
        }
        cassettes.tidy(true).unwrap();
        let text = fs::read_to_string(dir.path().join("answer.jsonl")).unwrap();
        let keys: Vec<&str> = text.lines().filter_map(|line| line.get(8..9)).collect();
        assert_eq!(keys, ["a", "b"], "{text}");
        let mut names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|one| one.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [".lock", "answer.jsonl"]);
    }
}
