-- Learning beyond weights: thresholds of suggestions and automatic links, keywords.
set local lock_timeout = '1s';
set local statement_timeout = '2s';

-- ---------------------------------------------------------------- thresholds of suggestions

-- Every threshold there was, and who let it in. A workspace without a row has its setting, which is also what a row is for:
-- `promise`. A row whose promise is not the setting any more is not in force.
create table signals.threshold_versions (
  workspace_id text not null references signals.workspaces (id) on delete cascade,
  id           text primary key default gen_random_uuid()::text,
  name         text not null check (name in ('SUGGESTIONS','AUTO_LINKS')),
  version      int not null check (version > 0),
  above        double precision not null check (above between 0 and 1),
  promise      double precision not null check (promise between 0 and 1), -- precision that is wanted there
  effective_from timestamptz(3) not null default now(),
  effective_to timestamptz(3),
  parent_id    text,
  approved_by  text,
  run_id       text,
  created_at   timestamptz(3) not null default now(),
  constraint threshold_versions_workspace_id_key unique (workspace_id, id),
  constraint threshold_versions_version_key unique (workspace_id, name, version),
  foreign key (workspace_id, parent_id) references signals.threshold_versions (workspace_id, id),
  foreign key (workspace_id, run_id) references social.learning_runs (workspace_id, run_id)
);
create unique index threshold_versions_in_force on signals.threshold_versions (workspace_id, name)
  where effective_to is null and approved_by is not null; -- others are proposed

create table signals.threshold_locks (                -- learning leaves these alone
  workspace_id text not null references signals.workspaces (id) on delete cascade,
  name         text not null check (name in ('SUGGESTIONS','AUTO_LINKS')),
  locked_by    text not null,
  locked_at    timestamptz(3) not null default now(),
  primary key (workspace_id, name)
);

-- One suggestion in ten is shown though it is just below the threshold, so that there is something to judge there: always the
-- same ones, whatever is known of them.
create function signals.asked_anyway(signal_id text, project_id text) returns boolean language sql immutable as $$
  select get_byte(sha256(convert_to('asked ' || signal_id || ' ' || project_id, 'utf8')), 0) < 26
$$;

select ops.wall('signals.threshold_versions'), ops.wall('signals.threshold_locks');
insert into ops.rights (relation, app, reader) values
  ('signals.threshold_versions', '{select,insert,update}', true),
  ('signals.threshold_locks',    '{select,insert,update,delete}', true);

-- ---------------------------------------------------------------- keywords

-- What was changed of the brand profile's keywords, in order: what is in force (approved and not over) is laid over them. An
-- addition is tried on a share of the texts first, and is another row when it is for all.
create table social.keyword_changes (
  workspace_id text not null references signals.workspaces (id) on delete cascade,
  id           text primary key default gen_random_uuid()::text,
  version      int not null check (version > 0),
  term         text not null check (char_length(term) between 1 and 200), -- as matches name it
  what         text not null check (what in ('ADD','RAISE','RETIRE')),
  category     text check ((category is not null) = (what = 'ADD')), -- of the profile
  share        double precision not null default 1 check (share > 0 and share <= 1), -- of texts, by hash
  evidence     jsonb not null default '{}',
  effective_from timestamptz(3),                      -- null: proposed
  effective_to timestamptz(3) check (effective_to >= effective_from),
  approved_by  text,
  ended_by     text,                                  -- of one that was only proposed: who refused it
  run_id       text,
  created_at   timestamptz(3) not null default now(),
  constraint keyword_changes_version_key unique (workspace_id, version),
  check (num_nulls(effective_from, approved_by) in (0, 2)),
  check (num_nulls(effective_to, ended_by) in (0, 2)),
  foreign key (workspace_id, run_id) references social.learning_runs (workspace_id, run_id)
);
create unique index keyword_changes_living on social.keyword_changes (workspace_id, term, what) where effective_to is null;

create table social.keyword_locks (                   -- learning leaves these alone
  workspace_id text not null references signals.workspaces (id) on delete cascade,
  term         text not null,
  locked_by    text not null,
  locked_at    timestamptz(3) not null default now(),
  primary key (workspace_id, term)
);

select ops.wall('social.keyword_changes'), ops.wall('social.keyword_locks');
insert into ops.rights (relation, app, reader) values
  ('social.keyword_changes', '{select,insert,update}', true),
  ('social.keyword_locks',   '{select,insert,delete}', true);
