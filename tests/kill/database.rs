//! The store, looked at from outside: a log that triggers keep of what happened under which epoch and by whom, and the
//! rows at the end.
//!
//! The log also says how much happened: whether a turn or a send was under way when an owner changed, that the inbox had
//! to decide about a message's arrival, and that an unknown send was learnt to be one.
//!
//! The log is written in the transaction of what it tells, and per conversation in the order of the commits (the row of
//! the conversation is held), so that "claimed before the takeover" is a comparison of two numbers and no guess by time.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::{Any, AnyPool, AssertSqlSafe, Row, Transaction};

/// Less than the ten seconds after which the program gives a lock up.
const QUEUED_WITHIN: Duration = Duration::from_secs(8);

/// What the triggers write, in both dialects.
const LOG_OF_SQLITE: &str = "
create table audit_log (n integer primary key autoincrement, kind text not null, conversation_id text not null,
    subject text not null, epoch integer not null, conversation_epoch integer not null, owner text not null,
    lease_token integer not null, process text not null, thinking integer not null default 0,
    sending integer not null default 0) strict;
create trigger audit_arrival before insert on inbox when new.kind = 'message' begin
    insert into audit_log (kind, conversation_id, subject, epoch, conversation_epoch, owner, lease_token, process)
    values ('arrival', '', new.external_id, 0, 0, '', 0, '');
end;
create trigger audit_learnt after update of state on outbox when new.state = 'sent' and old.state = 'unknown' begin
    insert into audit_log (kind, conversation_id, subject, epoch, conversation_epoch, owner, lease_token, process)
    values ('learnt', new.conversation_id, new.id, new.epoch, new.epoch, '', 0, '');
end;
create trigger audit_claim after update of state on outbox when new.state = 'sending' and old.state <> 'sending' begin
    insert into audit_log (kind, conversation_id, subject, epoch, conversation_epoch, owner, lease_token, process)
    select 'claim ' || new.author, c.id, new.id, new.epoch, c.epoch, c.owner, c.lease_token, ''
    from conversations c where c.id = new.conversation_id;
end;
create trigger audit_owner after update of owner on conversations when new.owner <> old.owner begin
    insert into audit_log (kind, conversation_id, subject, epoch, conversation_epoch, owner, lease_token, process,
        thinking, sending)
    values ('owner', new.id, old.owner, new.epoch, new.epoch, new.owner, new.lease_token, '',
        old.lease_until is not null,
        exists (select 1 from outbox where conversation_id = new.id and state = 'sending'));
end;
create trigger audit_lease after update of lease_token on conversations when new.lease_token <> old.lease_token begin
    insert into audit_log (kind, conversation_id, subject, epoch, conversation_epoch, owner, lease_token, process)
    values ('lease', new.id, '', new.epoch, new.epoch, new.owner, new.lease_token, '');
end;
create trigger audit_commit after update of state on turns when new.state = 'committed' and old.state <> 'committed' begin
    insert into audit_log (kind, conversation_id, subject, epoch, conversation_epoch, owner, lease_token, process)
    select 'commit', c.id, new.id, new.epoch, c.epoch, c.owner, c.lease_token, ''
    from conversations c where c.id = new.conversation_id;
end;
";

const LOG_OF_POSTGRES: &str = "
create table audit_log (n bigint generated always as identity primary key, kind text not null,
    conversation_id text not null, subject text not null, epoch bigint not null, conversation_epoch bigint not null,
    owner text not null, lease_token bigint not null, process text not null, thinking integer not null default 0,
    sending integer not null default 0);
create function audit_arrived() returns trigger language plpgsql as $$ begin
    insert into audit_log (kind, conversation_id, subject, epoch, conversation_epoch, owner, lease_token, process)
    values ('arrival', '', new.external_id, 0, 0, '', 0, current_setting('application_name'));
    return new;
