-- Decisions with numbers from $1 to $2 in the 80 days before 2026-06-01, each with a reply whose outcome is final; clicks come
-- with a chance that grows with TRS.
with made as (
  select n, 'd' || n as id, (array['TWITTER','REDDIT','THREADS'])[n % 3 + 1] as platform,
         timestamptz '2026-05-20T02:00:00Z' - make_interval(secs => n::bigint * 7919 % 6900000) as at,
         random() as sss, random() as ars, random() as evs, random() as trs
  from generate_series($1::int, $2::int) n
), exposed as (
  insert into social.decision_exposures (workspace_id, decision_id, created_at, eligible_actions, action, propensity, probabilities,
    policy_version, weights_version, features, rng_key)
  select 'bench', id, at, '{HELPFUL/COACH,DISENGAGED}', 'HELPFUL/COACH', 0.98, '{"HELPFUL/COACH": 0.98, "DISENGAGED": 0.02}', '1',
    'GLOBAL:1', jsonb_build_object(
      'temporal', jsonb_build_object('daypart', (array['NIGHT','MORNING','AFTERNOON','EVENING'])[n / 3 % 4 + 1], 'day', n % 7),
      'signals', jsonb_build_object('sss', jsonb_build_object('score', sss), 'ars', jsonb_build_object('score', ars),
        'evs', jsonb_build_object('signal', jsonb_build_object('score', evs)),
        'trs', jsonb_build_object('signal', jsonb_build_object('score', trs)))), n
  from made
), replied as (
  insert into social.replies (workspace_id, id, decision_id, decision_snapshot, content, platform, approval_status, posted_at)
  select 'bench', 'r' || n, id, '{}', 'a reply of ten words', platform, 'APPROVED', at from made
)
insert into social.click_events (workspace_id, external_id, reply_id, occurred_at)
select 'bench', 'c' || n, 'r' || n, at + interval '1 hour' from made where random() < 0.02 + 0.2 * trs
