-- Tombstone: whatever was said, or derived from it, goes.
with left_alone as (
  update signals.signals s set duplicate_of = null, duplicate_kind = null, duplicate_score = null
  where s.duplicate_of = any ($1) and not s.id = any ($1)
)
update signals.signals s set
  version = n.version, event_id = n.event_id, trace_id = n.trace_id,
  verbatim = '', content_hash = null, interpretation = null, severity = null, frequency = null,
  user_segment = null, provenance = '{}', source_metadata = null, source_url = null, interview_date = null,
  interviewee = null, tags = '[]', embedding = null, ai_classification = null, classification = null,
  duplicate_of = null, duplicate_kind = null, duplicate_score = null,
  status = 'archived', deleted_at = now() at time zone 'utc', updated_at = now() at time zone 'utc'
from unnest($1::text[], $2::bigint[], $3::uuid[], $4::text[]) as n (id, version, event_id, trace_id)
where s.id = n.id
