-- Duplicates of the old text are none of the new one.
with left_alone as (
  update signals.signals s set duplicate_of = null, duplicate_kind = null, duplicate_score = null
  from unnest($1::text[], $5::bool[]) as n (id, text_changed)
  where s.duplicate_of = n.id and n.text_changed and not s.id = any ($1)
)
update signals.signals s set
  version = n.version, verbatim = n.verbatim, content_hash = n.content_hash,
  interpretation = n.interpretation, severity = n.severity, frequency = n.frequency,
  user_segment = n.user_segment, provenance = n.provenance,
  source_url = coalesce(n.source_url, s.source_url),
  interview_date = coalesce(n.interview_date, s.interview_date),
  interviewee = coalesce(n.interviewee, s.interviewee),
  tags = case when n.tags = '[]' then s.tags else n.tags end,
  source_metadata = nullif(coalesce(s.source_metadata, '{}') || n.source_metadata, '{}'),
  sanitized = n.sanitized, source_id = n.source_id, event_id = n.event_id, trace_id = n.trace_id,
  status = case when s.deleted_at is not null then 'new'
                when s.status = 'linked' and n.text_changed and not exists (
                  select from signals.signal_projects l where l.signal_id = s.id and l.origin <> 'auto') then 'new'
                else s.status end,
  deleted_at = null,
  updated_at = now() at time zone 'utc',
  -- what was derived from the old text falls with it
  processed_at = case when n.whole then now() at time zone 'utc' when not n.text_changed then s.processed_at end,
  enriched_at = case when n.text_changed then null else s.enriched_at end,
  ai_classification = case when n.text_changed then null else s.ai_classification end,
  classification = case when n.text_changed then null else s.classification end,
  duplicate_of = case when n.text_changed then null else s.duplicate_of end,
  duplicate_kind = case when n.text_changed then null else s.duplicate_kind end,
  duplicate_score = case when n.text_changed then null else s.duplicate_score end
from unnest($1::text[], $2::bigint[], $3::text[], $4::bytea[], $5::bool[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::jsonb[], $11::text[], $12::timestamp[], $13::text[], $14::jsonb[], $15::jsonb[],
            $16::bool[], $17::text[], $18::uuid[], $19::text[], $20::bool[])
  as n (id, version, verbatim, content_hash, text_changed, interpretation, severity, frequency, user_segment,
        provenance, source_url, interview_date, interviewee, tags, source_metadata, sanitized, source_id, event_id,
        trace_id, whole)
where s.id = n.id
