-- What channels tell beside new words: files, changed and withdrawn words, what became of a part, an address that moved.

-- The channel's own id of a customer's message: edits and deletions name it. It goes over to the row that holds its newest words.
alter table messages add column provider_id text;
-- The customer changed the words before anybody answered them.
alter table messages add column edited_at integer;
-- The customer changed the words after they were answered: the message that says it now.
alter table messages add column replaced_by text references messages (id);
-- The customer took it back: its words are gone.
alter table messages add column deleted_at integer;
create unique index messages_by_provider on messages (address_id, provider_id) where provider_id is not null;
create index messages_replaced on messages (replaced_by) where replaced_by is not null;

-- Files that came with messages. The bytes are at the channel until they are stored.
create table attachments (
    id text not null primary key,
    message_id text not null references messages (id),
    place integer not null,
    kind text not null,
    -- The channel's key by which the bytes are fetched.
    remote text not null,
    name text,
    mime text,
    size integer,
    seconds integer,
    state text not null check (state in ('remote', 'stored', 'refused', 'gone')),
    file text,
    sha256 text,
    -- What is said in it.
    words text,
    created_at integer not null,
    unique (message_id, place)
) strict;

-- How far the channel says a part has come.
alter table outbox add column delivered_at integer;
alter table outbox add column read_at integer;
-- The category by which the channel charges for it.
alter table outbox add column billed text;
create index outbox_by_provider on outbox (provider_id) where provider_id is not null;

-- What a channel told of a part before it had answered our send: applied when the part's id is known.
create table receipts (
    id integer not null primary key,
    address_id integer not null references addresses (id),
    provider_id text not null,
    state text not null,
    why text,
    unreachable integer not null,
    billed text,
    received_at integer not null
) strict;

create index receipts_of_address on receipts (address_id, provider_id);

-- When the customer wrote last, by the channel's clock where it tells: how long we may write depends on it.
alter table addresses add column last_inbound_at integer;
update addresses set last_inbound_at =
    (select max(m.received_at) from messages m where m.address_id = addresses.id and m.author = 'customer');
