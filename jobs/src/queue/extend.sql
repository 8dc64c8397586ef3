-- Ids that are still held. A row that somebody has locked is left as it is: its own effect is being committed, and
-- whoever waited for that would let all other leases run out.
with held as materialized (
  select j.id, j.attempt
  from unnest($1::bigint[], $2::int[]) as l(id, attempt)
  join ops.jobs j on j.id = any(array[l.id]) and j.attempt = l.attempt and j.lease_until is not null
), free as materialized (
  select j.id
  from held h join ops.jobs j on j.id = any(array[h.id]) and j.attempt = h.attempt and j.lease_until is not null
  for update of j skip locked
), extended as (
  update ops.jobs j
  set lease_until = statement_timestamp() + $3 * interval '1 millisecond'
  from free f
  where j.id = any(array[f.id])
)
select id from held
