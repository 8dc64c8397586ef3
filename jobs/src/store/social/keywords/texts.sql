-- Posts that were answered and whose outcome became final in ($2, $3], the latest of each author, $4 at most.
select * from (
  select distinct on (p.author_id) p.content, p.keyword_categories as categories, r.rewarded and not r.removed as rewarded,
    r.posted_at, r.reply_id
  from social.reply_results($1, $2::timestamptz - interval '7 days', $3::timestamptz - interval '7 days') r
  join social.replies s on s.workspace_id = $1 and s.id = r.reply_id
  join social.posts p on p.workspace_id = $1 and p.id = s.decision_snapshot ->> 'post_id'
  where p.deleted_at is null and p.superseded_by is null
  order by p.author_id, r.posted_at desc, r.reply_id
) each order by posted_at desc, reply_id limit $4
