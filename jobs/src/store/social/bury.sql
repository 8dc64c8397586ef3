-- $1 ids of posts that are locked: says of each whether it is replaced, and takes from those that are gone what they said.
with state as (
  select p.id, t.superseded_by,
         coalesce(t.reason is not null and (t.for_good or p.seen_at <= t.at), false)
           or coalesce(s.reason is not null and (s.for_good or p.seen_at <= s.at), false)
           or coalesce(u.for_good or p.seen_at <= u.at, false)
           or (p.deleted_at is not null and p.content = '[deleted]') as dead
  from social.posts p
  join social.authors a on a.id = p.author_id
  left join social.tombstones t
    on t.workspace_id = p.workspace_id and t.platform = p.platform and t.kind = 'post' and t.platform_id = p.platform_post_id
  left join social.tombstones s
    on s.workspace_id = p.workspace_id and s.platform = p.platform and s.kind = 'post' and s.platform_id = t.superseded_by
  left join social.tombstones u
    on u.workspace_id = p.workspace_id and u.platform = p.platform and u.kind = 'author' and u.platform_id = a.platform_id
  where p.id = any ($1)
)
update social.posts p set
  superseded_by = s.superseded_by,
  deleted_at = case when s.dead then coalesce(p.deleted_at, now()) end,
  content = case when s.dead then '[deleted]' else p.content end,
  content_hash = case when s.dead then null else p.content_hash end,
  content_norm_hash = case when s.dead then null else p.content_norm_hash end,
  keyword_matches = case when s.dead then '{}' else p.keyword_matches end,
  keyword_categories = case when s.dead then '{}' else p.keyword_categories end,
  keyword_priority = case when s.dead then null else p.keyword_priority end,
  spam_reason = case when s.dead then null else p.spam_reason end,
  spam_filtered = p.spam_filtered and not s.dead,
  raw_metrics = case when s.dead then null else p.raw_metrics end,
  embedding = case when s.dead then null else p.embedding end,
  error_message = case when s.dead then null else p.error_message end,
  lang = case when s.dead then null else p.lang end,
  url = case when s.dead then null else p.url end
from state s
where p.id = s.id and (s.dead or p.deleted_at is not null or s.superseded_by is not null)
returning p.id, s.dead, s.superseded_by is not null
