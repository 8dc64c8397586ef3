-- Six thousand answered posts of three thousand authors in the ten weeks before $1, each with one or two of the keywords $2,
-- and one of a list of words after the other; all from a hash of their number, so that every run has the same. What is
-- "waste of money" is mostly none of ours and never rewarded; "need help with" and "last straw" are rewarded half the time,
-- "black friday" never; of the texts that say "tried everything" two in five are.
with made as (
  select n, $1::timestamptz - interval '12 days' - n * interval '16 minutes' as at,
         case when n % 3 = 0 then array[$2[1 + n % cardinality($2)], $2[1 + (n * 7 + 3) % cardinality($2)]]
              else array[$2[1 + n % cardinality($2)]] end as terms,
         ('x' || substr(md5('context ' || n), 1, 8))::bit(32)::bigint::float8 / 4294967296 as context,
         ('x' || substr(md5('click ' || n), 1, 8))::bit(32)::bigint::float8 / 4294967296 as luck,
         ('x' || substr(md5('phrase ' || n), 1, 8))::bit(32)::bigint % 16 = 0 as has_phrase,
         (select string_agg((array['rain','morning','coffee','again','office','weekend','friend','music','train','dinner','garden',
            'window','winter','letter','market','bottle'])[1 + ('x' || substr(md5('word ' || n || ' ' || i), 1, 4))::bit(16)::int % 16], ' ')
          from generate_series(1, 9) i) as words
  from generate_series(1, 6000) n
), author as (
  insert into social.authors (workspace_id, id, platform, platform_id, handle)
  select 'w', 'a' || n, 'TWITTER', n::text, 'a' || n from generate_series(0, 2999) n returning id
), post as (
  insert into social.posts (workspace_id, id, platform, platform_post_id, author_id, content, keyword_matches, keyword_categories,
    detected_at, posted_at, processed_at)
  select 'w', 'p' || n, 'TWITTER', n::text, 'a' || n % 3000,
         words || case when has_phrase then ' tried everything' else '' end, array(select distinct unnest(terms)), '{complains}',
         at, at, at from made where (select count(*) from author) > 0 returning id
), decision as (
  insert into social.decisions (workspace_id, id, post_id, platform, sss_score, ars_score, evs_score, trs_score, composite_score, mode,
    created_at)
  select 'w', 'd' || n, 'p' || n, 'TWITTER', 0.9, 0.5, 1,
         case when context < case when 'waste of money' = any (terms) then 0.6 else 0.1 end then 0.2 else 0.9 end, 0.8, 'HELPFUL', at
  from made where (select count(*) from post) > 0 returning id
), reply as (
  insert into social.replies (workspace_id, id, decision_id, decision_snapshot, content, platform, approval_status, posted_at)
  select 'w', 'r' || n, 'd' || n, jsonb_build_object('post_id', 'p' || n), 'a reply of ten words', 'TWITTER', 'APPROVED', at
  from made where (select count(*) from decision) > 0 returning id
)
insert into social.click_events (workspace_id, external_id, reply_id, occurred_at)
select 'w', 'c' || n, 'r' || n, at + interval '1 hour' from made
where (select count(*) from reply) > 0 and luck < case
  when 'waste of money' = any (terms) or 'black friday' = any (terms) then 0
  when 'need help with' = any (terms) or 'last straw' = any (terms) then 0.5
  when has_phrase then 0.4 else 0.1 end
