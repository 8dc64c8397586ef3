-- Ids are drawn first, so that each input row can be told which row it became.
with input as materialized (
  select i.*, nextval('ops.jobs_id_seq') as id
  from unnest($1::text[], $2::text[], $3::smallint[], $4::bigint[], $5::int[], $6::text[], $7::text[], $8::text[])
       with ordinality
       as i(workspace_id, kind, priority, delay_ms, attempts_max, unique_key, payload, trace_id, nth)
), made as (
  insert into ops.jobs (id, workspace_id, kind, priority, state, run_at, attempts_max, unique_key, payload, trace_id)
  overriding system value
  select id, workspace_id, kind, priority,
         case when delay_ms > 0 then 'scheduled' else 'ready' end,
         now() + delay_ms * interval '1 millisecond',
         attempts_max, unique_key, payload::jsonb, trace_id
  from input
  on conflict (workspace_id, kind, unique_key) where unique_key is not null and state <> 'running' do nothing
  returning id, position
)
select input.nth, made.id, made.position from made join input on input.id = made.id
