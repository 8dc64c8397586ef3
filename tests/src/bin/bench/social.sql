-- Posts with numbers from $1 to $2, an author each, with counts and a decision; in 80 days, as far as they are kept.
with who as (
  insert into social.authors (workspace_id, id, platform, platform_id, handle, bio, follower_count, observed)
  select 'bench', 'a' || n, 'TWITTER', n::text, 'author_' || n, 'runner', n::bigint * 7919 % 100000,
         '{"follower_count": 1, "bio": 1}' from generate_series($1::int, $2::int) n
), what as (
  insert into social.posts (workspace_id, id, platform, platform_post_id, author_id, content, posted_at, detected_at,
    processed_at, seen_at, checked_at, conversation, keyword_matches, content_hash, content_norm_hash, raw_metrics, event_id, trace_id)
  select 'bench', 'p' || n, 'TWITTER', n::text, $3 || n / $4::int, 'So hungover today, number ' || n, at, at, at, at, at, n::text,
         '{hungover}', sha256(n::text::bytea), sha256(n::text::bytea), '{"likes": 3}', gen_random_uuid(), md5(n::text)
  from (select n, now() - make_interval(secs => n::bigint * 7919 % 6900000) as at from generate_series($1::int, $2::int) n) t
), counts as (
  insert into social.post_metric_snapshots (workspace_id, post_id, minute, captured_at, likes, replies)
  select 'bench', 'p' || n, date_trunc('minute', at), at, 3, 1
  from (select n, now() - make_interval(secs => n::bigint * 7919 % 6900000) as at from generate_series($1::int, $2::int) n) t
)
insert into social.decisions (workspace_id, post_id, platform, sss_score, ars_score, evs_score, trs_score, composite_score, mode,
  created_at, safety_flags, predicted_mode, competitor_detected)
select 'bench', 'p' || n, 'TWITTER', 0.5, 0.5, 1, 0.5, 0.5, case n % 3 when 0 then 'DISENGAGED' else 'HELPFUL' end, at,
       case n % 50 when 0 then '{distress}'::text[] else '{}' end, 'HELPFUL', case n % 20 when 0 then 'Pedialyte' end
from (select n, now() - make_interval(secs => n::bigint * 7919 % 6900000) as at from generate_series($1::int, $2::int) n) t
