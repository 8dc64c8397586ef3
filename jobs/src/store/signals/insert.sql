insert into signals.signals
  (id, workspace_id, source, source_ref, version, verbatim, content_hash, interpretation, severity, frequency,
   user_segment, provenance, source_url, interview_date, interviewee, tags, source_metadata, created_at, sanitized,
   source_id, event_id, trace_id, status, deleted_at, processed_at)
select n.id, n.workspace_id, n.source, n.source_ref, n.version, n.verbatim, n.content_hash, n.interpretation,
       n.severity, n.frequency, n.user_segment, n.provenance, n.source_url, n.interview_date, n.interviewee, n.tags,
       nullif(n.source_metadata, '{}'), coalesce(n.occurred_at, now() at time zone 'utc'), n.sanitized,
       n.source_id, n.event_id, n.trace_id,
       case when n.deleted then 'archived' else 'new' end,
       case when n.deleted then now() at time zone 'utc' end,
       case when n.whole then now() at time zone 'utc' end
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::bytea[], $8::text[],
            $9::text[], $10::text[], $11::text[], $12::jsonb[], $13::text[], $14::timestamp[], $15::text[],
            $16::jsonb[], $17::jsonb[], $18::timestamp[], $19::bool[], $20::text[], $21::uuid[], $22::text[],
            $23::bool[], $24::bool[])
  as n (id, workspace_id, source, source_ref, version, verbatim, content_hash, interpretation, severity, frequency,
        user_segment, provenance, source_url, interview_date, interviewee, tags, source_metadata, occurred_at,
        sanitized, source_id, event_id, trace_id, deleted, whole)
order by n.workspace_id, n.source, n.source_ref
on conflict (workspace_id, source, source_ref) do nothing
returning id
