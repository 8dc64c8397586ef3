-- Schema `signals`: the tables of the signals seed with its names, columns, defaults and constraints,
-- the tables they refer to, and (marked "added") what Millrace needs besides.
-- The seed's timestamps have no zone; they are UTC. Text + CHECK stands for its union types.
set local lock_timeout = '1s';
set local statement_timeout = '1min';
create schema if not exists signals;

create table signals.workspaces (
  id          text primary key default ops.nanoid() check (id not in ('', '*')), -- added: those mean none and all
  name        text not null,
  settings    jsonb not null default '{}',
  created_at  timestamp not null default (now() at time zone 'utc'),
  updated_at  timestamp not null default (now() at time zone 'utc')
);
create table signals.users (
  id          text primary key default ops.nanoid(),
  name        text,
  email       text unique,
  created_at  timestamp not null default (now() at time zone 'utc'),
  updated_at  timestamp not null default (now() at time zone 'utc')
);
-- Of tables made a moment ago: there is nothing to be checked and nobody to be blocked.
-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid
alter table ops.sources add constraint sources_workspace_fk
  foreign key (workspace_id) references signals.workspaces (id) on delete cascade;
-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid
alter table ops.api_keys add constraint api_keys_workspace_fk
  foreign key (workspace_id) references signals.workspaces (id) on delete cascade;

create table signals.projects (
  id           text primary key default ops.nanoid(),
  workspace_id text not null references signals.workspaces (id) on delete cascade,
  name         text not null,
  description  text,
  stage        text not null default 'inbox',
  status       text not null default 'active',
  metadata     jsonb not null default '{}',
  embedding_updated_at timestamp,
  created_at   timestamp not null default (now() at time zone 'utc'),
  updated_at   timestamp not null default (now() at time zone 'utc'),
  constraint projects_workspace_id_key unique (workspace_id, id)
);
create index projects_workspace_status_idx on signals.projects (workspace_id, status);

create table signals.inbox_items (
  id                  text primary key default ops.nanoid(),
  workspace_id        text not null references signals.workspaces (id) on delete cascade,
  type                text not null check (type in ('transcript','document','signal','feedback')),
  source              text not null check (source in ('webhook','upload','email','api','sync')),
  source_ref          text check (octet_length(source_ref) <= 1024),
  title               text not null,
  raw_content         text not null,
  processed_content   text,
  status              text not null default 'pending' check (status in ('pending','processing','assigned','dismissed')),
  assigned_project_id text references signals.projects (id) on delete set null,
  assigned_persona_id text,
  assigned_action     text,
  ai_summary          text,
  extracted_problems  jsonb,
  hypothesis_matches  jsonb,
  metadata            jsonb,
  created_at          timestamp not null default (now() at time zone 'utc'),
  updated_at          timestamp not null default (now() at time zone 'utc'),
  processed_at        timestamp,
  event_id            uuid,                           -- added: the delivery it came from
  version             bigint not null default 0       -- added: event time, microseconds since 1970
);
create unique index inbox_items_ref on signals.inbox_items (workspace_id, source, source_ref) where source_ref is not null;
create index inbox_items_workspace_status_idx on signals.inbox_items (workspace_id, status);
create index inbox_items_event_idx on signals.inbox_items (event_id) where event_id is not null; -- added

create table signals.activity_logs (
  id           text primary key default ops.nanoid(),
  workspace_id text not null references signals.workspaces (id) on delete cascade,
  user_id      text references signals.users (id) on delete set null,
  actor_type   text not null default 'user' check (actor_type in ('user','api_key','automation')), -- added
  actor_id     text,                                                                               -- added
  action       text not null,
  target_type  text not null,
  target_id    text not null,
  metadata     jsonb,
  created_at   timestamp not null default (now() at time zone 'utc')
);
create index activity_logs_workspace_created_idx on signals.activity_logs (workspace_id, created_at desc);

