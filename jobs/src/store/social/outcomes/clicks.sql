with told as (
  select distinct on (t.external_id) t.*
  from unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::jsonb[])
    as t (external_id, occurred_at, named, utm_code, posted_on, post, visitor, data)
  order by t.external_id, t.occurred_at::timestamptz(3), t.data
), before as (
  select c.external_id, c.reply_id, c.visitor from social.click_events c
  where c.workspace_id = $1 and c.external_id = any ($2)
), after as (
  insert into social.click_events as c (workspace_id, external_id, reply_id, utm_code, occurred_at, visitor, data)
  select $1, t.external_id, social.reply_named($1, t.named, t.utm_code, t.posted_on, t.post), t.utm_code, t.occurred_at,
    t.visitor, t.data
  from told t order by t.external_id
  on conflict (workspace_id, external_id) do update set reply_id = excluded.reply_id, utm_code = excluded.utm_code,
    occurred_at = excluded.occurred_at, visitor = excluded.visitor, data = excluded.data
  where (excluded.occurred_at, excluded.data) < (c.occurred_at, c.data)
  returning c.external_id, c.reply_id, c.visitor
)
select 'click' as type, null as id, a.reply_id, a.visitor, null as account, null as author_id,
  not exists (select from before b where b.external_id = a.external_id) as fresh
from after a
union all
select 'click', null, b.reply_id, b.visitor, null, null, false from before b
where exists (select from after a where a.external_id = b.external_id)
