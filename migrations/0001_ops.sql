-- Schema `ops`: everything that is Millrace's own. Times are timestamptz on the database clock.
-- The tenant of every row is `workspace_id`; '' marks work that belongs to no tenant (maintenance).
set local lock_timeout = '1s';
set local statement_timeout = '1min';

create extension if not exists vector;
create schema if not exists ops;

-- 21 url-safe random characters (125 bits), the id format of the signals seed. The first is a letter or a digit, so
-- that a command line never takes an id for an option. Byte 6 of a v4 UUID carries the version and is skipped; of byte 8
-- only the six random bits are used.
create function ops.nanoid() returns text language sql volatile parallel safe as $$
  select string_agg(
           substr('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-',
                  1 + case i when 0 then get_byte(r.bytes, i) % 62 else get_byte(r.bytes, i) & 63 end, 1), '')
  from (select uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) as bytes) r,
       unnest(array[0,1,2,3,4,5,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21]) as i
$$;

-- The second wall between tenants: a session sees and writes the rows of the workspace that it names in the setting
-- `millrace.workspace`, all rows where it says '*', and none where it says nothing. (select ...) is evaluated once per
-- statement, not per row. The owner is bound by it too; superusers and roles with BYPASSRLS are not.
create function ops.wall(target regclass, tenant name default 'workspace_id') returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format($policy$
    create policy workspace on %s using (
      (select current_setting('millrace.workspace', true) = '*')
      or %I = (select nullif(current_setting('millrace.workspace', true), '')))
    $policy$, target, tenant);
end $$;

-- Workspaces and users are the tenants and people of the signals seed; they live here in `signals`
-- terms (schema below) and are referenced by id only from the hot tables, where a foreign key would
-- lock one shared row per delivery.

-- ---------------------------------------------------------------- sources, secrets, keys
create table ops.sources (
  id            text primary key default ops.nanoid(),
  workspace_id  text not null,
  kind          text not null,                        -- a name of ingest's SOURCES list
  name          text not null,
  path_id       text not null unique,                 -- unguessable part of the delivery URL
  scheme        text not null,                        -- a name of the signature table, or 'custom'
  scheme_spec   jsonb,                                -- the record itself when scheme = 'custom'
  field_map     jsonb not null default '{}',          -- JSON pointers -> canonical field
  external_id   text,                                 -- vendor account: Slack team, Pylon integration
  options       jsonb not null default '{}',
  body_bytes_max bigint check (body_bytes_max between 1 and 104857600),
  rate_per_s    int check (rate_per_s > 0),
  state         text not null default 'active' check (state in ('active','paused','uninstalled')),
  created_at    timestamptz not null default now(),
  updated_at    timestamptz not null default now(),
  constraint sources_workspace_name unique (workspace_id, name),
  constraint sources_workspace_id_key unique (workspace_id, id)
);
create index sources_external on ops.sources (kind, external_id) where external_id is not null;

create table ops.source_secrets (
  id            text primary key default ops.nanoid(),
  workspace_id  text not null,
  source_id     text not null,
  sealed        bytea not null,                       -- version | key id | nonce | ciphertext
  key_id        text not null,
  not_after     timestamptz,                          -- null: current; set: in its grace period
  last_used_at  timestamptz,
  created_at    timestamptz not null default now(),
  foreign key (workspace_id, source_id) references ops.sources (workspace_id, id) on delete cascade
);
create index source_secrets_source on ops.source_secrets (source_id);

create table ops.api_keys (
  id            text primary key default ops.nanoid(),
  workspace_id  text not null,
  source_id     text references ops.sources (id) on delete cascade,  -- set: an ingest key of that source
  name          text not null,
  prefix        text not null,                        -- first characters, for display only
  hash          bytea not null unique check (octet_length(hash) = 32),
  scopes        text[] not null,
  created_at    timestamptz not null default now(),
  last_used_at  timestamptz,
  revoked_at    timestamptz
);
create index api_keys_workspace on ops.api_keys (workspace_id);

