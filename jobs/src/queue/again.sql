-- Back to the queue: now, or after a delay. A fresh position puts it behind every claimer's mark.
with lease as materialized (
  select * from unnest($1::bigint[], $2::int[], $3::bigint[], $4::int[], $5::text[])
                as l(id, attempt, delay_ms, spare, error)
)
update ops.jobs j
set state = case when l.delay_ms > 0 then 'scheduled' else 'ready' end,
    position = nextval('ops.job_positions'), run_at = now() + l.delay_ms * interval '1 millisecond',
    leased_by = null, lease_until = null, capped = false,
    spared = j.spared + l.spare, last_error = coalesce(l.error, j.last_error)
from lease l
where j.id = l.id and j.attempt = l.attempt and j.state = 'running'
returning j.id, j.kind, j.workspace_id, j.priority, j.position, j.state = 'ready' as ready
