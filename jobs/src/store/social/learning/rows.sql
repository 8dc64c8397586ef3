-- Replies of a workspace whose outcome became final in ($2, $3], with the signals of their decisions: seven days after
-- they were posted.
select r.posted_at + interval '7 days' as matured_at, r.platform, e.daypart, e.weekday, e.signals, 1 - e.disengaged as engaged,
  r.rewarded, r.removed
from social.reply_results($1, $2::timestamptz - interval '7 days', $3::timestamptz - interval '7 days') r
join social.decision_exposures e on e.workspace_id = $1 and e.decision_id = r.decision_id
where e.action <> 'DISENGAGED'
order by r.posted_at, r.reply_id
