-- What the migrations make; written by `make schema`, compared by a test.
-- PostgreSQL database dump

-- Name: ops; Type: SCHEMA; Schema: -; Owner: -

CREATE SCHEMA ops;

-- Name: signals; Type: SCHEMA; Schema: -; Owner: -

CREATE SCHEMA signals;

-- Name: social; Type: SCHEMA; Schema: -; Owner: -

CREATE SCHEMA social;

-- Name: drop_partitions(text, date); Type: FUNCTION; Schema: ops; Owner: -

CREATE FUNCTION ops.drop_partitions(parent text, keep_from date) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '1s'
    AS $_$
declare part text; dropped text[] := '{}'; before timestamptz := keep_from::timestamp at time zone 'utc';
begin
  case parent
    when 'event_bodies' then delete from ops.event_bodies_default where received_at < before;
    when 'job_history' then delete from ops.job_history_default where finished_at < before;
    else raise exception 'ops.drop_partitions: % is not a partitioned table of ops', parent;
  end case;
  for part in select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
              where i.inhparent = ('ops.' || parent)::regclass
                and c.relname ~ ('^' || parent || '_\d{8}$')
                and to_date(right(c.relname, 8), 'YYYYMMDD') < keep_from loop
    execute format('drop table ops.%I', part);
    dropped := dropped || part;
  end loop;
  return dropped;
end $_$;

-- Name: enqueue(text, integer, text[], jsonb[], text[]); Type: FUNCTION; Schema: ops; Owner: -

CREATE FUNCTION ops.enqueue(job_kind text, job_attempts_max integer, workspace_ids text[], payloads jsonb[], trace_ids text[]) RETURNS TABLE(tenant text, first_position bigint)
    LANGUAGE sql
    AS $$
  with added as (
    insert into ops.jobs (kind, attempts_max, workspace_id, payload, trace_id)
    select job_kind, job_attempts_max, t.workspace_id, t.payload, t.trace_id
    from unnest(workspace_ids, payloads, trace_ids) as t(workspace_id, payload, trace_id)
    returning workspace_id, position
  )
  select workspace_id, min(position) from added group by workspace_id
$$;

-- Name: ensure_partitions(integer); Type: FUNCTION; Schema: ops; Owner: -

CREATE FUNCTION ops.ensure_partitions(days_ahead integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '1s'
    AS $$
declare parent text; d date; made int := 0; part text;
begin
  foreach parent in array array['event_bodies','job_history'] loop
    for d in select generate_series((now() at time zone 'utc')::date - 1,
                                    (now() at time zone 'utc')::date + days_ahead, interval '1 day')::date loop
      part := format('%s_%s', parent, to_char(d, 'YYYYMMDD'));
      if to_regclass('ops.' || part) is null then
        execute format('create table if not exists ops.%I partition of ops.%I for values from (%L) to (%L)',
                       part, parent, d::text || ' 00:00:00+00', (d + 1)::text || ' 00:00:00+00');
        perform ops.wall(format('ops.%I', part)::regclass);
        made := made + 1;
      end if;
    end loop;
  end loop;
  return made;
end $$;

-- Name: erase_bodies(text, text[]); Type: FUNCTION; Schema: ops; Owner: -

CREATE FUNCTION ops.erase_bodies(workspace text, names text[], OUT erased bigint, OUT waiting bigint) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
end $_$;

-- Name: index_embeddings(smallint); Type: FUNCTION; Schema: ops; Owner: -

CREATE FUNCTION ops.index_embeddings(model smallint) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare d int; idx text := format('embeddings_hnsw_%s', model); ext text;
begin
  select dims into strict d from ops.embedding_models where id = model;
  select extnamespace::regnamespace into strict ext from pg_extension where extname = 'vector';
  execute format(
    'create index if not exists %1$I on ops.embeddings using hnsw ((vector::%2$s.halfvec(%3$s)) %2$s.halfvec_cosine_ops) with (m = 16, ef_construction = 64) where model_id = %4$s',
    idx, ext, d, model);
  return idx;
end $_$;

-- Name: nanoid(); Type: FUNCTION; Schema: ops; Owner: -

CREATE FUNCTION ops.nanoid() RETURNS text
    LANGUAGE sql PARALLEL SAFE
    AS $$
  select string_agg(
           substr('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-',
                  1 + case i when 0 then get_byte(r.bytes, i) % 62 else get_byte(r.bytes, i) & 63 end, 1), '')
  from (select uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) as bytes) r,
       unnest(array[0,1,2,3,4,5,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21]) as i
$$;

-- Name: oldest_release(); Type: FUNCTION; Schema: ops; Owner: -

CREATE FUNCTION ops.oldest_release() RETURNS bigint
    LANGUAGE sql IMMUTABLE
    AS $$select 4::bigint$$;

-- Name: wall(regclass, name); Type: FUNCTION; Schema: ops; Owner: -

CREATE FUNCTION ops.wall(target regclass, tenant name DEFAULT 'workspace_id'::name) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format($policy$
    create policy workspace on %s using (
      (select current_setting('millrace.workspace', true) = '*')
      or %I = (select nullif(current_setting('millrace.workspace', true), '')))
    $policy$, target, tenant);
end $_$;

-- Name: asked_anyway(text, text); Type: FUNCTION; Schema: signals; Owner: -

