//! Opening, restarting, and refusing.

use firstline::adapters::store::SqlStore;
use firstline::domain::handoff::HandoffReason;
use firstline::domain::id::{Ids, OperatorId};
use firstline::ports::desk::{DeskStore, Operator};
use firstline::ports::ledger::Ledger;
use firstline::ports::store::{Loop, StoreError};
use sqlx::Row;

use crate::support::{Kind, Stage, at, texts, timing, update, web, words};

/// An error with its causes, as a log shows it.
fn chain(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

pub(crate) async fn everything_outlives_a_restart(stage: &Stage) {
    stage.writes(&web("ana"), "Верните деньги", 0).await;
    let id = stage.hands_over(HandoffReason::Complex, 3, 10).await;
    let (other, _) = stage.writes(&web("bob"), "Вопрос", 11).await;
    let lease = stage.lease(20).await.unwrap();
    let draft = stage.draft(&stage.load(&lease).await);
    assert!(stage.store.save_turn(&lease, &draft, at(21)).await.unwrap());
    let before = stage.store.depth().await.unwrap();

    // SQLite's file has one owner: this store lets go of it first. PostgreSQL has room for both.
    let reopened = match stage.database.kind {
        Kind::Sqlite => {
            let copy = stage.database.sqlite_file().with_file_name("copy.db");
            // A copy of file and log, taken while the store is open, is what a crash leaves behind.
            std::fs::copy(stage.database.sqlite_file(), &copy).unwrap();
            let log = stage.database.sqlite_file().with_file_name("firstline #1.db-wal");
            std::fs::copy(log, copy.with_file_name("copy.db-wal")).unwrap();
            let crashed = SqlStore::open_sqlite(&copy).await.unwrap();
            crashed.close().await;
            SqlStore::open_sqlite(&copy).await.unwrap()
        }
        Kind::Postgres => stage.database.open().await,
    };
    assert_eq!(reopened.depth().await.unwrap(), before);
    assert_eq!(texts(&reopened.transcript(id, 0, 10).await.unwrap()), ["Верните деньги", "Позову коллегу."]);
    let again = [update(&web("ana"), "update-0", words("Верните деньги"))];
    let accepted = reopened.accept(&again, None, &timing(), at(30)).await.unwrap();
    assert!(matches!(accepted[..], [firstline::ports::store::Accepted::Duplicate { .. }]), "{accepted:?}");
    let lease = reopened.claim_turn(&stage.claim(), at(60)).await.unwrap().unwrap();
    assert_eq!(lease.conversation, other);
    assert_eq!(reopened.load_turn(&lease, 30).await.unwrap().unwrap().saved, Some(draft));
    assert_eq!(reopened.unit_count().await.unwrap(), 1);
    reopened.close().await;
}

pub(crate) async fn a_data_directory_has_one_owner() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("data").join("firstline.db");
    let store = SqlStore::open_sqlite(&file).await.unwrap();
    let error = SqlStore::open_sqlite(&file).await.err().expect("it is in use");
    assert!(chain(&error).contains("another firstline uses this data directory"), "{}", chain(&error));
    store.close().await;
    let store = SqlStore::open_sqlite(&file).await.unwrap();
    assert_eq!(store.depth().await.unwrap().owed, 0);
    // A store that is dropped without a word lets go too.
    drop(store);
    SqlStore::open_sqlite(&file).await.unwrap().close().await;

    let blocked = directory.path().join("file");
    std::fs::write(&blocked, "").unwrap();
    let error = SqlStore::open_sqlite(&blocked.join("firstline.db")).await.err().expect("a file is no directory");
    assert!(chain(&error).contains("the data directory can't be used"), "{}", chain(&error));
    std::fs::write(directory.path().join("text.db"), "this is no database at all, and long enough to be seen").unwrap();
    let error = SqlStore::open_sqlite(&directory.path().join("text.db")).await.err().expect("it is no database");
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    let error = SqlStore::open_postgres("mysql://localhost/x").await.err().expect("it is not PostgreSQL");
    assert!(chain(&error).contains("no address of a database"), "{}", chain(&error));
}