-- ---------------------------------------------------------------- events
-- One row per accepted delivery, for ever: the promise behind a 2xx. The bytes live in
-- `event_bodies`, by day, and expire; this row does not.
create table ops.events (
  id            uuid primary key,                     -- UUIDv7
  workspace_id  text not null,
  source_id     text not null,
  delivery_key  bytea not null check (octet_length(delivery_key) = 32), -- SHA-256 over length-prefixed parts
  event_type    text,
  body_bytes    int not null,
  state         text not null default 'stored' check (state in ('stored','normalized','ignored','quarantined')),
  reason        text,                                 -- why ignored or quarantined
  records       int,                                  -- how many records it became
  secret_id     text,                                 -- which secret verified it
  trace_id      text not null,
  replay_of     uuid,
  received_at   timestamptz not null default now(),
  normalized_at timestamptz,
  constraint events_delivery unique (workspace_id, source_id, delivery_key)
) with (fillfactor = 85);
create index events_workspace_received on ops.events (workspace_id, received_at desc, id desc);

create table ops.event_bodies (
  event_id      uuid not null,
  workspace_id  text not null,
  received_at   timestamptz not null,
  headers       jsonb not null,                       -- allow-listed names only
  body          bytea not null                        -- exactly as received
) partition by range (received_at);
create index event_bodies_event on ops.event_bodies (event_id);

-- Accepted but not understood: held with its reason until somebody replays or releases it.
create table ops.quarantine (
  event_id      uuid primary key references ops.events (id),
  workspace_id  text not null,
  source_id     text not null,
  reason        text not null,
  detail        text,
  held_at       timestamptz not null default now(),
  released_at   timestamptz
);
create index quarantine_workspace on ops.quarantine (workspace_id, held_at desc) where released_at is null;

-- Refusals (no 2xx was given) and duplicates, counted by reason and hour. No payload is kept.
create table ops.delivery_counts (
  workspace_id  text not null,                        -- '' when no source was found
  source_id     text not null,                        -- '' when no source was found
  outcome       text not null check (outcome in ('accepted','duplicate','refused','replied')),
  reason        text not null,                        -- '' for accepted and duplicate
  hour          timestamptz not null,
  count         bigint not null,
  primary key (workspace_id, source_id, outcome, reason, hour)
);

