//! The composition root: settings become adapters, adapters become a [`Ctx`], and the context is put to work.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::adapters::articles;
use crate::adapters::clock::SystemClock;
use crate::adapters::embedded::EmbeddedEmbedder;
use crate::adapters::max::Max;
use crate::adapters::openai::{OpenAiChat, OpenAiEmbedder};
use crate::adapters::qdrant::EdgeIndex;
use crate::adapters::store::SqlStore;
use crate::adapters::telegram::{Telegram, Waits};
use crate::adapters::webchat::WebChat;
use crate::adapters::whatsapp::{self, WhatsApp};
use crate::config::{Config, EmbedderKind, MaxMode, Model, TelegramMode};
use crate::domain::channel::ChannelKind;
use crate::domain::id::{BootId, CustomerId, Ids, OperatorId};
use crate::domain::knowledge::FoundSection;
use crate::domain::memory::Remembered;
use crate::domain::text::Language;
use crate::domain::turn::Found;
use crate::engine;
use crate::engine::triage::{Classifier, Triage};
use crate::flow::errands::Errands;
use crate::flow::knowledge::KnowledgeBase;
use crate::flow::pace::Paces;
use crate::flow::wake::Wake;
use crate::flow::{Ctx, Words, indexing};
use crate::http::password;
use crate::ports::channel::Channel;
use crate::ports::clock::Clock;
use crate::ports::desk::Operator;
use crate::ports::index::SearchIndex;
use crate::ports::model::{ChatModel, Embedder, Fingerprint};
use crate::ports::store::{Recovered, Store};
use crate::prompt::{Phrases, Prompts};

pub mod erasure;
pub mod identity;
mod indexes;
pub mod memory;
pub mod parts;
pub mod progress;
pub mod studio;
pub mod upkeep;

/// Our account on the web chat.
pub const WEB_ACCOUNT: &str = "site";

/// Our account for terminal clients.
pub const TERMINAL_ACCOUNT: &str = "local";

/// Login of the operator that the first start makes.
const FIRST_LOGIN: &str = "admin";

/// What customers see of that operator, until somebody gives it a person's name.
const FIRST_NAME: &str = "Support";

/// How long a stop waits for what has begun.
const DRAIN: Duration = Duration::from_secs(8);

/// What is outside of us, or not the same twice: settings make it, tests put their own in its place.
pub struct Outside {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub ids: Ids,
    /// The language model, if any.
    pub model: Option<Arc<dyn ChatModel>>,
    /// The embedder, if any.
    pub embedder: Option<Arc<dyn Embedder>>,
    /// The channels.
    pub channels: Vec<Arc<dyn Channel>>,
}

impl Outside {
    /// What the settings name.
    ///
    /// # Errors
    /// Where a client can't be made of the settings.
    pub fn configured(config: &Config) -> anyhow::Result<Self> {
        let mut channels: Vec<Arc<dyn Channel>> = vec![
            Arc::new(WebChat::new(ChannelKind::Web, WEB_ACCOUNT).with_uploads(config.uploads_dir())),
            Arc::new(WebChat::new(ChannelKind::Terminal, TERMINAL_ACCOUNT)),
        ];
        if config.telegram.is_on() {
            channels.push(Arc::new(telegram(config)?));
        }
        if config.whatsapp.is_on() {
            channels.push(Arc::new(WhatsApp::new(&config.whatsapp, whatsapp::Waits::default())?));
        }
        if config.max.is_on() {
            channels.push(Arc::new(max(config)?));
        }
        Ok(Self {
            clock: Arc::new(SystemClock),
            ids: Ids::os(),
            model: model(config)?,
            embedder: embedder(config)?,
            channels,
        })
    }
}

/// Opens everything that is ours around what is outside: store, index, words and articles; recovers what earlier
/// processes left.
///
/// # Errors
/// Whatever keeps Firstline from starting, with its mend.
pub async fn open(config: Config, outside: Outside) -> anyhow::Result<Arc<Ctx>> {
    let words = Arc::new(load_words(&config)?);
    open_with(Ready { words, knowledge: None, store_ids: Ids::os() }, config, outside).await
}

