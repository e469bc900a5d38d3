-- The ledger of facts on two axes of time, and what a customer may demand of us: to be told, to be forgotten, to be left alone.

-- Raised by every change of the customer's ledger: who read an older one must read again before writing.
alter table customers add column ledger integer not null default 0;
-- 'off': nothing is learnt and nothing is recalled; the bot still answers.
alter table customers add column memory text not null default 'on' check (memory in ('on', 'off'));
-- Since when it is on again: what was said before is not learnt.
alter table customers add column memory_since integer;

-- Where the customer's mood went.
alter table episodes add column trend text not null default 'same';

-- When a promise falls due.
alter table facts add column due_at integer;
-- Facts that had ended carried both ends in one row; now a row that is superseded says only what was thought then.
update facts set superseded_at = null where invalid_at is not null;

create index exchanges_of_customer on exchanges (customer_id);
create index facts_of_source on facts (source_id);
create index facts_due on facts (customer_id, due_at) where due_at is not null and invalid_at is null and superseded_at is null;

-- The evidence of facts: who said what of what, once each.
create table statements (
    id integer not null primary key,
    customer_id text not null references customers (id),
    key text not null,
    value text not null,
    stance text not null check (stance in ('stated', 'ended', 'retracted')),
    kind text not null,
    confidence real not null,
    source_id text not null references messages (id),
    valid_at integer not null,
    due_at integer,
    recorded_at integer not null,
    unique (source_id, key, stance, value)
) strict;

create index statements_of_customer on statements (customer_id, key);

insert into statements (customer_id, key, value, stance, kind, confidence, source_id, valid_at, recorded_at)
select distinct f.customer_id, f.key, f.value, 'stated', f.kind, f.confidence, f.source_id, f.valid_at, f.recorded_at from facts f where true
on conflict do nothing;

-- What must not come back: a value that was to be forgotten, as the hash of customer, key and value.
create table forgotten (
    customer_id text not null references customers (id),
    hash text not null,
    forgotten_at integer not null,
    primary key (customer_id, hash)
) strict;

-- Who was erased. No word of theirs is here: hashes of their addresses under a salt of their own, a list in JSON, so that
-- what they wrote before does not come in once more; and the change by which indexes hear of it.
create table erased (
    customer_id text not null primary key,
    salt text not null,
    addresses text not null,
    erased_at integer not null,
    rows_erased integer not null,
    change_number integer not null
) strict;

-- Who looked at whose memory.
create table accesses (
    id integer not null primary key,
    customer_id text not null,
    who text not null,
    what text not null,
    at integer not null
) strict;

create index accesses_of_customer on accesses (customer_id, at);

-- Changes outlive their customer: every index must hear that somebody is gone.
create table index_changes_kept (
    number integer not null primary key autoincrement,
    customer_id text not null,
    unit text not null,
    unit_id text not null,
    changed_at integer not null
) strict;
insert into index_changes_kept (number, customer_id, unit, unit_id, changed_at)
select number, customer_id, unit, unit_id, changed_at from index_changes;
drop table index_changes;
alter table index_changes_kept rename to index_changes;
create index index_changes_of_unit on index_changes (unit, unit_id);
create index index_changes_of_customer on index_changes (customer_id);
