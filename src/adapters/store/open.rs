//! Opening a database, and bringing it up to date.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AnyConnection, AnyPool, ConnectOptions, Connection, Executor};
use url::Url;

use super::SqlStore;
use super::applying::Applying;
use super::sql::Dialect;
use crate::domain::id::Ids;
use crate::ports::store::StoreError;

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Every commit reaches the disk before it is answered; a second connection waits for the first instead of failing; what is
/// deleted or overwritten is overwritten with zeros.
const SQLITE_PRAGMAS: &str = "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; \
    pragma busy_timeout = 10000; pragma secure_delete = on;";

/// A lock that another transaction does not give up is an error, not a worker that hangs. A process that freezes in the
/// middle of a transaction loses it before those who wait for its rows give up.
const POSTGRES_SETTINGS: &str = "set lock_timeout = '10s'; set idle_in_transaction_session_timeout = '5s';";

/// How long a transaction waits for a connection.
const ACQUIRE_WITHIN: Duration = Duration::from_secs(20);

const SQLITE_READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 12;

/// Why a database was not opened; the source of [`StoreError::Unavailable`].
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// SQLite's file has one owner.
    #[error("another firstline uses this data directory")]
    InUse,
    /// The directory or the file can't be used.
    #[error("the data directory can't be used: {}", path.display())]
    Directory {
        /// The directory or file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// The path or the address can't be understood.
    #[error("this is no address of a database")]
    Address(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Its schema has a migration that this program does not know.
    #[error("the database was written by a newer firstline: it has migration {0}, this one knows up to {1}")]
    Newer(i64, i64),
    /// The schema could not be brought up to date.
    #[error("the database could not be brought up to date")]
    Migrate(#[source] MigrateError),
    /// The database does not answer.
    #[error("the database can't be reached")]
    Connect(#[source] sqlx::Error),
}

impl From<OpenError> for StoreError {
    fn from(error: OpenError) -> Self {
        StoreError::Unavailable(Box::new(error))
    }
}

impl SqlStore {
    /// Opens SQLite's file, making it and its directory where there are none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] with an [`OpenError`].
    pub async fn open_sqlite(path: &Path) -> Result<SqlStore, StoreError> {
        let path = std::path::absolute(path).map_err(|source| unusable(path, source))?;
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(|source| unusable(directory, source))?;
        }
        let lock = lock_beside(&path)?;
        Self::open_file(&path, Some(lock)).await
    }

    /// Opens SQLite's file beside the process that serves from it, if one does: to look, or to change a row or two.
    /// Nothing may be recovered through it, for its owner's leases are alive.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] with an [`OpenError`].
    pub async fn open_sqlite_beside(path: &Path) -> Result<SqlStore, StoreError> {
        let path = std::path::absolute(path).map_err(|source| unusable(path, source))?;
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(|source| unusable(directory, source))?;
        }
        Self::open_file(&path, None).await
    }

    async fn open_file(path: &Path, lock: Option<File>) -> Result<SqlStore, StoreError> {
        let url = sqlite_url(path)?;
        let write = sqlite_pool(&url, 1, "").await?;
        migrate(&SQLITE_MIGRATIONS, &write).await?;
        let read = sqlite_pool(&url, SQLITE_READERS, "pragma query_only = on;").await?;
        Ok(SqlStore { dialect: Dialect::Sqlite, write, read, ids: Ids::os(), lock, applying: Applying::default() })
    }

    /// Opens a PostgreSQL database, which several processes may share: `postgres://user:password@host/database`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] with an [`OpenError`].
    pub async fn open_postgres(url: &str) -> Result<SqlStore, StoreError> {
        let url = Url::parse(url).map_err(|error| OpenError::Address(Box::new(error)))?;
        if !["postgres", "postgresql"].contains(&url.scheme()) {
            return Err(OpenError::Address("it does not begin with postgres://".into()).into());
        }
        // On a connection of its own, which waits as long as another process takes to migrate.
        let migrating = connect(&url, 1, "").await?;
        migrate(&POSTGRES_MIGRATIONS, &migrating).await?;
        migrating.close().await;
        let pool = connect(&url, POSTGRES_CONNECTIONS, POSTGRES_SETTINGS).await?;
        let (write, applying) = (pool.clone(), Applying::default());
        Ok(SqlStore { dialect: Dialect::Postgres, write, read: pool, ids: Ids::os(), lock: None, applying })
    }
}

/// Takes the file for this process. The lock is on a file of its own, so that it can't disturb SQLite's.
fn lock_beside(path: &Path) -> Result<File, OpenError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let failed = |source| OpenError::Directory { path: name.clone(), source };
    let file = File::options().create(true).truncate(false).write(true).open(&name).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

fn unusable(path: &Path, source: io::Error) -> OpenError {
    OpenError::Directory { path: path.to_owned(), source }
}

fn sqlite_url(path: &Path) -> Result<Url, OpenError> {
    // By way of a file address: it escapes whatever a path may hold.
    let file = Url::from_file_path(path).map_err(|()| OpenError::Address("the path is not absolute".into()))?;
    Url::parse(&format!("sqlite://{}?mode=rwc", file.path())).map_err(|error| OpenError::Address(Box::new(error)))
}

async fn sqlite_pool(url: &Url, connections: u32, more: &str) -> Result<AnyPool, OpenError> {
    connect(url, connections, &format!("{SQLITE_PRAGMAS}{more}")).await
}

async fn connect(url: &Url, connections: u32, settings: &str) -> Result<AnyPool, OpenError> {
    sqlx::any::install_default_drivers();
    let options = AnyConnectOptions::from_url(url).map_err(OpenError::Connect)?;
    let settings = settings.to_owned();
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_WITHIN)
        .after_connect(move |connection, _| {
            let settings = sqlx::AssertSqlSafe(settings.clone());
            Box::pin(async move { connection.execute(sqlx::raw_sql(settings)).await.map(drop) })
        })
        .after_release(|connection, _| Box::pin(is_outside_transaction(connection)))
        .connect_with(options)
        .await
        .map_err(OpenError::Connect)
}

