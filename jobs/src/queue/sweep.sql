-- A loose index scan: the first ready row of each (kind, tenant, class), one index probe each.
with recursive place as (
  (select kind, workspace_id, priority, position, run_at
   from ops.jobs
   where state = 'ready' and crashes < 2 and (kind, workspace_id, priority) > ($1, $2, $3)
   order by kind, workspace_id, priority, position
   limit 1)
  union all
  select next.*
  from place
  cross join lateral (
    select j.kind, j.workspace_id, j.priority, j.position, j.run_at
    from ops.jobs j
    where j.state = 'ready' and j.crashes < 2
      and (j.kind, j.workspace_id, j.priority) > (place.kind, place.workspace_id, place.priority)
    order by j.kind, j.workspace_id, j.priority, j.position
    limit 1
  ) next
)
select kind, workspace_id, priority, position,
       greatest(extract(epoch from statement_timestamp() - run_at), 0)::float8 as age_s,
       exists (select from ops.queue_pauses p
               where p.kind = any(array['', place.kind])
                 and p.workspace_id = any(array['', place.workspace_id])) as paused
from place
limit $4
