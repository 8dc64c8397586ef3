-- A new job per letter, linked both ways; a letter whose unique key a waiting job holds is left as it is.
with letter as materialized (
  select * from ops.dead_letters d
  where ($1::text is null or d.workspace_id = $1)
    and ($2::bigint[] is null or d.id = any($2))
    and ($3::text is null or d.kind = $3)
    and ($4::text is null or d.source_id = $4)
    and ($5::text is null or d.reason = $5)
    and ($6::timestamptz is null or d.died_at >= $6)
    and ($7::timestamptz is null or d.died_at < $7)
    and ($2::bigint[] is not null or d.replayed_at is null)
  order by d.id
  limit $8
  for update skip locked
), made as (
  insert into ops.jobs (workspace_id, kind, priority, attempts_max, unique_key, payload, trace_id, replay_of)
  select workspace_id, kind, priority, attempts_max, unique_key, payload, trace_id, id from letter order by id
  on conflict (workspace_id, kind, unique_key) where unique_key is not null and state <> 'running' do nothing
  returning id, replay_of, kind, workspace_id, priority, position
), linked as (
  update ops.dead_letters d set replayed_at = now(), replayed_as = made.id from made where d.id = any(array[made.replay_of])
)
select id, replay_of, kind, workspace_id, priority, position from made