create table signals.notifications (
  id           text primary key default ops.nanoid(),
  workspace_id text not null references signals.workspaces (id) on delete cascade,
  user_id      text references signals.users (id) on delete cascade,
  type         text not null,
  priority     text not null default 'medium' check (priority in ('urgent','high','medium','low')),
  title        text not null,
  message      text,
  url          text,
  metadata     jsonb,
  dedup_key    text,                                  -- added: one notification per cause
  status       text not null default 'unread' check (status in ('unread','read','dismissed')),
  created_at   timestamp not null default (now() at time zone 'utc'),
  read_at      timestamp
);
create unique index notifications_dedup on signals.notifications (workspace_id, dedup_key) where dedup_key is not null;
create index notifications_workspace_status_idx on signals.notifications (workspace_id, status, created_at desc);

create table signals.signals (
  id                text primary key default ops.nanoid(),
  workspace_id      text not null references signals.workspaces (id) on delete cascade,
  verbatim          text not null,
  interpretation    text,
  severity          text check (severity in ('critical','high','medium','low')),
  frequency         text check (frequency in ('common','occasional','rare')),
  user_segment      text,
  source            text not null check (source in ('webhook','upload','paste','video','slack','pylon','email','interview','other')),
  source_ref        text check (octet_length(source_ref) <= 1024),
  source_metadata   jsonb,
  status            text not null default 'new' check (status in ('new','reviewed','linked','archived')),
  embedding         text,                             -- the seed's base64 column; read signals.signal_embeddings instead
  ai_classification jsonb,
  inbox_item_id     text references signals.inbox_items (id) on delete set null,
  created_at        timestamp not null default (now() at time zone 'utc'),
  updated_at        timestamp not null default (now() at time zone 'utc'),
  processed_at      timestamp,
  -- columns of the source system's last version
  classification    jsonb,
  source_url        text,
  interview_date    timestamp,
  interviewee       text,
  tags              jsonb not null default '[]',
  webhook_key_id    text references ops.api_keys (id) on delete set null,
  suggestion_dismissed_at timestamp,
  suggestion_dismissed_by text references signals.users (id) on delete set null,
  -- added
  source_id         text references ops.sources (id) on delete set null,
  event_id          uuid,                             -- the delivery that wrote the current version
  trace_id          text,
  version           bigint not null default 0,        -- event time of the current text, microseconds since 1970
  content_hash      bytea check (octet_length(content_hash) = 32), -- SHA-256 of the embedded text
  provenance        jsonb not null default '{}',      -- field -> {by, confidence, evidence}
  sanitized         boolean not null default false,   -- NUL bytes or invalid text were replaced
  parent_id         text references signals.signals (id) on delete set null,
  duplicate_of      text references signals.signals (id) on delete set null,
  duplicate_kind    text check (duplicate_kind in ('exact','near')),
  duplicate_score   real,
  enriched_at       timestamp,                        -- the optional endpoint has answered
  deleted_at        timestamp,                        -- tombstone: text is gone (or never came), the row stays
  search            tsvector generated always as
                      (to_tsvector('simple', coalesce(verbatim, '') || ' ' || coalesce(interpretation, ''))) stored,
  constraint signals_workspace_id_key unique (workspace_id, id)
);
-- The seed's index, and what makes an object's signal unique. Two indexes that begin alike look alike as long as there
-- are no statistics, and looking an object up by (workspace, source) alone reads all of them.
create unique index signals_workspace_source_idx on signals.signals (workspace_id, source, source_ref);
create index signals_workspace_status_idx on signals.signals (workspace_id, status);
create index signals_workspace_created_idx on signals.signals (workspace_id, created_at desc, id desc);
create index signals_workspace_hash_idx on signals.signals (workspace_id, content_hash);
create index signals_hash_idx on signals.signals (content_hash);
create index signals_duplicates_idx on signals.signals (duplicate_of) where duplicate_of is not null;
create index signals_parts_idx on signals.signals (parent_id) where parent_id is not null;
create index signals_processed_idx on signals.signals (workspace_id, processed_at) where processed_at is not null;
create index signals_unprocessed_idx on signals.signals (workspace_id, created_at) where processed_at is null and deleted_at is null;
create index signals_search_idx on signals.signals using gin (search);

