-- The store on PostgreSQL. The SQLite folder holds the same tables; only the types differ.
-- Ids are text in their printed form (conv_...), times are microseconds since 1970 in UTC, documents are JSON text.

create table customers (
    id text not null primary key,
    display_name text,
    language text,
    created_at bigint not null
);

-- Where a customer writes from. Its counter hands out feed positions: the row is locked until the transaction that took
-- a position ends, so positions become visible in the order of their numbers.
create table addresses (
    id bigint generated always as identity primary key,
    customer_id text not null references customers (id),
    channel text not null,
    account text not null,
    external text not null,
    feed_position bigint not null default 0,
    first_seen_at bigint not null,
    unique (channel, account, external)
);

create index addresses_of_customer on addresses (customer_id);

create table conversations (
    id text not null primary key,
    customer_id text not null references customers (id),
    address_id bigint not null references addresses (id),
    owner text not null check (owner in ('bot', 'queued', 'human', 'resolved')),
    operator_id text,
    -- Raised by every change of owner.
    epoch bigint not null,
    last_seq bigint not null,
    -- The customer's newest message: the fence of a turn's commit looks here, in the row that it locks.
    customer_seq bigint not null,
    handled_seq bigint not null,
    -- When the bot's turn may begin; null where the bot owes nothing.
    ready_at bigint,
    lease_until bigint,
    lease_token bigint not null default 0,
    lease_boot text,
    language text,
    disclosed_at bigint,
    ask_backs bigint not null default 0,
    failures bigint not null default 0,
    -- How long a message may stay unanswered, as it was when the customer last wrote.
    reply_within bigint not null,
    opened_at bigint not null,
    last_activity_at bigint not null,
    resolved_at bigint,
    check ((owner = 'human') = (operator_id is not null)),
    check (handled_seq <= last_seq and customer_seq <= last_seq)
);

create unique index one_conversation_per_address on conversations (address_id) where owner <> 'resolved';
create index conversations_at_address on conversations (address_id, opened_at);
create index conversations_of_customer on conversations (customer_id);
create index conversations_ready on conversations (ready_at) where owner = 'bot' and ready_at is not null;
create index conversations_leased on conversations (lease_boot) where lease_until is not null;
create index conversations_of_bot on conversations (last_activity_at) where owner = 'bot';

-- What came in, once each: the unique key decides, not a check before the insert. Operators' actions stand here under
-- the channel 'desk'.
create table inbox (
    id bigint generated always as identity primary key,
    channel text not null,
    account text not null,
    external_id text not null,
    kind text not null,
    conversation_id text references conversations (id),
    message_id text,
    seq bigint,
    sent_at bigint,
    received_at bigint not null,
    unique (channel, account, external_id)
);

create table messages (
    id text not null primary key,
    conversation_id text not null references conversations (id),
    address_id bigint not null references addresses (id),
    seq bigint not null,
    author text not null check (author in ('customer', 'bot', 'operator', 'note')),
    operator_id text,
    text text not null,
    citations text not null,
    turn_id text,
    received_at bigint not null,
    delivered_at bigint,
    -- Set where every part was cancelled before the customer could see any: it was never said.
    withdrawn_at bigint,
    feed_position bigint,
    unique (conversation_id, seq),
    unique (address_id, feed_position),
    check ((delivered_at is null) = (feed_position is null))
);

create index messages_of_customers on messages (conversation_id, received_at) where author = 'customer';

create table turns (
    id text not null primary key,
    conversation_id text not null references conversations (id),
    epoch bigint not null,
    from_seq bigint not null,
    to_seq bigint not null,
    state text not null check (state in ('drafted', 'committed', 'superseded', 'withdrawn', 'failed')),
    decision text,
    reason text,
    -- The draft, until the turn is over.
    saved text,
    record text,
    reply_id text,
    error text,
    started_at bigint not null,
    finished_at bigint
);

create unique index one_committed_turn on turns (conversation_id, to_seq) where state = 'committed';
create index turns_drafted on turns (conversation_id) where state = 'drafted';
create index turns_by_reply on turns (reply_id) where reply_id is not null;

