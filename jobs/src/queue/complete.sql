-- Living row out, finished row in; a row of another delivery stays and is not returned.
with lease as materialized (
  select * from unnest($1::bigint[], $2::int[], $3::text[], $4::text[]) as l(id, attempt, outcome, error)
), gone as (
  delete from ops.jobs j using lease l
  where j.id = any(array[l.id]) and j.attempt = l.attempt and j.lease_until is not null
  returning j.*, l.outcome, l.error
)
insert into ops.job_history (id, workspace_id, kind, outcome, attempt, crashes, trace_id, error, created_at, started_at)
select id, workspace_id, kind, outcome, attempt, crashes, trace_id, error, created_at, started_at from gone
returning id, attempt