-- Every version a signal had, and why it changed. A delete erases the texts.
create table signals.signal_versions (                -- added
  workspace_id text not null,
  signal_id    text not null,
  version      bigint not null,
  change       text not null check (change in ('created','edited','deleted')),
  verbatim     text,
  event_id     uuid,
  recorded_at  timestamp not null default (now() at time zone 'utc'),
  primary key (signal_id, version),
  foreign key (workspace_id, signal_id) references signals.signals (workspace_id, id) on delete cascade
);
create index signal_versions_event_idx on signals.signal_versions (event_id);

create table signals.signal_projects (
  id           text primary key default ops.nanoid(),
  signal_id    text not null references signals.signals (id) on delete cascade,
  project_id   text not null references signals.projects (id) on delete cascade,
  linked_at    timestamp not null default (now() at time zone 'utc'),
  linked_by    text references signals.users (id) on delete set null, -- null: linked by the service
  link_reason  text,
  confidence   real check (confidence between 0 and 1),
  workspace_id text not null,                         -- added, filled by trigger: one tenant on both sides
  origin       text not null default 'manual' check (origin in ('manual','accepted','auto')), -- added: 'auto' teaches nothing
  constraint signal_projects_signal_id_project_id_unique unique (signal_id, project_id),
  constraint signal_projects_signal_tenant foreign key (workspace_id, signal_id) references signals.signals (workspace_id, id) on delete cascade,
  constraint signal_projects_project_tenant foreign key (workspace_id, project_id) references signals.projects (workspace_id, id) on delete cascade
);
create index signal_projects_project_idx on signals.signal_projects (project_id, linked_at desc);
create index signal_projects_workspace_idx on signals.signal_projects (workspace_id);

create table signals.signal_personas (
  id           text primary key default ops.nanoid(),
  signal_id    text not null references signals.signals (id) on delete cascade,
  persona_id   text not null,
  linked_at    timestamp not null default (now() at time zone 'utc'),
  linked_by    text references signals.users (id) on delete set null,
  workspace_id text not null,                         -- added, filled by trigger
  confidence   real check (confidence between 0 and 1), -- added
  constraint signal_personas_signal_id_persona_id_unique unique (signal_id, persona_id),
  constraint signal_personas_signal_tenant foreign key (workspace_id, signal_id) references signals.signals (workspace_id, id) on delete cascade
);

-- Applications written for the seed insert links without a workspace: take it from the signal.
create function signals.fill_link_workspace() returns trigger language plpgsql as $$
begin
  if new.workspace_id is null then
    select s.workspace_id into new.workspace_id from signals.signals s where s.id = new.signal_id;
  end if;
  return new;
end $$;
create trigger signal_projects_workspace before insert on signals.signal_projects
  for each row execute function signals.fill_link_workspace();
create trigger signal_personas_workspace before insert on signals.signal_personas
  for each row execute function signals.fill_link_workspace();

-- What people said about a suggestion, per signal and project.
create table signals.suggestion_feedback (            -- added
  workspace_id text not null,
  signal_id    text not null,
  project_id   text not null,
  verdict      text not null check (verdict in ('accepted','dismissed')),
  confidence   real,                                  -- what the service had said
  actor        text not null,
  created_at   timestamp not null default (now() at time zone 'utc'),
  primary key (signal_id, project_id),
  foreign key (workspace_id, signal_id) references signals.signals (workspace_id, id) on delete cascade,
  foreign key (workspace_id, project_id) references signals.projects (workspace_id, id) on delete cascade
);

-- How often what the classifier may learn from a project has changed: its name, description or status, and
-- its links (those made by the classifier itself do not count). Kept by the triggers below.
create table signals.project_profiles (               -- added
  project_id       text primary key references signals.projects (id) on delete cascade,
  workspace_id     text not null,
  version          bigint not null default 1,
  linked_count     int not null default 0,
  updated_at       timestamp not null default (now() at time zone 'utc'),
  foreign key (workspace_id, project_id) references signals.projects (workspace_id, id) on delete cascade
);
create index project_profiles_workspace on signals.project_profiles (workspace_id);

