-- Customers who are known to be one person. A merge is an edge from the part to the whole, and nothing is lost by it: every
-- address keeps the customer it belonged to, so that a cut edge gives each side its own again.

-- The customer of whom this one is a part by now.
alter table customers add column merged_into text references customers (id);
create index customers_merged on customers (merged_into) where merged_into is not null;

-- Whose address it was before it was merged; null where that is whose it is.
alter table addresses add column home_id text references customers (id);

create table merges (
    id text not null primary key,
    part_id text not null references customers (id),
    whole_id text not null references customers (id),
    -- Who vouches for it: an operator's login, or 'cli'.
    merged_by text not null,
    merged_at integer not null,
    undone_by text,
    undone_at integer,
    check ((undone_at is null) = (undone_by is null)),
    check (part_id <> whole_id)
) strict;

create unique index one_merge_of_part on merges (part_id) where undone_at is null;
create index merges_of_whole on merges (whole_id);
