with one as materialized (
  select j.id from ops.jobs j
  where j.state = 'ready' and j.crashes >= 2 and j.kind = $1 and j.workspace_id = $2
    and ($3 or not exists (select from ops.queue_limits l where l.workspace_id = j.workspace_id and l.kind = j.kind))
  order by j.position
  limit 1
  for update of j skip locked
)
update ops.jobs j
set state = 'running', attempt = j.attempt + 1, leased_by = $4, capped = $3,
    started_at = statement_timestamp(), lease_until = statement_timestamp() + $5 * interval '1 millisecond'
from one
where j.id = any(array[one.id])
returning j.id, j.attempt, j.spared, j.attempts_max, j.workspace_id, j.priority, j.position, j.payload, j.trace_id,
          greatest(extract(epoch from j.started_at - j.run_at), 0)::float8 as waited_s