/// What is made already of what is to be opened.
struct Ready {
    /// Prompts, phrases and rules.
    words: Arc<Words>,
    /// The articles, where the index holds them as they stand.
    knowledge: Option<KnowledgeBase>,
    /// Where the store has its ids from.
    store_ids: Ids,
}

/// The same with what was made before.
async fn open_with(ready: Ready, config: Config, outside: Outside) -> anyhow::Result<Arc<Ctx>> {
    let Ready { words, knowledge, store_ids } = ready;
    if let Some(unknown) = config.episode.from_model.iter().find(|key| engine::learn::key(key).is_none()) {
        let known: Vec<&str> = engine::learn::KEYS.iter().map(|key| key.name).collect();
        bail!("episode.from_model: `{unknown}` is no kind of fact: {}", known.join(", "));
    }
    let store: Arc<dyn Store> = Arc::new(sql_store(&config).await?.with_ids(store_ids));
    let search = Box::pin(indexes::open(&config, outside.embedder, embedded)).await?;
    let boot = BootId::fresh(&outside.ids, outside.clock.now());
    let ctx = Arc::new(Ctx {
        store,
        search,
        model: outside.model,
        channels: outside.channels,
        clock: outside.clock,
        ids: outside.ids,
        boot,
        wake: Wake::default(),
        paces: Paces::default(),
        errands: Errands::default(),
        knowledge: knowledge.unwrap_or_default(),
        words,
        config,
    });
    recover(&ctx).await?;
    if ctx.knowledge.article_count() == 0 {
        upkeep::sync_articles(&ctx, true).await?;
    }
    Ok(ctx)
}

/// What earlier processes left: leases are freed, sends that were under way are sorted by what can be known.
async fn recover(ctx: &Ctx) -> anyhow::Result<()> {
    let now = ctx.clock.now();
    ctx.store.renew_boot(ctx.boot, now).await.context("the store can't be written")?;
    let unknown_deadline = now + ctx.config.outbox.unknown_after;
    let recovered = ctx.store.recover(&ctx.claim(), &ctx.idempotent_channels(), unknown_deadline, now).await;
    let recovered = recovered.context("what earlier processes left can't be recovered")?;
    if recovered != Recovered::default() {
        tracing::info!(recovered.leases, recovered.resend, recovered.unknown, "recovered from an earlier process");
    }
    Ok(())
}

/// A Firstline that has started and listens.
pub struct App {
    ctx: Arc<Ctx>,
    listener: TcpListener,
    /// What the start found and made.
    pub started: Start,
}

/// What a start tells.
pub struct Start {
    /// Where pages are.
    pub url: String,
    /// The data directory.
    pub data: String,
    /// Login and one-time password of the operator that was made because there was none.
    pub first_operator: Option<(String, String)>,
    /// What is on and what is off.
    pub parts: Vec<parts::Part>,
}

impl App {
    /// Opens everything and listens; nothing is served yet.
    ///
    /// # Errors
    /// Whatever keeps Firstline from starting, with its mend.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        let listen = config.server.listen;
        let listener = TcpListener::bind(listen).await.with_context(|| {
            format!("server.listen: {listen} can't be listened on: is another Firstline running? choose another port")
        })?;
        let url = match config.server.public_url.trim_end_matches('/') {
            "" => format!("http://{}", listener.local_addr()?),
            url => url.to_owned(),
        };
        let outside = Outside::configured(&config)?;
        let ctx = open(config, outside).await?;
        let first_operator = first_operator(&*ctx.store).await?;
        let data = ctx.config.data.dir.display().to_string();
        let parts = parts::all(&ctx);
        Ok(Self { ctx, listener, started: Start { url, data, first_operator, parts } })
    }

    /// Serves until `stop`; then finishes what has begun, gives leases back and closes everything.
    ///
    /// # Errors
    /// Where the listener fails, or something can't be closed cleanly.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let Self { ctx, listener, started } = self;
        let tracker = TaskTracker::new();
        crate::worker::start(&ctx, &started.url, &tracker, &stop);
        tracker.spawn(upkeep::watch_articles(Arc::clone(&ctx), stop.clone()));
        tracker.spawn(upkeep::change_embedder(Arc::clone(&ctx), stop.clone()));
        tracker.spawn(upkeep::say_alive(Arc::clone(&ctx), stop.clone()));
        tracker.spawn(upkeep::keep_no_longer(Arc::clone(&ctx), stop.clone()));
        tracker.spawn(upkeep::sweep_uploads(Arc::clone(&ctx), stop.clone()));
        tracker.spawn(upkeep::keep_snapshots(Arc::clone(&ctx), stop.clone()));
        let served = tokio::select! {
            served = crate::http::serve(listener, Arc::clone(&ctx), stop.clone()) => served,
            () = drained(&tracker, &stop) => Ok(()),
        };
        // The listener failed by itself: everything else stops as well.
        stop.cancel();
        drained(&tracker, &stop).await;
        ctx.store.release_boot(ctx.boot, ctx.clock.now()).await.context("leases can't be given back")?;
        for searcher in ctx.search.all() {
            searcher.index.flush().await.context("the index can't be flushed")?;
        }
        served.context("serving ended")
    }
}

