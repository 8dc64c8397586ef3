-- Posts of a workspace by keyword, how many keywords they have ($1, decided upon in ($2, $3]), and whether that was after $4: how
-- many, and how many of them were ours after all: what is said of their context passes the gate ($5), and no person said that
-- a reply to them is beside the point. Of several decisions on a post the last.
select t.term, cardinality(p.keyword_matches) as k, d.created_at > $4::timestamptz as recent, count(*) as n,
  count(*) filter (where d.trs_score >= $5::float8 and not exists (
    select from social.replies r where r.workspace_id = $1 and r.decision_id = d.id and r.reject_reason = 'IRRELEVANT')) as hits
from (select distinct on (post_id) post_id, id, trs_score, created_at from social.decisions
      where workspace_id = $1 and created_at > $2 and created_at <= $3 order by post_id, created_at desc, id) d
join social.posts p on p.workspace_id = $1 and p.id = d.post_id
cross join unnest(p.keyword_matches) as t (term)
group by 1, 2, 3 order by t.term collate "C", 2, 3
