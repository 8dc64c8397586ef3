-- Authors in an experiment, in the order in which they came: what came of the first decision on each within eight days, of
-- a reply that was posted within a day. Nothing said is nothing gained.
select a.unit_id, a.variant = 'B' as in_b, case when a.variant = 'B' then a.propensity else 1 - a.propensity end as propensity_b,
  a.assigned_at, a.decision_id is not null and a.assigned_at <= $3::timestamptz - interval '8 days' as mature,
  coalesce(r.clicked, false) as clicked, coalesce(r.loved, false) as loved, coalesce(r.removed, false) as removed,
  exists (select from social.escalations e where e.workspace_id = $1 and e.decision_id = a.decision_id
            and e.reason in ('SAFETY_AMBIGUITY', 'MODERATOR_WARNING', 'BACKLASH_SPIKE')) as escalated
from social.experiment_assignments a
left join lateral (
  select
    bool_or(exists (select from social.click_events c where c.workspace_id = $1 and c.reply_id = r.id
                      and c.occurred_at <= r.posted_at + interval '7 days')) as clicked,
    bool_or(exists (select from social.relationship_events t where t.workspace_id = $1 and t.reply_id = r.id
                      and t.type in ('thanks', 'like') and t.occurred_at <= r.posted_at + interval '7 days')
            or exists (select from social.reply_outcomes o where o.workspace_id = $1 and o.reply_id = r.id
                         and (o.metrics ->> 'likes')::bigint > 0)) as loved,
    bool_or(r.deleted_at is not null
            or exists (select from social.relationship_events t where t.workspace_id = $1 and t.reply_id = r.id
                         and t.type = 'report' and t.occurred_at <= r.posted_at + interval '7 days')
            or exists (select from social.reply_outcomes o where o.workspace_id = $1 and o.reply_id = r.id
                         and o.metrics ->> 'removed' = 'true')) as removed
  from social.replies r
  where r.workspace_id = $1 and r.decision_id = a.decision_id and r.posted_at <= a.assigned_at + interval '1 day'
) r on true
where a.workspace_id = $1 and a.experiment_id = $2
order by a.assigned_at, a.unit_id