end $$;
create function audit() returns trigger language plpgsql as $$ begin
    insert into audit_log (kind, conversation_id, subject, epoch, conversation_epoch, owner, lease_token, process,
        thinking, sending)
    select case tg_argv[0] when 'claim' then 'claim ' || (to_jsonb(new) ->> 'author') else tg_argv[0] end, c.id,
        case tg_argv[0] when 'owner' then to_jsonb(old) ->> 'owner' else to_jsonb(new) ->> 'id' end,
        (to_jsonb(new) ->> 'epoch')::bigint, c.epoch, c.owner, c.lease_token, current_setting('application_name'),
        case when tg_argv[0] = 'owner' and to_jsonb(old) ->> 'lease_until' is not null then 1 else 0 end,
        case when tg_argv[0] = 'owner' and exists
            (select 1 from outbox p where p.conversation_id = c.id and p.state = 'sending') then 1 else 0 end
    from conversations c where c.id = case tg_table_name when 'conversations' then to_jsonb(new) ->> 'id'
        else to_jsonb(new) ->> 'conversation_id' end;
    return null;
end $$;
create trigger audit_arrival before insert on inbox for each row
    when (new.kind = 'message') execute function audit_arrived();
create trigger audit_learnt after update of state on outbox for each row
    when (new.state = 'sent' and old.state = 'unknown') execute function audit('learnt');
create trigger audit_claim after update of state on outbox for each row
    when (new.state = 'sending' and old.state <> 'sending') execute function audit('claim');
create trigger audit_owner after update of owner on conversations for each row
    when (new.owner <> old.owner) execute function audit('owner');
create trigger audit_lease after update of lease_token on conversations for each row
    when (new.lease_token <> old.lease_token) execute function audit('lease');
create trigger audit_commit after update of state on turns for each row
    when (new.state = 'committed' and old.state <> 'committed') execute function audit('commit');
";

/// What must come to nothing: things that somebody still has to do.
const OWED: &str = "
select (select count(*) from conversations where lease_until is not null)
    + (select count(*) from conversations where owner = 'bot' and ready_at is not null)
    + (select count(*) from outbox where state in ('pending', 'sending') or lease_until is not null)
    + (select count(*) from timers where claimed_until is not null
        or (due_at is not null and kind in ('reply_deadline', 'unknown_send', 'unclaimed_notice', 'package'))) as owed";

/// The database under test.
pub(crate) struct Database {
    pool: AnyPool,
}

/// A conversation that nobody may change.
pub(crate) struct HeldRow {
    tx: Transaction<'static, Any>,
    backend: i64,
}

impl HeldRow {
    /// Lets those who have queued up have it, in their order.
    pub(crate) async fn let_go(self) {
        self.tx.rollback().await.unwrap();
    }
}

/// A row of the log.
#[derive(Debug)]
pub(crate) struct Logged {
    pub(crate) number: i64,
    pub(crate) kind: String,
    pub(crate) conversation: String,
    pub(crate) subject: String,
    pub(crate) epoch: i64,
    pub(crate) conversation_epoch: i64,
    pub(crate) owner: String,
    pub(crate) lease_token: i64,
    pub(crate) process: String,
    /// Of a change of owner: whether a turn, or a send, was under way.
    pub(crate) thinking: bool,
    pub(crate) sending: bool,
}

impl Logged {
    /// A person got the conversation.
    pub(crate) fn is_takeover(&self) -> bool {
        self.kind == "owner" && self.owner == "human"
    }
}

impl Database {
    pub(crate) async fn sqlite(file: &Path) -> Self {
        let file = url::Url::from_file_path(file).unwrap();
        Self::open(&format!("sqlite://{}", file.path()), LOG_OF_SQLITE).await
    }

    pub(crate) async fn postgres(url: &str) -> Self {
        Self::open(url, LOG_OF_POSTGRES).await
    }

    async fn open(url: &str, log: &str) -> Self {
        sqlx::any::install_default_drivers();
        let pool = AnyPoolOptions::new().max_connections(6).connect(url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(log.to_owned())).execute(&pool).await.unwrap();
        Self { pool }
    }

    pub(crate) async fn rows(&self, select: &str) -> Vec<AnyRow> {
        sqlx::query(AssertSqlSafe(select.to_owned())).fetch_all(&self.pool).await.unwrap()
    }

    /// A figure: the first column of the only row.
    pub(crate) async fn figure(&self, select: &str) -> i64 {
        let row = sqlx::query(AssertSqlSafe(select.to_owned())).fetch_one(&self.pool).await.unwrap();
        row.get(0)
    }

