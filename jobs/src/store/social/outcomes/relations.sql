with told as (
  select distinct on (t.type, t.external_id) t.*, social.reply_named($1, t.named, t.utm_code, t.posted_on, t.post) as reply_id
  from unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
              $10::jsonb[], $11::text[], $12::double precision[])
    as t (external_id, occurred_at, named, utm_code, posted_on, post, account_on, account, data, type, weight)
  order by t.type, t.external_id, t.occurred_at::timestamptz(3), t.data
), before as (
  select e.type, e.source_event_id, e.author_id, e.data ->> 'account' as account
  from social.relationship_events e
  where e.workspace_id = $1 and (e.type, e.source_event_id) in (select t.type, t.external_id from told t)
), after as (
  insert into social.relationship_events as e (workspace_id, author_id, reply_id, type, source_event_id, weight,
                                               occurred_at, data)
  select $1, social.author_named($1, t.account_on, t.account, t.reply_id), t.reply_id, t.type, t.external_id, t.weight,
    t.occurred_at, t.data
  from told t order by t.type, t.external_id
  on conflict (workspace_id, type, source_event_id) do update set author_id = excluded.author_id,
    reply_id = excluded.reply_id, weight = excluded.weight, occurred_at = excluded.occurred_at, data = excluded.data
  where (excluded.occurred_at, excluded.data) < (e.occurred_at, e.data)
  returning e.type, e.source_event_id, e.author_id, e.data ->> 'account' as account
)
select 'relation' as type, null as id, null as reply_id, null as visitor, a.account, a.author_id,
  not exists (select from before b where (b.type, b.source_event_id) = (a.type, a.source_event_id)) as fresh
from after a
union all
select 'relation', null, null, null, b.account, b.author_id, false from before b
where exists (select from after a where (a.type, a.source_event_id) = (b.type, b.source_event_id))
