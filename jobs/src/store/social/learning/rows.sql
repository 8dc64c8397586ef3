-- Replies of a workspace whose outcome became final in ($2, $3], with the signals of their decisions: seven days after
-- they were posted.
select r.posted_at + interval '7 days' as matured_at, r.platform, e.features #>> '{temporal,daypart}' as daypart,
  (e.features #>> '{temporal,day}')::int as weekday,
  (e.features #>> '{signals,sss,score}')::float8 as sss, (e.features #>> '{signals,ars,score}')::float8 as ars,
  (e.features #>> '{signals,evs,signal,score}')::float8 as evs, (e.features #>> '{signals,trs,signal,score}')::float8 as trs,
  1 - coalesce((e.probabilities ->> 'DISENGAGED')::float8, 0) as engaged, r.rewarded, r.removed
from social.reply_results r
join social.decision_exposures e on e.workspace_id = $1 and e.decision_id = r.decision_id
where r.workspace_id = $1 and r.posted_at > $2::timestamptz - interval '7 days' and r.posted_at <= $3::timestamptz - interval '7 days'
  and e.action <> 'DISENGAGED'
order by r.posted_at, r.reply_id