/// Waits for `stop`, and then for what has begun, as long as a stop may take.
async fn drained(tracker: &TaskTracker, stop: &CancellationToken) {
    stop.cancelled().await;
    tracker.close();
    if tokio::time::timeout(DRAIN, tracker.wait()).await.is_err() {
        tracing::warn!("something did not finish in time: its lease runs out and it is done again at the next start");
    }
}

/// Prompts, phrases and triage rules, checked.
///
/// # Errors
/// Every fault that was found, with its place.
pub fn load_words(config: &Config) -> anyhow::Result<Words> {
    let dir = &config.prompts.dir;
    if !dir.is_dir() {
        bail!("prompts.dir: there is no directory {}: start in the directory that holds it, or set it", dir.display());
    }
    let triage_file = dir.join("triage.toml");
    let name = triage_file.display().to_string();
    let text = std::fs::read_to_string(&triage_file).with_context(|| format!("{name} can't be read"))?;
    Ok(Words {
        triage: Triage::parse(&text, &name)?,
        classifier: Classifier::built_in().inspect_err(|error| tracing::warn!(%error, "triage goes by examples")).ok(),
        phrases: Phrases::load(&dir.join("phrases.toml"))?,
        prompts: Prompts::load(dir)?,
    })
}

/// Opens the configured store and brings it up to date.
///
/// # Errors
/// Where it can't be opened.
pub async fn open_store(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    Ok(Arc::new(sql_store(config).await?))
}

async fn sql_store(config: &Config) -> anyhow::Result<SqlStore> {
    Ok(match config.store.postgres() {
        Some(url) => SqlStore::open_postgres(url).await.context("store.url: PostgreSQL can't be used")?,
        None => {
            let file = config.sqlite_file();
            SqlStore::open_sqlite(&file).await.with_context(|| format!("{} can't be used", file.display()))?
        }
    })
}

/// Opens the configured store beside a process that may be serving from it.
///
/// # Errors
/// Where it can't be opened.
pub async fn open_store_beside(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    if config.store.postgres().is_some() {
        return open_store(config).await;
    }
    let file = config.sqlite_file();
    let store = SqlStore::open_sqlite_beside(&file).await;
    Ok(Arc::new(store.with_context(|| format!("{} can't be used", file.display()))?))
}

/// Telegram, with a webhook's secret of our own where none is configured.
fn telegram(config: &Config) -> anyhow::Result<Telegram> {
    let mut settings = config.telegram.clone();
    if settings.mode == TelegramMode::Webhook && settings.secret.expose_secret().is_empty() {
        settings.secret = kept_secret(&config.data.dir.join("telegram.secret"))?;
    }
    Ok(Telegram::new(&settings, Waits::default())?)
}

/// MAX, with a webhook's secret of our own where none is configured.
fn max(config: &Config) -> anyhow::Result<Max> {
    let mut settings = config.max.clone();
    if settings.mode == MaxMode::Webhook && settings.secret.expose_secret().is_empty() {
        settings.secret = kept_secret(&config.data.dir.join("max.secret"))?;
    }
    Ok(Max::new(&settings, Waits::default())?)
}

