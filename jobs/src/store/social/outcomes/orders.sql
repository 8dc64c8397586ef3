with told as (
  select distinct on (t.external_id) t.*
  from unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::jsonb[],
              $10::bigint[], $11::text[], $12::boolean[])
    as t (external_id, occurred_at, named, utm_code, posted_on, post, visitor, data, cents, currency, new_customer)
  order by t.external_id, t.occurred_at::timestamptz(3), t.data
), before as (
  select o.external_id from social.order_events o where o.workspace_id = $1 and o.external_id = any ($2)
), after as (
  insert into social.order_events as o (workspace_id, external_id, reply_id, utm_code, amount, currency, new_customer,
                                        occurred_at, visitor, data)
  select $1, t.external_id, social.reply_named($1, t.named, t.utm_code, t.posted_on, t.post), t.utm_code,
    t.cents::numeric / 100, t.currency, t.new_customer, t.occurred_at, t.visitor, t.data
  from told t order by t.external_id
  on conflict (workspace_id, external_id) do update set reply_id = excluded.reply_id, utm_code = excluded.utm_code,
    amount = excluded.amount, currency = excluded.currency, new_customer = excluded.new_customer,
    occurred_at = excluded.occurred_at, visitor = excluded.visitor, data = excluded.data
  where (excluded.occurred_at, excluded.data) < (o.occurred_at, o.data)
  returning o.external_id
)
select 'order' as type, a.external_id as id, null as reply_id, null as visitor, null as account, null as author_id,
  not exists (select from before b where b.external_id = a.external_id) as fresh
from after a
