-- Leases that ran out: back to the queue at once, or to the dead letters when the job has crashed often enough.
with late as materialized (
  select id from ops.jobs
  where state = 'running' and lease_until > $1 and lease_until < statement_timestamp()
  order by lease_until
  limit $2
  for update skip locked
), back as (
  update ops.jobs j
  set state = 'ready', crashes = j.crashes + 1, position = nextval('ops.job_positions'),
      run_at = statement_timestamp(), leased_by = null, lease_until = null, capped = false,
      last_error = 'the lease ran out: the worker died or was cut off'
  from late
  where j.id = late.id and j.crashes + 1 < $3 and j.attempt - j.spared < j.attempts_max
  returning j.kind, j.workspace_id, j.priority, j.position
), gone as (
  delete from ops.jobs j using late
  where j.id = late.id and not (j.crashes + 1 < $3 and j.attempt - j.spared < j.attempts_max)
  returning j.*
), history as (
  insert into ops.job_history (id, workspace_id, kind, outcome, attempt, crashes, trace_id, error, created_at, started_at)
  select id, workspace_id, kind, 'dead', attempt, crashes + 1, trace_id, 'crashed', created_at, started_at from gone
), buried as (
  insert into ops.dead_letters (job_id, workspace_id, kind, source_id, event_id, payload, priority, attempts_max,
                                unique_key, reason, error, attempt, crashes, trace_id, created_at)
  select id, workspace_id, kind, payload->>'source_id',
         case when payload->>'event_id' ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then (payload->>'event_id')::uuid end,
         payload, priority, attempts_max, unique_key, 'crashed', coalesce(last_error, 'the lease ran out'),
         attempt, crashes + 1, trace_id, created_at
  from gone
  returning kind, workspace_id, priority
)
select kind, workspace_id, priority, position, false as dead from back
union all
select kind, workspace_id, priority, 9223372036854775807, true from buried
