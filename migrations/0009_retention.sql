-- Retention: what is archived is a line of text of each row, made here and nowhere else, so that a row is deleted only
-- while it still is what the file says; and the right to erasure.
set local lock_timeout = '1s';
set local statement_timeout = '2s';

-- ---------------------------------------------------------------- lines

create function social.line(document jsonb) returns text language sql immutable as 'select document::text';

-- A number of a line; a set of rows is compared with a file by the sum of theirs.
create function social.line_number(line text) returns bigint language sql immutable as $$
  select ('x' || encode(substring(sha256(convert_to(line, 'utf8')) for 8), 'hex'))::bit(64)::bigint
$$;

-- A decision and its exposure, which also stays in its table; without what follows from the rest.
create function social.decision_line(d social.decisions) returns text language sql stable set timezone = 'UTC' as $$
  select social.line(jsonb_build_object('decision', to_jsonb(d),
    'exposure', (select to_jsonb(e) - '{signals,daypart,weekday,disengaged}'::text[] from social.decision_exposures e
                 where e.decision_id = d.id)))
$$;

-- A post and all that goes with it (a test looks that nothing is missing).
create function social.post_line(p social.posts) returns text language sql stable set timezone = 'UTC' as $$
  select social.line(jsonb_build_object('post', to_jsonb(p),
    'versions', (select coalesce(jsonb_agg(to_jsonb(v) order by v.content_sha256), '[]')
                 from social.post_versions v where v.post_id = p.id),
    'snapshots', (select coalesce(jsonb_agg(to_jsonb(s) order by s.minute), '[]')
                  from social.post_metric_snapshots s where s.post_id = p.id),
    'mentions', (select coalesce(jsonb_agg(to_jsonb(m) order by m.id), '[]')
                 from social.competitive_mentions m where m.post_id = p.id),
    'opinions', (select coalesce(jsonb_agg(to_jsonb(o) order by o.post_id), '[]')
                 from social.post_opinions o where o.post_id = p.id),
    'contexts', (select coalesce(jsonb_agg(to_jsonb(c) order by c.id), '[]')
                 from social.context_snapshots c where c.post_id = p.id)))
$$;

create function social.audit_line(l social.audit_logs) returns text language sql stable set timezone = 'UTC' as $$
  select social.line(to_jsonb(l))
$$;

-- RFC 4180, without the end of the line.
create function social.kpi_line(k social.kpi_metrics) returns text language sql stable set timezone = 'UTC' as $$
  select concat_ws(',', '"' || replace(k.workspace_id, '"', '""') || '"', '"' || replace(k.id, '"', '""') || '"', k.date,
    coalesce(k.platform, ''), k.metric_type, '"' || replace(k.metric_name, '"', '""') || '"', k.value, k.created_at)
$$;

-- ---------------------------------------------------------------- what only the owner can drop

