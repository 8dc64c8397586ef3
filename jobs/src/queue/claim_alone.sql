with one as materialized (
  select j.id from ops.jobs j
  where j.state = 'ready' and j.crashes >= 2 and j.kind = any($1)
    and not exists (select from ops.queue_pauses p
                    where p.kind in ('', j.kind) and p.workspace_id in ('', j.workspace_id))
  order by j.position
  limit 1
  for update of j skip locked
)
update ops.jobs j
set state = 'running', attempt = j.attempt + 1, leased_by = $2,
    started_at = statement_timestamp(), lease_until = statement_timestamp() + $3 * interval '1 millisecond'
from one
where j.id = one.id
returning j.kind, j.id, j.attempt, j.spared, j.attempts_max, j.workspace_id, j.priority, j.position, j.payload,
          j.trace_id, greatest(extract(epoch from j.started_at - j.run_at), 0)::float8 as waited_s