create table outbox (
    id text not null primary key,
    conversation_id text not null references conversations (id),
    message_id text not null references messages (id),
    author text not null check (author in ('bot', 'operator')),
    -- The conversation's epoch when this was promised: the bot's parts are sent under it only.
    epoch bigint not null,
    -- Order in the conversation: the message's sequence, then the part.
    seq bigint not null,
    part bigint not null,
    text text not null,
    dedupe_key text not null unique,
    state text not null check (state in ('pending', 'sending', 'sent', 'unknown', 'dead', 'cancelled')),
    attempts bigint not null default 0,
    next_attempt_at bigint not null,
    lease_until bigint,
    lease_boot text,
    provider_id text,
    error text,
    created_at bigint not null,
    settled_at bigint,
    unique (conversation_id, seq, part)
);

create index outbox_of_message on outbox (message_id);
create index outbox_due on outbox (next_attempt_at) where state = 'pending';
create index outbox_unsettled on outbox (conversation_id, seq, part) where state in ('pending', 'sending');
create index outbox_sending on outbox (lease_until) where state = 'sending';
create index outbox_undelivered on outbox (conversation_id) where state in ('unknown', 'dead');

create table handoffs (
    id text not null primary key,
    conversation_id text not null references conversations (id),
    reason text not null,
    queue text not null,
    priority bigint not null,
    state text not null check (state in ('open', 'claimed', 'released', 'resolved')),
    operator_id text,
    package text not null,
    opened_at bigint not null,
    claimed_at bigint,
    closed_at bigint
);

create unique index one_handoff_per_conversation on handoffs (conversation_id) where state in ('open', 'claimed');
create index handoffs_of_conversation on handoffs (conversation_id, opened_at);
create index handoffs_waiting on handoffs (priority, opened_at) where state in ('open', 'claimed');

-- Customer messages with the answer they got, by the first of the messages.
create table exchanges (
    message_id text not null primary key references messages (id),
    conversation_id text not null references conversations (id),
    customer_id text not null references customers (id),
    from_seq bigint not null,
    to_seq bigint not null,
    reply_id text not null references messages (id),
    -- The reply is only the notice of a handoff: an operator's words will take its place.
    awaits_operator bigint not null
);

create index exchanges_of_conversation on exchanges (conversation_id, to_seq);
create index exchanges_by_reply on exchanges (reply_id);

create table episodes (
    id text not null primary key,
    customer_id text not null references customers (id),
    conversation_id text not null references conversations (id),
    from_seq bigint not null,
    to_seq bigint not null,
    channel text not null,
    summary text not null,
    outcome text not null,
    mood text not null,
    started_at bigint not null,
    ended_at bigint not null,
    unique (conversation_id, to_seq)
);

create index episodes_of_customer on episodes (customer_id, ended_at);

create table facts (
    id text not null primary key,
    customer_id text not null references customers (id),
    key text not null,
    value text not null,
    kind text not null,
    confidence double precision not null,
    source_id text not null references messages (id),
    valid_at bigint not null,
    invalid_at bigint,
    recorded_at bigint not null,
    superseded_at bigint
);

create index facts_holding on facts (customer_id, valid_at) where invalid_at is null and superseded_at is null;

-- A timer that is done keeps its row without a time, so that its version never repeats.
create table timers (
    conversation_id text not null references conversations (id),
    kind text not null,
    due_at bigint,
    version bigint not null,
    claimed_until bigint,
    lease_boot text,
    primary key (conversation_id, kind)
);

create index timers_due on timers (due_at) where due_at is not null;

-- The newest change of every unit of memory, in the order in which changes were committed. Each index reads on from its
-- own position; an index that is new, or was wiped, has none and reads from the beginning.
create table index_changes (
    number bigint generated always as identity primary key,
    customer_id text not null references customers (id),
    unit text not null,
    unit_id text not null,
    changed_at bigint not null
);

create index index_changes_of_unit on index_changes (unit, unit_id);

create table index_positions (
    index_name text not null primary key,
    position bigint not null
);

create table operators (
    id text not null primary key,
    login text not null unique,
    name text not null,
    password_hash text not null,
    one_time_password bigint not null,
    created_at bigint not null
);

create table sessions (
    token_hash text not null primary key,
    operator_id text not null references operators (id),
    csrf text not null,
    expires_at bigint not null
);

create index sessions_of_operator on sessions (operator_id);

create table visitors (
    token_hash text not null primary key,
    channel text not null,
    account text not null,
    external text not null,
    created_at bigint not null
);

create table cursors (
    channel text not null,
    account text not null,
    position text not null,
    updated_at bigint not null,
    primary key (channel, account)
);

-- Processes that are alive.
create table boots (
    id text not null primary key,
    started_at bigint not null,
    renewed_at bigint not null
);
