-- Visitors of the web chat who are known to the site.

-- An address whose feed is read at another one: that of a visitor who was a stranger before the site said who they are. Positions of
-- both are given out by the other one.
alter table addresses add column feed_id integer references addresses (id) on delete set null;
create index addresses_by_feed on addresses (feed_id) where feed_id is not null;

-- What the site vouches for of a visitor, and whether it stands among the statements already.
alter table visitors add column claims text not null default '{}';
alter table visitors add column stated integer not null default 0;
