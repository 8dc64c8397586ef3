-- Decisions with numbers from $1 to $2 in the 80 days before 2026-06-01, each with what a real one saw ($3), a reply whose
-- outcome is final, and all looks at it; clicks come with a chance that grows with TRS.
with made as (
  select n, 'd' || n as id, (array['TWITTER','REDDIT','THREADS'])[n % 3 + 1] as platform,
         timestamptz '2026-05-20T02:00:00Z' - make_interval(secs => n::bigint * 7919 % 6900000) as at,
         random() as sss, random() as ars, random() as evs, random() as trs
  from generate_series($1::int, $2::int) n
), exposed as (
  insert into social.decision_exposures (workspace_id, decision_id, created_at, eligible_actions, action, propensity, probabilities,
    policy_version, weights_version, features, rng_key)
  select 'bench', id, at, '{HELPFUL/COACH,DISENGAGED}', 'HELPFUL/COACH', 0.98, '{"HELPFUL/COACH": 0.98, "DISENGAGED": 0.02}', '1',
    'GLOBAL:1', $3::jsonb || jsonb_build_object(
      'key', n,
      'temporal', $3::jsonb -> 'temporal'
        || jsonb_build_object('daypart', (array['NIGHT','MORNING','AFTERNOON','EVENING'])[n / 3 % 4 + 1], 'day', n % 7),
      'signals', jsonb_build_object(
        'sss', $3::jsonb #> '{signals,sss}' || jsonb_build_object('score', sss),
        'ars', $3::jsonb #> '{signals,ars}' || jsonb_build_object('score', ars),
        'evs', jsonb_set($3::jsonb #> '{signals,evs}', '{signal,score}', to_jsonb(evs)),
        'trs', jsonb_set($3::jsonb #> '{signals,trs}', '{signal,score}', to_jsonb(trs)))), n
  from made
), replied as (
  insert into social.replies (workspace_id, id, decision_id, decision_snapshot, content, platform, approval_status, posted_at)
  select 'bench', 'r' || n, id, '{}', 'a reply of ten words', platform, 'APPROVED', at from made
), looked as (
  insert into social.reply_outcomes (workspace_id, reply_id, "window", captured_at, metrics)
  select 'bench', 'r' || n, name, at + span, jsonb_build_object('likes', (random() < 0.01)::int, 'replies', 0, 'views', n % 977)
  from made cross join (values ('15m', interval '15 minutes'), ('60m', '1 hour'), ('24h', '1 day'), ('7d', '7 days')) w (name, span)
)
insert into social.click_events (workspace_id, external_id, reply_id, occurred_at)
select 'bench', 'c' || n, 'r' || n, at + interval '1 hour' from made where random() < 0.02 + 0.2 * trs