/// The secret in `file`; made up and put there by the first start.
fn kept_secret(file: &Path) -> anyhow::Result<SecretString> {
    if let Ok(kept) = std::fs::read_to_string(file) {
        return Ok(SecretString::from(kept));
    }
    let secret = uuid::Uuid::from_bytes(Ids::os().random()).simple().to_string();
    let kept = std::fs::create_dir_all(file.parent().unwrap_or(file)).and_then(|()| std::fs::write(file, &secret));
    kept.with_context(|| format!("{} can't be written", file.display()))?;
    Ok(SecretString::from(secret))
}

/// The configured embedder.
///
/// # Errors
/// Where it can't be made of the settings.
pub fn embedder(config: &Config) -> anyhow::Result<Option<Arc<dyn Embedder>>> {
    Ok(match config.embedder.kind {
        EmbedderKind::Embedded => Some(Arc::new(EmbeddedEmbedder::load()?)),
        EmbedderKind::Endpoint => Some(Arc::new(OpenAiEmbedder::new(&config.embedder)?)),
        EmbedderKind::None => None,
    })
}

/// The encoder in this program, where vectors of that fingerprint are its own.
fn embedded(fingerprint: &Fingerprint) -> Option<Arc<dyn Embedder>> {
    let embedded = EmbeddedEmbedder::load().ok()?;
    (embedded.fingerprint() == *fingerprint).then(|| Arc::new(embedded) as Arc<dyn Embedder>)
}

/// The language model that the settings name.
///
/// # Errors
/// Where its client can't be made of them.
pub fn model(config: &Config) -> anyhow::Result<Option<Arc<dyn ChatModel>>> {
    model_of(&config.model, config)
}

/// A language model of these, tried in order; none where there are none.
///
/// # Errors
/// Where its client can't be made of them.
pub fn model_of(models: &[Model], config: &Config) -> anyhow::Result<Option<Arc<dyn ChatModel>>> {
    if models.is_empty() {
        return Ok(None);
    }
    Ok(Some(Arc::new(OpenAiChat::new(models, &config.model_calls)?)))
}

/// The operator with this login.
async fn operator_of(store: &dyn Store, login: &str) -> anyhow::Result<Operator> {
    let found = store.operator_login(login).await.context("operators can't be read")?;
    let (operator, _) =
        found.with_context(|| format!("there is no operator `{login}`: see firstline operator list"))?;
    Ok(operator)
}

/// Adds an operator with a one-time password, or gives an existing one a new one; returns the password.
///
/// # Errors
/// Where the store fails.
pub async fn add_operator(store: &dyn Store, login: &str, name: &str) -> anyhow::Result<String> {
    let (ids, now) = (Ids::os(), SystemClock.now());
    let password = one_time_password(&ids);
    let hash = password::hash(&password)?;
    let operator = Operator {
        id: OperatorId::fresh(&ids, now),
        login: login.to_owned(),
        name: name.to_owned(),
        one_time_password: true,
    };
    if !store.add_operator(&operator, &hash, now).await.context("the operator can't be stored")? {
        store.set_password(login, &hash, true).await.context("the password can't be stored")?;
    }
    Ok(password)
}

async fn first_operator(store: &dyn Store) -> anyhow::Result<Option<(String, String)>> {
    if !store.operators().await.context("operators can't be read")?.is_empty() {
        return Ok(None);
    }
    let password = add_operator(store, FIRST_LOGIN, FIRST_NAME).await?;
    Ok(Some((FIRST_LOGIN.to_owned(), password)))
}

/// Sixteen letters and digits that are not mistaken for each other: 80 bits.
fn one_time_password(ids: &Ids) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz123456789";
    ids.random().iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}

/// Searches the articles as the running product would: in its index, or, while a process serves from that or it is on a
/// server, in one of its own.
///
/// # Errors
/// Where articles, embedder or index fail.
pub async fn search_knowledge(
    config: &Config,
    question: &str,
    language: Option<Language>,
    limit: usize,
) -> anyhow::Result<Vec<FoundSection>> {
    let articles = articles::read_articles(&config.knowledge.dir)?;
    let embedder = embedder(config)?;
    let embedder = embedder.as_deref();
    // An index of several processes is not brought in line with the articles that happen to lie here.
    if !config.index.is_server()
        && let Ok(index) = indexes::open_one(config, embedder).await
    {
        return search_in(&*index, embedder, articles, question, language, limit).await;
    }
    let dir = scratch_dir();
    let (index, _) = EdgeIndex::open(&dir, embedder.map(Embedder::fingerprint)).await?;
    let found = search_in(&index, embedder, articles, question, language, limit).await;
    let _ = std::fs::remove_dir_all(&dir);
    found
}

