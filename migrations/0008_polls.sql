-- What pollers know: how far each query of a source has been read, what its platform lets us ask, and the tokens to ask
-- with.
set local lock_timeout = '1s';
set local statement_timeout = '2s';

-- A source has secrets that verify deliveries, and may have one set of tokens to ask its platform with.
alter table ops.source_secrets add column purpose text not null default 'verify' check (purpose in ('verify', 'poll'));

-- One row per source and query. A sweep goes from the newest page to what was known when it began; the cursor moves to
-- the sweep's newest post when the sweep has got there, so that a sweep that ends half way leaves no gap.
create table ops.ingest_cursors (
  workspace_id   text not null,
  source_id      text not null,
  query_hash     text not null,
  platform       text not null,
  kind           text not null,                       -- search, new, comments, keyword_search, mentions, replies
  query          text not null,                       -- as people read it
  active         boolean not null default true,       -- false: the source's options do not name it any more
  since_id       text,                                -- newest post of the last whole sweep
  newest_seen_at timestamptz,                         -- its time; whatever is older was read
  next_page      text,                                -- where the sweep goes on; null: it begins
  sweep_id       text,                                -- newest post of the sweep that is under way
  sweep_at       timestamptz,
  pages          int not null default 0,              -- of this sweep
  overlap_s      int not null,                        -- read again before newest_seen_at: platforms index late
  version        bigint not null default 0,           -- counts changes; a page that was asked for before one is not stored
  last_ok_at     timestamptz,
  last_error     text,                                -- null: the last answer was good
  errors         int not null default 0,              -- since the last good answer
  gap_at         timestamptz,                         -- the platform did not show everything since the sweep before
  lag_s          double precision,                    -- age of the newest post when the last sweep ended
  next_at        timestamptz not null default now(),
  credential     text,                                -- whose budget it was last asked with
  bucket         text,
  created_at     timestamptz not null default now(),
  primary key (workspace_id, source_id, query_hash),
  foreign key (workspace_id, source_id) references ops.sources (workspace_id, id) on delete cascade
);
create index ingest_cursors_due on ops.ingest_cursors (next_at) where active;

-- One row per token and kind of call, shared by all workers: whoever calls takes one of `remaining` first.
create table ops.rate_budgets (
  workspace_id   text not null,
  credential     text not null,                       -- hash of what the platform counts by
  bucket         text not null,
  limit_n        double precision not null,
  remaining      double precision not null,
  refill_per_s   double precision not null,           -- 0: a window that ends at reset_at
  window_s       double precision not null,
  reset_at       timestamptz not null,
  counted_at     timestamptz not null default now(),
  seen           boolean not null default false,      -- the platform has said how much there is
  blocked_until  timestamptz,                         -- it said: not before
  failures       int not null default 0,              -- in a row
  open_until     timestamptz,                         -- breaker: nobody calls; then one does
  primary key (workspace_id, credential, bucket)
);

select ops.wall('ops.ingest_cursors'), ops.wall('ops.rate_budgets');
insert into ops.rights (relation, app, reader) values
  ('ops.ingest_cursors', '{select,insert,update}', true),
  ('ops.rate_budgets',   '{select,insert,update}', true);
