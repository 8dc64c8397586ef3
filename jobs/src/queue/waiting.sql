-- The waiting jobs with these unique keys, kept from starting until the caller's transaction ends: a claim passes by
-- what is locked.
select j.id, j.kind, j.workspace_id, j.unique_key, j.priority, j.position, j.state = 'ready' as ready
from unnest($1::text[], $2::text[], $3::text[]) as k(workspace_id, kind, unique_key)
cross join lateral (
  select * from ops.jobs
  where workspace_id = k.workspace_id and kind = k.kind and unique_key = k.unique_key and state <> 'running'
  for share) j
