-- What the service's role may do to each table, and what readers may see. A migration that adds a table adds its row
-- here (and walls it: ops.wall). `millrace migrate` grants it (grants.sql), `millrace doctor` compares it with what the
-- connected role has, and a test with what the statements of the service do.
set local lock_timeout = '1s';
set local statement_timeout = '1min';

create table ops.rights (
  relation      text primary key,                     -- schema.table, or a view
  app           text[] not null,                      -- select, insert, update, delete
  reader        boolean not null                      -- may select
);
insert into ops.rights (relation, app, reader) values
  ('ops.migrations',              '{select}', true),
  ('ops.rights',                  '{select}', true),
  ('ops.sources',                 '{select,insert,update}', false), -- path_id is a secret of sorts
  ('ops.source_secrets',          '{select,insert,update,delete}', false),
  ('ops.api_keys',                '{select,insert,update}', false),
  ('ops.events',                  '{select,insert,update}', true),  -- never deleted
  ('ops.event_bodies',            '{select,insert}', false),        -- deleted by ops.drop_partitions only
  ('ops.quarantine',              '{select,insert,update}', true),
  ('ops.delivery_counts',         '{select,insert,update}', true),
  ('ops.jobs',                    '{select,insert,update,delete}', true),
  ('ops.job_history',             '{select,insert}', true),
  ('ops.dead_letters',            '{select,insert,update}', true),
  ('ops.queue_limits',            '{select,insert,update,delete}', true),
  ('ops.queue_pauses',            '{select,insert,update,delete}', true),
  ('ops.workers',                 '{select,insert,update,delete}', true),
  ('ops.leases',                  '{select,insert,update,delete}', true),
  ('ops.schedule_ticks',          '{select,insert,update,delete}', true),
  ('ops.embedding_models',        '{select,insert,update}', true),
  ('ops.embeddings',              '{select,insert,delete}', true),
  ('ops.endpoint_calls',          '{select,insert,update}', true),
  ('ops.audit',                   '{select,insert}', true),         -- never changed
  ('signals.workspaces',          '{select,insert,update}', true),
  ('signals.users',               '{}', true),
  ('signals.projects',            '{select,insert,update}', true),
  ('signals.inbox_items',         '{select,insert,update}', true),
  ('signals.activity_logs',       '{insert}', true),
  ('signals.notifications',       '{}', true),
  ('signals.signals',             '{select,insert,update}', true),
  ('signals.signal_versions',     '{select,insert,update}', true),
  ('signals.signal_projects',     '{select,insert,delete}', true),
  ('signals.signal_personas',     '{select,insert,delete}', true),
  ('signals.suggestion_feedback', '{select,insert,update}', true),
  ('signals.project_profiles',    '{select,insert,update}', true),
  ('signals.clusters',            '{}', true),
  ('signals.cluster_members',     '{}', true),
  ('signals.automation_actions',  '{}', true),
  ('signals.signal_embeddings',   '{select}', true);

-- The schema version that a release must know at least, to work on this database. A migration that takes something away
-- raises it; one that adds does not, so that the release before runs on beside the new one.
create function ops.oldest_release() returns bigint language sql immutable as 'select 4::bigint';

-- These run as the owner: only the service calls them.
revoke execute on function ops.wall(regclass, name), ops.ensure_partitions(int), ops.drop_partitions(text, date),
  ops.index_embeddings(smallint) from public;
