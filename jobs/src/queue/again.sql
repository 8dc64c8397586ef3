-- Back to the queue: now, or after a delay. A fresh position puts it behind every claimer's mark. Of the jobs with one
-- unique key one may wait. The others are over: it has yet to start, so it does their work. So is a job that somebody
-- cancelled while it ran.
with lease as materialized (
  select * from unnest($1::bigint[], $2::int[], $3::bigint[], $4::int[], $5::text[])
                as l(id, attempt, delay_ms, spare, error)
), held as materialized (
  select l.*,
         case when j.cancel_requested then 'cancelled on request'
              when j.unique_key is not null
                   and (row_number() over (partition by j.workspace_id, j.kind, j.unique_key, j.cancel_requested
                                           order by j.id desc) > 1
                        or (select true from ops.jobs w
                            where w.workspace_id = j.workspace_id and w.kind = j.kind and w.unique_key = j.unique_key
                              and w.state <> 'running' limit 1) is true)
              then 'another job with its key waits' end as why
  from lease l
  join ops.jobs j on j.id = any(array[l.id]) and j.attempt = l.attempt and j.lease_until is not null
), gone as (
  delete from ops.jobs j using held h
  where h.why is not null and j.id = any(array[h.id]) and j.attempt = h.attempt and j.lease_until is not null
  returning j.*, h.why, h.error
), history as (
  insert into ops.job_history (id, workspace_id, kind, outcome, attempt, crashes, trace_id, error, created_at, started_at)
  select id, workspace_id, kind, 'cancelled', attempt, crashes, trace_id,
         concat_ws(': ', why, error), created_at, started_at
  from gone
), back as (
  update ops.jobs j
  set state = case when h.delay_ms > 0 then 'scheduled' else 'ready' end,
      position = nextval('ops.job_positions'), run_at = now() + h.delay_ms * interval '1 millisecond',
      leased_by = null, lease_until = null, capped = false,
      spared = j.spared + h.spare, last_error = coalesce(h.error, j.last_error)
  from held h
  where h.why is null and j.id = any(array[h.id]) and j.attempt = h.attempt and j.lease_until is not null
  returning j.id, j.kind, j.workspace_id, j.priority, j.position, j.state = 'ready' as ready
)
select * from back
union all
select id, kind, workspace_id, priority, position, false from gone
