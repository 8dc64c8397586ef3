update ops.jobs j
set lease_until = statement_timestamp() + $3 * interval '1 millisecond'
from unnest($1::bigint[], $2::int[]) as l(id, attempt)
where j.id = any(array[l.id]) and j.attempt = l.attempt and j.lease_until is not null
returning j.id
