-- Replies of a workspace whose outcome became final in ($2, $3], the latest $4 of them, with what their decisions saw and
-- might have done.
select matured_at, decided_at, action, probabilities, features, rewarded, removed from (
  select r.posted_at + interval '7 days' as matured_at, e.created_at as decided_at, e.action, e.probabilities,
    e.features::text as features, r.rewarded, r.removed, r.posted_at, r.reply_id
  from social.reply_results r
  join social.decision_exposures e on e.workspace_id = $1 and e.decision_id = r.decision_id
  where r.workspace_id = $1 and r.posted_at > $2::timestamptz - interval '7 days'
    and r.posted_at <= $3::timestamptz - interval '7 days' and e.action <> 'DISENGAGED'
  order by r.posted_at desc, r.reply_id desc limit $4
) latest order by posted_at, reply_id
