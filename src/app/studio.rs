//! Where cases are played: the product put together anew for each script, around one index of the articles that is made
//! once.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use jiff::Timestamp;

use super::{Outside, Ready, load_words, open_with, sql_store};
use crate::config::Config;
use crate::domain::id::{Ids, OperatorId};
use crate::domain::text::{Language, hex};
use crate::eval::play::Stage;
use crate::eval::run::Stages;
use crate::eval::script::{Planted, Script};
use crate::eval::stage::{ManualClock, OnlyAnswers, RecordingChannel, ScriptedModel};
use crate::flow::{Ctx, Words};
use crate::ports::channel::Channel;
use crate::ports::desk::Operator;
use crate::ports::model::{ChatModel, Embedder};

/// When scripts begin: a Monday morning.
const START: &str = "2026-11-23T09:00:00Z";

/// The account of the stage's channel.
const ACCOUNT: &str = "stage";

/// The product on stages.
pub struct Studio {
    config: Config,
    embedder: Option<Arc<dyn Embedder>>,
    models: Models,
    shared: Arc<Ctx>,
    /// Goes last: the index of what is shared writes when it is closed.
    prepared: Scratch,
}

/// The language models of a studio.
#[derive(Clone, Default)]
pub struct Models {
    /// Who answers where a script has no lines of its own.
    pub model: Option<Arc<dyn ChatModel>>,
    /// Who judges replies and plays customers.
    pub examiner: Option<Arc<dyn ChatModel>>,
}

/// A directory that goes with its owner.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Studio {
    /// Reads the articles in.
    ///
    /// # Errors
    /// Whatever keeps Firstline from starting, with its mend.
    pub async fn open(config: &Config, embedder: Option<Arc<dyn Embedder>>, models: Models) -> anyhow::Result<Self> {
        let name = format!("firstline-eval-{}", hex(&Ids::os().random()));
        let prepared = Scratch(scratch_root().join(name));
        let mut config = config.clone();
        config.store.url = String::new().into();
        config.index.url.clear();
        config.data.dir = prepared.0.join("articles");
        let words = Arc::new(load_words(&config)?);
        let made = Self::product(&words, &config, embedder.clone(), None).await?;
        // An index that is closed can be copied.
        tokio::task::spawn_blocking(move || drop(made)).await.context("the index can't be closed")?;
        let articles = prepared.0.join("prepared");
        copy_dir(&config.data.dir.join("index"), &articles.join("index"))?;
        config.data.dir = articles.clone();
        sql_store(&config).await?.close().await;
        config.data.dir = prepared.0.join("shared");
        copy_dir(&articles, &config.data.dir)?;
        let shared = Self::product(&words, &config, embedder.clone(), models.model.clone()).await?;
        config.data.dir = articles;
        Ok(Self { config, embedder, models, shared, prepared })
    }

    async fn product(
        words: &Arc<Words>,
        config: &Config,
        embedder: Option<Arc<dyn Embedder>>,
        model: Option<Arc<dyn ChatModel>>,
    ) -> anyhow::Result<Arc<Ctx>> {
        let start: Timestamp = START.parse().context("the time at which scripts begin")?;
        let clock = Arc::new(ManualClock::at(start));
        let outside = Outside { clock, ids: Ids::seeded(1), model, embedder, channels: Vec::new() };
        let ready = Ready { words: Arc::clone(words), knowledge: None, store_ids: Ids::seeded(1) };
        let ctx = open_with(ready, config.clone(), outside).await?;
        while ctx.knowledge.lacks_vectors() {
            super::upkeep::sync_articles(&ctx, false).await?;
        }
        Ok(ctx)
    }

    /// The articles of a script, beside those of the company where they don't stand alone.
    fn plant(&self, script: &Script, dir: &Path) -> anyhow::Result<PathBuf> {
        let knowledge = dir.join("knowledge");
        fs::create_dir_all(&knowledge)?;
        if !script.only_these_articles {
            copy_dir(&self.config.knowledge.dir, &knowledge)?;
        }
        for Planted { id, title, questions, text } in &script.articles {
            let language = Language::detect(text).map_or("ru", Language::code);
            let (title, questions) = (serde_json::to_string(title)?, serde_json::to_string(questions)?);
            let article = format!(
                "---\nid: {id}\ntitle: {title}\nlanguage: {language}\ntags: []\nquestions: {questions}\n\
                 updated: 2026-11-01\n---\n\n{text}\n"
            );
            fs::write(knowledge.join(format!("planted-{language}-{id}.md")), article)?;
        }
        Ok(knowledge)
    }
}