pub(crate) async fn a_command_may_look_beside_the_owner() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("new").join("firstline.db");
    // Before anybody serves from it, and then beside who does.
    SqlStore::open_sqlite_beside(&file).await.unwrap().close().await;
    let owner = SqlStore::open_sqlite(&file).await.unwrap();
    let beside = SqlStore::open_sqlite_beside(&file).await.unwrap();
    let update = [update(&web("ana"), "1", words("Здравствуйте"))];
    owner.accept(&update, None, &timing(), at(0)).await.unwrap();
    assert_eq!(beside.depth().await.unwrap().unanswered, 1);
    let ann = Operator {
        id: OperatorId::fresh(&Ids::seeded(1), at(0)),
        login: "ann".to_owned(),
        name: "Анна".to_owned(),
        one_time_password: true,
    };
    assert!(beside.add_operator(&ann, "hash", at(1)).await.unwrap());
    beside.close().await;
    assert_eq!(owner.operators().await.unwrap(), [ann]);
    owner.close().await;
}

pub(crate) async fn a_newer_schema_is_refused(stage: &Stage) {
    stage
        .change_rows(match stage.database.kind {
            Kind::Sqlite => {
                "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
                 values (9999, 'future', true, x'00', 0)"
            }
            Kind::Postgres => {
                "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
                 values (9999, 'future', true, '\\x00', 0)"
            }
        })
        .await;
    let refused = match stage.database.kind {
        Kind::Sqlite => {
            let copy = stage.database.sqlite_file().with_file_name("copy.db");
            stage.change_rows("pragma wal_checkpoint(truncate)").await;
            std::fs::copy(stage.database.sqlite_file(), &copy).unwrap();
            SqlStore::open_sqlite(&copy).await
        }
        Kind::Postgres => stage.database.try_open().await,
    };
    let error = refused.err().expect("the schema is from the future");
    assert!(chain(&error).contains("written by a newer firstline"), "{}", chain(&error));
}

pub(crate) async fn an_unreadable_row_is_named(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "тайна", 0).await;
    stage.hands_over(HandoffReason::Complex, 3, 10).await;
    stage.change_rows("update handoffs set package = '{\"mood\": [\"тайна\"]}'").await;
    let error = stage.store.handoff(id).await.unwrap_err();
    let StoreError::Corrupt { table: "handoffs", column: "package", id: row, .. } = &error else { panic!("{error:?}") };
    assert!(row.starts_with("hand_"), "{row}");
    assert!(!format!("{} {error:?}", chain(&error)).contains("тайна"), "{}", chain(&error));

    stage.change_rows("update messages set citations = text where author = 'customer'").await;
    let error = stage.store.transcript(id, 0, 10).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { table: "messages", column: "citations", .. }), "{error:?}");
    assert!(!format!("{} {error:?}", chain(&error)).contains("тайна"), "{}", chain(&error));

    stage.change_rows("update addresses set channel = 'pigeon'").await;
    let error = stage.store.conversation(id).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { table: "addresses", column: "channel", .. }), "{error:?}");
}

/// What the driver that speaks to either database must be able to do.
pub(crate) async fn the_drivers_can_what_we_need(stage: &Stage) {
    let raw = stage.database.raw().await;
    let table = "create table probe (id bigint primary key, number bigint, words text, part double precision)";
    sqlx::query(table).execute(&raw).await.unwrap();
    let insert = "insert into probe (id, number, words, part) values ($1, $2, $3, $4)";
    let full = (Some(i64::MIN), Some("слова".to_owned()), 0.1_f64);
    let bare = (None::<i64>, None::<String>, -0.5_f64);
    for (id, (number, words, part)) in [(1_i64, full.clone()), (2, bare.clone())] {
        sqlx::query(insert).bind(id).bind(number).bind(words).bind(part).execute(&raw).await.unwrap();
    }
    let clash = sqlx::query(insert).bind(2_i64).bind(full.0).bind(full.1.clone()).bind(full.2).execute(&raw).await;
    assert!(clash.unwrap_err().as_database_error().unwrap().is_unique_violation());
    let returning = "update probe set id = id + 10 where id >= $1 and id <= $1 + 1 returning number, words, part";
    let found = sqlx::query(returning).bind(1_i64).fetch_all(&raw).await.unwrap();
    let read: Vec<(Option<i64>, Option<String>, f64)> =
        found.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    assert_eq!(read, [full, bare]);
    let ignored = sqlx::query("insert into probe (id) values ($1) on conflict do nothing").bind(11_i64);
    assert_eq!(ignored.execute(&raw).await.unwrap().rows_affected(), 0);
    raw.close().await;
}
