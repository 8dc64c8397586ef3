-- Learning beyond weights: thresholds of suggestions and automatic links.
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
