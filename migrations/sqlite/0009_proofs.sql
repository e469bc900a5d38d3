-- Who somebody is, as far as it is proven, and links by which a customer goes on elsewhere.

-- Evidence that an address is that of whoever has this number, or came by this link. It stays with its
-- address, so that merges and their ends take it along.
create table proofs (
    id integer not null primary key,
    address_id integer not null references addresses (id),
    kind text not null check (kind in ('phone', 'link')),
    value text not null,
    -- Who vouches: the channel for its sender, a contact that is their own, a link that was used.
    source text not null,
    -- The message that brought it, where one did.
    source_id text references messages (id),
    first_at integer not null,
    -- When it was vouched for last.
    proven_at integer not null,
    unique (address_id, kind, value)
) strict;

create index proofs_by_value on proofs (kind, value);
create index proofs_of_source on proofs (source_id) where source_id is not null;

-- One-time links: whoever opens one is who asked for it, unless they are known here already and have not said so.
create table links (
    token_hash text not null primary key,
    -- Where it was asked for.
    address_id integer not null references addresses (id),
    -- Where it leads.
    channel text not null,
    account text not null,
    created_at integer not null,
    expires_at integer not null,
    used_by integer references addresses (id),
    used_at integer,
    -- Somebody known came by it: when they were asked whether it was them, and when they said so.
    asked_at integer,
    confirmed_at integer,
    check ((used_by is null) = (used_at is null))
) strict;

create index links_of_address on links (address_id);
create index links_used_by on links (used_by) where used_by is not null;
