create table if not exists "webhook_inbox" (
    event blob not null primary key,
    handled_at integer not null default (unixepoch())
) strict, without rowid;
create index if not exists "webhook_inbox_handled_at" on "webhook_inbox" (handled_at);

-- The last sequence of each stream, for sources that skip stale events.
create table if not exists "webhook_inbox_position" (
    stream blob not null primary key,
    sequence blob not null,
    handled_at integer not null default (unixepoch())
) strict, without rowid;
create index if not exists "webhook_inbox_position_at" on "webhook_inbox_position" (handled_at);
