-- Replies of a workspace ($1) whose outcome became final in ($2, $3], by keyword of the post they answer, how many keywords that
-- has, and whether it was after $4: how many, and how many of them were rewarded and not taken down.
select t.term, cardinality(p.keyword_matches) as k, r.posted_at > $4::timestamptz - interval '7 days' as recent, count(*) as n,
  count(*) filter (where r.rewarded and not r.removed) as hits
from social.reply_results($1, $2::timestamptz - interval '7 days', $3::timestamptz - interval '7 days') r
join social.replies s on s.workspace_id = $1 and s.id = r.reply_id
join social.posts p on p.workspace_id = $1 and p.id = s.decision_snapshot ->> 'post_id'
cross join unnest(p.keyword_matches) as t (term)
group by 1, 2, 3 order by t.term collate "C", 2, 3
