//! The ground under every statement: what differs between the two databases, how values are bound and read, and what
//! can go wrong.
//!
//! Statements are written once, in the SQL that both databases speak. Values are bound by [`Put::put`] and read by
//! [`Fields`]; nothing a person wrote becomes part of a statement or of an error.

use std::future::Future;

use jiff::{SignedDuration, Timestamp};
use sqlx::any::{Any, AnyArguments, AnyRow};
use sqlx::{AnyPool, AssertSqlSafe, Decode, Encode, Row, Transaction, Type};

use crate::domain::id::{
    AttachmentId, BootId, ConversationId, CustomerId, EpisodeId, FactId, HandoffId, MergeId, MessageId, OperatorId,
    OutboxId, TurnId,
};
use crate::domain::text::{Language, MessageText};
use crate::ports::store::StoreError;

/// How often a transaction is repeated that lost a race against another one.
const TRIES: usize = 8;

/// A transaction that writes.
pub(super) type Tx = Transaction<'static, Any>;

/// A statement with what is bound so far.
pub(super) type Statement = sqlx::query::Query<'static, Any, AnyArguments>;

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// One process, one writer at a time.
    Sqlite,
    /// Several processes; rows are locked.
    Postgres,
}

impl Dialect {
    /// Begins a transaction that will write. SQLite takes its write lock now: a transaction that began by reading
    /// could not be sure to get it later.
    pub(super) async fn begin(self, pool: &AnyPool) -> Result<Tx, Failure> {
        match self {
            Dialect::Sqlite => Ok(pool.begin_with("begin immediate").await?),
            Dialect::Postgres => Ok(pool.begin().await?),
        }
    }

    /// What ends a `select` so that it holds the rows of `table` until the transaction ends.
    pub(super) fn hold(self, table: &str) -> String {
        match self {
            Dialect::Sqlite => String::new(),
            Dialect::Postgres => format!("for update of {table}"),
        }
    }

    /// What ends a `select` so that it holds the rows of `tables` and passes over those that others hold.
    pub(super) fn hold_free(self, tables: &str) -> String {
        match self {
            Dialect::Sqlite => String::new(),
            Dialect::Postgres => format!("for update of {tables} skip locked"),
        }
    }
}

/// Ends a transaction without a trace. One that is only dropped ends a little later, and holds its rows until then.
pub(super) async fn undone<T>(tx: Tx, outcome: T) -> Result<T, Failure> {
    tx.rollback().await?;
    Ok(outcome)
}

/// A statement put together from constants of this module: a list of columns, a dialect's ending.
pub(super) fn composed(text: String) -> Statement {
    sqlx::query(AssertSqlSafe(text))
}

/// Why a statement or a row failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The database did not do it.
    Sql(sqlx::Error),
    /// A row that our own rules don't allow.
    Corrupt { table: &'static str, column: &'static str, id: String, why: String },
}

impl Failure {
    /// Another transaction came first, and the whole of this one may succeed if repeated.
    fn is_race(&self) -> bool {
        let Failure::Sql(sqlx::Error::Database(error)) = self else { return false };
        // Serialization failure and deadlock, as PostgreSQL names them.
        error.is_unique_violation() || matches!(error.code().as_deref(), Some("40001" | "40P01"))
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Failure::Sql(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Sql(error) => StoreError::Unavailable(Box::new(error)),
            Failure::Corrupt { table, column, id, why } => StoreError::Corrupt { table, column, id, why },
        }
    }
}

/// Runs a whole transaction, and again where it lost a race: two processes meet the same new customer, say.
pub(super) async fn retried<T, F>(mut once: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, Failure>>,
{
    for _ in 1..TRIES {
        match once().await {
            Err(failure) if failure.is_race() => tokio::task::yield_now().await,
            other => return Ok(other?),
        }
    }
    Ok(once().await?)
}

/// A type of ours as the database keeps it.
pub(super) trait Value {
    /// Text, integer or float, or an option of them.
    type Sql: Encode<'static, Any> + Type<Any> + Send + 'static;

    /// The value to bind.
    fn value(self) -> Self::Sql;
}

/// Binds the next value of a statement.
pub(super) trait Put {
    fn put(self, value: impl Value) -> Self;
}

impl Put for Statement {
    fn put(self, value: impl Value) -> Self {
        self.bind(value.value())
    }
}

impl Value for i64 {
    type Sql = i64;

    fn value(self) -> i64 {
        self
    }
}

/// Never an option of one: the driver gives a missing float another width than a present one, and PostgreSQL then
/// refuses whichever comes second on a connection.
impl Value for f64 {
    type Sql = f64;

    fn value(self) -> f64 {
        self
    }
}

impl Value for bool {
    type Sql = i64;

    fn value(self) -> i64 {
        i64::from(self)
    }
}

/// A limit.
impl Value for usize {
    type Sql = i64;

    fn value(self) -> i64 {
        i64::try_from(self).unwrap_or(i64::MAX)
    }
}

impl Value for &str {
    type Sql = String;

    /// PostgreSQL keeps no NUL in text: a message that has one must not become one that can never be stored.
    fn value(self) -> String {
        self.replace('\0', "\u{fffd}")
    }
}

impl Value for &String {
    type Sql = String;

    fn value(self) -> String {
        self.as_str().value()
    }
}

impl Value for &MessageText {
    type Sql = String;

    fn value(self) -> String {
        self.as_str().value()
    }
}

impl Value for Language {
    type Sql = String;

    fn value(self) -> String {
        self.code().to_owned()
    }
}

impl Value for Timestamp {
    type Sql = i64;

    fn value(self) -> i64 {
        self.as_microsecond()
    }
}

impl Value for SignedDuration {
    type Sql = i64;

    fn value(self) -> i64 {
        i64::try_from(self.as_micros()).unwrap_or(i64::MAX)
    }
}

impl<T: Value> Value for Option<T>
where
    Option<T::Sql>: Encode<'static, Any> + Type<Any>,
{
    type Sql = Option<T::Sql>;

    fn value(self) -> Self::Sql {
        self.map(T::value)
    }
}

macro_rules! printed {
    ($($id:ident),*) => {
        $(impl Value for $id {
            type Sql = String;

            fn value(self) -> String {
                self.to_string()
            }
        })*
    };
}

printed!(
    AttachmentId,
    BootId,
    ConversationId,
    CustomerId,
    EpisodeId,
    FactId,
    HandoffId,
    MergeId,
    MessageId,
    OperatorId,
    OutboxId,
    TurnId
);

/// A document as it is kept.
pub(super) fn document<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("documents of the domain have text keys only")
}