-- ---------------------------------------------------------------- queue
-- `jobs` holds living jobs only: ready -> running -> (gone to job_history | scheduled again | dead letter).
create sequence ops.job_positions cache 1;
create table ops.jobs (
  id            bigint generated always as identity primary key,
  workspace_id  text not null,
  kind          text not null,
  priority      smallint not null default 2 check (priority between 0 and 3),  -- 0 is first
  position      bigint not null default nextval('ops.job_positions'),         -- renewed whenever it becomes ready
  state         text not null default 'ready' check (state in ('ready','scheduled','running')),
  run_at        timestamptz not null default now(),
  attempt       int not null default 0,               -- deliveries so far; with id, the fence: it only grows
  spared        int not null default 0,               -- deliveries that do not count: snoozed, or released unfinished
  attempts_max  int not null check (attempts_max > 0),
  crashes       int not null default 0,               -- deliveries whose lease ran out
  capped        boolean not null default false,       -- running, and counts towards its tenant's queue_limits row
  leased_by     text,
  lease_until   timestamptz,
  started_at    timestamptz,
  cancel_requested boolean not null default false,
  unique_key    text,
  payload       jsonb not null,
  last_error    text,
  trace_id      text,
  replay_of     bigint,                               -- dead letter this job replays
  created_at    timestamptz not null default now(),
  constraint jobs_running_has_lease check ((state = 'running') = (lease_until is not null))
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
alter sequence ops.job_positions owned by ops.jobs.position;
-- A running job does not stand for a new one: it may have read older data.
create unique index jobs_unique_waiting on ops.jobs (workspace_id, kind, unique_key)
  where unique_key is not null and state <> 'running';
-- One small index per question. A job whose lease ran out twice waits in jobs_alone and runs by itself, so that the
-- one that kills its process takes no other down with it for the last time.
create index jobs_ready on ops.jobs (kind, workspace_id, priority, position) where state = 'ready' and crashes < 2;
create index jobs_alone on ops.jobs (position) where state = 'ready' and crashes >= 2;
create index jobs_scheduled on ops.jobs (run_at) where state = 'scheduled';
create index jobs_leases on ops.jobs (lease_until) where state = 'running';
create index jobs_capped on ops.jobs (kind, workspace_id) where state = 'running' and capped;

-- Finished jobs, by day; pruned by dropping partitions.
create table ops.job_history (
  id            bigint not null,
  workspace_id  text not null,
  kind          text not null,
  outcome       text not null check (outcome in ('done','cancelled','dead')),
  attempt       int not null,
  crashes       int not null,
  trace_id      text,
  error         text,
  created_at    timestamptz not null,
  started_at    timestamptz,
  finished_at   timestamptz not null default now()
) partition by range (finished_at);
create index job_history_id on ops.job_history (id);

create table ops.dead_letters (
  id            bigint generated always as identity primary key,
  job_id        bigint not null,
  workspace_id  text not null,
  kind          text not null,
  source_id     text,                                 -- when the job came from a delivery
  event_id      uuid,
  payload       jsonb not null,
  priority      smallint not null,
  attempts_max  int not null,
  unique_key    text,
  reason        text not null check (reason in ('attempts_exhausted','crashed','permanent','undecodable')),
  error         text,
  attempt       int not null,
  crashes       int not null,
  trace_id      text,
  created_at    timestamptz not null,
  died_at       timestamptz not null default now(),
  replayed_at   timestamptz,
  replayed_as   bigint
);
create index dead_letters_job on ops.dead_letters (job_id);
create index dead_letters_workspace on ops.dead_letters (workspace_id, died_at desc);

create table ops.queue_limits (                       -- concurrency cap of one tenant in one kind
  workspace_id  text not null,
  kind          text not null,
  running_max   int not null check (running_max > 0),
  primary key (workspace_id, kind)
);
create table ops.queue_pauses (                       -- '' in either column means all
  workspace_id  text not null default '',
  kind          text not null default '',
  reason        text,
  paused_at     timestamptz not null default now(),
  primary key (workspace_id, kind)
);
create table ops.workers (
  id            text primary key,
  host          text not null,
  pid           int not null,
  kinds         text[] not null,
  started_at    timestamptz not null default now(),
  heartbeat_at  timestamptz not null default now(),
  draining      boolean not null default false
);

-- ---------------------------------------------------------------- schedules
create table ops.leases (                             -- leader election
  name          text primary key,
  holder        text not null,
  until         timestamptz not null
);
create table ops.schedule_ticks (
  schedule      text not null,
  tick          timestamptz not null,
  job_id        bigint,
  created_at    timestamptz not null default now(),
  primary key (schedule, tick)
);

-- ---------------------------------------------------------------- models and vectors
create table ops.embedding_models (
  id            smallint generated always as identity primary key,
  name          text not null,
  dims          int not null check (dims between 1 and 4000),
  weights_sha256 text not null,
  created_at    timestamptz not null default now(),
  unique (name, weights_sha256)
);
-- Equal text is embedded once per model. No dimension in the type: each model gets its own partial
-- HNSW index over (vector::halfvec(dims)) once it is large (see ops.index_embeddings).
create table ops.embeddings (
  model_id      smallint not null references ops.embedding_models (id),
  content_hash  bytea not null check (octet_length(content_hash) = 32),
  vector        halfvec not null,
  -- Which engine made it. Engines of one model agree to a cosine of .99, so workers with different ones share vectors.
  engine        text not null,
  created_at    timestamptz not null default now(),
  primary key (model_id, content_hash)
);

-- Build (or keep) the HNSW index of one model. Returns its name.
create function ops.index_embeddings(model smallint) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare d int; idx text := format('embeddings_hnsw_%s', model); ext text;
begin
  select dims into strict d from ops.embedding_models where id = model;
  select extnamespace::regnamespace into strict ext from pg_extension where extname = 'vector';
  execute format(
    'create index if not exists %1$I on ops.embeddings using hnsw ((vector::%2$s.halfvec(%3$s)) %2$s.halfvec_cosine_ops) with (m = 16, ef_construction = 64) where model_id = %4$s',
    idx, ext, d, model);
  return idx;
end $$;

-- ---------------------------------------------------------------- optional model endpoint
create table ops.endpoint_calls (                     -- the daily budget, UTC
  workspace_id  text not null,
  day           date not null,
  calls         bigint not null,
  primary key (workspace_id, day)
);

-- ---------------------------------------------------------------- audit and partitions
create table ops.audit (
  id            bigint generated always as identity primary key,
  workspace_id  text not null,
  actor         text not null,
  action        text not null,
  target        text not null,
  detail        jsonb not null default '{}',
  at            timestamptz not null default now()
);

-- What runs as the owner (`security definer`) is what the service needs DDL for; who may call it: 0004_rights.sql.

-- Daily partitions of the time-partitioned tables, from yesterday to `days_ahead` days ahead.
create function ops.ensure_partitions(days_ahead int) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '1s' as $$
declare parent text; d date; made int := 0; part text;
begin
  foreach parent in array array['event_bodies','job_history'] loop
    for d in select generate_series((now() at time zone 'utc')::date - 1,
                                    (now() at time zone 'utc')::date + days_ahead, interval '1 day')::date loop
      part := format('%s_%s', parent, to_char(d, 'YYYYMMDD'));
      if to_regclass('ops.' || part) is null then
        execute format('create table if not exists ops.%I partition of ops.%I for values from (%L) to (%L)',
                       part, parent, d::text || ' 00:00:00+00', (d + 1)::text || ' 00:00:00+00');
        perform ops.wall(format('ops.%I', part)::regclass);
        made := made + 1;
      end if;
    end loop;
  end loop;
  return made;
end $$;

-- Drop whole days of `parent` that lie before `keep_from`, and delete what the default partition caught of them.
-- Returns the names dropped.
create function ops.drop_partitions(parent text, keep_from date) returns text[]
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '1s' as $$
declare part text; dropped text[] := '{}'; before timestamptz := keep_from::timestamp at time zone 'utc';
begin
  case parent
    when 'event_bodies' then delete from ops.event_bodies_default where received_at < before;
    when 'job_history' then delete from ops.job_history_default where finished_at < before;
    else raise exception 'ops.drop_partitions: % is not a partitioned table of ops', parent;
  end case;
  for part in select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
              where i.inhparent = ('ops.' || parent)::regclass
                and c.relname ~ ('^' || parent || '_\d{8}$')
                and to_date(right(c.relname, 8), 'YYYYMMDD') < keep_from loop
    execute format('drop table ops.%I', part);
    dropped := dropped || part;
  end loop;
  return dropped;
end $$;

-- A day without its partition must not cost a delivery: the default catches it.
create table ops.event_bodies_default partition of ops.event_bodies default;
create table ops.job_history_default partition of ops.job_history default;

-- Not behind the wall, for they are no tenant's: workers, leases, schedule_ticks, embedding_models, embeddings.
select ops.wall(t) from unnest(array['ops.sources', 'ops.source_secrets', 'ops.api_keys', 'ops.events',
  'ops.event_bodies', 'ops.event_bodies_default', 'ops.quarantine', 'ops.delivery_counts', 'ops.jobs', 'ops.job_history',
  'ops.job_history_default', 'ops.dead_letters', 'ops.queue_limits', 'ops.queue_pauses', 'ops.endpoint_calls',
  'ops.audit']::regclass[]) t;
select ops.ensure_partitions(7);
