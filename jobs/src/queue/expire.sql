-- Leases that ran out: back to the queue at once, or to the dead letters when the job has crashed often enough. As in
-- again.sql, one of the jobs with one unique key may wait; it takes over the crashes, or a killer would never die out.
-- And as there, one that somebody cancelled does not come back.
with late as materialized (
  select id, workspace_id, kind, unique_key, crashes + 1 as crashes, cancel_requested,
         crashes + 1 < $3 and attempt - spared < attempts_max as lives
  from ops.jobs
  where state = 'running' and lease_until > $1 and lease_until < statement_timestamp()
  order by lease_until
  limit $2
  for update skip locked
), living as materialized (
  select id, max(crashes) over same as crashes, row_number() over (same order by id desc) as nth,
         (select w.id from ops.jobs w
          where w.workspace_id = late.workspace_id and w.kind = late.kind and w.unique_key = late.unique_key
            and w.state <> 'running' limit 1) as waiting
  from late
  where lives and not cancel_requested
  window same as (partition by workspace_id, kind, unique_key, case when unique_key is null then id end)
), back as (
  update ops.jobs j
  set state = 'ready', crashes = l.crashes, position = nextval('ops.job_positions'),
      run_at = statement_timestamp(), leased_by = null, lease_until = null, capped = false,
      last_error = 'the lease ran out: the worker died or was cut off'
  from living l
  where l.nth = 1 and l.waiting is null and j.id = any(array[l.id])
  returning j.kind, j.workspace_id, j.priority, j.position
), heir as materialized (
  select w.id, l.crashes
  from living l
  cross join lateral (select id from ops.jobs where id = l.waiting and state <> 'running' for update skip locked) w
  where l.nth = 1
), inherited as (
  update ops.jobs j set crashes = greatest(j.crashes, h.crashes) from heir h where j.id = any(array[h.id])
), doubled as (
  delete from ops.jobs j using living l
  where (l.nth > 1 or l.waiting is not null) and j.id = any(array[l.id])
  returning j.*, 'another job with its key waits' as why
), cancelled as (
  delete from ops.jobs j using late l
  where l.cancel_requested and j.id = any(array[l.id])
  returning j.*, 'cancelled on request' as why
), folded as (
  insert into ops.job_history (id, workspace_id, kind, outcome, attempt, crashes, trace_id, error, created_at, started_at)
  select id, workspace_id, kind, 'cancelled', attempt, crashes + 1, trace_id,
         concat_ws(': ', why, 'the lease ran out'), created_at, started_at
  from (table doubled union all table cancelled) o
), gone as (
  delete from ops.jobs j using late l
  where not l.lives and not l.cancel_requested and j.id = any(array[l.id])
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
union all
select kind, workspace_id, priority, 9223372036854775807, false from (table doubled union all table cancelled) o