    /// The conversation of a chat and its owner, once the chat has one.
    pub(crate) async fn conversation(&self, chat: i64) -> Option<(String, String)> {
        let select = format!(
            "select c.id, c.owner from conversations c join addresses a on a.id = c.address_id \
             where a.external = '{chat}' and c.owner <> 'resolved'"
        );
        self.rows(&select).await.first().map(|row| (row.get(0), row.get(1)))
    }

    /// The number of the newest change that gave a conversation to a person.
    pub(crate) async fn taken_at(&self, conversation: &str) -> i64 {
        self.figure(&format!(
            "select coalesce(max(n), 0) from audit_log where kind = 'owner' and owner = 'human' \
             and conversation_id = '{conversation}'"
        ))
        .await
    }

    pub(crate) async fn log(&self) -> Vec<Logged> {
        let select = "select n, kind, conversation_id, subject, epoch, conversation_epoch, owner, lease_token, process, \
                      cast(thinking as bigint), cast(sending as bigint) from audit_log order by n";
        let rows = self.rows(select).await;
        let read = |row: &AnyRow| Logged {
            number: row.get(0),
            kind: row.get(1),
            conversation: row.get(2),
            subject: row.get(3),
            epoch: row.get(4),
            conversation_epoch: row.get(5),
            owner: row.get(6),
            lease_token: row.get(7),
            process: row.get(8),
            thinking: row.get::<i64, _>(9) != 0,
            sending: row.get::<i64, _>(10) != 0,
        };
        rows.iter().map(read).collect()
    }

    /// Turns that are under way, each with its lease.
    pub(crate) async fn turns_under_way(&self) -> Vec<(String, i64)> {
        let rows = self.rows("select id, lease_token from conversations where lease_until is not null").await;
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// Parts that are being sent, each with the number of the attempt.
    pub(crate) async fn sends_under_way(&self) -> Vec<(String, i64)> {
        let rows = self.rows("select id, attempts from outbox where state = 'sending'").await;
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// Chats to which a process is sending something.
    pub(crate) async fn sends_of(&self, process: &str) -> Vec<i64> {
        let select = format!(
            "select a.external from outbox p join conversations c on c.id = p.conversation_id \
             join addresses a on a.id = c.address_id where p.state = 'sending' and (select l.process from audit_log l \
             where l.subject = p.id and l.kind = 'claim ' || p.author order by l.n desc limit 1) = '{process}'"
        );
        let rows = self.rows(&select).await;
        rows.iter().map(|row| row.get::<String, _>(0).parse().expect("a chat of Telegram")).collect()
    }

    /// Keeps a conversation from being changed; who wants to change it queues up. Only on PostgreSQL.
    pub(crate) async fn hold(&self, conversation: &str) -> HeldRow {
        let mut tx = self.pool.begin().await.unwrap();
        let select =
            format!("select pg_backend_pid()::bigint from conversations where id = '{conversation}' for share");
        let row = sqlx::query(AssertSqlSafe(select)).fetch_one(&mut *tx).await.unwrap();
        HeldRow { tx, backend: row.get(0) }
    }

    /// Waits until so many transactions queue up for a conversation that is held.
    pub(crate) async fn queued_up(&self, row: &HeldRow, count: i64) {
        let select = format!(
            "with recursive behind(pid) as (select {}::integer union select a.pid from pg_stat_activity a \
             join behind b on b.pid = any(pg_blocking_pids(a.pid))) \
             select count(*) from behind b join pg_stat_activity a on a.pid = b.pid and a.pid <> {} \
             where a.query like 'select%for update%'",
            row.backend, row.backend
        );
        let began = Instant::now();
        while self.figure(&select).await < count {
            assert!(began.elapsed() < QUEUED_WITHIN, "no {count} transactions queue up for the conversation");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// How many parts of a conversation are being sent.
    pub(crate) async fn sends_in(&self, conversation: &str) -> i64 {
        let select =
            format!("select count(*) from outbox where state = 'sending' and conversation_id = '{conversation}'");
        self.figure(&select).await
    }

    /// Waits until nobody has anything left to do; what is left after `within`.
    pub(crate) async fn drained(&self, within: Duration) -> i64 {
        let began = Instant::now();
        loop {
            let owed = self.figure(OWED).await;
            if owed == 0 || began.elapsed() > within {
                return owed;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
