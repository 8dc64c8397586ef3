-- One index probe per (tenant, class) that is known to have work, from its low-water mark on. Shares are cut per tenant,
-- so a long queue of one tenant is no other tenant's business.
--
-- The commit does not wait for the disk, which is most of a pick-up. A claim that a crash of the server undoes leaves the
-- job ready; should its worker go on, then of two deliveries with one number the row lets one end.
with tenant as materialized (
  select t.*
  from unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
       as t(workspace_id, share, mark0, mark1, mark2, mark3)
  cross join (select set_config('synchronous_commit', 'off', true)) no_wait
  where (select true from ops.queue_pauses p
         where p.kind = any(array['', $1]) and p.workspace_id = any(array['', t.workspace_id]) limit 1) is null
    and ($10 or not exists (select from ops.queue_limits l
                            where l.workspace_id = t.workspace_id and l.kind = $1))
), picked as materialized (
  select q.id
  from tenant t
  cross join lateral (
    select r.id
    from unnest($8::smallint[]) as class(priority)
    cross join lateral (
      select j.id
      from ops.jobs j
      where j.kind = $1 and j.workspace_id = t.workspace_id and j.priority = class.priority
        and j.position > case class.priority when 0 then t.mark0 when 1 then t.mark1 when 2 then t.mark2 else t.mark3 end
        and j.state = 'ready' and j.crashes < 2
      order by j.position
      limit t.share
      for update skip locked
    ) r
    limit t.share
  ) q
)
update ops.jobs j
set state = 'running', attempt = j.attempt + 1, leased_by = $9, capped = $10,
    started_at = statement_timestamp(), lease_until = statement_timestamp() + $11 * interval '1 millisecond'
from picked p
where j.id = any(array[p.id])
returning j.id, j.attempt, j.spared, j.attempts_max, j.workspace_id, j.priority, j.position, j.payload, j.trace_id,
          greatest(extract(epoch from j.started_at - j.run_at), 0)::float8 as waited_s