create function signals.profile_project() returns trigger language plpgsql as $$
begin
  insert into signals.project_profiles as p (project_id, workspace_id) values (new.id, new.workspace_id)
  on conflict (project_id) do update set version = p.version + 1, updated_at = now() at time zone 'utc';
  return null;
end $$;
create trigger projects_profile after insert or update of name, description, status on signals.projects
  for each row execute function signals.profile_project();

create function signals.profile_links() returns trigger language plpgsql as $$
begin
  update signals.project_profiles p
  set version = p.version + 1, linked_count = p.linked_count + c.delta, updated_at = now() at time zone 'utc'
  from (select l.project_id, count(*)::int * case tg_op when 'INSERT' then 1 else -1 end as delta
        from changed l where l.origin <> 'auto' group by l.project_id) c
  where p.project_id = c.project_id;
  return null;
end $$;
create trigger signal_projects_profile_insert after insert on signals.signal_projects
  referencing new table as changed for each statement execute function signals.profile_links();
create trigger signal_projects_profile_delete after delete on signals.signal_projects
  referencing old table as changed for each statement execute function signals.profile_links();

-- Clusters with stable ids, and the ledger of what automation did to each (spec section 10).
create table signals.clusters (                       -- added
  id           text primary key default ops.nanoid(),
  workspace_id text not null references signals.workspaces (id) on delete cascade,
  theme        text,
  status       text not null default 'open' check (status in ('open','actioned','merged','closed')),
  merged_into  text references signals.clusters (id) on delete set null,
  created_at   timestamp not null default (now() at time zone 'utc'),
  updated_at   timestamp not null default (now() at time zone 'utc'),
  constraint clusters_workspace_id_key unique (workspace_id, id)
);
create table signals.cluster_members (                -- added
  cluster_id   text not null,
  workspace_id text not null,
  signal_id    text not null,
  similarity   real,
  joined_at    timestamp not null default (now() at time zone 'utc'),
  primary key (signal_id),
  foreign key (workspace_id, cluster_id) references signals.clusters (workspace_id, id) on delete cascade,
  foreign key (workspace_id, signal_id) references signals.signals (workspace_id, id) on delete cascade
);
create table signals.automation_actions (
  id           text primary key default ops.nanoid(),
  workspace_id text not null references signals.workspaces (id) on delete cascade,
  cluster_id   text not null,
  action_type  text not null check (action_type in ('initiative_created','prd_triggered','notification_sent')),
  project_id   text references signals.projects (id) on delete set null,
  triggered_at timestamp not null default (now() at time zone 'utc'),
  metadata     jsonb,
  constraint automation_actions_once unique (workspace_id, cluster_id, action_type),
  foreign key (workspace_id, cluster_id) references signals.clusters (workspace_id, id) on delete cascade
);
create index automation_actions_workspace_triggered_idx on signals.automation_actions (workspace_id, triggered_at desc);

-- The seed's `embedding`, as a vector: one row per signal and model.
create view signals.signal_embeddings with (security_invoker = true) as
  select s.workspace_id, s.id as signal_id, e.model_id, e.vector as embedding
  from signals.signals s join ops.embeddings e on e.content_hash = s.content_hash;

-- The second wall between tenants (0001_ops.sql). `users` are no tenant's.
select ops.wall('signals.workspaces', 'id');
select ops.wall(t) from unnest(array['signals.projects', 'signals.inbox_items', 'signals.activity_logs',
  'signals.notifications', 'signals.signals', 'signals.signal_versions', 'signals.signal_projects',
  'signals.signal_personas', 'signals.suggestion_feedback', 'signals.project_profiles', 'signals.clusters',
  'signals.cluster_members', 'signals.automation_actions']::regclass[]) t;