/// Where stages are: in memory where the system has a directory for that, since every one is written once and thrown away.
fn scratch_root() -> PathBuf {
    let in_memory = PathBuf::from("/dev/shm");
    if in_memory.is_dir() { in_memory } else { std::env::temp_dir() }
}

#[async_trait]
impl Stages for Studio {
    fn shared(&self) -> Arc<Ctx> {
        Arc::clone(&self.shared)
    }

    async fn stage(&self, script: &Script, run: usize) -> anyhow::Result<(Stage, Box<dyn Send>)> {
        let mut hash = DefaultHasher::new();
        (&script.id, run).hash(&mut hash);
        let dir = Scratch(self.prepared.0.join(format!("{}-{run}-{:x}", script.id, hash.finish())));
        let mut config = self.config.clone();
        config.data.dir = dir.0.join("data");
        copy_dir(&self.config.data.dir, &config.data.dir)?;
        let has_own = !script.articles.is_empty();
        let knowledge = (!has_own).then(|| self.shared.knowledge.shared());
        if has_own {
            config.knowledge.dir = self.plant(script, &dir.0)?;
        }
        let start: Timestamp = START.parse().context("the time at which scripts begin")?;
        let clock = Arc::new(ManualClock::at(start));
        let channel = Arc::new(RecordingChannel::new(script.channel, ACCOUNT));
        let lines = script.model.clone().filter(|_| self.models.model.is_none() || script.needs_its_lines());
        let model = lines.map(|lines| Arc::new(ScriptedModel::new(lines)));
        let own = model.clone().map(|model| model as Arc<dyn ChatModel>);
        let real = self.models.model.clone().map(|model| -> Arc<dyn ChatModel> {
            if script.only_its_answer { Arc::new(OnlyAnswers(model)) } else { model }
        });
        let outside = Outside {
            clock: Arc::clone(&clock) as Arc<_>,
            ids: Ids::seeded(hash.finish()),
            model: own.or(real),
            embedder: self.embedder.clone(),
            channels: vec![Arc::clone(&channel) as Arc<dyn Channel>],
        };
        let words = Arc::clone(&self.shared.words);
        let ready = Ready { words, knowledge, store_ids: Ids::seeded(hash.finish().rotate_left(1)) };
        let ctx = open_with(ready, config, outside).await?;
        if has_own {
            super::upkeep::sync_articles(&ctx, false).await?;
        } else if script.only_these_articles {
            // The company has none that count, and a directory without any is refused as a mistake.
            let search = ctx.search.serving();
            ctx.knowledge.sync(&*search.index, search.embedder.as_deref(), Vec::new()).await?;
        }
        // Nobody logs in on a stage: there is no password to hash.
        let operator = OperatorId::fresh(&ctx.ids, start);
        let olga =
            Operator {
                id: operator, login: "olga".to_owned(), name: "Ольга".to_owned(), one_time_password: false
            };
        ctx.store.add_operator(&olga, "-", start).await?;
        let examiner = self.models.examiner.clone();
        Ok((Stage { ctx, clock, channel, model, examiner, operator }, Box::new(dir)))
    }
}

fn copy_dir(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("{} can't be read", from.display()))? {
        let entry = entry?;
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_dir(&path, &to)?;
        } else {
            copy_file(&path, &to).with_context(|| format!("{} can't be copied", path.display()))?;
        }
    }
    Ok(())
}

/// Copies a file with its holes: those of an index are large and nearly empty.
#[cfg(target_os = "linux")]
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{SeekFrom, seek};
    let (mut from, mut to) = (fs::File::open(from)?, fs::File::create(to)?);
    let length = from.metadata()?.len();
    to.set_len(length)?;
    let mut at = 0;
    // Behind the last byte there is nothing but a hole, of which the system says that there is no such place.
    while let Ok(data) = seek(&from, SeekFrom::Data(at)) {
        let hole = seek(&from, SeekFrom::Hole(data))?;
        from.seek(io::SeekFrom::Start(data))?;
        to.seek(io::SeekFrom::Start(data))?;
        io::copy(&mut (&from).take(hole - data), &mut to)?;
        at = hole;
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to).map(drop)
}
