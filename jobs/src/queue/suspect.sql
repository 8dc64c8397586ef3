-- Where the suspect that has waited longest may be claimed: its kind and tenant are not paused and not at their cap.
select j.kind, j.workspace_id, l.running_max is not null as capped
from ops.jobs j
left join ops.queue_limits l on l.workspace_id = j.workspace_id and l.kind = j.kind
where j.state = 'ready' and j.crashes >= 2 and j.kind = any($1)
  and (select true from ops.queue_pauses p
       where p.kind = any(array['', j.kind]) and p.workspace_id = any(array['', j.workspace_id]) limit 1) is null
  and (l.running_max is null
       or l.running_max > (select count(*) from ops.jobs r
                           where r.kind = j.kind and r.workspace_id = j.workspace_id
                             and r.state = 'running' and r.capped))
order by j.position
limit 1
