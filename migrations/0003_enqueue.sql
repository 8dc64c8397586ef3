-- Enqueue from SQL, for statements that add jobs in the same round trip as their own rows (event
-- storage). Owned by the queue. Returns, per workspace, the first position used: a hint for wake-ups.
set local lock_timeout = '1s';
set local statement_timeout = '1min';

create function ops.enqueue(job_kind text, job_attempts_max int, workspace_ids text[], payloads jsonb[], trace_ids text[])
returns table (tenant text, first_position bigint) language sql as $$
  with added as (
    insert into ops.jobs (kind, attempts_max, workspace_id, payload, trace_id)
    select job_kind, job_attempts_max, t.workspace_id, t.payload, t.trace_id
    from unnest(workspace_ids, payloads, trace_ids) as t(workspace_id, payload, trace_id)
    returning workspace_id, position
  )
  select workspace_id, min(position) from added group by workspace_id
$$;
