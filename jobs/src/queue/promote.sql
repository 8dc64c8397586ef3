with due as materialized (
  select id, run_at from ops.jobs
  where state = 'scheduled' and run_at > $1 and run_at <= statement_timestamp()
  order by run_at
  limit $2
  for update skip locked
)
update ops.jobs j
set state = 'ready', position = nextval('ops.job_positions')
from due
where j.id = any(array[due.id])
returning j.kind, j.workspace_id, j.priority, j.position