-- Decisions of months that had no partition, by workspace.
create function social.stray_decisions() returns table (workspace_id text, decisions bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select d.workspace_id, count(*) from social.decisions_default d group by d.workspace_id
$$;

-- Drop the month's decisions if they are what was archived: so many, with that sum. Returns whether they were.
create function social.drop_decisions(month date, archived bigint, total numeric) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '1s' as $$
declare
  part text := format('decisions_%s', to_char(month, 'YYYYMM'));
  since timestamptz := month::timestamp at time zone 'utc';
  until timestamptz := (month + interval '1 month') at time zone 'utc';
  here bigint; sum_here numeric;
begin
  if current_setting('millrace.workspace', true) is distinct from '*' then
    raise insufficient_privilege using message = 'decisions of all tenants go together';
  end if;
  if until > now() then
    raise exception 'the month % is not over', to_char(month, 'YYYY-MM');
  end if;
  if to_regclass('social.' || part) is null then
    return archived = 0;
  end if;
  execute format('lock table social.%I in share mode', part); -- readers go on while it is compared
  select count(*), coalesce(sum(social.line_number(social.decision_line(d))), 0) into here, sum_here
  from social.decisions d where d.created_at >= since and d.created_at < until;
  if (here, sum_here) is distinct from (archived, total) then
    return false;
  end if;
  execute format('alter table social.decisions detach partition social.%I', part);
  execute format('drop table social.%I', part);
  return true;
end $$;

-- Of each workspace with audit entries from before, the last of its first ones that all are.
create function social.audit_prefix(before timestamptz) returns table (workspace_id text, through_seq bigint)
language sql stable as $$
  select l.workspace_id, coalesce(min(l.seq) filter (where l.created_at >= before) - 1, max(l.seq))
  from social.audit_logs l group by l.workspace_id
  having min(l.seq) < coalesce(min(l.seq) filter (where l.created_at >= before), max(l.seq) + 1)
$$;

-- Delete those entries if they are what was archived; the chain itself says so. Returns whether they were.
create function social.forget_audit(before timestamptz, archived bigint, total numeric, by text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare here bigint; sum_here numeric;
begin
  select count(*), coalesce(sum(social.line_number(social.audit_line(l))), 0) into here, sum_here
  from social.audit_prefix(before) p join social.audit_logs l on l.workspace_id = p.workspace_id and l.seq <= p.through_seq;
  if (here, sum_here) is distinct from (archived, total) then
    return false;
  end if;
  insert into social.audit_logs (workspace_id, entity_type, entity_id, action, actor, details_json)
  select p.workspace_id, 'audit_logs', to_char(before at time zone 'utc', 'YYYY-MM-DD'), 'archived', by,
         jsonb_build_object('through_seq', p.through_seq, 'row_hash', encode(l.row_hash, 'hex'))
  from social.audit_prefix(before) p join social.audit_logs l on l.workspace_id = p.workspace_id and l.seq = p.through_seq
  order by p.workspace_id;
  delete from social.audit_logs l using social.audit_prefix(before) p
  where l.workspace_id = p.workspace_id and l.seq <= p.through_seq;
  return true;
end $$;

-- ---------------------------------------------------------------- erasure

-- How a subject is remembered, so that it is not stored again: not as itself.
create function social.erased_as(workspace text, platform text, subject text) returns text language sql immutable as $$
  select 'sha256:' || encode(sha256(convert_to(jsonb_build_array(workspace, platform, subject)::text, 'utf8')), 'hex')
$$;

-- Where a text says one of the names: as @name, in an address, alone; anywhere as a word if it is no ordinary one.
create function social.names_pattern(names text[]) returns text language sql immutable as $$
  select string_agg(format('(?:(?<![[:alnum:]_])@|/)%1$s(?![[:alnum:]_])|^%1$s$', quoted)
           || case when n ~ '[^[:alpha:]]' then format('|(?<![[:alnum:]_])%s(?![[:alnum:]_])', quoted) else '' end, '|')
  from unnest(names) n, lateral (select regexp_replace(n, '(\W)', '\\\1', 'g')) q (quoted) where n <> ''
$$;

-- A text, or all texts of a document, without what the pattern finds and without these texts.
create function social.without(doc text, pattern text, texts text[]) returns text language plpgsql immutable as $$
declare one text;
begin
  foreach one in array texts loop
    doc := replace(doc, one, '[erased]');
  end loop;
  return coalesce(regexp_replace(doc, pattern, '[erased]', 'gi'), doc);
end $$;
create function social.without(doc jsonb, pattern text, texts text[]) returns jsonb language plpgsql immutable as $$
begin
  return case jsonb_typeof(doc)
    when 'string' then to_jsonb(social.without(doc #>> '{}', pattern, texts))
    when 'array' then (select coalesce(jsonb_agg(social.without(e, pattern, texts) order by nth), '[]')
                       from jsonb_array_elements(doc) with ordinality a (e, nth))
    when 'object' then (select coalesce(jsonb_object_agg(k, social.without(v, pattern, texts)), '{}') from jsonb_each(doc) o (k, v))
    else doc end;
end $$;

-- Raw deliveries of a workspace that name somebody go; their event rows stay. Those that were not read yet are left, and
-- counted: what they say of the person is refused when they are read.
create function ops.erase_bodies(workspace text, names text[], out erased bigint, out waiting bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare pattern text; ids uuid[];
begin
  select string_agg(format('"%1$s"|(?:@|/)%1$s(?![[:alnum:]_])', regexp_replace(n, '(\W)', '\\\1', 'g')), '|')
    into pattern from unnest(names) n where n <> '';
  select coalesce(array_agg(b.event_id) filter (where e.state <> 'stored'), '{}'), count(*) filter (where e.state = 'stored')
    into ids, waiting
  from ops.event_bodies b join ops.events e on e.id = b.event_id
  where b.workspace_id = workspace
    and (encode(b.body, 'escape') ~* pattern or b.headers::text ~* pattern);
  delete from ops.event_bodies b where b.event_id = any (ids) and b.workspace_id = workspace;
  get diagnostics erased = row_count;
  update ops.quarantine q set detail = null where q.event_id = any (ids) and q.workspace_id = workspace;
end $$;

-- Take authors out of a workspace: their rows, and what others say of them by these names and texts. `posts` are all of
-- theirs (`native` their ids on the platform), `decisions` those that are archived, `archived` the numbers of archived audit
-- entries that were redacted. What was done, in numbers; the authors' ids, which are nowhere else then, say of archives that
-- are not filtered yet whose they are.
create function social.erase(workspace text, place text, ids text[], accounts text[], names text[], said text[], posts text[],
                             native text[], decisions text[], archived bigint[], by text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  -- What is short is no name of anybody: it would be found in every text.
  pattern text := social.names_pattern(names || array(select a from unnest(accounts) a where char_length(a) >= 5));
  told text[] := array(select place || ' ' || a from unnest(accounts) a);
  done jsonb := jsonb_build_object('authors', to_jsonb(ids));
  n bigint; redacted bigint[];
begin
  decisions := decisions || array(select d.id from social.decisions d where d.workspace_id = workspace and d.post_id = any (posts));

  delete from social.decision_exposures e where e.workspace_id = workspace and e.decision_id = any (decisions);
  update social.escalations e set post_id = null, reason_text = null, resolution_notes = null
  where e.workspace_id = workspace and (e.post_id = any (posts) or e.decision_id = any (decisions));
  update social.escalations e set reason_text = social.without(e.reason_text, pattern, said),
    resolution_notes = social.without(e.resolution_notes, pattern, said)
  where e.workspace_id = workspace and (e.reason_text, e.resolution_notes) is distinct from
    (social.without(e.reason_text, pattern, said), social.without(e.resolution_notes, pattern, said));
  with found as (
    select r.id, social.without(r.content, pattern, said) as content, social.without(r.decision_snapshot, pattern, said) as snapshot,
           social.without(r.delete_reason, pattern, said) as reason, social.without(r.link, pattern, said) as link,
           case when r.thread <> all (native) then r.thread end as thread
    from social.replies r where r.workspace_id = workspace
  )
  update social.replies r set content = case when char_length(f.content) between 10 and 1000 then f.content else '[deleted]' end,
    decision_snapshot = f.snapshot, delete_reason = f.reason, link = f.link, thread = f.thread
  from found f where r.id = f.id and (r.content, r.decision_snapshot, r.delete_reason, r.link, r.thread)
    is distinct from (f.content, f.snapshot, f.reason, f.link, f.thread);
  get diagnostics n = row_count;
  done := done || jsonb_build_object('replies_redacted', n);

  update social.click_events c set data = c.data - 'account' - 'visitor', visitor = null
  where c.workspace_id = workspace and c.data ->> 'account' = any (told);
  update social.order_events o set data = o.data - 'account' - 'visitor', visitor = null
  where o.workspace_id = workspace and o.data ->> 'account' = any (told);
  get diagnostics n = row_count;
  done := done || jsonb_build_object('orders_cleared', n);
  delete from social.relationship_events e
  where e.workspace_id = workspace and (e.author_id = any (ids) or e.data ->> 'account' = any (told));
  get diagnostics n = row_count;
  done := done || jsonb_build_object('relationship_events', n);
  delete from social.tombstones t where t.workspace_id = workspace and t.platform = place
    and ((t.kind = 'author' and t.platform_id = any (accounts)) or (t.kind = 'post' and t.platform_id = any (native)));
  delete from social.refused_posts r where r.workspace_id = workspace and r.platform = place and r.platform_post_id = any (native);
  delete from social.experiment_assignments a where a.workspace_id = workspace and a.unit_id = any (ids);
  delete from social.authors a where a.workspace_id = workspace and a.id = any (ids); -- and, by key, all that is theirs
  done := done || jsonb_build_object('posts', cardinality(posts), 'decisions', cardinality(decisions));

  with taken as (
    update social.audit_logs l set details_json = social.without(l.details_json, pattern, said), redacted_at = now()
    where l.workspace_id = workspace and l.details_json is distinct from social.without(l.details_json, pattern, said)
    returning l.seq
  )
  select archived || coalesce(array_agg(seq order by seq), '{}') into redacted from taken;
  done := done || jsonb_build_object('redacted', to_jsonb(redacted));
  insert into social.audit_logs (workspace_id, entity_type, entity_id, action, actor, details_json)
  values (workspace, 'author', coalesce(ids[1], 'unknown'), 'erased', by, done);
  return done;
end $$;

-- ---------------------------------------------------------------- rights

revoke execute on function social.stray_decisions(), social.drop_decisions(date, bigint, numeric),
  social.forget_audit(timestamptz, bigint, numeric, text), ops.erase_bodies(text, text[]),
  social.erase(text, text, text[], text[], text[], text[], text[], text[], text[], bigint[], text) from public;
update ops.rights set app = app || '{delete}' where relation = 'social.posts';
update ops.rights set app = '{select,insert}' where relation = 'social.context_snapshots';
