-- What the migrations make; written by `make schema`, compared by a test.
-- PostgreSQL database dump

-- Name: ops; Type: SCHEMA; Schema: -; Owner: -

CREATE SCHEMA ops;

-- Name: signals; Type: SCHEMA; Schema: -; Owner: -

CREATE SCHEMA signals;

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
    engine text NOT NULL,
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
    created_at timestamp with time zone DEFAULT now() NOT NULL
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

-- Name: event_bodies_default; Type: TABLE ATTACH; Schema: ops; Owner: -

ALTER TABLE ONLY ops.event_bodies ATTACH PARTITION ops.event_bodies_default DEFAULT;

-- Name: job_history_default; Type: TABLE ATTACH; Schema: ops; Owner: -

ALTER TABLE ONLY ops.job_history ATTACH PARTITION ops.job_history_default DEFAULT;

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

-- Name: embedding_models embedding_models_name_engine_weights_sha256_key; Type: CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.embedding_models
    ADD CONSTRAINT embedding_models_name_engine_weights_sha256_key UNIQUE (name, engine, weights_sha256);

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

-- Name: users users_email_key; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.users
    ADD CONSTRAINT users_email_key UNIQUE (email);

-- Name: users users_pkey; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

-- Name: workspaces workspaces_pkey; Type: CONSTRAINT; Schema: signals; Owner: -

ALTER TABLE ONLY signals.workspaces
    ADD CONSTRAINT workspaces_pkey PRIMARY KEY (id);

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

-- Name: event_bodies_default_event_id_idx; Type: INDEX ATTACH; Schema: ops; Owner: -

ALTER INDEX ops.event_bodies_event ATTACH PARTITION ops.event_bodies_default_event_id_idx;

-- Name: job_history_default_id_idx; Type: INDEX ATTACH; Schema: ops; Owner: -

ALTER INDEX ops.job_history_id ATTACH PARTITION ops.job_history_default_id_idx;

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

-- Name: api_keys api_keys_source_id_fkey; Type: FK CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.api_keys
    ADD CONSTRAINT api_keys_source_id_fkey FOREIGN KEY (source_id) REFERENCES ops.sources(id) ON DELETE CASCADE;

-- Name: api_keys api_keys_workspace_fk; Type: FK CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.api_keys
    ADD CONSTRAINT api_keys_workspace_fk FOREIGN KEY (workspace_id) REFERENCES signals.workspaces(id) ON DELETE CASCADE;

-- Name: embeddings embeddings_model_id_fkey; Type: FK CONSTRAINT; Schema: ops; Owner: -

ALTER TABLE ONLY ops.embeddings
    ADD CONSTRAINT embeddings_model_id_fkey FOREIGN KEY (model_id) REFERENCES ops.embedding_models(id);

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

-- Name: workspaces workspace; Type: POLICY; Schema: signals; Owner: -

CREATE POLICY workspace ON signals.workspaces USING ((( SELECT (current_setting('millrace.workspace'::text, true) = '*'::text)) OR (id = ( SELECT NULLIF(current_setting('millrace.workspace'::text, true), ''::text) AS "nullif"))));

-- Name: workspaces; Type: ROW SECURITY; Schema: signals; Owner: -

ALTER TABLE signals.workspaces ENABLE ROW LEVEL SECURITY;

-- PostgreSQL database dump complete

