-- $1 event id. The rows it wrote.
select 'signal' as kind, s.id, v.change, s.processed_at is not null or s.deleted_at is not null as processed
from signals.signal_versions v join signals.signals s on s.id = v.signal_id
where v.event_id = $1
union all
select 'inbox_item', i.id, 'created', true from signals.inbox_items i where i.event_id = $1
order by 1, 2 limit 1000