async fn search_in(
    index: &dyn SearchIndex,
    embedder: Option<&dyn Embedder>,
    articles: Vec<crate::domain::knowledge::Article>,
    question: &str,
    language: Option<Language>,
    limit: usize,
) -> anyhow::Result<Vec<FoundSection>> {
    let knowledge = KnowledgeBase::default();
    knowledge.sync(index, embedder, articles).await?;
    Ok(knowledge.search(index, embedder, question, language, limit).await?)
}

/// Searches a customer's memory as the running product would, best first, with scores: in its index, or, while a process
/// serves from that, in one that is made for the purpose and holds this customer alone.
///
/// # Errors
/// Where store, embedder or index fail.
pub async fn search_memory(
    config: &Config,
    store: &dyn Store,
    customer: CustomerId,
    question: &str,
    limit: usize,
) -> anyhow::Result<Vec<(Remembered, Found)>> {
    let embedder = embedder(config)?;
    let embedder = embedder.as_deref();
    match indexes::open_one(config, embedder).await {
        Ok(index) => search_memory_in(store, &*index, embedder, customer, question, limit).await,
        Err(error) if config.index.is_server() => Err(error),
        Err(_) => {
            let dir = scratch_dir();
            let (index, _) = EdgeIndex::open(&dir, embedder.map(Embedder::fingerprint)).await?;
            indexing::write_customer(store, &index, embedder, customer, &config.company.timezone).await?;
            let found = search_memory_in(store, &index, embedder, customer, question, limit).await;
            let _ = std::fs::remove_dir_all(&dir);
            found
        }
    }
}

async fn search_memory_in(
    store: &dyn Store,
    index: &dyn SearchIndex,
    embedder: Option<&dyn Embedder>,
    customer: CustomerId,
    question: &str,
    limit: usize,
) -> anyhow::Result<Vec<(Remembered, Found)>> {
    let now = SystemClock.now();
    let found = indexing::search_memory(index, embedder, customer, question, now, limit).await?;
    let mut all = Vec::new();
    for (unit, found) in found {
        let unit = store.remembered(customer, &[unit]).await?.into_iter().next();
        all.extend(unit.map(|unit| (Remembered::from(unit), found)));
    }
    Ok(all)
}

/// A directory for an index that nobody needs afterwards.
fn scratch_dir() -> PathBuf {
    std::env::temp_dir().join(format!("firstline-search-{}", std::process::id()))
}

/// Builds the memory index anew from the store; `progress` hears how many of how many are done. On a server, a process
/// that serves may do it, and this waits for it.
///
/// # Errors
/// Where the store, the embedder or the index fails.
pub async fn rebuild_memory(config: &Config, progress: impl FnMut(u64, u64)) -> anyhow::Result<u64> {
    let store = open_store(config).await?;
    let embedder = embedder(config)?;
    let index = indexes::open_one(config, embedder.as_deref()).await?;
    let zone = &config.company.timezone;
    Ok(indexing::rebuild(&*store, &*index, embedder.as_deref(), zone, progress).await?)
}

/// Our account on channels of a kind, by the settings.
pub fn account(config: &Config, kind: ChannelKind) -> Option<String> {
    match kind {
        ChannelKind::Web => Some(WEB_ACCOUNT.to_owned()),
        ChannelKind::Terminal => Some(TERMINAL_ACCOUNT.to_owned()),
        ChannelKind::Telegram => {
            Telegram::new(&config.telegram, Waits::default()).ok().map(|telegram| telegram.account().to_owned())
        }
        ChannelKind::WhatsApp => config.whatsapp.is_on().then(|| config.whatsapp.phone_number_id.clone()),
        ChannelKind::Max => config.max.is_on().then(|| config.max.account.clone()),
    }
}
