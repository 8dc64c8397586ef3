-- What happened since $3 besides, by its day (of the time zone $2) and platform; the platform of what is on none is null.
select (x.at at time zone $2)::date as day, x.platform, sum(x.decisions)::bigint as decisions,
  sum(x.escalations)::bigint as escalations, sum(x.strikes)::bigint as strikes, sum(x.addressed)::bigint as addressed,
  sum(x.mentions)::bigint as mentions
from (
  select d.created_at as at, d.platform, 1 as decisions, 0 as escalations, 0 as strikes, 0 as addressed, 0 as mentions
  from social.decisions d where d.workspace_id = $1 and d.created_at >= $3
  union all
  select e.created_at, coalesce(p.platform, r.platform), 0, 1, (e.reason = 'MODERATOR_WARNING')::int, 0, 0
  from social.escalations e
  left join social.posts p on p.workspace_id = $1 and p.id = e.post_id
  left join social.replies r on r.workspace_id = $1 and r.id = e.reply_id
  where e.workspace_id = $1 and e.created_at >= $3
  union all
  select p.detected_at, p.platform, 0, 0, 0, 1, 0
  from social.posts p where p.workspace_id = $1 and p.detected_at >= $3 and p.addressed and not p.spam_filtered
  union all
  select m.created_at, p.platform, 0, 0, 0, 0, 1
  from social.competitive_mentions m join social.posts p on p.workspace_id = $1 and p.id = m.post_id
  where m.workspace_id = $1 and m.created_at >= $3
) x
group by 1, 2
