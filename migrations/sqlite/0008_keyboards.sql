-- Buttons under what we say, and how satisfied customers were.

-- JSON: what stands on each, and what comes back when it is tapped.
alter table messages add column buttons text not null default '[]';
-- Those of the message, at its last part.
alter table outbox add column buttons text not null default '[]';

-- Asked once, when an operator has resolved the conversation.
create table csat (
    conversation_id text not null primary key references conversations (id),
    address_id integer not null references addresses (id),
    -- Who helped: the bot, people, or both.
    kind text not null check (kind in ('bot', 'assisted', 'human')),
    -- What is said to the answer, in the customer's language.
    thanks text not null,
    asked_at integer not null,
    score integer check (score between 1 and 5),
    scored_at integer,
    check ((score is null) = (scored_at is null))
) strict;

create index csat_of_address on csat (address_id, asked_at);