/// Whether a connection may be used again. A full disk makes SQLite end a transaction by itself; the driver goes on
/// counting it, and would begin none on this connection any more.
async fn is_outside_transaction(connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        // A transaction that was dropped is rolled back before this is answered.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

async fn migrate(migrations: &Migrator, pool: &AnyPool) -> Result<(), OpenError> {
    let newest = migrations.iter().map(|migration| migration.version).max().unwrap_or(0);
    migrations.run(pool).await.map_err(|error| match error {
        MigrateError::VersionMissing(version) if version > newest => OpenError::Newer(version, newest),
        other => OpenError::Migrate(other),
    })
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::domain::channel::{Address, ChannelKind, Inbound, InboundEvent};
    use crate::domain::text::MessageText;
    use crate::ports::desk::DeskStore;
    use crate::ports::store::{Accepted, Loop, Timing};

    fn update(number: usize) -> Inbound {
        let from = Address { channel: ChannelKind::Web, account: "main".to_owned(), external: "ana".to_owned() };
        Inbound::new(from, number.to_string(), InboundEvent::Message(MessageText::new("слово ".repeat(1000))))
    }

    #[tokio::test]
    async fn a_full_disk_refuses_whole_batches_until_there_is_room() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqlStore::open_sqlite(&directory.path().join("firstline.db")).await.unwrap();
        // SQLite answers with the same error as on a disk without room.
        sqlx::query("pragma max_page_count = 120").execute(&store.write).await.unwrap();
        let second = SignedDuration::from_secs(1);
        let timing = Timing {
            quiet: second,
            quiet_most: second,
            reply_within: second,
            episode_after: second,
            episode_messages: 0,
        };
        let now = Timestamp::UNIX_EPOCH;
        let mut kept = 0;
        let refused = loop {
            assert!(kept < 1000, "the disk never fills up");
            match store.accept(&[update(kept)], None, &timing, now).await {
                Ok(_) => kept += 1,
                Err(error) => break error,
            }
        };
        let StoreError::Unavailable(source) = refused else { panic!("{refused:?}") };
        assert!(source.to_string().contains("full"), "{source}");
        let conversation = store.conversation_at(&update(0).from).await.unwrap().unwrap();
        assert_eq!(usize::try_from(conversation.last_seq).unwrap(), kept, "nothing of the refused one was stored");

        sqlx::query("pragma max_page_count = 100000").execute(&store.write).await.unwrap();
        let accepted = store.accept(&[update(kept)], None, &timing, now).await.unwrap();
        assert!(matches!(accepted[..], [Accepted::New { .. }]), "{accepted:?}");
        store.close().await;
    }
}
