with lease as materialized (
  select * from unnest($1::bigint[], $2::int[], $3::text[], $4::text[]) as l(id, attempt, reason, error)
), gone as (
  delete from ops.jobs j using lease l
  where j.id = any(array[l.id]) and j.attempt = l.attempt and j.lease_until is not null
  returning j.*, l.reason, l.error
), history as (
  insert into ops.job_history (id, workspace_id, kind, outcome, attempt, crashes, trace_id, error, created_at, started_at)
  select id, workspace_id, kind, 'dead', attempt, crashes, trace_id, error, created_at, started_at from gone
)
insert into ops.dead_letters (job_id, workspace_id, kind, source_id, event_id, payload, priority, attempts_max,
                              unique_key, reason, error, attempt, crashes, trace_id, created_at)
select id, workspace_id, kind, payload->>'source_id',
       case when payload->>'event_id' ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then (payload->>'event_id')::uuid end,
       payload, priority, attempts_max, unique_key, reason, error, attempt, crashes, trace_id, created_at
from gone
returning job_id
