-- What came of the replies posted since $3, by their day (of the time zone $2) and platform.
with r as (
  select r.id, r.platform, r.platform_post_id, r.posted_at, r.deleted_at is not null as deleted,
    r.utm_code is not null as product, (r.posted_at at time zone $2)::date as day, p.author_id as answered
  from social.replies r
  left join social.posts p on p.workspace_id = $1 and p.id = r.decision_snapshot ->> 'post_id'
  where r.workspace_id = $1 and r.posted_at >= $3
), one as (
  select r.day, r.platform, 1 as replies, r.product::int as product, r.deleted::int as deleted,
    (r.product and c.clicks > 0)::int as clicked, c.*, o.*, e.thanked, e.removed, a.op_answered, a.op_known, w.ripple, w.ripple_known
  from r
  cross join lateral (
    select count(*) as clicks, coalesce(sum((c.data #>> '{what,dwell_s}')::float8), 0) as dwell_s,
      count(c.data #>> '{what,dwell_s}') as dwelt, count(*) filter (where c.data #>> '{what,cart}' = 'true') as carts,
      count(c.data #>> '{what,cart}') as cart_known
    from social.click_events c
    where c.workspace_id = $1 and c.reply_id = r.id and c.occurred_at <= r.posted_at + interval '7 days'
  ) c
  cross join lateral (
    select count(*) filter (where week) as orders, count(*) as orders_30d,
      coalesce(sum(o.amount * 100) filter (where week and o.currency = 'USD'), 0) as usd_cents,
      count(*) filter (where week and o.new_customer) as new_customers,
      count(o.new_customer) filter (where week) as customers_known,
      count(*) filter (where week and o.visitor is not null and exists (
        select from social.order_events b where b.workspace_id = $1 and b.visitor = o.visitor and b.external_id <> o.external_id
          and b.occurred_at < o.occurred_at and b.occurred_at >= o.occurred_at - interval '90 days')) as repeats,
      count(o.visitor) filter (where week) as buyers_known,
      count(*) filter (where week and o.data #>> '{what,coupon}' = 'true') as coupons,
      count(o.data #>> '{what,coupon}') filter (where week) as coupon_known
    from social.order_events o
    cross join lateral (select o.credited_by = 'click_7d' and o.occurred_at <= r.posted_at + interval '7 days' as week) w
    where o.workspace_id = $1 and o.credited_to = r.id and o.credited_by in ('click_7d', 'click_30d')
      and o.occurred_at <= r.posted_at + interval '30 days'
  ) o
  cross join lateral (
    select (exists (select from social.relationship_events e where e.workspace_id = $1 and e.reply_id = r.id
                      and e.type in ('thanks', 'like') and e.occurred_at <= r.posted_at + interval '7 days')
            or exists (select from social.reply_outcomes s where s.reply_id = r.id and (s.metrics ->> 'likes')::bigint > 0))::int as thanked,
      (exists (select from social.relationship_events e where e.workspace_id = $1 and e.reply_id = r.id
                 and e.type = 'report' and e.occurred_at <= r.posted_at + interval '7 days')
       or exists (select from social.reply_outcomes s where s.reply_id = r.id and s.metrics ->> 'removed' = 'true'))::int as removed
  ) e
  cross join lateral (
    select (r.answered is not null and r.platform_post_id is not null)::int as op_known,
      exists (select from social.posts a where a.workspace_id = $1 and a.platform = r.platform and a.in_reply_to = r.platform_post_id
                and a.author_id = r.answered and a.posted_at < r.posted_at + interval '20 minutes')::int as op_answered
  ) a
  left join lateral (
    select coalesce((s.metrics ->> 'replies')::bigint, 0) + coalesce((s.metrics ->> 'shares')::bigint, 0) as ripple, 1 as ripple_known
    from social.reply_outcomes s
    where s.reply_id = r.id and s."window" = '24h' and s.metrics ->> 'removed' is distinct from 'true'
  ) w on true
)
select day, platform, sum(replies)::bigint as replies, sum(product)::bigint as product, sum(deleted)::bigint as deleted,
  sum(clicked)::bigint as clicked, sum(clicks)::bigint as clicks, round(sum(dwell_s))::bigint as dwell_s, sum(dwelt)::bigint as dwelt,
  sum(carts)::bigint as carts, sum(cart_known)::bigint as cart_known, sum(orders)::bigint as orders,
  sum(orders_30d)::bigint as orders_30d, sum(usd_cents)::bigint as usd_cents, sum(new_customers)::bigint as new_customers,
  sum(customers_known)::bigint as customers_known, sum(repeats)::bigint as repeats, sum(buyers_known)::bigint as buyers_known,
  sum(coupons)::bigint as coupons, sum(coupon_known)::bigint as coupon_known, sum(thanked)::bigint as thanked,
  sum(removed)::bigint as removed, sum(op_answered)::bigint as op_answered, sum(op_known)::bigint as op_known,
  coalesce(sum(ripple), 0)::bigint as ripple, coalesce(sum(ripple_known), 0)::bigint as ripple_known
from one group by day, platform
