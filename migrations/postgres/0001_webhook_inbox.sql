create table if not exists "webhook_inbox" (
    event bytea primary key,
    handled_at timestamptz not null default now()
);
create index if not exists "webhook_inbox_handled_at" on "webhook_inbox" (handled_at);

-- The last sequence of each stream, for sources that skip stale events.
create table if not exists "webhook_inbox_position" (
    stream bytea primary key,
    sequence bytea not null,
    handled_at timestamptz not null default now()
);
create index if not exists "webhook_inbox_position_at" on "webhook_inbox_position" (handled_at);
