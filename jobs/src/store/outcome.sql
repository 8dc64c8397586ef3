-- $1 workspace, $2 event ids. One row per source, and one with a null source for all of them.
with event as (
  select e.id, e.source_id, e.state, e.received_at
  from ops.events e
  where e.workspace_id = $1 and e.id = any($2)
), signal as (
  select event.source_id, s.deleted_at, s.duplicate_kind, s.classification,
         exists (select from signals.signal_projects p where p.signal_id = s.id and p.linked_by is null) as linked,
         exists (select from signals.signal_versions v where v.signal_id = s.id and v.change = 'edited') as edited,
         1000 * extract(epoch from s.processed_at at time zone 'utc' - event.received_at)::float8 as took_ms
  from signals.signals s
  join event on event.id = s.event_id
  where s.workspace_id = $1
), events as (
  select source_id,
         count(*) as events,
         count(*) filter (where state = 'normalized') as normalized,
         count(*) filter (where state = 'ignored') as ignored,
         count(*) filter (where state = 'quarantined') as quarantined
  from event
  group by grouping sets ((source_id), ())
), effects as (
  select source_id,
         count(*) as signals,
         count(*) filter (where classification ->> 'projectId' is not null) as classified,
         count(*) filter (where linked) as linked,
         count(*) filter (where (classification ->> 'isNewInitiative')::bool) as new_initiative,
         count(*) filter (where duplicate_kind = 'near') as near_duplicates,
         count(*) filter (where duplicate_kind = 'exact') as exact_duplicates,
         count(*) filter (where edited) as edited,
         count(*) filter (where deleted_at is not null) as deleted,
         percentile_cont(0.5) within group (order by took_ms) as p50_ms,
         percentile_cont(0.95) within group (order by took_ms) as p95_ms
  from signal
  group by grouping sets ((source_id), ())
)
select events.source_id, events.events, events.normalized, events.ignored, events.quarantined,
       coalesce(signals, 0) as signals, coalesce(classified, 0) as classified, coalesce(linked, 0) as linked,
       coalesce(new_initiative, 0) as new_initiative, coalesce(near_duplicates, 0) as near_duplicates,
       coalesce(exact_duplicates, 0) as exact_duplicates, coalesce(edited, 0) as edited,
       coalesce(deleted, 0) as deleted, p50_ms, p95_ms
from events
left join effects on effects.source_id is not distinct from events.source_id