CREATE FUNCTION signals.asked_anyway(signal_id text, project_id text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
  select get_byte(sha256(convert_to('asked ' || signal_id || ' ' || project_id, 'utf8')), 0) < 26
$$;

-- Name: fill_link_workspace(); Type: FUNCTION; Schema: signals; Owner: -

CREATE FUNCTION signals.fill_link_workspace() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  if new.workspace_id is null then
    select s.workspace_id into new.workspace_id from signals.signals s where s.id = new.signal_id;
  end if;
  return new;
end $$;

-- Name: profile_links(); Type: FUNCTION; Schema: signals; Owner: -

CREATE FUNCTION signals.profile_links() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  update signals.project_profiles p
  set version = p.version + 1, linked_count = p.linked_count + c.delta, updated_at = now() at time zone 'utc'
  from (select l.project_id, count(*)::int * case tg_op when 'INSERT' then 1 else -1 end as delta
        from changed l where l.origin <> 'auto' group by l.project_id) c
  where p.project_id = c.project_id;
  return null;
end $$;

-- Name: profile_project(); Type: FUNCTION; Schema: signals; Owner: -

CREATE FUNCTION signals.profile_project() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  insert into signals.project_profiles as p (project_id, workspace_id) values (new.id, new.workspace_id)
  on conflict (project_id) do update set version = p.version + 1, updated_at = now() at time zone 'utc';
  return null;
end $$;

-- Name: workspace(); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.workspace() RETURNS text
    LANGUAGE plpgsql STABLE
    AS $$
declare
  said text := current_setting('millrace.workspace', true);
  found text[];
begin
  if said is not null and said not in ('', '*') then
    return said;
  end if;
  select array_agg(id) into found from (select id from signals.workspaces limit 2) w;
  if cardinality(found) = 1 then
    return found[1];
  end if;
  raise exception 'whose row is it? there are several workspaces, or none: set millrace.workspace = ''<id>''';
end $$;

-- Name: audit_logs; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.audit_logs (
    workspace_id text DEFAULT social.workspace() NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    entity_type text NOT NULL,
    entity_id text NOT NULL,
    action text NOT NULL,
    actor text NOT NULL,
    details_json jsonb,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    seq bigint NOT NULL,
    prev_hash bytea,
    row_hash bytea NOT NULL,
    details_hash bytea NOT NULL,
    redacted_at timestamp(3) with time zone,
    CONSTRAINT audit_logs_details_hash_check CHECK ((octet_length(details_hash) = 32)),
    CONSTRAINT audit_logs_prev_hash_check CHECK ((octet_length(prev_hash) = 32)),
    CONSTRAINT audit_logs_row_hash_check CHECK ((octet_length(row_hash) = 32))
);

ALTER TABLE ONLY social.audit_logs FORCE ROW LEVEL SECURITY;

-- Name: audit_hash(social.audit_logs); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.audit_hash(r social.audit_logs) RETURNS bytea
    LANGUAGE sql IMMUTABLE
    AS $$
  select sha256(coalesce(r.prev_hash, '') || convert_to(jsonb_build_array(r.workspace_id, r.seq, r.id, r.entity_type,
    r.entity_id, r.action, r.actor, encode(r.details_hash, 'hex'), (extract(epoch from r.created_at) * 1000)::bigint)::text, 'utf8'))
$$;

-- Name: audit_line(social.audit_logs); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.audit_line(l social.audit_logs) RETURNS text
    LANGUAGE sql STABLE
    SET "TimeZone" TO 'UTC'
    AS $$
  select social.line(to_jsonb(l))
$$;

-- Name: audit_prefix(timestamp with time zone); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.audit_prefix(before timestamp with time zone) RETURNS TABLE(workspace_id text, through_seq bigint)
    LANGUAGE sql STABLE
    AS $$
  select l.workspace_id, coalesce(min(l.seq) filter (where l.created_at >= before) - 1, max(l.seq))
  from social.audit_logs l group by l.workspace_id
  having min(l.seq) < coalesce(min(l.seq) filter (where l.created_at >= before), max(l.seq) + 1)
$$;

-- Name: author_named(text, text, text, text); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.author_named(workspace text, account_on text, account text, reply text) RETURNS text
    LANGUAGE sql STABLE
    AS $_$
  select case when $3 is not null then
    (select a.id from social.authors a where a.workspace_id = $1 and a.platform = $2 and a.platform_id = $3)
  else
    (select p.author_id from social.replies r join social.posts p on p.id = r.decision_snapshot ->> 'post_id' and p.workspace_id = $1
     where r.workspace_id = $1 and r.id = $4)
  end
$_$;

-- Name: chain_audit(); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.chain_audit() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  -- One at a time in a workspace, or two rows would follow the same one.
  perform pg_advisory_xact_lock(hashtextextended('social.audit_logs ' || new.workspace_id, 0));
  -- A row that was archived comes back as it was; the rows after it still say what it must be.
  if new.seq is not null and exists (
       select from social.audit_logs l
       where l.workspace_id = new.workspace_id and l.entity_type = 'audit_logs' and l.action = 'archived'
         and (l.details_json ->> 'through_seq')::bigint >= new.seq) then
    return new;
  end if;
  select l.seq + 1, l.row_hash into new.seq, new.prev_hash
  from social.audit_logs l where l.workspace_id = new.workspace_id order by l.seq desc limit 1;
  new.seq := coalesce(new.seq, 1);
  new.details_hash := social.details_hash(new.details_json);
  new.redacted_at := null;
  new.row_hash := social.audit_hash(new);
  return new;
end $$;

-- Name: decisions; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.decisions (
    workspace_id text DEFAULT social.workspace() NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    post_id text NOT NULL,
    platform text NOT NULL,
    sss_score double precision NOT NULL,
    ars_score double precision NOT NULL,
    evs_score double precision NOT NULL,
    trs_score double precision NOT NULL,
    composite_score double precision NOT NULL,
    mode text NOT NULL,
    archetype text,
    safety_flags text[] DEFAULT '{}'::text[] NOT NULL,
    signals_json jsonb,
    temporal_context jsonb,
    competitor_detected text,
    is_power_user boolean DEFAULT false NOT NULL,
    user_tier text,
    response_target_minutes integer,
    caring_response boolean DEFAULT false NOT NULL,
    engagement_rate double precision,
    tier_reasons jsonb,
    segment_used text,
    decision_logic_version text DEFAULT 'v2.1'::text NOT NULL,
    needs_review boolean DEFAULT false NOT NULL,
    review_reason text,
    composite_score_lower double precision,
    composite_score_upper double precision,
    mode_confidence double precision,
    mode_probabilities jsonb,
    experiment_id text,
    experiment_variant text,
    is_randomized_experiment boolean DEFAULT false NOT NULL,
    predicted_mode text,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    status text,
    trace_id text,
    CONSTRAINT decisions_archetype_check CHECK ((archetype = ANY (ARRAY['CHECKLIST'::text, 'MYTHBUST'::text, 'COACH'::text, 'STORYLET'::text, 'HUMOR_LIGHT'::text, 'CREDIBILITY_ANCHOR'::text, 'CONFIDENT_RECOMMENDER'::text, 'PROBLEM_SOLUTION_DIRECT'::text]))),
    CONSTRAINT decisions_ars_score_check CHECK (((ars_score >= (0)::double precision) AND (ars_score <= (1)::double precision))),
    CONSTRAINT decisions_composite_score_check CHECK (((composite_score >= (0)::double precision) AND (composite_score <= (1)::double precision))),
    CONSTRAINT decisions_evs_score_check CHECK (((evs_score >= (0)::double precision) AND (evs_score < 'Infinity'::double precision))),
    CONSTRAINT decisions_mode_check CHECK ((mode = ANY (ARRAY['HELPFUL'::text, 'ENGAGEMENT'::text, 'HYBRID'::text, 'DISENGAGED'::text]))),
    CONSTRAINT decisions_mode_confidence_check CHECK (((mode_confidence >= (0)::double precision) AND (mode_confidence <= (1)::double precision))),
    CONSTRAINT decisions_platform_check CHECK ((platform = ANY (ARRAY['TWITTER'::text, 'REDDIT'::text, 'THREADS'::text]))),
    CONSTRAINT decisions_predicted_mode_check CHECK ((predicted_mode = ANY (ARRAY['HELPFUL'::text, 'ENGAGEMENT'::text, 'HYBRID'::text, 'DISENGAGED'::text]))),
    CONSTRAINT decisions_response_target_minutes_check CHECK ((response_target_minutes > 0)),
    CONSTRAINT decisions_sss_score_check CHECK (((sss_score >= (0)::double precision) AND (sss_score <= (1)::double precision))),
    CONSTRAINT decisions_trs_score_check CHECK (((trs_score >= (0)::double precision) AND (trs_score <= (1)::double precision))),
    CONSTRAINT decisions_user_tier_check CHECK ((user_tier = ANY (ARRAY['MEGA_POWER'::text, 'MACRO_POWER'::text, 'MICRO_POWER'::text, 'ENGAGED_REGULAR'::text, 'STANDARD'::text, 'SMALL'::text, 'NEW_UNKNOWN'::text])))
)
PARTITION BY RANGE (created_at);

ALTER TABLE ONLY social.decisions FORCE ROW LEVEL SECURITY;

-- Name: decision_line(social.decisions); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.decision_line(d social.decisions) RETURNS text
    LANGUAGE sql STABLE
    SET "TimeZone" TO 'UTC'
    AS $$
  select social.line(jsonb_build_object('decision', to_jsonb(d),
    'exposure', (select to_jsonb(e) - '{signals,daypart,weekday,disengaged}'::text[] from social.decision_exposures e
                 where e.decision_id = d.id)))
$$;

-- Name: details_hash(jsonb); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.details_hash(details jsonb) RETURNS bytea
    LANGUAGE sql IMMUTABLE
    AS $$
  select sha256(convert_to(coalesce(details::text, ''), 'utf8'))
$$;

-- Name: drop_decisions(date, bigint, numeric); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.drop_decisions(month date, archived bigint, total numeric) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '1s'
    AS $$
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

-- Name: ensure_partitions(integer); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.ensure_partitions(months_ahead integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '1s'
    AS $$
declare
  said text := current_setting('millrace.workspace', true);
  first date; part text; made int := 0; lower timestamptz; upper timestamptz;
begin
  perform set_config('millrace.workspace', '*', true); -- the owner is bound by walls too
  for first in select generate_series(date_trunc('month', now() at time zone 'utc'),
                 date_trunc('month', now() at time zone 'utc') + make_interval(months => months_ahead), interval '1 month')::date
               union select distinct date_trunc('month', created_at at time zone 'utc')::date from social.decisions_default
               order by 1 loop
    part := format('decisions_%s', to_char(first, 'YYYYMM'));
    continue when to_regclass('social.' || part) is not null;
    lower := first::timestamp at time zone 'utc';
    upper := (first + interval '1 month') at time zone 'utc';
    execute format('create table social.%I (like social.decisions including all)', part);
    execute format('with caught as (delete from social.decisions_default where created_at >= %L and created_at < %L returning *)
                    insert into social.%I select * from caught', lower, upper, part);
    execute format('alter table social.decisions attach partition social.%I for values from (%L) to (%L)', part, lower, upper);
    perform ops.wall(format('social.%I', part)::regclass);
    made := made + 1;
  end loop;
  perform set_config('millrace.workspace', coalesce(said, ''), true);
  return made;
end $$;

-- Name: erase(text, text, text[], text[], text[], text[], text[], text[], text[], bigint[], text); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.erase(workspace text, place text, ids text[], accounts text[], names text[], said text[], posts text[], native text[], decisions text[], archived bigint[], by text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

-- Name: erased_as(text, text, text); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.erased_as(workspace text, platform text, subject text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
  select 'sha256:' || encode(sha256(convert_to(jsonb_build_array(workspace, platform, subject)::text, 'utf8')), 'hex')
$$;

-- Name: fill_platform(); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.fill_platform() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  if new.platform is null then
    select p.platform into new.platform from social.posts p where p.id = new.post_id;
  end if;
  return new;
end $$;

-- Name: forget_audit(timestamp with time zone, bigint, numeric, text); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.forget_audit(before timestamp with time zone, archived bigint, total numeric, by text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

-- Name: freeze_decision(); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.freeze_decision() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  if new.decision_snapshot is null then
    select d.created_at,
           jsonb_build_object('post_id', d.post_id, 'sss_score', d.sss_score, 'ars_score', d.ars_score,
             'evs_score', d.evs_score, 'trs_score', d.trs_score, 'composite_score', d.composite_score, 'mode', d.mode,
             'mode_confidence', d.mode_confidence, 'needs_review', d.needs_review, 'safety_flags', d.safety_flags,
             'archetype', d.archetype, 'segment_used', d.segment_used, 'decision_logic_version', d.decision_logic_version,
             'is_randomized_experiment', d.is_randomized_experiment, 'experiment_id', d.experiment_id,
             'experiment_variant', d.experiment_variant, 'created_at', d.created_at, 'propensity', e.propensity,
             'policy_version', e.policy_version, 'weights_version', e.weights_version)
      into new.decision_created_at, new.decision_snapshot
    from social.decisions d left join social.decision_exposures e on e.decision_id = d.id
    where d.id = new.decision_id and d.workspace_id = new.workspace_id;
    if not found then
      raise foreign_key_violation using message = format('there is no decision %s', new.decision_id);
    end if;
  end if;
  select p.author_id, coalesce(new.thread, p.conversation, p.platform_post_id) into new.author_id, new.thread
  from social.posts p where p.workspace_id = new.workspace_id and p.id = new.decision_snapshot ->> 'post_id';
  return new;
end $$;

-- Name: keep_all_audit(); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.keep_all_audit() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  raise insufficient_privilege using message = 'social.audit_logs is append-only';
end $$;

-- Name: keep_audit(); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.keep_audit() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  -- The seed keeps them for three years; what is older may be archived.
  if tg_op = 'DELETE' and old.created_at < now() - interval '3 years' then
    return old;
  end if;
  -- Nobody but the owner may update (ops.rights), and nothing but this. A later entry of the chain names the row.
  if tg_op = 'UPDATE' and new.redacted_at is not null
     and to_jsonb(new) - '{details_json,redacted_at}'::text[] = to_jsonb(old) - '{details_json,redacted_at}'::text[] then
    return new;
  end if;
  raise insufficient_privilege using message = 'social.audit_logs is append-only';
end $$;

-- Name: kpi_metrics; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.kpi_metrics (
    workspace_id text DEFAULT social.workspace() NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    date date NOT NULL,
    platform text,
    metric_type text NOT NULL,
    metric_name text NOT NULL,
    value double precision NOT NULL,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    CONSTRAINT kpi_metrics_metric_type_check CHECK ((metric_type = ANY (ARRAY['COMMERCIAL'::text, 'LOVE'::text, 'SAFETY'::text]))),
    CONSTRAINT kpi_metrics_platform_check CHECK ((platform = ANY (ARRAY['TWITTER'::text, 'REDDIT'::text, 'THREADS'::text])))
);

ALTER TABLE ONLY social.kpi_metrics FORCE ROW LEVEL SECURITY;

-- Name: kpi_line(social.kpi_metrics); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.kpi_line(k social.kpi_metrics) RETURNS text
    LANGUAGE sql STABLE
    SET "TimeZone" TO 'UTC'
    AS $$
  select concat_ws(',', '"' || replace(k.workspace_id, '"', '""') || '"', '"' || replace(k.id, '"', '""') || '"', k.date,
    coalesce(k.platform, ''), k.metric_type, '"' || replace(k.metric_name, '"', '""') || '"', k.value, k.created_at)
$$;

-- Name: line(jsonb); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.line(document jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$select document::text$$;

-- Name: line_number(text); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.line_number(line text) RETURNS bigint
    LANGUAGE sql IMMUTABLE
    AS $$
  select ('x' || encode(substring(sha256(convert_to(line, 'utf8')) for 8), 'hex'))::bit(64)::bigint
$$;

-- Name: names_pattern(text[]); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.names_pattern(names text[]) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $_$
  select string_agg(format('(?:(?<![[:alnum:]_])@|/)%1$s(?![[:alnum:]_])|^%1$s$', quoted)
           || case when n ~ '[^[:alpha:]]' then format('|(?<![[:alnum:]_])%s(?![[:alnum:]_])', quoted) else '' end, '|')
  from unnest(names) n, lateral (select regexp_replace(n, '(\W)', '\\\1', 'g')) q (quoted) where n <> ''
$_$;

-- Name: posts; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.posts (
    workspace_id text DEFAULT social.workspace() NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    platform text NOT NULL,
    platform_post_id text NOT NULL,
    author_id text NOT NULL,
    content text NOT NULL,
    detected_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    processed_at timestamp(3) with time zone,
    keyword_matches text[] DEFAULT '{}'::text[] NOT NULL,
    keyword_categories text[] DEFAULT '{}'::text[] NOT NULL,
    spam_filtered boolean DEFAULT false NOT NULL,
    raw_metrics jsonb,
    error_count integer DEFAULT 0 NOT NULL,
    error_message text,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    updated_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    posted_at timestamp(3) with time zone,
    edited_at timestamp(3) with time zone,
    seen_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    lang text,
    content_norm_hash bytea,
    content_hash bytea,
    embedding public.vector,
    keyword_priority smallint,
    spam_reason text,
    in_reply_to text,
    conversation text,
    community text,
    url text,
    addressed boolean DEFAULT false NOT NULL,
    first_metrics_at timestamp(3) with time zone,
    observed jsonb DEFAULT '{}'::jsonb NOT NULL,
    superseded_by text,
    deleted_at timestamp(3) with time zone,
    checked_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    source_id text,
    event_id uuid,
    trace_id text,
    CONSTRAINT posts_content_check CHECK (((char_length(content) >= 1) AND (char_length(content) <= 5000))),
    CONSTRAINT posts_content_hash_check CHECK ((octet_length(content_hash) = 32)),
    CONSTRAINT posts_content_norm_hash_check CHECK ((octet_length(content_norm_hash) = 32)),
    CONSTRAINT posts_keyword_matches_check CHECK ((cardinality(keyword_matches) <= 50)),
    CONSTRAINT posts_keyword_priority_check CHECK (((keyword_priority >= 1) AND (keyword_priority <= 9))),
    CONSTRAINT posts_platform_check CHECK ((platform = ANY (ARRAY['TWITTER'::text, 'REDDIT'::text, 'THREADS'::text]))),
    CONSTRAINT posts_platform_post_id_check CHECK ((platform_post_id ~ '^[a-zA-Z0-9_-]{1,100}$'::text))
);

ALTER TABLE ONLY social.posts FORCE ROW LEVEL SECURITY;

-- Name: post_line(social.posts); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.post_line(p social.posts) RETURNS text
    LANGUAGE sql STABLE
    SET "TimeZone" TO 'UTC'
    AS $$
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

-- Name: reply_named(text, text, text, text, text); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.reply_named(workspace text, reply text, utm text, posted_on text, post text) RETURNS text
    LANGUAGE sql STABLE
    AS $_$
  select coalesce(
    (select r.id from social.replies r where r.workspace_id = $1 and r.id = $2),
    (select r.id from social.replies r where r.workspace_id = $1 and r.utm_code = $3),
    (select r.id from social.replies r where r.workspace_id = $1 and r.id = $3),
    (select min(r.id) from social.replies r where r.workspace_id = $1 and r.platform = $4 and r.platform_post_id = $5))
$_$;

-- Name: reply_results(text, timestamp with time zone, timestamp with time zone); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.reply_results(workspace text, after timestamp with time zone, until timestamp with time zone) RETURNS TABLE(reply_id text, decision_id text, platform text, posted_at timestamp with time zone, rewarded boolean, removed boolean)
    LANGUAGE sql STABLE
    AS $_$
  with asked as not materialized (
    select r.id, r.decision_id, r.platform, r.posted_at, r.deleted_at from social.replies r
    where r.workspace_id = $1 and r.posted_at > $2 and r.posted_at <= $3
  ), told as (
    select a.id, true as good, false as bad
    from asked a join social.click_events c on c.workspace_id = $1 and c.reply_id = a.id
    where c.occurred_at <= a.posted_at + interval '7 days'
    union all
    select a.id, t.type <> 'report', t.type = 'report'
    from asked a join social.relationship_events t on t.workspace_id = $1 and t.reply_id = a.id
    where t.type in ('thanks', 'like', 'report') and t.occurred_at <= a.posted_at + interval '7 days'
    union all
    select a.id, coalesce((o.metrics ->> 'likes')::bigint > 0, false), coalesce(o.metrics ->> 'removed' = 'true', false)
    from asked a join social.reply_outcomes o on o.workspace_id = $1 and o.reply_id = a.id
    where (o.metrics ->> 'likes')::bigint > 0 or o.metrics ->> 'removed' = 'true'
  ), sums as (
    select id, bool_or(good) as good, bool_or(bad) as bad from told group by id
  )
  select a.id, a.decision_id, a.platform, a.posted_at, coalesce(s.good, false), a.deleted_at is not null or coalesce(s.bad, false)
  from asked a left join sums s on s.id = a.id
$_$;

-- Name: snapshots(text, integer); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.snapshots(post text, most integer) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
  select coalesce(jsonb_agg(jsonb_build_object('at', s.captured_at, 'metrics', jsonb_build_object('likes', s.likes,
           'replies', s.replies, 'reposts', s.reposts, 'quotes', s.quotes, 'views', s.views))), '[]')
  from (select * from social.post_metric_snapshots where post_id = post order by minute desc limit most) s
$$;

-- Name: stray_decisions(); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.stray_decisions() RETURNS TABLE(workspace_id text, decisions bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select d.workspace_id, count(*) from social.decisions_default d group by d.workspace_id
$$;

-- Name: touch(); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.touch() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  new.updated_at := now();
  return new;
end $$;

-- Name: without(jsonb, text, text[]); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.without(doc jsonb, pattern text, texts text[]) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    AS $$
begin
  return case jsonb_typeof(doc)
    when 'string' then to_jsonb(social.without(doc #>> '{}', pattern, texts))
    when 'array' then (select coalesce(jsonb_agg(social.without(e, pattern, texts) order by nth), '[]')
                       from jsonb_array_elements(doc) with ordinality a (e, nth))
    when 'object' then (select coalesce(jsonb_object_agg(k, social.without(v, pattern, texts)), '{}') from jsonb_each(doc) o (k, v))
    else doc end;
end $$;

-- Name: without(text, text, text[]); Type: FUNCTION; Schema: social; Owner: -

CREATE FUNCTION social.without(doc text, pattern text, texts text[]) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    AS $$
declare one text;
begin
  foreach one in array texts loop
    doc := replace(doc, one, '[erased]');
  end loop;
  return coalesce(regexp_replace(doc, pattern, '[erased]', 'gi'), doc);
end $$;

-- Name: api_keys; Type: TABLE; Schema: ops; Owner: -

CREATE TABLE ops.api_keys (
    id text DEFAULT ops.nanoid() NOT NULL,
    workspace_id text NOT NULL,
    source_id text,
    name text NOT NULL,
    prefix text NOT NULL,
    hash bytea NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    CONSTRAINT api_keys_hash_check CHECK ((octet_length(hash) = 32))
);

ALTER TABLE ONLY ops.api_keys FORCE ROW LEVEL SECURITY;

-- Name: audit; Type: TABLE; Schema: ops; Owner: -

CREATE TABLE ops.audit (
    id bigint NOT NULL,
    workspace_id text NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    target text NOT NULL,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY ops.audit FORCE ROW LEVEL SECURITY;

-- Name: audit_id_seq; Type: SEQUENCE; Schema: ops; Owner: -

ALTER TABLE ops.audit ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: dead_letters; Type: TABLE; Schema: ops; Owner: -

CREATE TABLE ops.dead_letters (
    id bigint NOT NULL,
    job_id bigint NOT NULL,
    workspace_id text NOT NULL,
    kind text NOT NULL,
    source_id text,
    event_id uuid,
    payload jsonb NOT NULL,
    priority smallint NOT NULL,
    attempts_max integer NOT NULL,
    unique_key text,
    reason text NOT NULL,
    error text,
    attempt integer NOT NULL,
    crashes integer NOT NULL,
    trace_id text,
    created_at timestamp with time zone NOT NULL,
    died_at timestamp with time zone DEFAULT now() NOT NULL,
    replayed_at timestamp with time zone,
    replayed_as bigint,
    CONSTRAINT dead_letters_reason_check CHECK ((reason = ANY (ARRAY['attempts_exhausted'::text, 'crashed'::text, 'permanent'::text, 'undecodable'::text])))
);

ALTER TABLE ONLY ops.dead_letters FORCE ROW LEVEL SECURITY;

-- Name: dead_letters_id_seq; Type: SEQUENCE; Schema: ops; Owner: -

ALTER TABLE ops.dead_letters ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.dead_letters_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: delivery_counts; Type: TABLE; Schema: ops; Owner: -

CREATE TABLE ops.delivery_counts (
    workspace_id text NOT NULL,
    source_id text NOT NULL,
    outcome text NOT NULL,
    reason text NOT NULL,
    hour timestamp with time zone NOT NULL,
    count bigint NOT NULL,
    CONSTRAINT delivery_counts_outcome_check CHECK ((outcome = ANY (ARRAY['accepted'::text, 'duplicate'::text, 'refused'::text, 'replied'::text])))
);

ALTER TABLE ONLY ops.delivery_counts FORCE ROW LEVEL SECURITY;

-- Name: embedding_models; Type: TABLE; Schema: ops; Owner: -

CREATE TABLE ops.embedding_models (
    id smallint NOT NULL,
    name text NOT NULL,
    dims integer NOT NULL,
    weights_sha256 text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT embedding_models_dims_check CHECK (((dims >= 1) AND (dims <= 4000)))
);

-- Name: embedding_models_id_seq; Type: SEQUENCE; Schema: ops; Owner: -

ALTER TABLE ops.embedding_models ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.embedding_models_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: embeddings; Type: TABLE; Schema: ops; Owner: -

CREATE TABLE ops.embeddings (
    model_id smallint NOT NULL,
    content_hash bytea NOT NULL,
    vector public.halfvec NOT NULL,
    engine text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT embeddings_content_hash_check CHECK ((octet_length(content_hash) = 32))
);

-- Name: endpoint_calls; Type: TABLE; Schema: ops; Owner: -

CREATE TABLE ops.endpoint_calls (
    workspace_id text NOT NULL,
    day date NOT NULL,
    calls bigint NOT NULL
);

ALTER TABLE ONLY ops.endpoint_calls FORCE ROW LEVEL SECURITY;

-- Name: event_bodies; Type: TABLE; Schema: ops; Owner: -

CREATE TABLE ops.event_bodies (
    event_id uuid NOT NULL,
    workspace_id text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL
)
PARTITION BY RANGE (received_at);

ALTER TABLE ONLY ops.event_bodies FORCE ROW LEVEL SECURITY;

-- Name: event_bodies_default; Type: TABLE; Schema: ops; Owner: -

CREATE TABLE ops.event_bodies_default (
    event_id uuid CONSTRAINT event_bodies_event_id_not_null NOT NULL,
    workspace_id text CONSTRAINT event_bodies_workspace_id_not_null NOT NULL,
    received_at timestamp with time zone CONSTRAINT event_bodies_received_at_not_null NOT NULL,
    headers jsonb CONSTRAINT event_bodies_headers_not_null NOT NULL,
    body bytea CONSTRAINT event_bodies_body_not_null NOT NULL
);

ALTER TABLE ONLY ops.event_bodies_default FORCE ROW LEVEL SECURITY;

-- Name: events; Type: TABLE; Schema: ops; Owner: -

CREATE TABLE ops.events (
    id uuid NOT NULL,
    workspace_id text NOT NULL,
    source_id text NOT NULL,
    delivery_key bytea NOT NULL,
    event_type text,
    body_bytes integer NOT NULL,
    state text DEFAULT 'stored'::text NOT NULL,
    reason text,
    records integer,
    secret_id text,
    trace_id text NOT NULL,
    replay_of uuid,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    normalized_at timestamp with time zone,
    reading_sha256 bytea,
    CONSTRAINT events_delivery_key_check CHECK ((octet_length(delivery_key) = 32)),
    CONSTRAINT events_state_check CHECK ((state = ANY (ARRAY['stored'::text, 'normalized'::text, 'ignored'::text, 'quarantined'::text])))
)
WITH (fillfactor='85');

ALTER TABLE ONLY ops.events FORCE ROW LEVEL SECURITY;

-- Name: ingest_cursors; Type: TABLE; Schema: ops; Owner: -

CREATE TABLE ops.ingest_cursors (
    workspace_id text NOT NULL,
    source_id text NOT NULL,
    query_hash text NOT NULL,
    platform text NOT NULL,
    kind text NOT NULL,
    query text NOT NULL,
    active boolean DEFAULT true NOT NULL,
    since_id text,
    newest_seen_at timestamp with time zone,
    next_page text,
    sweep_id text,
    sweep_at timestamp with time zone,
    pages integer DEFAULT 0 NOT NULL,
    overlap_s integer NOT NULL,
    version bigint DEFAULT 0 NOT NULL,
    last_ok_at timestamp with time zone,
    last_error text,
    errors integer DEFAULT 0 NOT NULL,
    gap_at timestamp with time zone,
    lag_s double precision,
    next_at timestamp with time zone DEFAULT now() NOT NULL,
    credential text,
    bucket text,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY ops.ingest_cursors FORCE ROW LEVEL SECURITY;

-- Name: job_history; Type: TABLE; Schema: ops; Owner: -

CREATE TABLE ops.job_history (
    id bigint NOT NULL,
    workspace_id text NOT NULL,
    kind text NOT NULL,
    outcome text NOT NULL,
    attempt integer NOT NULL,
    crashes integer NOT NULL,
    trace_id text,
    error text,
    created_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT job_history_outcome_check CHECK ((outcome = ANY (ARRAY['done'::text, 'cancelled'::text, 'dead'::text])))
)
PARTITION BY RANGE (finished_at);

ALTER TABLE ONLY ops.job_history FORCE ROW LEVEL SECURITY;

-- Name: job_history_default; Type: TABLE; Schema: ops; Owner: -

CREATE TABLE ops.job_history_default (
    id bigint CONSTRAINT job_history_id_not_null NOT NULL,
    workspace_id text CONSTRAINT job_history_workspace_id_not_null NOT NULL,
    kind text CONSTRAINT job_history_kind_not_null NOT NULL,
    outcome text CONSTRAINT job_history_outcome_not_null NOT NULL,
    attempt integer CONSTRAINT job_history_attempt_not_null NOT NULL,
    crashes integer CONSTRAINT job_history_crashes_not_null NOT NULL,
    trace_id text,
    error text,
    created_at timestamp with time zone CONSTRAINT job_history_created_at_not_null NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone DEFAULT now() CONSTRAINT job_history_finished_at_not_null NOT NULL,
    CONSTRAINT job_history_outcome_check CHECK ((outcome = ANY (ARRAY['done'::text, 'cancelled'::text, 'dead'::text])))
);

ALTER TABLE ONLY ops.job_history_default FORCE ROW LEVEL SECURITY;

-- Name: jobs; Type: TABLE; Schema: ops; Owner: -

CREATE TABLE ops.jobs (
    id bigint NOT NULL,
    workspace_id text NOT NULL,
    kind text NOT NULL,
    priority smallint DEFAULT 2 NOT NULL,
    "position" bigint NOT NULL,
    state text DEFAULT 'ready'::text NOT NULL,
    run_at timestamp with time zone DEFAULT now() NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    spared integer DEFAULT 0 NOT NULL,
    attempts_max integer NOT NULL,
    crashes integer DEFAULT 0 NOT NULL,
    capped boolean DEFAULT false NOT NULL,
    leased_by text,
    lease_until timestamp with time zone,
    started_at timestamp with time zone,
    cancel_requested boolean DEFAULT false NOT NULL,
    unique_key text,
    payload jsonb NOT NULL,
    last_error text,
    trace_id text,
    replay_of bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT jobs_attempts_max_check CHECK ((attempts_max > 0)),
    CONSTRAINT jobs_priority_check CHECK (((priority >= 0) AND (priority <= 3))),
    CONSTRAINT jobs_running_has_lease CHECK (((state = 'running'::text) = (lease_until IS NOT NULL))),
    CONSTRAINT jobs_state_check CHECK ((state = ANY (ARRAY['ready'::text, 'scheduled'::text, 'running'::text])))
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_cost_delay='0');

ALTER TABLE ONLY ops.jobs FORCE ROW LEVEL SECURITY;

-- Name: job_positions; Type: SEQUENCE; Schema: ops; Owner: -

CREATE SEQUENCE ops.job_positions
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

-- Name: job_positions; Type: SEQUENCE OWNED BY; Schema: ops; Owner: -

ALTER SEQUENCE ops.job_positions OWNED BY ops.jobs."position";

-- Name: jobs_id_seq; Type: SEQUENCE; Schema: ops; Owner: -

ALTER TABLE ops.jobs ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.jobs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: leases; Type: TABLE; Schema: ops; Owner: -

CREATE TABLE ops.leases (
    name text NOT NULL,
    holder text NOT NULL,
    until timestamp with time zone NOT NULL
);

-- Name: migrations; Type: TABLE; Schema: ops; Owner: -

CREATE TABLE ops.migrations (
    version bigint NOT NULL,
    description text NOT NULL,
    installed_on timestamp with time zone DEFAULT now() NOT NULL,
    success boolean NOT NULL,
    checksum bytea NOT NULL,
    execution_time bigint NOT NULL
);

-- Name: quarantine; Type: TABLE; Schema: ops; Owner: -

CREATE TABLE ops.quarantine (
    event_id uuid NOT NULL,
    workspace_id text NOT NULL,
    source_id text NOT NULL,
    reason text NOT NULL,
    detail text,
    held_at timestamp with time zone DEFAULT now() NOT NULL,
    released_at timestamp with time zone
);

ALTER TABLE ONLY ops.quarantine FORCE ROW LEVEL SECURITY;

-- Name: queue_limits; Type: TABLE; Schema: ops; Owner: -

CREATE TABLE ops.queue_limits (
    workspace_id text NOT NULL,
    kind text NOT NULL,
    running_max integer NOT NULL,
    CONSTRAINT queue_limits_running_max_check CHECK ((running_max > 0))
);

ALTER TABLE ONLY ops.queue_limits FORCE ROW LEVEL SECURITY;

-- Name: queue_pauses; Type: TABLE; Schema: ops; Owner: -

CREATE TABLE ops.queue_pauses (
    workspace_id text DEFAULT ''::text NOT NULL,
    kind text DEFAULT ''::text NOT NULL,
    reason text,
    paused_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY ops.queue_pauses FORCE ROW LEVEL SECURITY;

-- Name: rate_budgets; Type: TABLE; Schema: ops; Owner: -

CREATE TABLE ops.rate_budgets (
    workspace_id text NOT NULL,
    credential text NOT NULL,
    bucket text NOT NULL,
    limit_n double precision NOT NULL,
    remaining double precision NOT NULL,
    refill_per_s double precision NOT NULL,
    window_s double precision NOT NULL,
    reset_at timestamp with time zone NOT NULL,
    counted_at timestamp with time zone DEFAULT now() NOT NULL,
    seen boolean DEFAULT false NOT NULL,
    blocked_until timestamp with time zone,
    failures integer DEFAULT 0 NOT NULL,
    open_until timestamp with time zone
);

ALTER TABLE ONLY ops.rate_budgets FORCE ROW LEVEL SECURITY;

-- Name: rights; Type: TABLE; Schema: ops; Owner: -

CREATE TABLE ops.rights (
    relation text NOT NULL,
    app text[] NOT NULL,
    reader boolean NOT NULL
);

-- Name: schedule_ticks; Type: TABLE; Schema: ops; Owner: -

CREATE TABLE ops.schedule_ticks (
    schedule text NOT NULL,
    tick timestamp with time zone NOT NULL,
    job_id bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

-- Name: source_secrets; Type: TABLE; Schema: ops; Owner: -

CREATE TABLE ops.source_secrets (
    id text DEFAULT ops.nanoid() NOT NULL,
    workspace_id text NOT NULL,
    source_id text NOT NULL,
    sealed bytea NOT NULL,
    key_id text NOT NULL,
    not_after timestamp with time zone,
    last_used_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    purpose text DEFAULT 'verify'::text NOT NULL,
    CONSTRAINT source_secrets_purpose_check CHECK ((purpose = ANY (ARRAY['verify'::text, 'poll'::text])))
);

ALTER TABLE ONLY ops.source_secrets FORCE ROW LEVEL SECURITY;

-- Name: sources; Type: TABLE; Schema: ops; Owner: -

CREATE TABLE ops.sources (
    id text DEFAULT ops.nanoid() NOT NULL,
    workspace_id text NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    path_id text NOT NULL,
    scheme text NOT NULL,
    scheme_spec jsonb,
    field_map jsonb DEFAULT '{}'::jsonb NOT NULL,
    external_id text,
    options jsonb DEFAULT '{}'::jsonb NOT NULL,
    body_bytes_max bigint,
    rate_per_s integer,
    state text DEFAULT 'active'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT sources_body_bytes_max_check CHECK (((body_bytes_max >= 1) AND (body_bytes_max <= 104857600))),
    CONSTRAINT sources_rate_per_s_check CHECK ((rate_per_s > 0)),
    CONSTRAINT sources_state_check CHECK ((state = ANY (ARRAY['active'::text, 'paused'::text, 'uninstalled'::text])))
);

ALTER TABLE ONLY ops.sources FORCE ROW LEVEL SECURITY;

-- Name: workers; Type: TABLE; Schema: ops; Owner: -

CREATE TABLE ops.workers (
    id text NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    kinds text[] NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    heartbeat_at timestamp with time zone DEFAULT now() NOT NULL,
    draining boolean DEFAULT false NOT NULL
);

-- Name: activity_logs; Type: TABLE; Schema: signals; Owner: -

CREATE TABLE signals.activity_logs (
    id text DEFAULT ops.nanoid() NOT NULL,
    workspace_id text NOT NULL,
    user_id text,
    actor_type text DEFAULT 'user'::text NOT NULL,
    actor_id text,
    action text NOT NULL,
    target_type text NOT NULL,
    target_id text NOT NULL,
    metadata jsonb,
    created_at timestamp without time zone DEFAULT (now() AT TIME ZONE 'utc'::text) NOT NULL,
    CONSTRAINT activity_logs_actor_type_check CHECK ((actor_type = ANY (ARRAY['user'::text, 'api_key'::text, 'automation'::text])))
);

ALTER TABLE ONLY signals.activity_logs FORCE ROW LEVEL SECURITY;

-- Name: automation_actions; Type: TABLE; Schema: signals; Owner: -

CREATE TABLE signals.automation_actions (
    id text DEFAULT ops.nanoid() NOT NULL,
    workspace_id text NOT NULL,
    cluster_id text NOT NULL,
    action_type text NOT NULL,
    project_id text,
    triggered_at timestamp without time zone DEFAULT (now() AT TIME ZONE 'utc'::text) NOT NULL,
    metadata jsonb,
    CONSTRAINT automation_actions_action_type_check CHECK ((action_type = ANY (ARRAY['initiative_created'::text, 'prd_triggered'::text, 'notification_sent'::text])))
);

ALTER TABLE ONLY signals.automation_actions FORCE ROW LEVEL SECURITY;

-- Name: cluster_members; Type: TABLE; Schema: signals; Owner: -

CREATE TABLE signals.cluster_members (
    cluster_id text NOT NULL,
    workspace_id text NOT NULL,
    signal_id text NOT NULL,
    similarity real,
    joined_at timestamp without time zone DEFAULT (now() AT TIME ZONE 'utc'::text) NOT NULL
);

ALTER TABLE ONLY signals.cluster_members FORCE ROW LEVEL SECURITY;

-- Name: clusters; Type: TABLE; Schema: signals; Owner: -

CREATE TABLE signals.clusters (
    id text DEFAULT ops.nanoid() NOT NULL,
    workspace_id text NOT NULL,
    theme text,
    status text DEFAULT 'open'::text NOT NULL,
    merged_into text,
    created_at timestamp without time zone DEFAULT (now() AT TIME ZONE 'utc'::text) NOT NULL,
    updated_at timestamp without time zone DEFAULT (now() AT TIME ZONE 'utc'::text) NOT NULL,
    CONSTRAINT clusters_status_check CHECK ((status = ANY (ARRAY['open'::text, 'actioned'::text, 'merged'::text, 'closed'::text])))
);

ALTER TABLE ONLY signals.clusters FORCE ROW LEVEL SECURITY;

-- Name: inbox_items; Type: TABLE; Schema: signals; Owner: -

CREATE TABLE signals.inbox_items (
    id text DEFAULT ops.nanoid() NOT NULL,
    workspace_id text NOT NULL,
    type text NOT NULL,
    source text NOT NULL,
    source_ref text,
    title text NOT NULL,
    raw_content text NOT NULL,
    processed_content text,
    status text DEFAULT 'pending'::text NOT NULL,
    assigned_project_id text,
    assigned_persona_id text,
    assigned_action text,
    ai_summary text,
    extracted_problems jsonb,
    hypothesis_matches jsonb,
    metadata jsonb,
    created_at timestamp without time zone DEFAULT (now() AT TIME ZONE 'utc'::text) NOT NULL,
    updated_at timestamp without time zone DEFAULT (now() AT TIME ZONE 'utc'::text) NOT NULL,
    processed_at timestamp without time zone,
    event_id uuid,
    version bigint DEFAULT 0 NOT NULL,
    CONSTRAINT inbox_items_source_check CHECK ((source = ANY (ARRAY['webhook'::text, 'upload'::text, 'email'::text, 'api'::text, 'sync'::text]))),
    CONSTRAINT inbox_items_source_ref_check CHECK ((octet_length(source_ref) <= 1024)),
    CONSTRAINT inbox_items_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'processing'::text, 'assigned'::text, 'dismissed'::text]))),
    CONSTRAINT inbox_items_type_check CHECK ((type = ANY (ARRAY['transcript'::text, 'document'::text, 'signal'::text, 'feedback'::text])))
);

ALTER TABLE ONLY signals.inbox_items FORCE ROW LEVEL SECURITY;

-- Name: notifications; Type: TABLE; Schema: signals; Owner: -

CREATE TABLE signals.notifications (
    id text DEFAULT ops.nanoid() NOT NULL,
    workspace_id text NOT NULL,
    user_id text,
    type text NOT NULL,
    priority text DEFAULT 'medium'::text NOT NULL,
    title text NOT NULL,
    message text,
    url text,
    metadata jsonb,
    dedup_key text,
    status text DEFAULT 'unread'::text NOT NULL,
    created_at timestamp without time zone DEFAULT (now() AT TIME ZONE 'utc'::text) NOT NULL,
    read_at timestamp without time zone,
    CONSTRAINT notifications_priority_check CHECK ((priority = ANY (ARRAY['urgent'::text, 'high'::text, 'medium'::text, 'low'::text]))),
    CONSTRAINT notifications_status_check CHECK ((status = ANY (ARRAY['unread'::text, 'read'::text, 'dismissed'::text])))
);

ALTER TABLE ONLY signals.notifications FORCE ROW LEVEL SECURITY;

-- Name: project_profiles; Type: TABLE; Schema: signals; Owner: -

CREATE TABLE signals.project_profiles (
    project_id text NOT NULL,
    workspace_id text NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    linked_count integer DEFAULT 0 NOT NULL,
    updated_at timestamp without time zone DEFAULT (now() AT TIME ZONE 'utc'::text) NOT NULL
);

ALTER TABLE ONLY signals.project_profiles FORCE ROW LEVEL SECURITY;

-- Name: projects; Type: TABLE; Schema: signals; Owner: -

CREATE TABLE signals.projects (
    id text DEFAULT ops.nanoid() NOT NULL,
    workspace_id text NOT NULL,
    name text NOT NULL,
    description text,
    stage text DEFAULT 'inbox'::text NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    embedding_updated_at timestamp without time zone,
    created_at timestamp without time zone DEFAULT (now() AT TIME ZONE 'utc'::text) NOT NULL,
    updated_at timestamp without time zone DEFAULT (now() AT TIME ZONE 'utc'::text) NOT NULL
);

ALTER TABLE ONLY signals.projects FORCE ROW LEVEL SECURITY;

-- Name: signals; Type: TABLE; Schema: signals; Owner: -

CREATE TABLE signals.signals (
    id text DEFAULT ops.nanoid() NOT NULL,
    workspace_id text NOT NULL,
    verbatim text NOT NULL,
    interpretation text,
    severity text,
    frequency text,
    user_segment text,
    source text NOT NULL,
    source_ref text,
    source_metadata jsonb,
    status text DEFAULT 'new'::text NOT NULL,
    embedding text,
    ai_classification jsonb,
    inbox_item_id text,
    created_at timestamp without time zone DEFAULT (now() AT TIME ZONE 'utc'::text) NOT NULL,
    updated_at timestamp without time zone DEFAULT (now() AT TIME ZONE 'utc'::text) NOT NULL,
    processed_at timestamp without time zone,
    classification jsonb,
    source_url text,
    interview_date timestamp without time zone,
    interviewee text,
    tags jsonb DEFAULT '[]'::jsonb NOT NULL,
    webhook_key_id text,
    suggestion_dismissed_at timestamp without time zone,
    suggestion_dismissed_by text,
    source_id text,
    event_id uuid,
    trace_id text,
    version bigint DEFAULT 0 NOT NULL,
    content_hash bytea,
    provenance jsonb DEFAULT '{}'::jsonb NOT NULL,
    sanitized boolean DEFAULT false NOT NULL,
    parent_id text,
    duplicate_of text,
    duplicate_kind text,
    duplicate_score real,
    enriched_at timestamp without time zone,
    deleted_at timestamp without time zone,
    search tsvector GENERATED ALWAYS AS (to_tsvector('simple'::regconfig, ((COALESCE(verbatim, ''::text) || ' '::text) || COALESCE(interpretation, ''::text)))) STORED,
    CONSTRAINT signals_content_hash_check CHECK ((octet_length(content_hash) = 32)),
    CONSTRAINT signals_duplicate_kind_check CHECK ((duplicate_kind = ANY (ARRAY['exact'::text, 'near'::text]))),
    CONSTRAINT signals_frequency_check CHECK ((frequency = ANY (ARRAY['common'::text, 'occasional'::text, 'rare'::text]))),
    CONSTRAINT signals_severity_check CHECK ((severity = ANY (ARRAY['critical'::text, 'high'::text, 'medium'::text, 'low'::text]))),
    CONSTRAINT signals_source_check CHECK ((source = ANY (ARRAY['webhook'::text, 'upload'::text, 'paste'::text, 'video'::text, 'slack'::text, 'pylon'::text, 'email'::text, 'interview'::text, 'other'::text]))),
    CONSTRAINT signals_source_ref_check CHECK ((octet_length(source_ref) <= 1024)),
    CONSTRAINT signals_status_check CHECK ((status = ANY (ARRAY['new'::text, 'reviewed'::text, 'linked'::text, 'archived'::text])))
);

ALTER TABLE ONLY signals.signals FORCE ROW LEVEL SECURITY;

-- Name: signal_embeddings; Type: VIEW; Schema: signals; Owner: -

CREATE VIEW signals.signal_embeddings WITH (security_invoker='true') AS
 SELECT s.workspace_id,
    s.id AS signal_id,
    e.model_id,
    e.vector AS embedding
   FROM (signals.signals s
     JOIN ops.embeddings e ON ((e.content_hash = s.content_hash)));

-- Name: signal_personas; Type: TABLE; Schema: signals; Owner: -

CREATE TABLE signals.signal_personas (
    id text DEFAULT ops.nanoid() NOT NULL,
    signal_id text NOT NULL,
    persona_id text NOT NULL,
    linked_at timestamp without time zone DEFAULT (now() AT TIME ZONE 'utc'::text) NOT NULL,
    linked_by text,
    workspace_id text NOT NULL,
    confidence real,
    CONSTRAINT signal_personas_confidence_check CHECK (((confidence >= (0)::double precision) AND (confidence <= (1)::double precision)))
);

ALTER TABLE ONLY signals.signal_personas FORCE ROW LEVEL SECURITY;

-- Name: signal_projects; Type: TABLE; Schema: signals; Owner: -

CREATE TABLE signals.signal_projects (
    id text DEFAULT ops.nanoid() NOT NULL,
    signal_id text NOT NULL,
    project_id text NOT NULL,
    linked_at timestamp without time zone DEFAULT (now() AT TIME ZONE 'utc'::text) NOT NULL,
    linked_by text,
    link_reason text,
    confidence real,
    workspace_id text NOT NULL,
    origin text DEFAULT 'manual'::text NOT NULL,
    CONSTRAINT signal_projects_confidence_check CHECK (((confidence >= (0)::double precision) AND (confidence <= (1)::double precision))),
    CONSTRAINT signal_projects_origin_check CHECK ((origin = ANY (ARRAY['manual'::text, 'accepted'::text, 'auto'::text])))
);

ALTER TABLE ONLY signals.signal_projects FORCE ROW LEVEL SECURITY;

-- Name: signal_versions; Type: TABLE; Schema: signals; Owner: -

CREATE TABLE signals.signal_versions (
    workspace_id text NOT NULL,
    signal_id text NOT NULL,
    version bigint NOT NULL,
    change text NOT NULL,
    verbatim text,
    event_id uuid,
    recorded_at timestamp without time zone DEFAULT (now() AT TIME ZONE 'utc'::text) NOT NULL,
    CONSTRAINT signal_versions_change_check CHECK ((change = ANY (ARRAY['created'::text, 'edited'::text, 'deleted'::text])))
);

ALTER TABLE ONLY signals.signal_versions FORCE ROW LEVEL SECURITY;

-- Name: suggestion_feedback; Type: TABLE; Schema: signals; Owner: -

CREATE TABLE signals.suggestion_feedback (
    workspace_id text NOT NULL,
    signal_id text NOT NULL,
    project_id text NOT NULL,
    verdict text NOT NULL,
    confidence real,
    actor text NOT NULL,
    created_at timestamp without time zone DEFAULT (now() AT TIME ZONE 'utc'::text) NOT NULL,
    CONSTRAINT suggestion_feedback_verdict_check CHECK ((verdict = ANY (ARRAY['accepted'::text, 'dismissed'::text])))
);

ALTER TABLE ONLY signals.suggestion_feedback FORCE ROW LEVEL SECURITY;

-- Name: threshold_locks; Type: TABLE; Schema: signals; Owner: -

CREATE TABLE signals.threshold_locks (
    workspace_id text NOT NULL,
    name text NOT NULL,
    locked_by text NOT NULL,
    locked_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    CONSTRAINT threshold_locks_name_check CHECK ((name = ANY (ARRAY['SUGGESTIONS'::text, 'AUTO_LINKS'::text])))
);

ALTER TABLE ONLY signals.threshold_locks FORCE ROW LEVEL SECURITY;

-- Name: threshold_versions; Type: TABLE; Schema: signals; Owner: -

CREATE TABLE signals.threshold_versions (
    workspace_id text NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    name text NOT NULL,
    version integer NOT NULL,
    above double precision NOT NULL,
    promise double precision NOT NULL,
    effective_from timestamp(3) with time zone DEFAULT now() NOT NULL,
    effective_to timestamp(3) with time zone,
    parent_id text,
    approved_by text,
    run_id text,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    CONSTRAINT threshold_versions_above_check CHECK (((above >= (0)::double precision) AND (above <= (1)::double precision))),
    CONSTRAINT threshold_versions_name_check CHECK ((name = ANY (ARRAY['SUGGESTIONS'::text, 'AUTO_LINKS'::text]))),
    CONSTRAINT threshold_versions_promise_check CHECK (((promise >= (0)::double precision) AND (promise <= (1)::double precision))),
    CONSTRAINT threshold_versions_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY signals.threshold_versions FORCE ROW LEVEL SECURITY;

-- Name: users; Type: TABLE; Schema: signals; Owner: -

CREATE TABLE signals.users (
    id text DEFAULT ops.nanoid() NOT NULL,
    name text,
    email text,
    created_at timestamp without time zone DEFAULT (now() AT TIME ZONE 'utc'::text) NOT NULL,
    updated_at timestamp without time zone DEFAULT (now() AT TIME ZONE 'utc'::text) NOT NULL
);

-- Name: workspaces; Type: TABLE; Schema: signals; Owner: -

CREATE TABLE signals.workspaces (
    id text DEFAULT ops.nanoid() NOT NULL,
    name text NOT NULL,
    settings jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp without time zone DEFAULT (now() AT TIME ZONE 'utc'::text) NOT NULL,
    updated_at timestamp without time zone DEFAULT (now() AT TIME ZONE 'utc'::text) NOT NULL,
    CONSTRAINT workspaces_id_check CHECK ((id <> ALL (ARRAY[''::text, '*'::text])))
);

ALTER TABLE ONLY signals.workspaces FORCE ROW LEVEL SECURITY;

-- Name: alerts; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.alerts (
    workspace_id text NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    rule text NOT NULL,
    platform text,
    severity text NOT NULL,
    value double precision NOT NULL,
    threshold double precision NOT NULL,
    message text NOT NULL,
    raised_at timestamp(3) with time zone NOT NULL,
    seen_at timestamp(3) with time zone NOT NULL,
    times integer DEFAULT 1 NOT NULL,
    CONSTRAINT alerts_platform_check CHECK ((platform = ANY (ARRAY['TWITTER'::text, 'REDDIT'::text, 'THREADS'::text]))),
    CONSTRAINT alerts_severity_check CHECK ((severity = ANY (ARRAY['CRITICAL'::text, 'HIGH'::text, 'MEDIUM'::text]))),
    CONSTRAINT alerts_times_check CHECK ((times > 0))
);

ALTER TABLE ONLY social.alerts FORCE ROW LEVEL SECURITY;

-- Name: archetypes; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.archetypes (
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    name text NOT NULL,
    description text,
    is_active boolean DEFAULT true NOT NULL,
    sort_order integer DEFAULT 0 NOT NULL
);

-- Name: authors; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.authors (
    workspace_id text DEFAULT social.workspace() NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    platform text NOT NULL,
    platform_id text NOT NULL,
    handle text NOT NULL,
    display_name text,
    bio text,
    follower_count integer DEFAULT 0 NOT NULL,
    is_verified boolean DEFAULT false NOT NULL,
    is_power_user boolean DEFAULT false NOT NULL,
    user_tier text DEFAULT 'NEW_UNKNOWN'::text NOT NULL,
    power_tier text,
    archetype_tags text[] DEFAULT '{}'::text[] NOT NULL,
    relationship_score double precision DEFAULT 0.5 NOT NULL,
    interaction_history jsonb DEFAULT '[]'::jsonb NOT NULL,
    first_seen_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    last_seen_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    last_tier_update timestamp(3) with time zone,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    updated_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    account_created_at timestamp(3) with time zone,
    observed jsonb DEFAULT '{}'::jsonb NOT NULL,
    tier_below_since timestamp(3) with time zone,
    concern_posts text[] DEFAULT '{}'::text[] NOT NULL,
    deleted_at timestamp(3) with time zone,
    CONSTRAINT authors_follower_count_check CHECK (((follower_count >= 0) AND (follower_count <= 1000000000))),
    CONSTRAINT authors_handle_check CHECK ((char_length(handle) <= 50)),
    CONSTRAINT authors_platform_check CHECK ((platform = ANY (ARRAY['TWITTER'::text, 'REDDIT'::text, 'THREADS'::text]))),
    CONSTRAINT authors_power_tier_check CHECK ((power_tier = ANY (ARRAY['MICRO'::text, 'MACRO'::text, 'MEGA'::text]))),
    CONSTRAINT authors_relationship_score_check CHECK (((relationship_score >= (0)::double precision) AND (relationship_score <= (1)::double precision))),
    CONSTRAINT authors_user_tier_check CHECK ((user_tier = ANY (ARRAY['MEGA_POWER'::text, 'MACRO_POWER'::text, 'MICRO_POWER'::text, 'ENGAGED_REGULAR'::text, 'STANDARD'::text, 'SMALL'::text, 'NEW_UNKNOWN'::text])))
);

ALTER TABLE ONLY social.authors FORCE ROW LEVEL SECURITY;

-- Name: champion_tiers; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.champion_tiers (
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    name text NOT NULL,
    min_engagement integer NOT NULL,
    benefits text,
    priority_score integer DEFAULT 0 NOT NULL
);

-- Name: click_events; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.click_events (
    workspace_id text NOT NULL,
    external_id text NOT NULL,
    reply_id text,
    utm_code text,
    occurred_at timestamp(3) with time zone NOT NULL,
    visitor text,
    data jsonb DEFAULT '{}'::jsonb NOT NULL
);

ALTER TABLE ONLY social.click_events FORCE ROW LEVEL SECURITY;

-- Name: community_champions; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.community_champions (
    workspace_id text DEFAULT social.workspace() NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    author_id text NOT NULL,
    tier text,
    engagement_count integer DEFAULT 0 NOT NULL,
    dm_sent_at timestamp(3) with time zone,
    dm_response text,
    sample_sent boolean DEFAULT false NOT NULL,
    converted boolean DEFAULT false NOT NULL,
    advocate_status text DEFAULT 'POTENTIAL'::text NOT NULL,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    updated_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    consent_at timestamp(3) with time zone,
    consent_withdrawn_at timestamp(3) with time zone,
    CONSTRAINT community_champions_advocate_status_check CHECK ((advocate_status = ANY (ARRAY['POTENTIAL'::text, 'CONTACTED'::text, 'ENGAGED'::text, 'ADVOCATE'::text, 'VIP'::text]))),
    CONSTRAINT community_champions_dm_response_check CHECK ((dm_response = ANY (ARRAY['NO_RESPONSE'::text, 'ACCEPTED'::text, 'DECLINED'::text]))),
    CONSTRAINT community_champions_engagement_count_check CHECK ((engagement_count >= 0)),
    CONSTRAINT community_champions_tier_check CHECK ((tier = ANY (ARRAY['BRONZE'::text, 'SILVER'::text, 'GOLD'::text])))
);

ALTER TABLE ONLY social.community_champions FORCE ROW LEVEL SECURITY;

-- Name: competitive_mentions; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.competitive_mentions (
    workspace_id text DEFAULT social.workspace() NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    post_id text NOT NULL,
    competitor_id text NOT NULL,
    sentiment text,
    satisfaction text,
    opportunity_score double precision DEFAULT 0 NOT NULL,
    replied boolean DEFAULT false NOT NULL,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    CONSTRAINT competitive_mentions_opportunity_score_check CHECK (((opportunity_score >= (0)::double precision) AND (opportunity_score <= (1)::double precision))),
    CONSTRAINT competitive_mentions_satisfaction_check CHECK ((satisfaction = ANY (ARRAY['SATISFIED'::text, 'UNSATISFIED'::text, 'QUESTIONING'::text]))),
    CONSTRAINT competitive_mentions_sentiment_check CHECK ((sentiment = ANY (ARRAY['POSITIVE'::text, 'NEUTRAL'::text, 'NEGATIVE'::text])))
);

ALTER TABLE ONLY social.competitive_mentions FORCE ROW LEVEL SECURITY;

-- Name: competitor_categories; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.competitor_categories (
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    name text NOT NULL,
    description text
);

-- Name: competitors; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.competitors (
    workspace_id text DEFAULT social.workspace() NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    name text NOT NULL,
    category text,
    primary_mechanism text,
    price_point text,
    brand_keywords text[] DEFAULT '{}'::text[] NOT NULL,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    updated_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    CONSTRAINT competitors_category_check CHECK ((category = ANY (ARRAY['REHYDRATION'::text, 'HANGOVER_PILLS'::text, 'IV_THERAPY'::text, 'HOME_REMEDY'::text]))),
    CONSTRAINT competitors_price_point_check CHECK ((price_point = ANY (ARRAY['LOW'::text, 'MID'::text, 'HIGH'::text])))
);

ALTER TABLE ONLY social.competitors FORCE ROW LEVEL SECURITY;

-- Name: context_snapshots; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.context_snapshots (
    workspace_id text DEFAULT social.workspace() NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    post_id text NOT NULL,
    context jsonb NOT NULL,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY social.context_snapshots FORCE ROW LEVEL SECURITY;

-- Name: decision_exposures; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.decision_exposures (
    workspace_id text DEFAULT social.workspace() NOT NULL,
    decision_id text NOT NULL,
    created_at timestamp(3) with time zone NOT NULL,
    eligible_actions text[] NOT NULL,
    action text NOT NULL,
    propensity double precision NOT NULL,
    probabilities jsonb DEFAULT '{}'::jsonb NOT NULL,
    policy_version text NOT NULL,
    weights_version text NOT NULL,
    features jsonb NOT NULL,
    rng_key bigint NOT NULL,
    signals double precision[] GENERATED ALWAYS AS (ARRAY[((features #>> '{signals,sss,score}'::text[]))::double precision, ((features #>> '{signals,ars,score}'::text[]))::double precision, ((features #>> '{signals,evs,signal,score}'::text[]))::double precision, ((features #>> '{signals,trs,signal,score}'::text[]))::double precision]) STORED,
    daypart text GENERATED ALWAYS AS ((features #>> '{temporal,daypart}'::text[])) STORED,
    weekday integer GENERATED ALWAYS AS (((features #>> '{temporal,day}'::text[]))::integer) STORED,
    disengaged double precision GENERATED ALWAYS AS (COALESCE(((probabilities ->> 'DISENGAGED'::text))::double precision, (0)::double precision)) STORED,
    CONSTRAINT decision_exposures_check CHECK ((action = ANY (eligible_actions))),
    CONSTRAINT decision_exposures_eligible_actions_check CHECK ((cardinality(eligible_actions) > 0)),
    CONSTRAINT decision_exposures_propensity_check CHECK (((propensity > (0)::double precision) AND (propensity <= (1)::double precision)))
);

ALTER TABLE ONLY social.decision_exposures FORCE ROW LEVEL SECURITY;

-- Name: decisions_default; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.decisions_default (
    workspace_id text DEFAULT social.workspace() CONSTRAINT decisions_workspace_id_not_null NOT NULL,
    id text DEFAULT (gen_random_uuid())::text CONSTRAINT decisions_id_not_null NOT NULL,
    post_id text CONSTRAINT decisions_post_id_not_null NOT NULL,
    platform text CONSTRAINT decisions_platform_not_null NOT NULL,
    sss_score double precision CONSTRAINT decisions_sss_score_not_null NOT NULL,
    ars_score double precision CONSTRAINT decisions_ars_score_not_null NOT NULL,
    evs_score double precision CONSTRAINT decisions_evs_score_not_null NOT NULL,
    trs_score double precision CONSTRAINT decisions_trs_score_not_null NOT NULL,
    composite_score double precision CONSTRAINT decisions_composite_score_not_null NOT NULL,
    mode text CONSTRAINT decisions_mode_not_null NOT NULL,
    archetype text,
    safety_flags text[] DEFAULT '{}'::text[] CONSTRAINT decisions_safety_flags_not_null NOT NULL,
    signals_json jsonb,
    temporal_context jsonb,
    competitor_detected text,
    is_power_user boolean DEFAULT false CONSTRAINT decisions_is_power_user_not_null NOT NULL,
    user_tier text,
    response_target_minutes integer,
    caring_response boolean DEFAULT false CONSTRAINT decisions_caring_response_not_null NOT NULL,
    engagement_rate double precision,
    tier_reasons jsonb,
    segment_used text,
    decision_logic_version text DEFAULT 'v2.1'::text CONSTRAINT decisions_decision_logic_version_not_null NOT NULL,
    needs_review boolean DEFAULT false CONSTRAINT decisions_needs_review_not_null NOT NULL,
    review_reason text,
    composite_score_lower double precision,
    composite_score_upper double precision,
    mode_confidence double precision,
    mode_probabilities jsonb,
    experiment_id text,
    experiment_variant text,
    is_randomized_experiment boolean DEFAULT false CONSTRAINT decisions_is_randomized_experiment_not_null NOT NULL,
    predicted_mode text,
    created_at timestamp(3) with time zone DEFAULT now() CONSTRAINT decisions_created_at_not_null NOT NULL,
    status text,
    trace_id text,
    CONSTRAINT decisions_archetype_check CHECK ((archetype = ANY (ARRAY['CHECKLIST'::text, 'MYTHBUST'::text, 'COACH'::text, 'STORYLET'::text, 'HUMOR_LIGHT'::text, 'CREDIBILITY_ANCHOR'::text, 'CONFIDENT_RECOMMENDER'::text, 'PROBLEM_SOLUTION_DIRECT'::text]))),
    CONSTRAINT decisions_ars_score_check CHECK (((ars_score >= (0)::double precision) AND (ars_score <= (1)::double precision))),
    CONSTRAINT decisions_composite_score_check CHECK (((composite_score >= (0)::double precision) AND (composite_score <= (1)::double precision))),
    CONSTRAINT decisions_evs_score_check CHECK (((evs_score >= (0)::double precision) AND (evs_score < 'Infinity'::double precision))),
    CONSTRAINT decisions_mode_check CHECK ((mode = ANY (ARRAY['HELPFUL'::text, 'ENGAGEMENT'::text, 'HYBRID'::text, 'DISENGAGED'::text]))),
    CONSTRAINT decisions_mode_confidence_check CHECK (((mode_confidence >= (0)::double precision) AND (mode_confidence <= (1)::double precision))),
    CONSTRAINT decisions_platform_check CHECK ((platform = ANY (ARRAY['TWITTER'::text, 'REDDIT'::text, 'THREADS'::text]))),
    CONSTRAINT decisions_predicted_mode_check CHECK ((predicted_mode = ANY (ARRAY['HELPFUL'::text, 'ENGAGEMENT'::text, 'HYBRID'::text, 'DISENGAGED'::text]))),
    CONSTRAINT decisions_response_target_minutes_check CHECK ((response_target_minutes > 0)),
    CONSTRAINT decisions_sss_score_check CHECK (((sss_score >= (0)::double precision) AND (sss_score <= (1)::double precision))),
    CONSTRAINT decisions_trs_score_check CHECK (((trs_score >= (0)::double precision) AND (trs_score <= (1)::double precision))),
    CONSTRAINT decisions_user_tier_check CHECK ((user_tier = ANY (ARRAY['MEGA_POWER'::text, 'MACRO_POWER'::text, 'MICRO_POWER'::text, 'ENGAGED_REGULAR'::text, 'STANDARD'::text, 'SMALL'::text, 'NEW_UNKNOWN'::text])))
);

ALTER TABLE ONLY social.decisions_default FORCE ROW LEVEL SECURITY;

-- Name: escalation_reasons; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.escalation_reasons (
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    name text NOT NULL,
    severity text NOT NULL,
    auto_escalate boolean DEFAULT false NOT NULL,
    CONSTRAINT escalation_reasons_severity_check CHECK ((severity = ANY (ARRAY['CRITICAL'::text, 'HIGH'::text, 'MEDIUM'::text, 'LOW'::text])))
);

-- Name: escalations; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.escalations (
    workspace_id text DEFAULT social.workspace() NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    post_id text,
    decision_id text,
    decision_created_at timestamp(3) with time zone,
    reply_id text,
    reason text NOT NULL,
    reason_text text,
    priority text DEFAULT 'MEDIUM'::text NOT NULL,
    status text DEFAULT 'PENDING'::text NOT NULL,
    assigned_to text,
    resolved_by text,
    resolution_notes text,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    resolved_at timestamp(3) with time zone,
    sla_due_at timestamp(3) with time zone,
    claimed_by text,
    claimed_until timestamp(3) with time zone,
    sla_breached_at timestamp(3) with time zone,
    CONSTRAINT escalations_check CHECK (((claimed_by IS NULL) = (claimed_until IS NULL))),
    CONSTRAINT escalations_priority_check CHECK ((priority = ANY (ARRAY['CRITICAL'::text, 'HIGH'::text, 'MEDIUM'::text, 'LOW'::text]))),
    CONSTRAINT escalations_reason_check CHECK ((reason = ANY (ARRAY['SAFETY_AMBIGUITY'::text, 'VIRAL_THREAD'::text, 'MODERATOR_WARNING'::text, 'BACKLASH_SPIKE'::text, 'LOW_CONFIDENCE'::text, 'MANUAL_FLAG'::text]))),
    CONSTRAINT escalations_status_check CHECK ((status = ANY (ARRAY['PENDING'::text, 'IN_REVIEW'::text, 'RESOLVED'::text, 'DISMISSED'::text])))
);

ALTER TABLE ONLY social.escalations FORCE ROW LEVEL SECURITY;

-- Name: experiment_assignments; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.experiment_assignments (
    workspace_id text NOT NULL,
    experiment_id text NOT NULL,
    unit_id text NOT NULL,
    variant text NOT NULL,
    propensity double precision NOT NULL,
    assigned_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    decision_id text,
    CONSTRAINT experiment_assignments_propensity_check CHECK (((propensity > (0)::double precision) AND (propensity <= (1)::double precision)))
);

ALTER TABLE ONLY social.experiment_assignments FORCE ROW LEVEL SECURITY;

-- Name: experiment_looks; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.experiment_looks (
    workspace_id text NOT NULL,
    experiment_id text NOT NULL,
    n bigint NOT NULL,
    log_e_value double precision NOT NULL,
    cs_low double precision,
    cs_high double precision,
    srm_p double precision,
    looked_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    CONSTRAINT experiment_looks_srm_p_check CHECK (((srm_p >= (0)::double precision) AND (srm_p <= (1)::double precision)))
);

ALTER TABLE ONLY social.experiment_looks FORCE ROW LEVEL SECURITY;

-- Name: experiment_promotions; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.experiment_promotions (
    workspace_id text NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    experiment_id text NOT NULL,
    version integer NOT NULL,
    thresholds jsonb NOT NULL,
    effective_from timestamp(3) with time zone,
    effective_to timestamp(3) with time zone,
    approved_by text,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    CONSTRAINT experiment_promotions_check CHECK ((effective_to >= effective_from)),
    CONSTRAINT experiment_promotions_check1 CHECK ((num_nulls(effective_from, approved_by) = ANY (ARRAY[0, 2]))),
    CONSTRAINT experiment_promotions_thresholds_check CHECK ((jsonb_typeof(thresholds) = 'object'::text)),
    CONSTRAINT experiment_promotions_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY social.experiment_promotions FORCE ROW LEVEL SECURITY;

-- Name: experiments; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.experiments (
    workspace_id text DEFAULT social.workspace() NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    name text NOT NULL,
    description text,
    variant_a jsonb NOT NULL,
    variant_b jsonb NOT NULL,
    metric text NOT NULL,
    traffic_split double precision DEFAULT 0.5 NOT NULL,
    status text DEFAULT 'DRAFT'::text NOT NULL,
    start_date timestamp(3) with time zone,
    end_date timestamp(3) with time zone,
    results_json jsonb,
    winner text,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    updated_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    adaptive boolean DEFAULT true NOT NULL,
    days integer DEFAULT 28 NOT NULL,
    stop_reason text,
    CONSTRAINT experiments_days_check CHECK (((days >= 1) AND (days <= 365))),
    CONSTRAINT experiments_status_check CHECK ((status = ANY (ARRAY['DRAFT'::text, 'RUNNING'::text, 'PAUSED'::text, 'COMPLETED'::text, 'CANCELLED'::text]))),
    CONSTRAINT experiments_traffic_split_check CHECK (((traffic_split >= (0)::double precision) AND (traffic_split <= (1)::double precision)))
);

ALTER TABLE ONLY social.experiments FORCE ROW LEVEL SECURITY;

-- Name: funnel; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.funnel (
    workspace_id text NOT NULL,
    platform text NOT NULL,
    day date NOT NULL,
    stage text NOT NULL,
    count bigint NOT NULL,
    CONSTRAINT funnel_platform_check CHECK ((platform = ANY (ARRAY['TWITTER'::text, 'REDDIT'::text, 'THREADS'::text])))
);

ALTER TABLE ONLY social.funnel FORCE ROW LEVEL SECURITY;

-- Name: health_checks; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.health_checks (
    workspace_id text DEFAULT social.workspace() NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    name text NOT NULL,
    status text NOT NULL,
    details jsonb,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY social.health_checks FORCE ROW LEVEL SECURITY;

-- Name: keyword_changes; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.keyword_changes (
    workspace_id text NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    version integer NOT NULL,
    term text NOT NULL,
    what text NOT NULL,
    category text,
    share double precision DEFAULT 1 NOT NULL,
    evidence jsonb DEFAULT '{}'::jsonb NOT NULL,
    effective_from timestamp(3) with time zone,
    effective_to timestamp(3) with time zone,
    approved_by text,
    ended_by text,
    run_id text,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    CONSTRAINT keyword_changes_check CHECK (((category IS NOT NULL) = (what = 'ADD'::text))),
    CONSTRAINT keyword_changes_check1 CHECK ((effective_to >= effective_from)),
    CONSTRAINT keyword_changes_check2 CHECK ((num_nulls(effective_from, approved_by) = ANY (ARRAY[0, 2]))),
    CONSTRAINT keyword_changes_check3 CHECK ((num_nulls(effective_to, ended_by) = ANY (ARRAY[0, 2]))),
    CONSTRAINT keyword_changes_share_check CHECK (((share > (0)::double precision) AND (share <= (1)::double precision))),
    CONSTRAINT keyword_changes_term_check CHECK (((char_length(term) >= 1) AND (char_length(term) <= 200))),
    CONSTRAINT keyword_changes_version_check CHECK ((version > 0)),
    CONSTRAINT keyword_changes_what_check CHECK ((what = ANY (ARRAY['ADD'::text, 'RAISE'::text, 'RETIRE'::text])))
);

ALTER TABLE ONLY social.keyword_changes FORCE ROW LEVEL SECURITY;

-- Name: keyword_locks; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.keyword_locks (
    workspace_id text NOT NULL,
    term text NOT NULL,
    locked_by text NOT NULL,
    locked_at timestamp(3) with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY social.keyword_locks FORCE ROW LEVEL SECURITY;

-- Name: kpi_types; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.kpi_types (
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    name text NOT NULL,
    aggregation_type text DEFAULT 'SUM'::text NOT NULL,
    unit text
);

-- Name: learning_events; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.learning_events (
    workspace_id text DEFAULT social.workspace() NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    date timestamp(3) with time zone DEFAULT now() NOT NULL,
    adjustment_type text NOT NULL,
    adjustment jsonb NOT NULL,
    predicted_improvement double precision NOT NULL,
    baseline_performance double precision NOT NULL,
    actual_improvement double precision,
    accuracy double precision,
    evaluated_at timestamp(3) with time zone,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    run_id text,
    evaluation jsonb,
    CONSTRAINT learning_events_adjustment_type_check CHECK ((adjustment_type = ANY (ARRAY['WEIGHT'::text, 'ARCHETYPE'::text, 'KEYWORD'::text])))
);

ALTER TABLE ONLY social.learning_events FORCE ROW LEVEL SECURITY;

-- Name: learning_runs; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.learning_runs (
    workspace_id text DEFAULT social.workspace() NOT NULL,
    run_id text DEFAULT (gen_random_uuid())::text NOT NULL,
    kind text NOT NULL,
    "window" tstzrange,
    seed bigint,
    code_version text NOT NULL,
    status text DEFAULT 'RUNNING'::text NOT NULL,
    input_rows bigint,
    skipped_reason text,
    duration_ms bigint,
    started_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    as_of timestamp(3) with time zone,
    report jsonb,
    CONSTRAINT learning_runs_status_check CHECK ((status = ANY (ARRAY['RUNNING'::text, 'DONE'::text, 'SKIPPED'::text, 'FAILED'::text])))
);

ALTER TABLE ONLY social.learning_runs FORCE ROW LEVEL SECURITY;

-- Name: order_events; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.order_events (
    workspace_id text NOT NULL,
    external_id text NOT NULL,
    reply_id text,
    utm_code text,
    amount numeric(14,2) NOT NULL,
    currency text NOT NULL,
    new_customer boolean,
    occurred_at timestamp(3) with time zone NOT NULL,
    visitor text,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    credited_to text,
    credited_by text,
    credit double precision,
    CONSTRAINT order_events_amount_check CHECK ((amount >= (0)::numeric)),
    CONSTRAINT order_events_check CHECK (((num_nulls(credited_by, credit) = ANY (ARRAY[0, 2])) AND ((credited_to IS NULL) OR (credit IS NOT NULL)))),
    CONSTRAINT order_events_credit_check CHECK (((credit > (0)::double precision) AND (credit <= (1)::double precision))),
    CONSTRAINT order_events_credited_by_check CHECK ((credited_by = ANY (ARRAY['click_7d'::text, 'click_30d'::text, 'engaged_30d'::text]))),
    CONSTRAINT order_events_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text))
);

ALTER TABLE ONLY social.order_events FORCE ROW LEVEL SECURITY;

-- Name: own_accounts; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.own_accounts (
    workspace_id text NOT NULL,
    source_id text NOT NULL,
    platform text NOT NULL,
    karma bigint,
    since timestamp(3) with time zone,
    seen_at timestamp(3) with time zone,
    last_error text,
    CONSTRAINT own_accounts_platform_check CHECK ((platform = ANY (ARRAY['TWITTER'::text, 'REDDIT'::text, 'THREADS'::text])))
);

ALTER TABLE ONLY social.own_accounts FORCE ROW LEVEL SECURITY;

-- Name: pending_actions; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.pending_actions (
    workspace_id text DEFAULT social.workspace() NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    author_id text NOT NULL,
    action_type text NOT NULL,
    target_count integer DEFAULT 1 NOT NULL,
    completed integer DEFAULT 0 NOT NULL,
    user_tier text NOT NULL,
    trigger_post text,
    expires_at timestamp(3) with time zone NOT NULL,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    CONSTRAINT pending_actions_completed_check CHECK ((completed >= 0)),
    CONSTRAINT pending_actions_target_count_check CHECK ((target_count > 0)),
    CONSTRAINT pending_actions_user_tier_check CHECK ((user_tier = ANY (ARRAY['MEGA_POWER'::text, 'MACRO_POWER'::text, 'MICRO_POWER'::text, 'ENGAGED_REGULAR'::text, 'STANDARD'::text, 'SMALL'::text, 'NEW_UNKNOWN'::text])))
);

ALTER TABLE ONLY social.pending_actions FORCE ROW LEVEL SECURITY;

-- Name: policies; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.policies (
    workspace_id text DEFAULT social.workspace() NOT NULL,
    version text NOT NULL,
    stage text DEFAULT 'SHADOW'::text NOT NULL,
    stage_since timestamp(3) with time zone NOT NULL,
    proposed text,
    state jsonb NOT NULL,
    noise double precision NOT NULL,
    locked_by text,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    updated_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    CONSTRAINT policies_noise_check CHECK ((noise > (0)::double precision)),
    CONSTRAINT policies_proposed_check CHECK ((proposed = ANY (ARRAY['SHARE'::text, 'FULL'::text]))),
    CONSTRAINT policies_stage_check CHECK ((stage = ANY (ARRAY['SHADOW'::text, 'SHARE'::text, 'FULL'::text])))
);

ALTER TABLE ONLY social.policies FORCE ROW LEVEL SECURITY;

-- Name: post_metric_snapshots; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.post_metric_snapshots (
    workspace_id text NOT NULL,
    post_id text NOT NULL,
    minute timestamp(3) with time zone NOT NULL,
    captured_at timestamp(3) with time zone NOT NULL,
    likes bigint,
    replies bigint,
    reposts bigint,
    quotes bigint,
    views bigint
);

ALTER TABLE ONLY social.post_metric_snapshots FORCE ROW LEVEL SECURITY;

-- Name: post_opinions; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.post_opinions (
    workspace_id text NOT NULL,
    post_id text NOT NULL,
    content_sha256 bytea NOT NULL,
    safety text NOT NULL,
    seeks_help double precision,
    p_metaphor double precision,
    model text NOT NULL,
    asked_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    CONSTRAINT post_opinions_content_sha256_check CHECK ((octet_length(content_sha256) = 32)),
    CONSTRAINT post_opinions_p_metaphor_check CHECK (((p_metaphor >= (0)::double precision) AND (p_metaphor <= (1)::double precision))),
    CONSTRAINT post_opinions_safety_check CHECK ((safety = ANY (ARRAY['A'::text, 'B'::text, 'C'::text, 'Failed'::text]))),
    CONSTRAINT post_opinions_seeks_help_check CHECK (((seeks_help >= (0)::double precision) AND (seeks_help <= (1)::double precision)))
);

ALTER TABLE ONLY social.post_opinions FORCE ROW LEVEL SECURITY;

-- Name: post_versions; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.post_versions (
    workspace_id text NOT NULL,
    post_id text NOT NULL,
    content_sha256 bytea NOT NULL,
    content text NOT NULL,
    edited_at timestamp(3) with time zone,
    seen_at timestamp(3) with time zone NOT NULL,
    recorded_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    CONSTRAINT post_versions_content_check CHECK (((char_length(content) >= 1) AND (char_length(content) <= 5000))),
    CONSTRAINT post_versions_content_sha256_check CHECK ((octet_length(content_sha256) = 32))
);

ALTER TABLE ONLY social.post_versions FORCE ROW LEVEL SECURITY;

-- Name: power_tiers; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.power_tiers (
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    name text NOT NULL,
    min_followers integer NOT NULL,
    max_followers integer,
    priority_weight double precision DEFAULT 1 NOT NULL
);

-- Name: profile_versions; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.profile_versions (
    workspace_id text NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    name text NOT NULL,
    sha256 bytea NOT NULL,
    toml text NOT NULL,
    loaded_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    loaded_by text NOT NULL,
    CONSTRAINT profile_versions_sha256_check CHECK ((octet_length(sha256) = 32))
);

ALTER TABLE ONLY social.profile_versions FORCE ROW LEVEL SECURITY;

-- Name: randomized_experiments; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.randomized_experiments (
    workspace_id text DEFAULT social.workspace() NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    decision_id text NOT NULL,
    decision_created_at timestamp(3) with time zone,
    predicted_mode text NOT NULL,
    actual_mode text NOT NULL,
    predicted_outcome double precision,
    actual_outcome double precision,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    propensity double precision,
    CONSTRAINT randomized_experiments_actual_mode_check CHECK ((actual_mode = ANY (ARRAY['HELPFUL'::text, 'ENGAGEMENT'::text, 'HYBRID'::text, 'DISENGAGED'::text]))),
    CONSTRAINT randomized_experiments_predicted_mode_check CHECK ((predicted_mode = ANY (ARRAY['HELPFUL'::text, 'ENGAGEMENT'::text, 'HYBRID'::text, 'DISENGAGED'::text]))),
    CONSTRAINT randomized_experiments_propensity_check CHECK (((propensity > (0)::double precision) AND (propensity <= (1)::double precision)))
);

ALTER TABLE ONLY social.randomized_experiments FORCE ROW LEVEL SECURITY;

-- Name: refused_posts; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.refused_posts (
    workspace_id text NOT NULL,
    platform text NOT NULL,
    platform_post_id text NOT NULL,
    rule text NOT NULL,
    message text NOT NULL,
    event_id uuid NOT NULL,
    at timestamp(3) with time zone DEFAULT now() NOT NULL,
    CONSTRAINT refused_posts_platform_check CHECK ((platform = ANY (ARRAY['TWITTER'::text, 'REDDIT'::text, 'THREADS'::text])))
);

ALTER TABLE ONLY social.refused_posts FORCE ROW LEVEL SECURITY;

-- Name: relationship_events; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.relationship_events (
    workspace_id text NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    author_id text,
    reply_id text,
    type text NOT NULL,
    source_event_id text NOT NULL,
    weight double precision NOT NULL,
    occurred_at timestamp(3) with time zone NOT NULL,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT relationship_events_weight_check CHECK (((weight >= ('-1'::integer)::double precision) AND (weight <= (1)::double precision)))
);

ALTER TABLE ONLY social.relationship_events FORCE ROW LEVEL SECURITY;

-- Name: replies; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.replies (
    workspace_id text DEFAULT social.workspace() NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    decision_id text NOT NULL,
    decision_created_at timestamp(3) with time zone,
    content text NOT NULL,
    archetype text,
    platform text NOT NULL,
    platform_post_id text,
    utm_code text,
    help_count integer DEFAULT 0 NOT NULL,
    approval_status text DEFAULT 'PENDING'::text NOT NULL,
    approved_by text,
    approved_at timestamp(3) with time zone,
    posted_at timestamp(3) with time zone,
    metrics_json jsonb,
    deleted_at timestamp(3) with time zone,
    delete_reason text,
    reply_type text DEFAULT 'STANDARD'::text NOT NULL,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    updated_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    decision_snapshot jsonb NOT NULL,
    idempotency_key text,
    version integer DEFAULT 1 NOT NULL,
    link text,
    has_link boolean DEFAULT false NOT NULL,
    promotes boolean DEFAULT false NOT NULL,
    thread text,
    community text,
    author_id text,
    confidence double precision,
    review_reason text,
    reject_reason text,
    CONSTRAINT replies_approval_status_check CHECK ((approval_status = ANY (ARRAY['PENDING'::text, 'APPROVED'::text, 'REJECTED'::text, 'AUTO_APPROVED'::text]))),
    CONSTRAINT replies_archetype_check CHECK ((archetype = ANY (ARRAY['CHECKLIST'::text, 'MYTHBUST'::text, 'COACH'::text, 'STORYLET'::text, 'HUMOR_LIGHT'::text, 'CREDIBILITY_ANCHOR'::text, 'CONFIDENT_RECOMMENDER'::text, 'PROBLEM_SOLUTION_DIRECT'::text]))),
    CONSTRAINT replies_confidence_check CHECK (((confidence >= (0)::double precision) AND (confidence <= (1)::double precision))),
    CONSTRAINT replies_content_check CHECK ((((char_length(content) >= 10) AND (char_length(content) <= 1000)) OR (content = '[deleted]'::text))),
    CONSTRAINT replies_help_count_check CHECK ((help_count >= 0)),
    CONSTRAINT replies_platform_check CHECK ((platform = ANY (ARRAY['TWITTER'::text, 'REDDIT'::text, 'THREADS'::text]))),
    CONSTRAINT replies_reject_reason_check CHECK ((reject_reason = ANY (ARRAY['SAFETY'::text, 'IRRELEVANT'::text, 'LOW_QUALITY'::text, 'LEGAL'::text, 'REGENERATE'::text]))),
    CONSTRAINT replies_reply_type_check CHECK ((reply_type = ANY (ARRAY['STANDARD'::text, 'COMPETITIVE_POSITIONING'::text, 'MYTH_CORRECTION'::text, 'KARMA_BUILDING'::text]))),
    CONSTRAINT replies_review_reason_check CHECK ((review_reason = ANY (ARRAY['low_confidence'::text, 'below_auto'::text, 'decision_review'::text, 'escalated'::text, 'first'::text, 'sampled'::text]))),
    CONSTRAINT replies_utm_code_check CHECK ((utm_code ~ '^[a-z0-9_-]+$'::text)),
    CONSTRAINT replies_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY social.replies FORCE ROW LEVEL SECURITY;

-- Name: reply_outcomes; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.reply_outcomes (
    workspace_id text NOT NULL,
    reply_id text NOT NULL,
    "window" text NOT NULL,
    captured_at timestamp(3) with time zone NOT NULL,
    metrics jsonb NOT NULL,
    complete boolean DEFAULT true NOT NULL,
    CONSTRAINT reply_outcomes_window_check CHECK (("window" = ANY (ARRAY['15m'::text, '60m'::text, '24h'::text, '7d'::text])))
);

ALTER TABLE ONLY social.reply_outcomes FORCE ROW LEVEL SECURITY;

-- Name: segmented_weights; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.segmented_weights (
    workspace_id text DEFAULT social.workspace() NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    segment_type text NOT NULL,
    segment_key text NOT NULL,
    sss_weight double precision DEFAULT 0.40 NOT NULL,
    ars_weight double precision DEFAULT 0.25 NOT NULL,
    evs_weight double precision DEFAULT 0.20 NOT NULL,
    trs_weight double precision DEFAULT 0.15 NOT NULL,
    sample_size integer DEFAULT 0 NOT NULL,
    performance double precision,
    updated_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    locked_by text,
    locked_at timestamp(3) with time zone,
    CONSTRAINT segmented_weights_ars_weight_check CHECK (((ars_weight >= (0)::double precision) AND (ars_weight <= (1)::double precision))),
    CONSTRAINT segmented_weights_evs_weight_check CHECK (((evs_weight >= (0)::double precision) AND (evs_weight <= (1)::double precision))),
    CONSTRAINT segmented_weights_sample_size_check CHECK ((sample_size >= 0)),
    CONSTRAINT segmented_weights_segment_type_check CHECK ((segment_type = ANY (ARRAY['GLOBAL'::text, 'PLATFORM'::text, 'TIME_OF_DAY'::text, 'DAY_OF_WEEK'::text, 'COMBINED'::text]))),
    CONSTRAINT segmented_weights_simplex CHECK ((abs(((((sss_weight + ars_weight) + evs_weight) + trs_weight) - (1)::double precision)) <= (0.001)::double precision)),
    CONSTRAINT segmented_weights_sss_weight_check CHECK (((sss_weight >= (0)::double precision) AND (sss_weight <= (1)::double precision))),
    CONSTRAINT segmented_weights_trs_weight_check CHECK (((trs_weight >= (0)::double precision) AND (trs_weight <= (1)::double precision)))
);

ALTER TABLE ONLY social.segmented_weights FORCE ROW LEVEL SECURITY;

-- Name: temporal_config_history; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.temporal_config_history (
    workspace_id text DEFAULT social.workspace() NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    config_type text NOT NULL,
    action text NOT NULL,
    config_id text NOT NULL,
    before jsonb,
    after jsonb,
    changed_by text,
    changed_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    reason text
);

ALTER TABLE ONLY social.temporal_config_history FORCE ROW LEVEL SECURITY;

-- Name: tier_changes; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.tier_changes (
    workspace_id text DEFAULT social.workspace() NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    author_id text NOT NULL,
    previous_tier text,
    new_tier text NOT NULL,
    trigger text NOT NULL,
    growth_rate double precision,
    engagement_rate double precision,
    follower_count integer,
    notes text,
    created_by text,
    metadata jsonb,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tier_changes_new_tier_check CHECK ((new_tier = ANY (ARRAY['MEGA_POWER'::text, 'MACRO_POWER'::text, 'MICRO_POWER'::text, 'ENGAGED_REGULAR'::text, 'STANDARD'::text, 'SMALL'::text, 'NEW_UNKNOWN'::text]))),
    CONSTRAINT tier_changes_previous_tier_check CHECK ((previous_tier = ANY (ARRAY['MEGA_POWER'::text, 'MACRO_POWER'::text, 'MICRO_POWER'::text, 'ENGAGED_REGULAR'::text, 'STANDARD'::text, 'SMALL'::text, 'NEW_UNKNOWN'::text])))
);

ALTER TABLE ONLY social.tier_changes FORCE ROW LEVEL SECURITY;

-- Name: tombstones; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.tombstones (
    workspace_id text NOT NULL,
    platform text NOT NULL,
    kind text NOT NULL,
    platform_id text NOT NULL,
    reason text,
    at timestamp(3) with time zone,
    for_good boolean DEFAULT false NOT NULL,
    superseded_by text,
    recorded_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tombstones_check CHECK (((superseded_by IS NULL) OR (kind = 'post'::text))),
    CONSTRAINT tombstones_kind_check CHECK ((kind = ANY (ARRAY['post'::text, 'author'::text]))),
    CONSTRAINT tombstones_platform_check CHECK ((platform = ANY (ARRAY['TWITTER'::text, 'REDDIT'::text, 'THREADS'::text])))
);

ALTER TABLE ONLY social.tombstones FORCE ROW LEVEL SECURITY;

-- Name: weight_adjustment_logs; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.weight_adjustment_logs (
    workspace_id text DEFAULT social.workspace() NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    date timestamp(3) with time zone DEFAULT now() NOT NULL,
    action text NOT NULL,
    reason text,
    valid_segments integer,
    total_segments integer,
    sample_sizes jsonb,
    old_weights jsonb,
    new_weights jsonb,
    predicted_improvement double precision,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    run_id text,
    CONSTRAINT weight_adjustment_logs_action_check CHECK ((action = ANY (ARRAY['ADJUSTED'::text, 'SKIPPED'::text])))
);

ALTER TABLE ONLY social.weight_adjustment_logs FORCE ROW LEVEL SECURITY;

-- Name: weight_versions; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.weight_versions (
    workspace_id text DEFAULT social.workspace() NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    segment_type text NOT NULL,
    segment_key text NOT NULL,
    version integer NOT NULL,
    weights double precision[] NOT NULL,
    posterior_mean double precision[],
    posterior_cov double precision[],
    effective_from timestamp(3) with time zone DEFAULT now() NOT NULL,
    effective_to timestamp(3) with time zone,
    parent_id text,
    approved_by text,
    run_id text,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    CONSTRAINT weight_versions_segment_type_check CHECK ((segment_type = ANY (ARRAY['GLOBAL'::text, 'PLATFORM'::text, 'TIME_OF_DAY'::text, 'DAY_OF_WEEK'::text, 'COMBINED'::text]))),
    CONSTRAINT weight_versions_simplex CHECK (((cardinality(weights) = 4) AND (array_ndims(weights) = 1) AND (array_position(weights, NULL::double precision) IS NULL) AND (abs(((((weights[1] + weights[2]) + weights[3]) + weights[4]) - (1)::double precision)) < (0.000000001)::double precision) AND ((0.05)::double precision <= ALL (weights)) AND ((0.95)::double precision >= ALL (weights)))),
    CONSTRAINT weight_versions_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY social.weight_versions FORCE ROW LEVEL SECURITY;

-- Name: worker_heartbeats; Type: TABLE; Schema: social; Owner: -

CREATE TABLE social.worker_heartbeats (
    workspace_id text DEFAULT social.workspace() NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    worker_name text NOT NULL,
    posts_processed_count bigint DEFAULT 0 NOT NULL,
    last_activity_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    metadata jsonb
);

ALTER TABLE ONLY social.worker_heartbeats FORCE ROW LEVEL SECURITY;

-- Name: event_bodies_default; Type: TABLE ATTACH; Schema: ops; Owner: -

ALTER TABLE ONLY ops.event_bodies ATTACH PARTITION ops.event_bodies_default DEFAULT;

-- Name: job_history_default; Type: TABLE ATTACH; Schema: ops; Owner: -

ALTER TABLE ONLY ops.job_history ATTACH PARTITION ops.job_history_default DEFAULT;

-- Name: decisions_default; Type: TABLE ATTACH; Schema: social; Owner: -

ALTER TABLE ONLY social.decisions ATTACH PARTITION social.decisions_default DEFAULT;

-- Name: jobs position; Type: DEFAULT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.jobs ALTER COLUMN "position" SET DEFAULT nextval('ops.job_positions'::regclass);

-- Name: api_keys api_keys_hash_key; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.api_keys
    ADD CONSTRAINT api_keys_hash_key UNIQUE (hash);

-- Name: api_keys api_keys_pkey; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (id);

-- Name: audit audit_pkey; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);

-- Name: dead_letters dead_letters_pkey; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.dead_letters
    ADD CONSTRAINT dead_letters_pkey PRIMARY KEY (id);

-- Name: delivery_counts delivery_counts_pkey; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.delivery_counts
    ADD CONSTRAINT delivery_counts_pkey PRIMARY KEY (workspace_id, source_id, outcome, reason, hour);

-- Name: embedding_models embedding_models_name_weights_sha256_key; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.embedding_models
    ADD CONSTRAINT embedding_models_name_weights_sha256_key UNIQUE (name, weights_sha256);

-- Name: embedding_models embedding_models_pkey; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.embedding_models
    ADD CONSTRAINT embedding_models_pkey PRIMARY KEY (id);

-- Name: embeddings embeddings_pkey; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.embeddings
    ADD CONSTRAINT embeddings_pkey PRIMARY KEY (model_id, content_hash);

-- Name: endpoint_calls endpoint_calls_pkey; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.endpoint_calls
    ADD CONSTRAINT endpoint_calls_pkey PRIMARY KEY (workspace_id, day);

-- Name: events events_delivery; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.events
    ADD CONSTRAINT events_delivery UNIQUE (workspace_id, source_id, delivery_key);

-- Name: events events_pkey; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (id);

-- Name: ingest_cursors ingest_cursors_pkey; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.ingest_cursors
    ADD CONSTRAINT ingest_cursors_pkey PRIMARY KEY (workspace_id, source_id, query_hash);

-- Name: jobs jobs_pkey; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (id);

-- Name: leases leases_pkey; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.leases
    ADD CONSTRAINT leases_pkey PRIMARY KEY (name);

-- Name: migrations migrations_pkey; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (version);

-- Name: quarantine quarantine_pkey; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (event_id);

-- Name: queue_limits queue_limits_pkey; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.queue_limits
    ADD CONSTRAINT queue_limits_pkey PRIMARY KEY (workspace_id, kind);

-- Name: queue_pauses queue_pauses_pkey; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.queue_pauses
    ADD CONSTRAINT queue_pauses_pkey PRIMARY KEY (workspace_id, kind);

-- Name: rate_budgets rate_budgets_pkey; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.rate_budgets
    ADD CONSTRAINT rate_budgets_pkey PRIMARY KEY (workspace_id, credential, bucket);

-- Name: rights rights_pkey; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.rights
    ADD CONSTRAINT rights_pkey PRIMARY KEY (relation);

-- Name: schedule_ticks schedule_ticks_pkey; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.schedule_ticks
    ADD CONSTRAINT schedule_ticks_pkey PRIMARY KEY (schedule, tick);

-- Name: source_secrets source_secrets_pkey; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.source_secrets
    ADD CONSTRAINT source_secrets_pkey PRIMARY KEY (id);

-- Name: sources sources_path_id_key; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.sources
    ADD CONSTRAINT sources_path_id_key UNIQUE (path_id);

-- Name: sources sources_pkey; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.sources
    ADD CONSTRAINT sources_pkey PRIMARY KEY (id);

-- Name: sources sources_workspace_id_key; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.sources
    ADD CONSTRAINT sources_workspace_id_key UNIQUE (workspace_id, id);

-- Name: sources sources_workspace_name; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.sources
    ADD CONSTRAINT sources_workspace_name UNIQUE (workspace_id, name);

-- Name: workers workers_pkey; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.workers
    ADD CONSTRAINT workers_pkey PRIMARY KEY (id);

-- Name: activity_logs activity_logs_pkey; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.activity_logs
    ADD CONSTRAINT activity_logs_pkey PRIMARY KEY (id);

-- Name: automation_actions automation_actions_once; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.automation_actions
    ADD CONSTRAINT automation_actions_once UNIQUE (workspace_id, cluster_id, action_type);

-- Name: automation_actions automation_actions_pkey; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.automation_actions
    ADD CONSTRAINT automation_actions_pkey PRIMARY KEY (id);

-- Name: cluster_members cluster_members_pkey; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.cluster_members
    ADD CONSTRAINT cluster_members_pkey PRIMARY KEY (signal_id);

-- Name: clusters clusters_pkey; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.clusters
    ADD CONSTRAINT clusters_pkey PRIMARY KEY (id);

-- Name: clusters clusters_workspace_id_key; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.clusters
    ADD CONSTRAINT clusters_workspace_id_key UNIQUE (workspace_id, id);

-- Name: inbox_items inbox_items_pkey; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.inbox_items
    ADD CONSTRAINT inbox_items_pkey PRIMARY KEY (id);

-- Name: notifications notifications_pkey; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.notifications
    ADD CONSTRAINT notifications_pkey PRIMARY KEY (id);

-- Name: project_profiles project_profiles_pkey; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.project_profiles
    ADD CONSTRAINT project_profiles_pkey PRIMARY KEY (project_id);

-- Name: projects projects_pkey; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.projects
    ADD CONSTRAINT projects_pkey PRIMARY KEY (id);

-- Name: projects projects_workspace_id_key; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.projects
    ADD CONSTRAINT projects_workspace_id_key UNIQUE (workspace_id, id);

-- Name: signal_personas signal_personas_pkey; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.signal_personas
    ADD CONSTRAINT signal_personas_pkey PRIMARY KEY (id);

-- Name: signal_personas signal_personas_signal_id_persona_id_unique; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.signal_personas
    ADD CONSTRAINT signal_personas_signal_id_persona_id_unique UNIQUE (signal_id, persona_id);

-- Name: signal_projects signal_projects_pkey; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.signal_projects
    ADD CONSTRAINT signal_projects_pkey PRIMARY KEY (id);

-- Name: signal_projects signal_projects_signal_id_project_id_unique; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.signal_projects
    ADD CONSTRAINT signal_projects_signal_id_project_id_unique UNIQUE (signal_id, project_id);

-- Name: signal_versions signal_versions_pkey; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.signal_versions
    ADD CONSTRAINT signal_versions_pkey PRIMARY KEY (signal_id, version);

-- Name: signals signals_pkey; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.signals
    ADD CONSTRAINT signals_pkey PRIMARY KEY (id);

-- Name: signals signals_workspace_id_key; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.signals
    ADD CONSTRAINT signals_workspace_id_key UNIQUE (workspace_id, id);

-- Name: suggestion_feedback suggestion_feedback_pkey; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.suggestion_feedback
    ADD CONSTRAINT suggestion_feedback_pkey PRIMARY KEY (signal_id, project_id);

-- Name: threshold_locks threshold_locks_pkey; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.threshold_locks
    ADD CONSTRAINT threshold_locks_pkey PRIMARY KEY (workspace_id, name);

-- Name: threshold_versions threshold_versions_pkey; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.threshold_versions
    ADD CONSTRAINT threshold_versions_pkey PRIMARY KEY (id);

-- Name: threshold_versions threshold_versions_version_key; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.threshold_versions
    ADD CONSTRAINT threshold_versions_version_key UNIQUE (workspace_id, name, version);

-- Name: threshold_versions threshold_versions_workspace_id_key; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.threshold_versions
    ADD CONSTRAINT threshold_versions_workspace_id_key UNIQUE (workspace_id, id);

-- Name: users users_email_key; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.users
    ADD CONSTRAINT users_email_key UNIQUE (email);

-- Name: users users_pkey; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

-- Name: workspaces workspaces_pkey; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.workspaces
    ADD CONSTRAINT workspaces_pkey PRIMARY KEY (id);

-- Name: alerts alerts_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.alerts
    ADD CONSTRAINT alerts_pkey PRIMARY KEY (id);

-- Name: archetypes archetypes_name_key; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.archetypes
    ADD CONSTRAINT archetypes_name_key UNIQUE (name);

-- Name: archetypes archetypes_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.archetypes
    ADD CONSTRAINT archetypes_pkey PRIMARY KEY (id);

-- Name: audit_logs audit_logs_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.audit_logs
    ADD CONSTRAINT audit_logs_pkey PRIMARY KEY (id);

-- Name: audit_logs audit_logs_seq; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.audit_logs
    ADD CONSTRAINT audit_logs_seq UNIQUE (workspace_id, seq);

-- Name: authors authors_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.authors
    ADD CONSTRAINT authors_pkey PRIMARY KEY (id);

-- Name: authors authors_platform_id_key; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.authors
    ADD CONSTRAINT authors_platform_id_key UNIQUE (workspace_id, platform, platform_id);

-- Name: authors authors_workspace_id_key; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.authors
    ADD CONSTRAINT authors_workspace_id_key UNIQUE (workspace_id, id);

-- Name: champion_tiers champion_tiers_name_key; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.champion_tiers
    ADD CONSTRAINT champion_tiers_name_key UNIQUE (name);

-- Name: champion_tiers champion_tiers_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.champion_tiers
    ADD CONSTRAINT champion_tiers_pkey PRIMARY KEY (id);

-- Name: click_events click_events_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.click_events
    ADD CONSTRAINT click_events_pkey PRIMARY KEY (workspace_id, external_id);

-- Name: community_champions community_champions_author_key; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.community_champions
    ADD CONSTRAINT community_champions_author_key UNIQUE (workspace_id, author_id);

-- Name: community_champions community_champions_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.community_champions
    ADD CONSTRAINT community_champions_pkey PRIMARY KEY (id);

-- Name: competitive_mentions competitive_mentions_once; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.competitive_mentions
    ADD CONSTRAINT competitive_mentions_once UNIQUE (post_id, competitor_id);

-- Name: competitive_mentions competitive_mentions_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.competitive_mentions
    ADD CONSTRAINT competitive_mentions_pkey PRIMARY KEY (id);

-- Name: competitor_categories competitor_categories_name_key; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.competitor_categories
    ADD CONSTRAINT competitor_categories_name_key UNIQUE (name);

-- Name: competitor_categories competitor_categories_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.competitor_categories
    ADD CONSTRAINT competitor_categories_pkey PRIMARY KEY (id);

-- Name: competitors competitors_name_key; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.competitors
    ADD CONSTRAINT competitors_name_key UNIQUE (workspace_id, name);

-- Name: competitors competitors_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.competitors
    ADD CONSTRAINT competitors_pkey PRIMARY KEY (id);

-- Name: competitors competitors_workspace_id_key; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.competitors
    ADD CONSTRAINT competitors_workspace_id_key UNIQUE (workspace_id, id);

-- Name: context_snapshots context_snapshots_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.context_snapshots
    ADD CONSTRAINT context_snapshots_pkey PRIMARY KEY (id);

-- Name: decision_exposures decision_exposures_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.decision_exposures
    ADD CONSTRAINT decision_exposures_pkey PRIMARY KEY (decision_id);

-- Name: decisions decisions_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.decisions
    ADD CONSTRAINT decisions_pkey PRIMARY KEY (id, created_at);

-- Name: decisions_default decisions_default_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.decisions_default
    ADD CONSTRAINT decisions_default_pkey PRIMARY KEY (id, created_at);

-- Name: escalation_reasons escalation_reasons_name_key; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.escalation_reasons
    ADD CONSTRAINT escalation_reasons_name_key UNIQUE (name);

-- Name: escalation_reasons escalation_reasons_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.escalation_reasons
    ADD CONSTRAINT escalation_reasons_pkey PRIMARY KEY (id);

-- Name: escalations escalations_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.escalations
    ADD CONSTRAINT escalations_pkey PRIMARY KEY (id);

-- Name: experiment_assignments experiment_assignments_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.experiment_assignments
    ADD CONSTRAINT experiment_assignments_pkey PRIMARY KEY (experiment_id, unit_id);

-- Name: experiment_looks experiment_looks_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.experiment_looks
    ADD CONSTRAINT experiment_looks_pkey PRIMARY KEY (experiment_id, n);

-- Name: experiment_promotions experiment_promotions_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.experiment_promotions
    ADD CONSTRAINT experiment_promotions_pkey PRIMARY KEY (id);

-- Name: experiment_promotions experiment_promotions_version_key; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.experiment_promotions
    ADD CONSTRAINT experiment_promotions_version_key UNIQUE (workspace_id, version);

-- Name: experiments experiments_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.experiments
    ADD CONSTRAINT experiments_pkey PRIMARY KEY (id);

-- Name: experiments experiments_workspace_id_key; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.experiments
    ADD CONSTRAINT experiments_workspace_id_key UNIQUE (workspace_id, id);

-- Name: funnel funnel_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.funnel
    ADD CONSTRAINT funnel_pkey PRIMARY KEY (workspace_id, platform, day, stage);

-- Name: health_checks health_checks_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.health_checks
    ADD CONSTRAINT health_checks_pkey PRIMARY KEY (id);

-- Name: keyword_changes keyword_changes_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.keyword_changes
    ADD CONSTRAINT keyword_changes_pkey PRIMARY KEY (id);

-- Name: keyword_changes keyword_changes_version_key; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.keyword_changes
    ADD CONSTRAINT keyword_changes_version_key UNIQUE (workspace_id, version);

-- Name: keyword_locks keyword_locks_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.keyword_locks
    ADD CONSTRAINT keyword_locks_pkey PRIMARY KEY (workspace_id, term);

-- Name: kpi_metrics kpi_metrics_key; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.kpi_metrics
    ADD CONSTRAINT kpi_metrics_key UNIQUE NULLS NOT DISTINCT (workspace_id, date, platform, metric_type, metric_name);

-- Name: kpi_metrics kpi_metrics_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.kpi_metrics
    ADD CONSTRAINT kpi_metrics_pkey PRIMARY KEY (id);

-- Name: kpi_types kpi_types_name_key; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.kpi_types
    ADD CONSTRAINT kpi_types_name_key UNIQUE (name);

-- Name: kpi_types kpi_types_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.kpi_types
    ADD CONSTRAINT kpi_types_pkey PRIMARY KEY (id);

-- Name: learning_events learning_events_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.learning_events
    ADD CONSTRAINT learning_events_pkey PRIMARY KEY (id);

-- Name: learning_runs learning_runs_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.learning_runs
    ADD CONSTRAINT learning_runs_pkey PRIMARY KEY (run_id);

-- Name: learning_runs learning_runs_workspace_id_key; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.learning_runs
    ADD CONSTRAINT learning_runs_workspace_id_key UNIQUE (workspace_id, run_id);

-- Name: order_events order_events_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.order_events
    ADD CONSTRAINT order_events_pkey PRIMARY KEY (workspace_id, external_id);

-- Name: own_accounts own_accounts_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.own_accounts
    ADD CONSTRAINT own_accounts_pkey PRIMARY KEY (workspace_id, source_id);

-- Name: pending_actions pending_actions_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.pending_actions
    ADD CONSTRAINT pending_actions_pkey PRIMARY KEY (id);

-- Name: policies policies_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.policies
    ADD CONSTRAINT policies_pkey PRIMARY KEY (workspace_id);

-- Name: post_metric_snapshots post_metric_snapshots_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.post_metric_snapshots
    ADD CONSTRAINT post_metric_snapshots_pkey PRIMARY KEY (post_id, minute);

-- Name: post_opinions post_opinions_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.post_opinions
    ADD CONSTRAINT post_opinions_pkey PRIMARY KEY (post_id);

-- Name: post_versions post_versions_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.post_versions
    ADD CONSTRAINT post_versions_pkey PRIMARY KEY (post_id, content_sha256);

-- Name: posts posts_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.posts
    ADD CONSTRAINT posts_pkey PRIMARY KEY (id);

-- Name: posts posts_platform_post_id_key; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.posts
    ADD CONSTRAINT posts_platform_post_id_key UNIQUE (workspace_id, platform, platform_post_id);

-- Name: posts posts_workspace_id_key; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.posts
    ADD CONSTRAINT posts_workspace_id_key UNIQUE (workspace_id, id);

-- Name: power_tiers power_tiers_name_key; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.power_tiers
    ADD CONSTRAINT power_tiers_name_key UNIQUE (name);

-- Name: power_tiers power_tiers_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.power_tiers
    ADD CONSTRAINT power_tiers_pkey PRIMARY KEY (id);

-- Name: profile_versions profile_versions_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.profile_versions
    ADD CONSTRAINT profile_versions_pkey PRIMARY KEY (id);

-- Name: randomized_experiments randomized_experiments_decision_key; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.randomized_experiments
    ADD CONSTRAINT randomized_experiments_decision_key UNIQUE (workspace_id, decision_id);

-- Name: randomized_experiments randomized_experiments_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.randomized_experiments
    ADD CONSTRAINT randomized_experiments_pkey PRIMARY KEY (id);

-- Name: refused_posts refused_posts_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.refused_posts
    ADD CONSTRAINT refused_posts_pkey PRIMARY KEY (workspace_id, platform, platform_post_id, rule);

-- Name: relationship_events relationship_events_once; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.relationship_events
    ADD CONSTRAINT relationship_events_once UNIQUE (workspace_id, type, source_event_id);

-- Name: relationship_events relationship_events_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.relationship_events
    ADD CONSTRAINT relationship_events_pkey PRIMARY KEY (id);

-- Name: replies replies_idempotency_key; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.replies
    ADD CONSTRAINT replies_idempotency_key UNIQUE (workspace_id, idempotency_key);

-- Name: replies replies_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.replies
    ADD CONSTRAINT replies_pkey PRIMARY KEY (id);

-- Name: replies replies_utm_code_key; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.replies
    ADD CONSTRAINT replies_utm_code_key UNIQUE (workspace_id, utm_code);

-- Name: replies replies_workspace_id_key; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.replies
    ADD CONSTRAINT replies_workspace_id_key UNIQUE (workspace_id, id);

-- Name: reply_outcomes reply_outcomes_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.reply_outcomes
    ADD CONSTRAINT reply_outcomes_pkey PRIMARY KEY (reply_id, "window");

-- Name: segmented_weights segmented_weights_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.segmented_weights
    ADD CONSTRAINT segmented_weights_pkey PRIMARY KEY (id);

-- Name: segmented_weights segmented_weights_segment_key; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.segmented_weights
    ADD CONSTRAINT segmented_weights_segment_key UNIQUE (workspace_id, segment_type, segment_key);

-- Name: temporal_config_history temporal_config_history_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.temporal_config_history
    ADD CONSTRAINT temporal_config_history_pkey PRIMARY KEY (id);

-- Name: tier_changes tier_changes_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.tier_changes
    ADD CONSTRAINT tier_changes_pkey PRIMARY KEY (id);

-- Name: tombstones tombstones_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.tombstones
    ADD CONSTRAINT tombstones_pkey PRIMARY KEY (workspace_id, platform, kind, platform_id);

-- Name: weight_adjustment_logs weight_adjustment_logs_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.weight_adjustment_logs
    ADD CONSTRAINT weight_adjustment_logs_pkey PRIMARY KEY (id);

-- Name: weight_versions weight_versions_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.weight_versions
    ADD CONSTRAINT weight_versions_pkey PRIMARY KEY (id);

-- Name: weight_versions weight_versions_version_key; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.weight_versions
    ADD CONSTRAINT weight_versions_version_key UNIQUE (workspace_id, segment_type, segment_key, version);

-- Name: weight_versions weight_versions_workspace_id_key; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.weight_versions
    ADD CONSTRAINT weight_versions_workspace_id_key UNIQUE (workspace_id, id);

-- Name: worker_heartbeats worker_heartbeats_name_key; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.worker_heartbeats
    ADD CONSTRAINT worker_heartbeats_name_key UNIQUE (workspace_id, worker_name);

-- Name: worker_heartbeats worker_heartbeats_pkey; Type: CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.worker_heartbeats
    ADD CONSTRAINT worker_heartbeats_pkey PRIMARY KEY (id);

-- Name: api_keys_workspace; Type: INDEX; Schema: ops; Owner: -

CREATE INDEX api_keys_workspace ON ops.api_keys USING btree (workspace_id);

-- Name: dead_letters_job; Type: INDEX; Schema: ops; Owner: -

CREATE INDEX dead_letters_job ON ops.dead_letters USING btree (job_id);

-- Name: dead_letters_workspace; Type: INDEX; Schema: ops; Owner: -

CREATE INDEX dead_letters_workspace ON ops.dead_letters USING btree (workspace_id, died_at DESC);

-- Name: event_bodies_event; Type: INDEX; Schema: ops; Owner: -

CREATE INDEX event_bodies_event ON ONLY ops.event_bodies USING btree (event_id);

-- Name: event_bodies_default_event_id_idx; Type: INDEX; Schema: ops; Owner: -

CREATE INDEX event_bodies_default_event_id_idx ON ops.event_bodies_default USING btree (event_id);

-- Name: events_workspace_received; Type: INDEX; Schema: ops; Owner: -

CREATE INDEX events_workspace_received ON ops.events USING btree (workspace_id, received_at DESC, id DESC);

-- Name: ingest_cursors_due; Type: INDEX; Schema: ops; Owner: -

CREATE INDEX ingest_cursors_due ON ops.ingest_cursors USING btree (next_at) WHERE active;

-- Name: job_history_id; Type: INDEX; Schema: ops; Owner: -

CREATE INDEX job_history_id ON ONLY ops.job_history USING btree (id);

-- Name: job_history_default_id_idx; Type: INDEX; Schema: ops; Owner: -

CREATE INDEX job_history_default_id_idx ON ops.job_history_default USING btree (id);

-- Name: jobs_alone; Type: INDEX; Schema: ops; Owner: -

CREATE INDEX jobs_alone ON ops.jobs USING btree ("position") WHERE ((state = 'ready'::text) AND (crashes >= 2));

-- Name: jobs_capped; Type: INDEX; Schema: ops; Owner: -

CREATE INDEX jobs_capped ON ops.jobs USING btree (kind, workspace_id) WHERE ((state = 'running'::text) AND capped);

-- Name: jobs_leases; Type: INDEX; Schema: ops; Owner: -

CREATE INDEX jobs_leases ON ops.jobs USING btree (lease_until) WHERE (state = 'running'::text);

-- Name: jobs_ready; Type: INDEX; Schema: ops; Owner: -

CREATE INDEX jobs_ready ON ops.jobs USING btree (kind, workspace_id, priority, "position") WHERE ((state = 'ready'::text) AND (crashes < 2));

-- Name: jobs_scheduled; Type: INDEX; Schema: ops; Owner: -

CREATE INDEX jobs_scheduled ON ops.jobs USING btree (run_at) WHERE (state = 'scheduled'::text);

-- Name: jobs_unique_waiting; Type: INDEX; Schema: ops; Owner: -

CREATE UNIQUE INDEX jobs_unique_waiting ON ops.jobs USING btree (workspace_id, kind, unique_key) WHERE ((unique_key IS NOT NULL) AND (state <> 'running'::text));

-- Name: quarantine_workspace; Type: INDEX; Schema: ops; Owner: -

CREATE INDEX quarantine_workspace ON ops.quarantine USING btree (workspace_id, held_at DESC) WHERE (released_at IS NULL);

-- Name: source_secrets_source; Type: INDEX; Schema: ops; Owner: -

CREATE INDEX source_secrets_source ON ops.source_secrets USING btree (source_id);

-- Name: sources_external; Type: INDEX; Schema: ops; Owner: -

CREATE INDEX sources_external ON ops.sources USING btree (kind, external_id) WHERE (external_id IS NOT NULL);

-- Name: activity_logs_workspace_created_idx; Type: INDEX; Schema: signals; Owner: -

CREATE INDEX activity_logs_workspace_created_idx ON signals.activity_logs USING btree (workspace_id, created_at DESC);

-- Name: automation_actions_workspace_triggered_idx; Type: INDEX; Schema: signals; Owner: -

CREATE INDEX automation_actions_workspace_triggered_idx ON signals.automation_actions USING btree (workspace_id, triggered_at DESC);

-- Name: inbox_items_event_idx; Type: INDEX; Schema: signals; Owner: -

CREATE INDEX inbox_items_event_idx ON signals.inbox_items USING btree (event_id) WHERE (event_id IS NOT NULL);

-- Name: inbox_items_ref; Type: INDEX; Schema: signals; Owner: -

CREATE UNIQUE INDEX inbox_items_ref ON signals.inbox_items USING btree (workspace_id, source, source_ref) WHERE (source_ref IS NOT NULL);

-- Name: inbox_items_workspace_status_idx; Type: INDEX; Schema: signals; Owner: -

CREATE INDEX inbox_items_workspace_status_idx ON signals.inbox_items USING btree (workspace_id, status);

-- Name: notifications_dedup; Type: INDEX; Schema: signals; Owner: -

CREATE UNIQUE INDEX notifications_dedup ON signals.notifications USING btree (workspace_id, dedup_key) WHERE (dedup_key IS NOT NULL);

-- Name: notifications_workspace_status_idx; Type: INDEX; Schema: signals; Owner: -

CREATE INDEX notifications_workspace_status_idx ON signals.notifications USING btree (workspace_id, status, created_at DESC);

-- Name: project_profiles_workspace; Type: INDEX; Schema: signals; Owner: -

CREATE INDEX project_profiles_workspace ON signals.project_profiles USING btree (workspace_id);

-- Name: projects_workspace_status_idx; Type: INDEX; Schema: signals; Owner: -

CREATE INDEX projects_workspace_status_idx ON signals.projects USING btree (workspace_id, status);

-- Name: signal_projects_project_idx; Type: INDEX; Schema: signals; Owner: -

CREATE INDEX signal_projects_project_idx ON signals.signal_projects USING btree (project_id, linked_at DESC);

-- Name: signal_projects_workspace_idx; Type: INDEX; Schema: signals; Owner: -

CREATE INDEX signal_projects_workspace_idx ON signals.signal_projects USING btree (workspace_id);

-- Name: signal_versions_event_idx; Type: INDEX; Schema: signals; Owner: -

CREATE INDEX signal_versions_event_idx ON signals.signal_versions USING btree (event_id);

-- Name: signals_duplicates_idx; Type: INDEX; Schema: signals; Owner: -

CREATE INDEX signals_duplicates_idx ON signals.signals USING btree (duplicate_of) WHERE (duplicate_of IS NOT NULL);

-- Name: signals_hash_idx; Type: INDEX; Schema: signals; Owner: -

CREATE INDEX signals_hash_idx ON signals.signals USING btree (content_hash);

-- Name: signals_parts_idx; Type: INDEX; Schema: signals; Owner: -

CREATE INDEX signals_parts_idx ON signals.signals USING btree (parent_id) WHERE (parent_id IS NOT NULL);

-- Name: signals_processed_idx; Type: INDEX; Schema: signals; Owner: -

CREATE INDEX signals_processed_idx ON signals.signals USING btree (workspace_id, processed_at) WHERE (processed_at IS NOT NULL);

-- Name: signals_search_idx; Type: INDEX; Schema: signals; Owner: -

CREATE INDEX signals_search_idx ON signals.signals USING gin (search);

-- Name: signals_unprocessed_idx; Type: INDEX; Schema: signals; Owner: -

CREATE INDEX signals_unprocessed_idx ON signals.signals USING btree (workspace_id, created_at) WHERE ((processed_at IS NULL) AND (deleted_at IS NULL));

-- Name: signals_workspace_created_idx; Type: INDEX; Schema: signals; Owner: -

CREATE INDEX signals_workspace_created_idx ON signals.signals USING btree (workspace_id, created_at DESC, id DESC);

-- Name: signals_workspace_hash_idx; Type: INDEX; Schema: signals; Owner: -

CREATE INDEX signals_workspace_hash_idx ON signals.signals USING btree (workspace_id, content_hash);

-- Name: signals_workspace_source_idx; Type: INDEX; Schema: signals; Owner: -

CREATE UNIQUE INDEX signals_workspace_source_idx ON signals.signals USING btree (workspace_id, source, source_ref);

-- Name: signals_workspace_status_idx; Type: INDEX; Schema: signals; Owner: -

CREATE INDEX signals_workspace_status_idx ON signals.signals USING btree (workspace_id, status);

-- Name: threshold_versions_in_force; Type: INDEX; Schema: signals; Owner: -

CREATE UNIQUE INDEX threshold_versions_in_force ON signals.threshold_versions USING btree (workspace_id, name) WHERE ((effective_to IS NULL) AND (approved_by IS NOT NULL));

-- Name: alerts_raised_at_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX alerts_raised_at_idx ON social.alerts USING btree (workspace_id, raised_at DESC);

-- Name: alerts_rule_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX alerts_rule_idx ON social.alerts USING btree (workspace_id, rule, platform, raised_at DESC);

-- Name: audit_logs_actor_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX audit_logs_actor_idx ON social.audit_logs USING btree (workspace_id, actor);

-- Name: audit_logs_created_at_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX audit_logs_created_at_idx ON social.audit_logs USING btree (workspace_id, created_at);

-- Name: audit_logs_entity_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX audit_logs_entity_idx ON social.audit_logs USING btree (workspace_id, entity_type, entity_id);

-- Name: authors_is_power_user_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX authors_is_power_user_idx ON social.authors USING btree (workspace_id, is_power_user);

-- Name: authors_last_tier_update_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX authors_last_tier_update_idx ON social.authors USING btree (workspace_id, last_tier_update);

-- Name: authors_platform_handle_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX authors_platform_handle_idx ON social.authors USING btree (workspace_id, platform, handle);

-- Name: authors_power_user_tier_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX authors_power_user_tier_idx ON social.authors USING btree (workspace_id, is_power_user, user_tier);

-- Name: authors_relationship_score_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX authors_relationship_score_idx ON social.authors USING btree (workspace_id, relationship_score);

-- Name: authors_user_tier_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX authors_user_tier_idx ON social.authors USING btree (workspace_id, user_tier);

-- Name: click_events_reply_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX click_events_reply_idx ON social.click_events USING btree (reply_id, occurred_at);

-- Name: click_events_unmatched_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX click_events_unmatched_idx ON social.click_events USING btree (workspace_id, occurred_at) WHERE (reply_id IS NULL);

-- Name: click_events_visitor_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX click_events_visitor_idx ON social.click_events USING btree (workspace_id, visitor) WHERE (visitor IS NOT NULL);

-- Name: community_champions_advocate_status_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX community_champions_advocate_status_idx ON social.community_champions USING btree (workspace_id, advocate_status);

-- Name: community_champions_engagement_count_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX community_champions_engagement_count_idx ON social.community_champions USING btree (workspace_id, engagement_count);

-- Name: competitive_mentions_competitor_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX competitive_mentions_competitor_idx ON social.competitive_mentions USING btree (competitor_id);

-- Name: competitive_mentions_created_at_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX competitive_mentions_created_at_idx ON social.competitive_mentions USING btree (workspace_id, created_at);

-- Name: competitive_mentions_opportunity_score_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX competitive_mentions_opportunity_score_idx ON social.competitive_mentions USING btree (workspace_id, opportunity_score);

-- Name: competitive_mentions_sentiment_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX competitive_mentions_sentiment_idx ON social.competitive_mentions USING btree (workspace_id, sentiment);

-- Name: context_snapshots_post_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX context_snapshots_post_idx ON social.context_snapshots USING btree (post_id, created_at);

-- Name: decision_exposures_created_at_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX decision_exposures_created_at_idx ON social.decision_exposures USING btree (workspace_id, created_at);

-- Name: decisions_composite_score_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX decisions_composite_score_idx ON ONLY social.decisions USING btree (workspace_id, composite_score);

-- Name: decisions_created_at_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX decisions_created_at_idx ON ONLY social.decisions USING btree (workspace_id, created_at);

-- Name: decisions_post_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX decisions_post_idx ON ONLY social.decisions USING btree (post_id);

-- Name: decisions_default_post_id_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX decisions_default_post_id_idx ON social.decisions_default USING btree (post_id);

-- Name: decisions_default_workspace_id_composite_score_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX decisions_default_workspace_id_composite_score_idx ON social.decisions_default USING btree (workspace_id, composite_score);

-- Name: decisions_review_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX decisions_review_idx ON ONLY social.decisions USING btree (workspace_id, created_at, composite_score, mode, needs_review);

-- Name: decisions_default_workspace_id_created_at_composite_score_m_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX decisions_default_workspace_id_created_at_composite_score_m_idx ON social.decisions_default USING btree (workspace_id, created_at, composite_score, mode, needs_review);

-- Name: decisions_default_workspace_id_created_at_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX decisions_default_workspace_id_created_at_idx ON social.decisions_default USING btree (workspace_id, created_at);

-- Name: decisions_experiment_variant_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX decisions_experiment_variant_idx ON ONLY social.decisions USING btree (workspace_id, experiment_variant);

-- Name: decisions_default_workspace_id_experiment_variant_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX decisions_default_workspace_id_experiment_variant_idx ON social.decisions_default USING btree (workspace_id, experiment_variant);

-- Name: decisions_is_randomized_experiment_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX decisions_is_randomized_experiment_idx ON ONLY social.decisions USING btree (workspace_id, is_randomized_experiment);

-- Name: decisions_default_workspace_id_is_randomized_experiment_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX decisions_default_workspace_id_is_randomized_experiment_idx ON social.decisions_default USING btree (workspace_id, is_randomized_experiment);

-- Name: decisions_mode_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX decisions_mode_idx ON ONLY social.decisions USING btree (workspace_id, mode);

-- Name: decisions_default_workspace_id_mode_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX decisions_default_workspace_id_mode_idx ON social.decisions_default USING btree (workspace_id, mode);

-- Name: decisions_platform_mode_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX decisions_platform_mode_idx ON ONLY social.decisions USING btree (workspace_id, platform, mode, created_at DESC);

-- Name: decisions_default_workspace_id_platform_mode_created_at_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX decisions_default_workspace_id_platform_mode_created_at_idx ON social.decisions_default USING btree (workspace_id, platform, mode, created_at DESC);

-- Name: decisions_sss_mode_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX decisions_sss_mode_idx ON ONLY social.decisions USING btree (workspace_id, sss_score, mode);

-- Name: decisions_default_workspace_id_sss_score_mode_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX decisions_default_workspace_id_sss_score_mode_idx ON social.decisions_default USING btree (workspace_id, sss_score, mode);

-- Name: escalations_assigned_to_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX escalations_assigned_to_idx ON social.escalations USING btree (workspace_id, assigned_to);

-- Name: escalations_created_at_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX escalations_created_at_idx ON social.escalations USING btree (workspace_id, created_at);

-- Name: escalations_living; Type: INDEX; Schema: social; Owner: -

CREATE UNIQUE INDEX escalations_living ON social.escalations USING btree (workspace_id, decision_id, reason) WHERE ((decision_id IS NOT NULL) AND (status = ANY (ARRAY['PENDING'::text, 'IN_REVIEW'::text])));

-- Name: escalations_status_priority_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX escalations_status_priority_idx ON social.escalations USING btree (workspace_id, status, priority);

-- Name: experiment_assignments_unit_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX experiment_assignments_unit_idx ON social.experiment_assignments USING btree (workspace_id, unit_id);

-- Name: experiment_promotions_living; Type: INDEX; Schema: social; Owner: -

CREATE UNIQUE INDEX experiment_promotions_living ON social.experiment_promotions USING btree (workspace_id, experiment_id) WHERE (effective_to IS NULL);

-- Name: experiments_start_date_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX experiments_start_date_idx ON social.experiments USING btree (workspace_id, start_date);

-- Name: experiments_status_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX experiments_status_idx ON social.experiments USING btree (workspace_id, status);

-- Name: health_checks_created_at_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX health_checks_created_at_idx ON social.health_checks USING btree (workspace_id, created_at);

-- Name: keyword_changes_living; Type: INDEX; Schema: social; Owner: -

CREATE UNIQUE INDEX keyword_changes_living ON social.keyword_changes USING btree (workspace_id, term, what) WHERE (effective_to IS NULL);

-- Name: kpi_metrics_date_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX kpi_metrics_date_idx ON social.kpi_metrics USING btree (workspace_id, date);

-- Name: kpi_metrics_platform_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX kpi_metrics_platform_idx ON social.kpi_metrics USING btree (workspace_id, platform);

-- Name: learning_events_adjustment_type_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX learning_events_adjustment_type_idx ON social.learning_events USING btree (workspace_id, adjustment_type);

-- Name: learning_events_date_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX learning_events_date_idx ON social.learning_events USING btree (workspace_id, date);

-- Name: learning_events_evaluated_at_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX learning_events_evaluated_at_idx ON social.learning_events USING btree (workspace_id, evaluated_at);

-- Name: learning_runs_started_at_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX learning_runs_started_at_idx ON social.learning_runs USING btree (workspace_id, kind, started_at);

-- Name: order_events_account_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX order_events_account_idx ON social.order_events USING btree (workspace_id, ((data ->> 'account'::text))) WHERE ((data ->> 'account'::text) IS NOT NULL);

-- Name: order_events_credited_to_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX order_events_credited_to_idx ON social.order_events USING btree (credited_to);

-- Name: order_events_reply_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX order_events_reply_idx ON social.order_events USING btree (reply_id, occurred_at);

-- Name: order_events_unmatched_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX order_events_unmatched_idx ON social.order_events USING btree (workspace_id, occurred_at) WHERE (reply_id IS NULL);

-- Name: order_events_visitor_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX order_events_visitor_idx ON social.order_events USING btree (workspace_id, visitor) WHERE (visitor IS NOT NULL);

-- Name: pending_actions_author_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX pending_actions_author_idx ON social.pending_actions USING btree (author_id);

-- Name: pending_actions_expires_at_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX pending_actions_expires_at_idx ON social.pending_actions USING btree (workspace_id, expires_at);

-- Name: post_metric_snapshots_workspace_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX post_metric_snapshots_workspace_idx ON social.post_metric_snapshots USING btree (workspace_id, minute);

-- Name: post_opinions_workspace_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX post_opinions_workspace_idx ON social.post_opinions USING btree (workspace_id);

-- Name: post_versions_workspace_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX post_versions_workspace_idx ON social.post_versions USING btree (workspace_id);

-- Name: posts_author_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX posts_author_idx ON social.posts USING btree (author_id, posted_at);

-- Name: posts_checked_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX posts_checked_idx ON social.posts USING btree (workspace_id, platform, checked_at) WHERE ((deleted_at IS NULL) AND (superseded_by IS NULL));

-- Name: posts_content_hash_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX posts_content_hash_idx ON social.posts USING btree (content_hash);

-- Name: posts_content_norm_hash_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX posts_content_norm_hash_idx ON social.posts USING btree (workspace_id, content_norm_hash);

-- Name: posts_conversation_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX posts_conversation_idx ON social.posts USING btree (workspace_id, platform, conversation) WHERE (conversation IS NOT NULL);

-- Name: posts_event_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX posts_event_idx ON social.posts USING btree (event_id);

-- Name: posts_in_reply_to_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX posts_in_reply_to_idx ON social.posts USING btree (workspace_id, platform, in_reply_to) WHERE (in_reply_to IS NOT NULL);

-- Name: posts_platform_detected_at_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX posts_platform_detected_at_idx ON social.posts USING btree (workspace_id, platform, detected_at);

-- Name: posts_processed_at_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX posts_processed_at_idx ON social.posts USING btree (workspace_id, processed_at);

-- Name: posts_spam_filtered_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX posts_spam_filtered_idx ON social.posts USING btree (workspace_id, spam_filtered);

-- Name: posts_unprocessed_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX posts_unprocessed_idx ON social.posts USING btree (workspace_id, detected_at) WHERE ((processed_at IS NULL) AND (NOT spam_filtered) AND (superseded_by IS NULL) AND (deleted_at IS NULL));

-- Name: profile_versions_loaded_at_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX profile_versions_loaded_at_idx ON social.profile_versions USING btree (workspace_id, name, loaded_at DESC);

-- Name: randomized_experiments_actual_mode_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX randomized_experiments_actual_mode_idx ON social.randomized_experiments USING btree (workspace_id, actual_mode);

-- Name: randomized_experiments_predicted_mode_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX randomized_experiments_predicted_mode_idx ON social.randomized_experiments USING btree (workspace_id, predicted_mode);

-- Name: relationship_events_account_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX relationship_events_account_idx ON social.relationship_events USING btree (workspace_id, ((data ->> 'account'::text))) WHERE ((data ->> 'account'::text) IS NOT NULL);

-- Name: relationship_events_author_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX relationship_events_author_idx ON social.relationship_events USING btree (author_id, occurred_at);

-- Name: relationship_events_reply_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX relationship_events_reply_idx ON social.relationship_events USING btree (reply_id, occurred_at);

-- Name: relationship_events_unmatched_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX relationship_events_unmatched_idx ON social.relationship_events USING btree (workspace_id, occurred_at) WHERE ((author_id IS NULL) OR (reply_id IS NULL));

-- Name: replies_allowed_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX replies_allowed_idx ON social.replies USING btree (workspace_id, platform) WHERE ((posted_at IS NULL) AND (deleted_at IS NULL) AND (approval_status = ANY (ARRAY['APPROVED'::text, 'AUTO_APPROVED'::text])));

-- Name: replies_approval_status_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX replies_approval_status_idx ON social.replies USING btree (workspace_id, approval_status);

-- Name: replies_author_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX replies_author_idx ON social.replies USING btree (author_id, created_at) WHERE (author_id IS NOT NULL);

-- Name: replies_decision_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX replies_decision_idx ON social.replies USING btree (decision_id);

-- Name: replies_platform_post_id_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX replies_platform_post_id_idx ON social.replies USING btree (workspace_id, platform_post_id);

-- Name: replies_platform_posted_at_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX replies_platform_posted_at_idx ON social.replies USING btree (workspace_id, platform, posted_at);

-- Name: replies_posted_at_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX replies_posted_at_idx ON social.replies USING btree (workspace_id, posted_at);

-- Name: replies_thread_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX replies_thread_idx ON social.replies USING btree (workspace_id, platform, thread);

-- Name: segmented_weights_sample_size_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX segmented_weights_sample_size_idx ON social.segmented_weights USING btree (workspace_id, segment_type, segment_key, sample_size);

-- Name: temporal_config_history_changed_at_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX temporal_config_history_changed_at_idx ON social.temporal_config_history USING btree (workspace_id, changed_at);

-- Name: tier_changes_author_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX tier_changes_author_idx ON social.tier_changes USING btree (author_id, created_at);

-- Name: tombstones_superseded_by_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX tombstones_superseded_by_idx ON social.tombstones USING btree (workspace_id, platform, superseded_by) WHERE (superseded_by IS NOT NULL);

-- Name: weight_adjustment_logs_date_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX weight_adjustment_logs_date_idx ON social.weight_adjustment_logs USING btree (workspace_id, date);

-- Name: weight_versions_in_force; Type: INDEX; Schema: social; Owner: -

CREATE UNIQUE INDEX weight_versions_in_force ON social.weight_versions USING btree (workspace_id, segment_type, segment_key) WHERE ((effective_to IS NULL) AND (approved_by IS NOT NULL));

-- Name: worker_heartbeats_last_activity_at_idx; Type: INDEX; Schema: social; Owner: -

CREATE INDEX worker_heartbeats_last_activity_at_idx ON social.worker_heartbeats USING btree (workspace_id, last_activity_at);

-- Name: event_bodies_default_event_id_idx; Type: INDEX ATTACH; Schema: ops; Owner: -

ALTER INDEX ops.event_bodies_event ATTACH PARTITION ops.event_bodies_default_event_id_idx;

-- Name: job_history_default_id_idx; Type: INDEX ATTACH; Schema: ops; Owner: -

ALTER INDEX ops.job_history_id ATTACH PARTITION ops.job_history_default_id_idx;

-- Name: decisions_default_pkey; Type: INDEX ATTACH; Schema: social; Owner: -

ALTER INDEX social.decisions_pkey ATTACH PARTITION social.decisions_default_pkey;

-- Name: decisions_default_post_id_idx; Type: INDEX ATTACH; Schema: social; Owner: -

ALTER INDEX social.decisions_post_idx ATTACH PARTITION social.decisions_default_post_id_idx;

-- Name: decisions_default_workspace_id_composite_score_idx; Type: INDEX ATTACH; Schema: social; Owner: -

ALTER INDEX social.decisions_composite_score_idx ATTACH PARTITION social.decisions_default_workspace_id_composite_score_idx;

-- Name: decisions_default_workspace_id_created_at_composite_score_m_idx; Type: INDEX ATTACH; Schema: social; Owner: -

ALTER INDEX social.decisions_review_idx ATTACH PARTITION social.decisions_default_workspace_id_created_at_composite_score_m_idx;

-- Name: decisions_default_workspace_id_created_at_idx; Type: INDEX ATTACH; Schema: social; Owner: -

ALTER INDEX social.decisions_created_at_idx ATTACH PARTITION social.decisions_default_workspace_id_created_at_idx;

-- Name: decisions_default_workspace_id_experiment_variant_idx; Type: INDEX ATTACH; Schema: social; Owner: -

ALTER INDEX social.decisions_experiment_variant_idx ATTACH PARTITION social.decisions_default_workspace_id_experiment_variant_idx;

-- Name: decisions_default_workspace_id_is_randomized_experiment_idx; Type: INDEX ATTACH; Schema: social; Owner: -

ALTER INDEX social.decisions_is_randomized_experiment_idx ATTACH PARTITION social.decisions_default_workspace_id_is_randomized_experiment_idx;

-- Name: decisions_default_workspace_id_mode_idx; Type: INDEX ATTACH; Schema: social; Owner: -

ALTER INDEX social.decisions_mode_idx ATTACH PARTITION social.decisions_default_workspace_id_mode_idx;

-- Name: decisions_default_workspace_id_platform_mode_created_at_idx; Type: INDEX ATTACH; Schema: social; Owner: -

ALTER INDEX social.decisions_platform_mode_idx ATTACH PARTITION social.decisions_default_workspace_id_platform_mode_created_at_idx;

-- Name: decisions_default_workspace_id_sss_score_mode_idx; Type: INDEX ATTACH; Schema: social; Owner: -

ALTER INDEX social.decisions_sss_mode_idx ATTACH PARTITION social.decisions_default_workspace_id_sss_score_mode_idx;

-- Name: projects projects_profile; Type: TRIGGER; Schema: signals; Owner: -

CREATE TRIGGER projects_profile AFTER INSERT OR UPDATE OF name, description, status ON signals.projects FOR EACH ROW EXECUTE FUNCTION signals.profile_project();

-- Name: signal_personas signal_personas_workspace; Type: TRIGGER; Schema: signals; Owner: -

CREATE TRIGGER signal_personas_workspace BEFORE INSERT ON signals.signal_personas FOR EACH ROW EXECUTE FUNCTION signals.fill_link_workspace();

-- Name: signal_projects signal_projects_profile_delete; Type: TRIGGER; Schema: signals; Owner: -

CREATE TRIGGER signal_projects_profile_delete AFTER DELETE ON signals.signal_projects REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION signals.profile_links();

-- Name: signal_projects signal_projects_profile_insert; Type: TRIGGER; Schema: signals; Owner: -

CREATE TRIGGER signal_projects_profile_insert AFTER INSERT ON signals.signal_projects REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION signals.profile_links();

-- Name: signal_projects signal_projects_workspace; Type: TRIGGER; Schema: signals; Owner: -

CREATE TRIGGER signal_projects_workspace BEFORE INSERT ON signals.signal_projects FOR EACH ROW EXECUTE FUNCTION signals.fill_link_workspace();

-- Name: audit_logs chain; Type: TRIGGER; Schema: social; Owner: -

CREATE TRIGGER chain BEFORE INSERT ON social.audit_logs FOR EACH ROW EXECUTE FUNCTION social.chain_audit();

-- Name: decisions fill_platform; Type: TRIGGER; Schema: social; Owner: -

CREATE TRIGGER fill_platform BEFORE INSERT ON social.decisions FOR EACH ROW EXECUTE FUNCTION social.fill_platform();

-- Name: replies freeze_decision; Type: TRIGGER; Schema: social; Owner: -

CREATE TRIGGER freeze_decision BEFORE INSERT ON social.replies FOR EACH ROW EXECUTE FUNCTION social.freeze_decision();

-- Name: audit_logs keep; Type: TRIGGER; Schema: social; Owner: -

CREATE TRIGGER keep BEFORE DELETE OR UPDATE ON social.audit_logs FOR EACH ROW EXECUTE FUNCTION social.keep_audit();

-- Name: audit_logs keep_all; Type: TRIGGER; Schema: social; Owner: -

CREATE TRIGGER keep_all BEFORE TRUNCATE ON social.audit_logs FOR EACH STATEMENT EXECUTE FUNCTION social.keep_all_audit();

-- Name: authors touch; Type: TRIGGER; Schema: social; Owner: -

CREATE TRIGGER touch BEFORE UPDATE ON social.authors FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION social.touch();

-- Name: community_champions touch; Type: TRIGGER; Schema: social; Owner: -

CREATE TRIGGER touch BEFORE UPDATE ON social.community_champions FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION social.touch();

-- Name: competitors touch; Type: TRIGGER; Schema: social; Owner: -

CREATE TRIGGER touch BEFORE UPDATE ON social.competitors FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION social.touch();

-- Name: experiments touch; Type: TRIGGER; Schema: social; Owner: -

CREATE TRIGGER touch BEFORE UPDATE ON social.experiments FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION social.touch();

-- Name: policies touch; Type: TRIGGER; Schema: social; Owner: -

CREATE TRIGGER touch BEFORE UPDATE ON social.policies FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION social.touch();

-- Name: posts touch; Type: TRIGGER; Schema: social; Owner: -

CREATE TRIGGER touch BEFORE UPDATE ON social.posts FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION social.touch();

-- Name: replies touch; Type: TRIGGER; Schema: social; Owner: -

CREATE TRIGGER touch BEFORE UPDATE ON social.replies FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION social.touch();

-- Name: segmented_weights touch; Type: TRIGGER; Schema: social; Owner: -

CREATE TRIGGER touch BEFORE UPDATE ON social.segmented_weights FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION social.touch();

-- Name: api_keys api_keys_source_id_fkey; Type: FK CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.api_keys
    ADD CONSTRAINT api_keys_source_id_fkey FOREIGN KEY (source_id) REFERENCES ops.sources(id) ON DELETE CASCADE;

-- Name: api_keys api_keys_workspace_fk; Type: FK CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.api_keys
    ADD CONSTRAINT api_keys_workspace_fk FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: embeddings embeddings_model_id_fkey; Type: FK CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.embeddings
    ADD CONSTRAINT embeddings_model_id_fkey FOREIGN KEY (model_id) REFERENCES ops.embedding_models(id);

-- Name: ingest_cursors ingest_cursors_workspace_id_source_id_fkey; Type: FK CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.ingest_cursors
    ADD CONSTRAINT ingest_cursors_workspace_id_source_id_fkey FOREIGN KEY (workspace_id, source_id) REFERENCES ops.sources(workspace_id, id) ON DELETE CASCADE;

-- Name: quarantine quarantine_event_id_fkey; Type: FK CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.quarantine
    ADD CONSTRAINT quarantine_event_id_fkey FOREIGN KEY (event_id) REFERENCES ops.events(id);

-- Name: source_secrets source_secrets_workspace_id_source_id_fkey; Type: FK CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.source_secrets
    ADD CONSTRAINT source_secrets_workspace_id_source_id_fkey FOREIGN KEY (workspace_id, source_id) REFERENCES ops.sources(workspace_id, id) ON DELETE CASCADE;

-- Name: sources sources_workspace_fk; Type: FK CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.sources
    ADD CONSTRAINT sources_workspace_fk FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: activity_logs activity_logs_user_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.activity_logs
    ADD CONSTRAINT activity_logs_user_id_fkey FOREIGN KEY (user_id) REFERENCES signals.users(id) ON DELETE SET NULL;

-- Name: activity_logs activity_logs_workspace_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.activity_logs
    ADD CONSTRAINT activity_logs_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: automation_actions automation_actions_project_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.automation_actions
    ADD CONSTRAINT automation_actions_project_id_fkey FOREIGN KEY (project_id) REFERENCES signals.projects(id) ON DELETE SET NULL;

-- Name: automation_actions automation_actions_workspace_id_cluster_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.automation_actions
    ADD CONSTRAINT automation_actions_workspace_id_cluster_id_fkey FOREIGN KEY (workspace_id, cluster_id) REFERENCES signals.clusters(workspace_id, id) ON DELETE CASCADE;

-- Name: automation_actions automation_actions_workspace_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.automation_actions
    ADD CONSTRAINT automation_actions_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: cluster_members cluster_members_workspace_id_cluster_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.cluster_members
    ADD CONSTRAINT cluster_members_workspace_id_cluster_id_fkey FOREIGN KEY (workspace_id, cluster_id) REFERENCES signals.clusters(workspace_id, id) ON DELETE CASCADE;

-- Name: cluster_members cluster_members_workspace_id_signal_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.cluster_members
    ADD CONSTRAINT cluster_members_workspace_id_signal_id_fkey FOREIGN KEY (workspace_id, signal_id) REFERENCES signals.signals(workspace_id, id) ON DELETE CASCADE;

-- Name: clusters clusters_merged_into_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.clusters
    ADD CONSTRAINT clusters_merged_into_fkey FOREIGN KEY (merged_into) REFERENCES signals.clusters(id) ON DELETE SET NULL;

-- Name: clusters clusters_workspace_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.clusters
    ADD CONSTRAINT clusters_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: inbox_items inbox_items_assigned_project_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.inbox_items
    ADD CONSTRAINT inbox_items_assigned_project_id_fkey FOREIGN KEY (assigned_project_id) REFERENCES signals.projects(id) ON DELETE SET NULL;

-- Name: inbox_items inbox_items_workspace_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.inbox_items
    ADD CONSTRAINT inbox_items_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: notifications notifications_user_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.notifications
    ADD CONSTRAINT notifications_user_id_fkey FOREIGN KEY (user_id) REFERENCES signals.users(id) ON DELETE CASCADE;

-- Name: notifications notifications_workspace_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.notifications
    ADD CONSTRAINT notifications_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: project_profiles project_profiles_project_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.project_profiles
    ADD CONSTRAINT project_profiles_project_id_fkey FOREIGN KEY (project_id) REFERENCES signals.projects(id) ON DELETE CASCADE;

-- Name: project_profiles project_profiles_workspace_id_project_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.project_profiles
    ADD CONSTRAINT project_profiles_workspace_id_project_id_fkey FOREIGN KEY (workspace_id, project_id) REFERENCES signals.projects(workspace_id, id) ON DELETE CASCADE;

-- Name: projects projects_workspace_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.projects
    ADD CONSTRAINT projects_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: signal_personas signal_personas_linked_by_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.signal_personas
    ADD CONSTRAINT signal_personas_linked_by_fkey FOREIGN KEY (linked_by) REFERENCES signals.users(id) ON DELETE SET NULL;

-- Name: signal_personas signal_personas_signal_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.signal_personas
    ADD CONSTRAINT signal_personas_signal_id_fkey FOREIGN KEY (signal_id) REFERENCES signals.signals(id) ON DELETE CASCADE;

-- Name: signal_personas signal_personas_signal_tenant; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.signal_personas
    ADD CONSTRAINT signal_personas_signal_tenant FOREIGN KEY (workspace_id, signal_id) REFERENCES signals.signals(workspace_id, id) ON DELETE CASCADE;

-- Name: signal_projects signal_projects_linked_by_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.signal_projects
    ADD CONSTRAINT signal_projects_linked_by_fkey FOREIGN KEY (linked_by) REFERENCES signals.users(id) ON DELETE SET NULL;

-- Name: signal_projects signal_projects_project_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.signal_projects
    ADD CONSTRAINT signal_projects_project_id_fkey FOREIGN KEY (project_id) REFERENCES signals.projects(id) ON DELETE CASCADE;

-- Name: signal_projects signal_projects_project_tenant; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.signal_projects
    ADD CONSTRAINT signal_projects_project_tenant FOREIGN KEY (workspace_id, project_id) REFERENCES signals.projects(workspace_id, id) ON DELETE CASCADE;

-- Name: signal_projects signal_projects_signal_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.signal_projects
    ADD CONSTRAINT signal_projects_signal_id_fkey FOREIGN KEY (signal_id) REFERENCES signals.signals(id) ON DELETE CASCADE;

-- Name: signal_projects signal_projects_signal_tenant; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.signal_projects
    ADD CONSTRAINT signal_projects_signal_tenant FOREIGN KEY (workspace_id, signal_id) REFERENCES signals.signals(workspace_id, id) ON DELETE CASCADE;

-- Name: signal_versions signal_versions_workspace_id_signal_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.signal_versions
    ADD CONSTRAINT signal_versions_workspace_id_signal_id_fkey FOREIGN KEY (workspace_id, signal_id) REFERENCES signals.signals(workspace_id, id) ON DELETE CASCADE;

-- Name: signals signals_duplicate_of_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.signals
    ADD CONSTRAINT signals_duplicate_of_fkey FOREIGN KEY (duplicate_of) REFERENCES signals.signals(id) ON DELETE SET NULL;

-- Name: signals signals_inbox_item_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.signals
    ADD CONSTRAINT signals_inbox_item_id_fkey FOREIGN KEY (inbox_item_id) REFERENCES signals.inbox_items(id) ON DELETE SET NULL;

-- Name: signals signals_parent_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.signals
    ADD CONSTRAINT signals_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES signals.signals(id) ON DELETE SET NULL;

-- Name: signals signals_source_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.signals
    ADD CONSTRAINT signals_source_id_fkey FOREIGN KEY (source_id) REFERENCES ops.sources(id) ON DELETE SET NULL;

-- Name: signals signals_suggestion_dismissed_by_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.signals
    ADD CONSTRAINT signals_suggestion_dismissed_by_fkey FOREIGN KEY (suggestion_dismissed_by) REFERENCES signals.users(id) ON DELETE SET NULL;

-- Name: signals signals_webhook_key_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.signals
    ADD CONSTRAINT signals_webhook_key_id_fkey FOREIGN KEY (webhook_key_id) REFERENCES ops.api_keys(id) ON DELETE SET NULL;

-- Name: signals signals_workspace_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.signals
    ADD CONSTRAINT signals_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: suggestion_feedback suggestion_feedback_workspace_id_project_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.suggestion_feedback
    ADD CONSTRAINT suggestion_feedback_workspace_id_project_id_fkey FOREIGN KEY (workspace_id, project_id) REFERENCES signals.projects(workspace_id, id) ON DELETE CASCADE;

-- Name: suggestion_feedback suggestion_feedback_workspace_id_signal_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.suggestion_feedback
    ADD CONSTRAINT suggestion_feedback_workspace_id_signal_id_fkey FOREIGN KEY (workspace_id, signal_id) REFERENCES signals.signals(workspace_id, id) ON DELETE CASCADE;

-- Name: threshold_locks threshold_locks_workspace_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.threshold_locks
    ADD CONSTRAINT threshold_locks_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: threshold_versions threshold_versions_workspace_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.threshold_versions
    ADD CONSTRAINT threshold_versions_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: threshold_versions threshold_versions_workspace_id_parent_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.threshold_versions
    ADD CONSTRAINT threshold_versions_workspace_id_parent_id_fkey FOREIGN KEY (workspace_id, parent_id) REFERENCES signals.threshold_versions(workspace_id, id);

-- Name: threshold_versions threshold_versions_workspace_id_run_id_fkey; Type: FK CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.threshold_versions
    ADD CONSTRAINT threshold_versions_workspace_id_run_id_fkey FOREIGN KEY (workspace_id, run_id) REFERENCES social.learning_runs(workspace_id, run_id);

-- Name: alerts alerts_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.alerts
    ADD CONSTRAINT alerts_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: audit_logs audit_logs_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.audit_logs
    ADD CONSTRAINT audit_logs_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id);

-- Name: authors authors_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.authors
    ADD CONSTRAINT authors_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: click_events click_events_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.click_events
    ADD CONSTRAINT click_events_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: click_events click_events_workspace_id_reply_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.click_events
    ADD CONSTRAINT click_events_workspace_id_reply_id_fkey FOREIGN KEY (workspace_id, reply_id) REFERENCES social.replies(workspace_id, id) ON DELETE SET NULL (reply_id);

-- Name: community_champions community_champions_workspace_id_author_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.community_champions
    ADD CONSTRAINT community_champions_workspace_id_author_id_fkey FOREIGN KEY (workspace_id, author_id) REFERENCES social.authors(workspace_id, id) ON DELETE CASCADE;

-- Name: community_champions community_champions_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.community_champions
    ADD CONSTRAINT community_champions_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: competitive_mentions competitive_mentions_workspace_id_competitor_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.competitive_mentions
    ADD CONSTRAINT competitive_mentions_workspace_id_competitor_id_fkey FOREIGN KEY (workspace_id, competitor_id) REFERENCES social.competitors(workspace_id, id) ON DELETE CASCADE;

-- Name: competitive_mentions competitive_mentions_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.competitive_mentions
    ADD CONSTRAINT competitive_mentions_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: competitive_mentions competitive_mentions_workspace_id_post_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.competitive_mentions
    ADD CONSTRAINT competitive_mentions_workspace_id_post_id_fkey FOREIGN KEY (workspace_id, post_id) REFERENCES social.posts(workspace_id, id) ON DELETE CASCADE;

-- Name: competitors competitors_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.competitors
    ADD CONSTRAINT competitors_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: context_snapshots context_snapshots_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.context_snapshots
    ADD CONSTRAINT context_snapshots_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: context_snapshots context_snapshots_workspace_id_post_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.context_snapshots
    ADD CONSTRAINT context_snapshots_workspace_id_post_id_fkey FOREIGN KEY (workspace_id, post_id) REFERENCES social.posts(workspace_id, id) ON DELETE CASCADE;

-- Name: decision_exposures decision_exposures_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.decision_exposures
    ADD CONSTRAINT decision_exposures_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: decisions decisions_workspace_id_experiment_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE social.decisions
    ADD CONSTRAINT decisions_workspace_id_experiment_id_fkey FOREIGN KEY (workspace_id, experiment_id) REFERENCES social.experiments(workspace_id, id) ON DELETE SET NULL (experiment_id);

-- Name: decisions decisions_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE social.decisions
    ADD CONSTRAINT decisions_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: decisions decisions_workspace_id_post_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE social.decisions
    ADD CONSTRAINT decisions_workspace_id_post_id_fkey FOREIGN KEY (workspace_id, post_id) REFERENCES social.posts(workspace_id, id) ON DELETE CASCADE;

-- Name: escalations escalations_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.escalations
    ADD CONSTRAINT escalations_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: escalations escalations_workspace_id_post_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.escalations
    ADD CONSTRAINT escalations_workspace_id_post_id_fkey FOREIGN KEY (workspace_id, post_id) REFERENCES social.posts(workspace_id, id) ON DELETE SET NULL (post_id);

-- Name: escalations escalations_workspace_id_reply_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.escalations
    ADD CONSTRAINT escalations_workspace_id_reply_id_fkey FOREIGN KEY (workspace_id, reply_id) REFERENCES social.replies(workspace_id, id) ON DELETE SET NULL (reply_id);

-- Name: experiment_assignments experiment_assignments_workspace_id_experiment_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.experiment_assignments
    ADD CONSTRAINT experiment_assignments_workspace_id_experiment_id_fkey FOREIGN KEY (workspace_id, experiment_id) REFERENCES social.experiments(workspace_id, id) ON DELETE CASCADE;

-- Name: experiment_looks experiment_looks_workspace_id_experiment_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.experiment_looks
    ADD CONSTRAINT experiment_looks_workspace_id_experiment_id_fkey FOREIGN KEY (workspace_id, experiment_id) REFERENCES social.experiments(workspace_id, id) ON DELETE CASCADE;

-- Name: experiment_promotions experiment_promotions_workspace_id_experiment_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.experiment_promotions
    ADD CONSTRAINT experiment_promotions_workspace_id_experiment_id_fkey FOREIGN KEY (workspace_id, experiment_id) REFERENCES social.experiments(workspace_id, id) ON DELETE CASCADE;

-- Name: experiments experiments_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.experiments
    ADD CONSTRAINT experiments_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: funnel funnel_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.funnel
    ADD CONSTRAINT funnel_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: health_checks health_checks_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.health_checks
    ADD CONSTRAINT health_checks_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: keyword_changes keyword_changes_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.keyword_changes
    ADD CONSTRAINT keyword_changes_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: keyword_changes keyword_changes_workspace_id_run_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.keyword_changes
    ADD CONSTRAINT keyword_changes_workspace_id_run_id_fkey FOREIGN KEY (workspace_id, run_id) REFERENCES social.learning_runs(workspace_id, run_id);

-- Name: keyword_locks keyword_locks_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.keyword_locks
    ADD CONSTRAINT keyword_locks_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: kpi_metrics kpi_metrics_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.kpi_metrics
    ADD CONSTRAINT kpi_metrics_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: learning_events learning_events_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.learning_events
    ADD CONSTRAINT learning_events_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: learning_events learning_events_workspace_id_run_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.learning_events
    ADD CONSTRAINT learning_events_workspace_id_run_id_fkey FOREIGN KEY (workspace_id, run_id) REFERENCES social.learning_runs(workspace_id, run_id);

-- Name: learning_runs learning_runs_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.learning_runs
    ADD CONSTRAINT learning_runs_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: order_events order_events_workspace_id_credited_to_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.order_events
    ADD CONSTRAINT order_events_workspace_id_credited_to_fkey FOREIGN KEY (workspace_id, credited_to) REFERENCES social.replies(workspace_id, id) ON DELETE SET NULL (credited_to);

-- Name: order_events order_events_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.order_events
    ADD CONSTRAINT order_events_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: order_events order_events_workspace_id_reply_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.order_events
    ADD CONSTRAINT order_events_workspace_id_reply_id_fkey FOREIGN KEY (workspace_id, reply_id) REFERENCES social.replies(workspace_id, id) ON DELETE SET NULL (reply_id);

-- Name: own_accounts own_accounts_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.own_accounts
    ADD CONSTRAINT own_accounts_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: pending_actions pending_actions_workspace_id_author_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.pending_actions
    ADD CONSTRAINT pending_actions_workspace_id_author_id_fkey FOREIGN KEY (workspace_id, author_id) REFERENCES social.authors(workspace_id, id) ON DELETE CASCADE;

-- Name: pending_actions pending_actions_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.pending_actions
    ADD CONSTRAINT pending_actions_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: pending_actions pending_actions_workspace_id_trigger_post_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.pending_actions
    ADD CONSTRAINT pending_actions_workspace_id_trigger_post_fkey FOREIGN KEY (workspace_id, trigger_post) REFERENCES social.posts(workspace_id, id) ON DELETE SET NULL (trigger_post);

-- Name: policies policies_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.policies
    ADD CONSTRAINT policies_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: post_metric_snapshots post_metric_snapshots_workspace_id_post_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.post_metric_snapshots
    ADD CONSTRAINT post_metric_snapshots_workspace_id_post_id_fkey FOREIGN KEY (workspace_id, post_id) REFERENCES social.posts(workspace_id, id) ON DELETE CASCADE;

-- Name: post_opinions post_opinions_workspace_id_post_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.post_opinions
    ADD CONSTRAINT post_opinions_workspace_id_post_id_fkey FOREIGN KEY (workspace_id, post_id) REFERENCES social.posts(workspace_id, id) ON DELETE CASCADE;

-- Name: post_versions post_versions_workspace_id_post_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.post_versions
    ADD CONSTRAINT post_versions_workspace_id_post_id_fkey FOREIGN KEY (workspace_id, post_id) REFERENCES social.posts(workspace_id, id) ON DELETE CASCADE;

-- Name: posts posts_author_fk; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.posts
    ADD CONSTRAINT posts_author_fk FOREIGN KEY (workspace_id, author_id) REFERENCES social.authors(workspace_id, id) ON DELETE CASCADE;

-- Name: posts posts_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.posts
    ADD CONSTRAINT posts_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: profile_versions profile_versions_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.profile_versions
    ADD CONSTRAINT profile_versions_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: randomized_experiments randomized_experiments_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.randomized_experiments
    ADD CONSTRAINT randomized_experiments_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: refused_posts refused_posts_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.refused_posts
    ADD CONSTRAINT refused_posts_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: relationship_events relationship_events_workspace_id_author_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.relationship_events
    ADD CONSTRAINT relationship_events_workspace_id_author_id_fkey FOREIGN KEY (workspace_id, author_id) REFERENCES social.authors(workspace_id, id) ON DELETE CASCADE;

-- Name: relationship_events relationship_events_workspace_id_reply_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.relationship_events
    ADD CONSTRAINT relationship_events_workspace_id_reply_id_fkey FOREIGN KEY (workspace_id, reply_id) REFERENCES social.replies(workspace_id, id) ON DELETE SET NULL (reply_id);

-- Name: replies replies_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.replies
    ADD CONSTRAINT replies_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: reply_outcomes reply_outcomes_workspace_id_reply_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.reply_outcomes
    ADD CONSTRAINT reply_outcomes_workspace_id_reply_id_fkey FOREIGN KEY (workspace_id, reply_id) REFERENCES social.replies(workspace_id, id) ON DELETE CASCADE;

-- Name: segmented_weights segmented_weights_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.segmented_weights
    ADD CONSTRAINT segmented_weights_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: temporal_config_history temporal_config_history_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.temporal_config_history
    ADD CONSTRAINT temporal_config_history_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: tier_changes tier_changes_workspace_id_author_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.tier_changes
    ADD CONSTRAINT tier_changes_workspace_id_author_id_fkey FOREIGN KEY (workspace_id, author_id) REFERENCES social.authors(workspace_id, id) ON DELETE CASCADE;

-- Name: tier_changes tier_changes_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.tier_changes
    ADD CONSTRAINT tier_changes_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: tombstones tombstones_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.tombstones
    ADD CONSTRAINT tombstones_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: weight_adjustment_logs weight_adjustment_logs_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.weight_adjustment_logs
    ADD CONSTRAINT weight_adjustment_logs_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: weight_adjustment_logs weight_adjustment_logs_workspace_id_run_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.weight_adjustment_logs
    ADD CONSTRAINT weight_adjustment_logs_workspace_id_run_id_fkey FOREIGN KEY (workspace_id, run_id) REFERENCES social.learning_runs(workspace_id, run_id);

-- Name: weight_versions weight_versions_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.weight_versions
    ADD CONSTRAINT weight_versions_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: weight_versions weight_versions_workspace_id_parent_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.weight_versions
    ADD CONSTRAINT weight_versions_workspace_id_parent_id_fkey FOREIGN KEY (workspace_id, parent_id) REFERENCES social.weight_versions(workspace_id, id);

-- Name: weight_versions weight_versions_workspace_id_run_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.weight_versions
    ADD CONSTRAINT weight_versions_workspace_id_run_id_fkey FOREIGN KEY (workspace_id, run_id) REFERENCES social.learning_runs(workspace_id, run_id);

-- Name: worker_heartbeats worker_heartbeats_workspace_id_fkey; Type: FK CONSTRAINT; Schema: social; Owner: -

ALTER TABLE ONLY social.worker_heartbeats
    ADD CONSTRAINT worker_heartbeats_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: api_keys; Type: ROW SECURITY; Schema: ops; Owner: -

ALTER TABLE ops.api_keys ENABLE ROW LEVEL SECURITY;

-- Name: audit; Type: ROW SECURITY; Schema: ops; Owner: -

ALTER TABLE ops.audit ENABLE ROW LEVEL SECURITY;

-- Name: dead_letters; Type: ROW SECURITY; Schema: ops; Owner: -

ALTER TABLE ops.dead_letters ENABLE ROW LEVEL SECURITY;

-- Name: delivery_counts; Type: ROW SECURITY; Schema: ops; Owner: -

ALTER TABLE ops.delivery_counts ENABLE ROW LEVEL SECURITY;

-- Name: endpoint_calls; Type: ROW SECURITY; Schema: ops; Owner: -

ALTER TABLE ops.endpoint_calls ENABLE ROW LEVEL SECURITY;

-- Name: event_bodies; Type: ROW SECURITY; Schema: ops; Owner: -

ALTER TABLE ops.event_bodies ENABLE ROW LEVEL SECURITY;

-- Name: event_bodies_default; Type: ROW SECURITY; Schema: ops; Owner: -

ALTER TABLE ops.event_bodies_default ENABLE ROW LEVEL SECURITY;

-- Name: events; Type: ROW SECURITY; Schema: ops; Owner: -

ALTER TABLE ops.events ENABLE ROW LEVEL SECURITY;

-- Name: ingest_cursors; Type: ROW SECURITY; Schema: ops; Owner: -

ALTER TABLE ops.ingest_cursors ENABLE ROW LEVEL SECURITY;

-- Name: job_history; Type: ROW SECURITY; Schema: ops; Owner: -

ALTER TABLE ops.job_history ENABLE ROW LEVEL SECURITY;

-- Name: job_history_default; Type: ROW SECURITY; Schema: ops; Owner: -

ALTER TABLE ops.job_history_default ENABLE ROW LEVEL SECURITY;

-- Name: jobs; Type: ROW SECURITY; Schema: ops; Owner: -

ALTER TABLE ops.jobs ENABLE ROW LEVEL SECURITY;

-- Name: quarantine; Type: ROW SECURITY; Schema: ops; Owner: -

ALTER TABLE ops.quarantine ENABLE ROW LEVEL SECURITY;

-- Name: queue_limits; Type: ROW SECURITY; Schema: ops; Owner: -

ALTER TABLE ops.queue_limits ENABLE ROW LEVEL SECURITY;

-- Name: queue_pauses; Type: ROW SECURITY; Schema: ops; Owner: -

ALTER TABLE ops.queue_pauses ENABLE ROW LEVEL SECURITY;

-- Name: rate_budgets; Type: ROW SECURITY; Schema: ops; Owner: -

ALTER TABLE ops.rate_budgets ENABLE ROW LEVEL SECURITY;

-- Name: source_secrets; Type: ROW SECURITY; Schema: ops; Owner: -

ALTER TABLE ops.source_secrets ENABLE ROW LEVEL SECURITY;

-- Name: sources; Type: ROW SECURITY; Schema: ops; Owner: -

ALTER TABLE ops.sources ENABLE ROW LEVEL SECURITY;

-- Name: api_keys workspace; Type: POLICY; Schema: ops; Owner: -

CREATE POLICY workspace ON ops.api_keys USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: audit workspace; Type: POLICY; Schema: ops; Owner: -

CREATE POLICY workspace ON ops.audit USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: dead_letters workspace; Type: POLICY; Schema: ops; Owner: -

CREATE POLICY workspace ON ops.dead_letters USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: delivery_counts workspace; Type: POLICY; Schema: ops; Owner: -

CREATE POLICY workspace ON ops.delivery_counts USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: endpoint_calls workspace; Type: POLICY; Schema: ops; Owner: -

CREATE POLICY workspace ON ops.endpoint_calls USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: event_bodies workspace; Type: POLICY; Schema: ops; Owner: -

CREATE POLICY workspace ON ops.event_bodies USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: event_bodies_default workspace; Type: POLICY; Schema: ops; Owner: -

CREATE POLICY workspace ON ops.event_bodies_default USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: events workspace; Type: POLICY; Schema: ops; Owner: -

CREATE POLICY workspace ON ops.events USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: ingest_cursors workspace; Type: POLICY; Schema: ops; Owner: -

CREATE POLICY workspace ON ops.ingest_cursors USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: job_history workspace; Type: POLICY; Schema: ops; Owner: -

CREATE POLICY workspace ON ops.job_history USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: job_history_default workspace; Type: POLICY; Schema: ops; Owner: -

CREATE POLICY workspace ON ops.job_history_default USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: jobs workspace; Type: POLICY; Schema: ops; Owner: -

CREATE POLICY workspace ON ops.jobs USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: quarantine workspace; Type: POLICY; Schema: ops; Owner: -

CREATE POLICY workspace ON ops.quarantine USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: queue_limits workspace; Type: POLICY; Schema: ops; Owner: -

CREATE POLICY workspace ON ops.queue_limits USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: queue_pauses workspace; Type: POLICY; Schema: ops; Owner: -

CREATE POLICY workspace ON ops.queue_pauses USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: rate_budgets workspace; Type: POLICY; Schema: ops; Owner: -

CREATE POLICY workspace ON ops.rate_budgets USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: source_secrets workspace; Type: POLICY; Schema: ops; Owner: -

CREATE POLICY workspace ON ops.source_secrets USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: sources workspace; Type: POLICY; Schema: ops; Owner: -

CREATE POLICY workspace ON ops.sources USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: activity_logs; Type: ROW SECURITY; Schema: signals; Owner: -

ALTER TABLE signals.activity_logs ENABLE ROW LEVEL SECURITY;

-- Name: automation_actions; Type: ROW SECURITY; Schema: signals; Owner: -

ALTER TABLE signals.automation_actions ENABLE ROW LEVEL SECURITY;

-- Name: cluster_members; Type: ROW SECURITY; Schema: signals; Owner: -

ALTER TABLE signals.cluster_members ENABLE ROW LEVEL SECURITY;

-- Name: clusters; Type: ROW SECURITY; Schema: signals; Owner: -

ALTER TABLE signals.clusters ENABLE ROW LEVEL SECURITY;

-- Name: inbox_items; Type: ROW SECURITY; Schema: signals; Owner: -

ALTER TABLE signals.inbox_items ENABLE ROW LEVEL SECURITY;

-- Name: notifications; Type: ROW SECURITY; Schema: signals; Owner: -

ALTER TABLE signals.notifications ENABLE ROW LEVEL SECURITY;

-- Name: project_profiles; Type: ROW SECURITY; Schema: signals; Owner: -

ALTER TABLE signals.project_profiles ENABLE ROW LEVEL SECURITY;

-- Name: projects; Type: ROW SECURITY; Schema: signals; Owner: -

ALTER TABLE signals.projects ENABLE ROW LEVEL SECURITY;

-- Name: signal_personas; Type: ROW SECURITY; Schema: signals; Owner: -

ALTER TABLE signals.signal_personas ENABLE ROW LEVEL SECURITY;

-- Name: signal_projects; Type: ROW SECURITY; Schema: signals; Owner: -

ALTER TABLE signals.signal_projects ENABLE ROW LEVEL SECURITY;

-- Name: signal_versions; Type: ROW SECURITY; Schema: signals; Owner: -

ALTER TABLE signals.signal_versions ENABLE ROW LEVEL SECURITY;

-- Name: signals; Type: ROW SECURITY; Schema: signals; Owner: -

ALTER TABLE signals.signals ENABLE ROW LEVEL SECURITY;

-- Name: suggestion_feedback; Type: ROW SECURITY; Schema: signals; Owner: -

ALTER TABLE signals.suggestion_feedback ENABLE ROW LEVEL SECURITY;

-- Name: threshold_locks; Type: ROW SECURITY; Schema: signals; Owner: -

ALTER TABLE signals.threshold_locks ENABLE ROW LEVEL SECURITY;

-- Name: threshold_versions; Type: ROW SECURITY; Schema: signals; Owner: -

ALTER TABLE signals.threshold_versions ENABLE ROW LEVEL SECURITY;

-- Name: activity_logs workspace; Type: POLICY; Schema: signals; Owner: -

CREATE POLICY workspace ON signals.activity_logs USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: automation_actions workspace; Type: POLICY; Schema: signals; Owner: -

CREATE POLICY workspace ON signals.automation_actions USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: cluster_members workspace; Type: POLICY; Schema: signals; Owner: -

CREATE POLICY workspace ON signals.cluster_members USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: clusters workspace; Type: POLICY; Schema: signals; Owner: -

CREATE POLICY workspace ON signals.clusters USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: inbox_items workspace; Type: POLICY; Schema: signals; Owner: -

CREATE POLICY workspace ON signals.inbox_items USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: notifications workspace; Type: POLICY; Schema: signals; Owner: -

CREATE POLICY workspace ON signals.notifications USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: project_profiles workspace; Type: POLICY; Schema: signals; Owner: -

CREATE POLICY workspace ON signals.project_profiles USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: projects workspace; Type: POLICY; Schema: signals; Owner: -

CREATE POLICY workspace ON signals.projects USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: signal_personas workspace; Type: POLICY; Schema: signals; Owner: -

CREATE POLICY workspace ON signals.signal_personas USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: signal_projects workspace; Type: POLICY; Schema: signals; Owner: -

CREATE POLICY workspace ON signals.signal_projects USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: signal_versions workspace; Type: POLICY; Schema: signals; Owner: -

CREATE POLICY workspace ON signals.signal_versions USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: signals workspace; Type: POLICY; Schema: signals; Owner: -

CREATE POLICY workspace ON signals.signals USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: suggestion_feedback workspace; Type: POLICY; Schema: signals; Owner: -

CREATE POLICY workspace ON signals.suggestion_feedback USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: threshold_locks workspace; Type: POLICY; Schema: signals; Owner: -

CREATE POLICY workspace ON signals.threshold_locks USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: threshold_versions workspace; Type: POLICY; Schema: signals; Owner: -

CREATE POLICY workspace ON signals.threshold_versions USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: workspaces workspace; Type: POLICY; Schema: signals; Owner: -

CREATE POLICY workspace ON signals.workspaces USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: workspaces; Type: ROW SECURITY; Schema: signals; Owner: -

ALTER TABLE signals.workspaces ENABLE ROW LEVEL SECURITY;

-- Name: alerts; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.alerts ENABLE ROW LEVEL SECURITY;

-- Name: audit_logs; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.audit_logs ENABLE ROW LEVEL SECURITY;

-- Name: authors; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.authors ENABLE ROW LEVEL SECURITY;

-- Name: click_events; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.click_events ENABLE ROW LEVEL SECURITY;

-- Name: community_champions; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.community_champions ENABLE ROW LEVEL SECURITY;

-- Name: competitive_mentions; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.competitive_mentions ENABLE ROW LEVEL SECURITY;

-- Name: competitors; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.competitors ENABLE ROW LEVEL SECURITY;

-- Name: context_snapshots; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.context_snapshots ENABLE ROW LEVEL SECURITY;

-- Name: decision_exposures; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.decision_exposures ENABLE ROW LEVEL SECURITY;

-- Name: decisions; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.decisions ENABLE ROW LEVEL SECURITY;

-- Name: decisions_default; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.decisions_default ENABLE ROW LEVEL SECURITY;

-- Name: escalations; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.escalations ENABLE ROW LEVEL SECURITY;

-- Name: experiment_assignments; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.experiment_assignments ENABLE ROW LEVEL SECURITY;

-- Name: experiment_looks; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.experiment_looks ENABLE ROW LEVEL SECURITY;

-- Name: experiment_promotions; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.experiment_promotions ENABLE ROW LEVEL SECURITY;

-- Name: experiments; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.experiments ENABLE ROW LEVEL SECURITY;

-- Name: funnel; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.funnel ENABLE ROW LEVEL SECURITY;

-- Name: health_checks; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.health_checks ENABLE ROW LEVEL SECURITY;

-- Name: keyword_changes; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.keyword_changes ENABLE ROW LEVEL SECURITY;

-- Name: keyword_locks; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.keyword_locks ENABLE ROW LEVEL SECURITY;

-- Name: kpi_metrics; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.kpi_metrics ENABLE ROW LEVEL SECURITY;

-- Name: learning_events; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.learning_events ENABLE ROW LEVEL SECURITY;

-- Name: learning_runs; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.learning_runs ENABLE ROW LEVEL SECURITY;

-- Name: order_events; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.order_events ENABLE ROW LEVEL SECURITY;

-- Name: own_accounts; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.own_accounts ENABLE ROW LEVEL SECURITY;

-- Name: pending_actions; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.pending_actions ENABLE ROW LEVEL SECURITY;

-- Name: policies; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.policies ENABLE ROW LEVEL SECURITY;

-- Name: post_metric_snapshots; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.post_metric_snapshots ENABLE ROW LEVEL SECURITY;

-- Name: post_opinions; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.post_opinions ENABLE ROW LEVEL SECURITY;

-- Name: post_versions; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.post_versions ENABLE ROW LEVEL SECURITY;

-- Name: posts; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.posts ENABLE ROW LEVEL SECURITY;

-- Name: profile_versions; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.profile_versions ENABLE ROW LEVEL SECURITY;

-- Name: randomized_experiments; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.randomized_experiments ENABLE ROW LEVEL SECURITY;

-- Name: refused_posts; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.refused_posts ENABLE ROW LEVEL SECURITY;

-- Name: relationship_events; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.relationship_events ENABLE ROW LEVEL SECURITY;

-- Name: replies; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.replies ENABLE ROW LEVEL SECURITY;

-- Name: reply_outcomes; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.reply_outcomes ENABLE ROW LEVEL SECURITY;

-- Name: segmented_weights; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.segmented_weights ENABLE ROW LEVEL SECURITY;

-- Name: temporal_config_history; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.temporal_config_history ENABLE ROW LEVEL SECURITY;

-- Name: tier_changes; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.tier_changes ENABLE ROW LEVEL SECURITY;

-- Name: tombstones; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.tombstones ENABLE ROW LEVEL SECURITY;

-- Name: weight_adjustment_logs; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.weight_adjustment_logs ENABLE ROW LEVEL SECURITY;

-- Name: weight_versions; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.weight_versions ENABLE ROW LEVEL SECURITY;

-- Name: worker_heartbeats; Type: ROW SECURITY; Schema: social; Owner: -

ALTER TABLE social.worker_heartbeats ENABLE ROW LEVEL SECURITY;

-- Name: alerts workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.alerts USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: audit_logs workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.audit_logs USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: authors workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.authors USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: click_events workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.click_events USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: community_champions workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.community_champions USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: competitive_mentions workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.competitive_mentions USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: competitors workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.competitors USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: context_snapshots workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.context_snapshots USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: decision_exposures workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.decision_exposures USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: decisions workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.decisions USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: decisions_default workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.decisions_default USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: escalations workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.escalations USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: experiment_assignments workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.experiment_assignments USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: experiment_looks workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.experiment_looks USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: experiment_promotions workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.experiment_promotions USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: experiments workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.experiments USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: funnel workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.funnel USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: health_checks workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.health_checks USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: keyword_changes workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.keyword_changes USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: keyword_locks workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.keyword_locks USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: kpi_metrics workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.kpi_metrics USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: learning_events workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.learning_events USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: learning_runs workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.learning_runs USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: order_events workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.order_events USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: own_accounts workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.own_accounts USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: pending_actions workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.pending_actions USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: policies workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.policies USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: post_metric_snapshots workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.post_metric_snapshots USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: post_opinions workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.post_opinions USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: post_versions workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.post_versions USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: posts workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.posts USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: profile_versions workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.profile_versions USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: randomized_experiments workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.randomized_experiments USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: refused_posts workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.refused_posts USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: relationship_events workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.relationship_events USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: replies workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.replies USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: reply_outcomes workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.reply_outcomes USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: segmented_weights workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.segmented_weights USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: temporal_config_history workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.temporal_config_history USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: tier_changes workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.tier_changes USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: tombstones workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.tombstones USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: weight_adjustment_logs workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.weight_adjustment_logs USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: weight_versions workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.weight_versions USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: worker_heartbeats workspace; Type: POLICY; Schema: social; Owner: -

CREATE POLICY workspace ON social.worker_heartbeats USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (workspace_id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- PostgreSQL database dump complete