/// The columns of one table in a row. Columns are named with a prefix, so that one row may hold several tables.
pub(super) struct Fields<'r> {
    row: &'r AnyRow,
    table: &'static str,
    prefix: &'static str,
    id: String,
}

impl<'r> Fields<'r> {
    /// The columns of `table`, whose names in `row` begin with `prefix`.
    pub(super) fn new(row: &'r AnyRow, table: &'static str, prefix: &'static str) -> Self {
        let id = row.try_get::<String, _>(format!("{prefix}id").as_str()).unwrap_or_default();
        Self { row, table, prefix, id }
    }

    /// That column of this row is not as it should be.
    pub(super) fn corrupt(&self, column: &'static str, why: impl Into<String>) -> Failure {
        Failure::Corrupt { table: self.table, column, id: self.id.clone(), why: why.into() }
    }

    /// A value, or nothing where it is null. The driver's own message would show the value, so it is left out.
    fn get<T>(&self, column: &'static str, kind: &str) -> Result<Option<T>, Failure>
    where
        T: Decode<'r, Any> + Type<Any>,
    {
        self.row
            .try_get::<Option<T>, _>(format!("{}{column}", self.prefix).as_str())
            .map_err(|_| self.corrupt(column, format!("it is no {kind}")))
    }

    fn present<T>(&self, column: &'static str, value: Option<T>) -> Result<T, Failure> {
        value.ok_or_else(|| self.corrupt(column, "it is null"))
    }

    pub(super) fn text(&self, column: &'static str) -> Result<String, Failure> {
        self.present(column, self.text_or_null(column)?)
    }

    pub(super) fn text_or_null(&self, column: &'static str) -> Result<Option<String>, Failure> {
        self.get(column, "text")
    }

    pub(super) fn words(&self, column: &'static str) -> Result<MessageText, Failure> {
        Ok(MessageText::new(self.text(column)?))
    }

    pub(super) fn integer(&self, column: &'static str) -> Result<i64, Failure> {
        self.present(column, self.integer_or_null(column)?)
    }

    pub(super) fn integer_or_null(&self, column: &'static str) -> Result<Option<i64>, Failure> {
        self.get(column, "integer")
    }

    pub(super) fn float(&self, column: &'static str) -> Result<f64, Failure> {
        self.present(column, self.get(column, "number")?)
    }

    pub(super) fn time(&self, column: &'static str) -> Result<Timestamp, Failure> {
        self.present(column, self.time_or_null(column)?)
    }

    pub(super) fn time_or_null(&self, column: &'static str) -> Result<Option<Timestamp>, Failure> {
        self.integer_or_null(column)?
            .map(|micros| Timestamp::from_microsecond(micros).map_err(|_| self.corrupt(column, "no such time")))
            .transpose()
    }

    pub(super) fn id<T: std::str::FromStr>(&self, column: &'static str) -> Result<T, Failure> {
        self.present(column, self.id_or_null(column)?)
    }

    pub(super) fn id_or_null<T: std::str::FromStr>(&self, column: &'static str) -> Result<Option<T>, Failure> {
        self.text_or_null(column)?
            .map(|text| text.parse().map_err(|_| self.corrupt(column, "it is no id of its kind")))
            .transpose()
    }

    /// A name out of a closed list.
    pub(super) fn named<T>(&self, column: &'static str, known: impl Fn(&str) -> Option<T>) -> Result<T, Failure> {
        known(&self.text(column)?).ok_or_else(|| self.corrupt(column, "it is not on the list"))
    }

    pub(super) fn language(&self, column: &'static str) -> Result<Option<Language>, Failure> {
        self.text_or_null(column)?
            .map(|code| Language::from_code(&code).ok_or_else(|| self.corrupt(column, "it is no language we speak")))
            .transpose()
    }

    /// A document. What serde says may quote it, so only the place is told.
    pub(super) fn document<T: serde::de::DeserializeOwned>(&self, column: &'static str) -> Result<T, Failure> {
        serde_json::from_str(&self.text(column)?).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            self.corrupt(column, format!("it is not the document it should be: {place}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_with_a_nul_can_be_stored() {
        assert_eq!("a\0b".value(), "a\u{fffd}b");
    }
}
