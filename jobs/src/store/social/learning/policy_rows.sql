-- Replies of a workspace whose outcome became final in ($2, $3], the latest $4 of them, with what their decisions saw and
-- might have done. In no order: what they saw is kilobytes, and is not sorted.
with latest as materialized (
  select r.posted_at, r.reply_id, r.decision_id, r.rewarded, r.removed
  from social.reply_results($1, $2::timestamptz - interval '7 days', $3::timestamptz - interval '7 days') r
  join social.decision_exposures e on e.workspace_id = $1 and e.decision_id = r.decision_id
  where e.action <> 'DISENGAGED'
  order by r.posted_at desc, r.reply_id desc limit $4
)
select l.posted_at + interval '7 days' as matured_at, l.reply_id, e.created_at as decided_at, e.action, e.probabilities,
  e.features::text as features, l.rewarded, l.removed
from latest l join social.decision_exposures e on e.workspace_id = $1 and e.decision_id = l.decision_id
