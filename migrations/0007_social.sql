-- Schema `social`: the tables of the social seed with its names, columns, defaults and constraints, those its last
-- version has besides, and (marked "added") what its behaviour contract asks for. Every row but those of the reference
-- tables has a tenant, `workspace_id`, and the seed's unique keys begin with it. Times are to the millisecond, as its
-- programs read them; text + CHECK stands for its enums.
set local lock_timeout = '1s';
set local statement_timeout = '1min';
create schema if not exists social;

-- The workspace of a row whose writer names none, as programs written for the seed do.
create function social.workspace() returns text language plpgsql stable as $$
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

create function social.touch() returns trigger language plpgsql as $$
begin
  new.updated_at := now();
  return new;
end $$;

-- ---------------------------------------------------------------- reference: no tenant's, filled at the end

create table social.archetypes (
  id           text primary key default gen_random_uuid()::text,
  name         text not null unique,
  description  text,
  is_active    boolean not null default true,
  sort_order   int not null default 0
);
create table social.power_tiers (
  id           text primary key default gen_random_uuid()::text,
  name         text not null unique,
  min_followers int not null,
  max_followers int,                                  -- the first that is too many; null: no end
  priority_weight double precision not null default 1
);
create table social.competitor_categories (
  id           text primary key default gen_random_uuid()::text,
  name         text not null unique,
  description  text
);
create table social.kpi_types (
  id           text primary key default gen_random_uuid()::text,
  name         text not null unique,
  aggregation_type text not null default 'SUM',
  unit         text
);
create table social.escalation_reasons (
  id           text primary key default gen_random_uuid()::text,
  name         text not null unique,
  severity     text not null check (severity in ('CRITICAL','HIGH','MEDIUM','LOW')),
  auto_escalate boolean not null default false
);
create table social.champion_tiers (
  id           text primary key default gen_random_uuid()::text,
  name         text not null unique,
  min_engagement int not null,
  benefits     text,
  priority_score int not null default 0
);

-- ---------------------------------------------------------------- authors, posts

create table social.authors (
  workspace_id text not null default social.workspace() references signals.workspaces (id) on delete cascade,
  id           text primary key default gen_random_uuid()::text,
  platform     text not null check (platform in ('TWITTER','REDDIT','THREADS')),
  platform_id  text not null,
  handle       text not null check (char_length(handle) <= 50), -- '' while it is unknown, '[deleted]' of one who is gone
  display_name text,
  bio          text,
  follower_count int not null default 0 check (follower_count between 0 and 1000000000), -- 0 also while it is unknown
  is_verified  boolean not null default false,
  is_power_user boolean not null default false,
  user_tier    text not null default 'NEW_UNKNOWN' check (user_tier in ('MEGA_POWER','MACRO_POWER','MICRO_POWER',
                 'ENGAGED_REGULAR','STANDARD','SMALL','NEW_UNKNOWN')),
  power_tier   text check (power_tier in ('MICRO','MACRO','MEGA')),
  archetype_tags text[] not null default '{}',
  relationship_score double precision not null default 0.5 check (relationship_score between 0 and 1),
  interaction_history jsonb not null default '[]',
  first_seen_at timestamptz(3) not null default now(),
  last_seen_at timestamptz(3) not null default now(),
  last_tier_update timestamptz(3),
  created_at   timestamptz(3) not null default now(),
  updated_at   timestamptz(3) not null default now(),
  -- Added:
  account_created_at timestamptz(3),                  -- when the account was made
  observed     jsonb not null default '{}',           -- column -> when it was last said to be so, ms since 1970
  tier_below_since timestamptz(3),                    -- since when it has been too small for its tier
  concern_posts text[] not null default '{}',         -- the first two posts that gave cause for concern: two, so that one is another
  deleted_at   timestamptz(3),                        -- the account is gone, and its name with it
  constraint authors_workspace_id_key unique (workspace_id, id),
  constraint authors_platform_id_key unique (workspace_id, platform, platform_id)
);
create index authors_platform_handle_idx on social.authors (workspace_id, platform, handle);
create index authors_is_power_user_idx on social.authors (workspace_id, is_power_user);
create index authors_relationship_score_idx on social.authors (workspace_id, relationship_score);
create index authors_user_tier_idx on social.authors (workspace_id, user_tier);
create index authors_power_user_tier_idx on social.authors (workspace_id, is_power_user, user_tier);
create index authors_last_tier_update_idx on social.authors (workspace_id, last_tier_update);

create table social.posts (
  workspace_id text not null default social.workspace() references signals.workspaces (id) on delete cascade,
  id           text primary key default gen_random_uuid()::text,
  platform     text not null check (platform in ('TWITTER','REDDIT','THREADS')),
  platform_post_id text not null check (platform_post_id ~ '^[a-zA-Z0-9_-]{1,100}$'),
  author_id    text not null,
  content      text not null check (char_length(content) between 1 and 5000), -- '[deleted]' of one that is gone
  detected_at  timestamptz(3) not null default now(),
  processed_at timestamptz(3),                        -- there is a decision on this content
  keyword_matches text[] not null default '{}' check (cardinality(keyword_matches) <= 50),
  keyword_categories text[] not null default '{}',
  spam_filtered boolean not null default false,       -- stored and tagged, not decided upon
  raw_metrics  jsonb,                                 -- counts, each as last said
  error_count  int not null default 0,
  error_message text,
  created_at   timestamptz(3) not null default now(),
  updated_at   timestamptz(3) not null default now(),
  -- Added:
  posted_at    timestamptz(3),                        -- when it was written
  edited_at    timestamptz(3),                        -- with seen_at, what orders its contents
  seen_at      timestamptz(3) not null default now(), -- when the platform showed this content
  lang         text,                                  -- BCP 47
  content_norm_hash bytea check (octet_length(content_norm_hash) = 32), -- SHA-256 of the folded text
  content_hash bytea check (octet_length(content_hash) = 32), -- key of its vector in ops.embeddings
  embedding    vector,                                -- of any dimension; stays empty: the vectors are in ops.embeddings
  keyword_priority smallint check (keyword_priority between 1 and 9), -- of its most urgent keyword, 1 is first
  spam_reason  text,
  in_reply_to  text,                                  -- platform_post_id of what it answers
  conversation text,                                  -- and of the top of its thread
  community    text,                                  -- subreddit or group
  url          text,
  addressed    boolean not null default false,        -- it speaks to us
  first_metrics_at timestamptz(3),
  observed     jsonb not null default '{}',           -- field -> when it was last said to be so, ms since 1970
  superseded_by text,                                 -- platform_post_id of the version after it (X: each edit has an id)
  deleted_at   timestamptz(3),                        -- the platform's terms want its text gone
  checked_at   timestamptz(3) not null default now(), -- the platform was asked whether it is still there
  source_id    text,
  event_id     uuid,                                  -- the delivery that brought this content
  trace_id     text,
  constraint posts_workspace_id_key unique (workspace_id, id),
  constraint posts_platform_post_id_key unique (workspace_id, platform, platform_post_id),
  constraint posts_author_fk foreign key (workspace_id, author_id) references social.authors (workspace_id, id) on delete cascade
);
create index posts_processed_at_idx on social.posts (workspace_id, processed_at);
create index posts_platform_detected_at_idx on social.posts (workspace_id, platform, detected_at);
create index posts_spam_filtered_idx on social.posts (workspace_id, spam_filtered);
create index posts_unprocessed_idx on social.posts (workspace_id, detected_at)
  where processed_at is null and not spam_filtered and superseded_by is null and deleted_at is null;
create index posts_checked_idx on social.posts (workspace_id, platform, checked_at)
  where deleted_at is null and superseded_by is null;
create index posts_author_idx on social.posts (author_id, posted_at);
create index posts_conversation_idx on social.posts (workspace_id, platform, conversation) where conversation is not null;
create index posts_in_reply_to_idx on social.posts (workspace_id, platform, in_reply_to) where in_reply_to is not null;
create index posts_content_norm_hash_idx on social.posts (workspace_id, content_norm_hash);
create index posts_content_hash_idx on social.posts (content_hash);
create index posts_event_idx on social.posts (event_id);

-- Added: texts that a post had besides its current one. They go with it.
create table social.post_versions (
  workspace_id text not null,
  post_id      text not null,
  content_sha256 bytea not null check (octet_length(content_sha256) = 32),
  content      text not null check (char_length(content) between 1 and 5000),
  edited_at    timestamptz(3),                        -- as of posts
  seen_at      timestamptz(3) not null,
  recorded_at  timestamptz(3) not null default now(),
  primary key (post_id, content_sha256),
  foreign key (workspace_id, post_id) references social.posts (workspace_id, id) on delete cascade
);
create index post_versions_workspace_idx on social.post_versions (workspace_id);

-- Added: counts over time, at most one row for each minute.
create table social.post_metric_snapshots (
  workspace_id text not null,
  post_id      text not null,
  minute       timestamptz(3) not null,
  captured_at  timestamptz(3) not null,
  likes        bigint,
  replies      bigint,
  reposts      bigint,
  quotes       bigint,
  views        bigint,
  primary key (post_id, minute),
  foreign key (workspace_id, post_id) references social.posts (workspace_id, id) on delete cascade
);
-- What a model said of a text, asked after its first decision. Another text has none yet.
create table social.post_opinions (
  workspace_id   text not null,
  post_id        text primary key,
  content_sha256 bytea not null check (octet_length(content_sha256) = 32),
  safety         text not null check (safety in ('A', 'B', 'C', 'Failed')),
  seeks_help     float8 check (seeks_help between 0 and 1),
  p_metaphor     float8 check (p_metaphor between 0 and 1),
  model          text not null,
  asked_at       timestamptz(3) not null default now(),
  foreign key (workspace_id, post_id) references social.posts (workspace_id, id) on delete cascade
);
create index post_opinions_workspace_idx on social.post_opinions (workspace_id);
create index post_metric_snapshots_workspace_idx on social.post_metric_snapshots (workspace_id, minute);

-- The last snapshots of a post, in the form in which they are scored.
create function social.snapshots(post text, most int) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object('at', s.captured_at, 'metrics', jsonb_build_object('likes', s.likes,
           'replies', s.replies, 'reposts', s.reposts, 'quotes', s.quotes, 'views', s.views))), '[]')
  from (select * from social.post_metric_snapshots where post_id = post order by minute desc limit most) s
$$;

-- Added: what platforms say is gone or replaced, known before there is a row and after.
create table social.tombstones (
  workspace_id text not null references signals.workspaces (id) on delete cascade,
  platform     text not null check (platform in ('TWITTER','REDDIT','THREADS')),
  kind         text not null check (kind in ('post','author')),
  platform_id  text not null,
  reason       text,                                  -- the platform's word; null: replaced only
  at           timestamptz(3),                        -- what it showed until then is gone
  for_good     boolean not null default false,        -- and so is whatever it may show later
  superseded_by text,
  recorded_at  timestamptz(3) not null default now(),
  primary key (workspace_id, platform, kind, platform_id),
  check (superseded_by is null or kind = 'post')
);
create index tombstones_superseded_by_idx on social.tombstones (workspace_id, platform, superseded_by)
  where superseded_by is not null;

-- Added: posts that the rules of the seed do not take, each once for each rule.
create table social.refused_posts (
  workspace_id text not null references signals.workspaces (id) on delete cascade,
  platform     text not null check (platform in ('TWITTER','REDDIT','THREADS')),
  platform_post_id text not null,                     -- its first 200 characters
  rule         text not null,
  message      text not null,
  event_id     uuid not null,
  at           timestamptz(3) not null default now(),
  primary key (workspace_id, platform, platform_post_id, rule)
);

-- Added: how many posts came to which stage, by day (UTC).
create table social.funnel (
  workspace_id text not null references signals.workspaces (id) on delete cascade,
  platform     text not null check (platform in ('TWITTER','REDDIT','THREADS')),
  day          date not null,
  stage        text not null,
  count        bigint not null,
  primary key (workspace_id, platform, day, stage)
);

-- ---------------------------------------------------------------- experiments, decisions, replies

create table social.experiments (
  workspace_id text not null default social.workspace() references signals.workspaces (id) on delete cascade,
  id           text primary key default gen_random_uuid()::text,
  name         text not null,
  description  text,
  variant_a    jsonb not null,
  variant_b    jsonb not null,
  metric       text not null,
  traffic_split double precision not null default 0.5 check (traffic_split between 0 and 1),
  status       text not null default 'DRAFT' check (status in ('DRAFT','RUNNING','PAUSED','COMPLETED','CANCELLED')),
  start_date   timestamptz(3),
  end_date     timestamptz(3),
  results_json jsonb,
  winner       text,
  created_at   timestamptz(3) not null default now(),
  updated_at   timestamptz(3) not null default now(),
  -- Added:
  adaptive     boolean not null default true,         -- traffic_split, the share of variant_a, follows what is known
  days         int not null default 28 check (days between 1 and 365), -- from its start to its end
  stop_reason  text,                                  -- why it is over
  constraint experiments_workspace_id_key unique (workspace_id, id)
);
create index experiments_status_idx on social.experiments (workspace_id, status);
create index experiments_start_date_idx on social.experiments (workspace_id, start_date);

-- By month. Nothing refers to a decision by key, so that a month can be archived and dropped while its replies stay.
create table social.decisions (
  workspace_id text not null default social.workspace() references signals.workspaces (id) on delete cascade,
  id           text not null default gen_random_uuid()::text,
  post_id      text not null,
  platform     text not null check (platform in ('TWITTER','REDDIT','THREADS')), -- that of its post if its writer says nothing
  sss_score    double precision not null check (sss_score between 0 and 1),
  ars_score    double precision not null check (ars_score between 0 and 1),
  evs_score    double precision not null check (evs_score >= 0 and evs_score < 'infinity'),
  trs_score    double precision not null check (trs_score between 0 and 1),
  composite_score double precision not null check (composite_score between 0 and 1),
  mode         text not null check (mode in ('HELPFUL','ENGAGEMENT','HYBRID','DISENGAGED')),
  archetype    text check (archetype in ('CHECKLIST','MYTHBUST','COACH','STORYLET','HUMOR_LIGHT','CREDIBILITY_ANCHOR',
                 'CONFIDENT_RECOMMENDER','PROBLEM_SOLUTION_DIRECT')),
  safety_flags text[] not null default '{}',
  signals_json jsonb,
  temporal_context jsonb,
  competitor_detected text,                           -- its name
  is_power_user boolean not null default false,
  user_tier    text check (user_tier in ('MEGA_POWER','MACRO_POWER','MICRO_POWER','ENGAGED_REGULAR','STANDARD','SMALL',
                 'NEW_UNKNOWN')),
  response_target_minutes int check (response_target_minutes > 0),
  caring_response boolean not null default false,
  engagement_rate double precision,
  tier_reasons jsonb,
  segment_used text,
  decision_logic_version text not null default 'v2.1',
  needs_review boolean not null default false,
  review_reason text,
  composite_score_lower double precision,
  composite_score_upper double precision,
  mode_confidence double precision check (mode_confidence between 0 and 1),
  mode_probabilities jsonb,
  experiment_id text,
  experiment_variant text,
  is_randomized_experiment boolean not null default false,
  predicted_mode text check (predicted_mode in ('HELPFUL','ENGAGEMENT','HYBRID','DISENGAGED')),
  created_at   timestamptz(3) not null default now(),
  status       text,                                  -- added: DISENGAGED_LOW_POTENTIAL and the like
  trace_id     text,                                  -- added
  primary key (id, created_at),
  foreign key (workspace_id, post_id) references social.posts (workspace_id, id) on delete cascade,
  foreign key (workspace_id, experiment_id) references social.experiments (workspace_id, id) on delete set null (experiment_id)
) partition by range (created_at);
create index decisions_created_at_idx on social.decisions (workspace_id, created_at);
create index decisions_review_idx on social.decisions (workspace_id, created_at, composite_score, mode, needs_review);
create index decisions_experiment_variant_idx on social.decisions (workspace_id, experiment_variant);
create index decisions_is_randomized_experiment_idx on social.decisions (workspace_id, is_randomized_experiment);
create index decisions_mode_idx on social.decisions (workspace_id, mode);
create index decisions_post_idx on social.decisions (post_id);
create index decisions_composite_score_idx on social.decisions (workspace_id, composite_score);
create index decisions_platform_mode_idx on social.decisions (workspace_id, platform, mode, created_at desc);
create index decisions_sss_mode_idx on social.decisions (workspace_id, sss_score, mode);

create function social.fill_platform() returns trigger language plpgsql as $$
begin
  if new.platform is null then
    select p.platform into new.platform from social.posts p where p.id = new.post_id;
  end if;
  return new;
end $$;
create trigger fill_platform before insert on social.decisions for each row execute function social.fill_platform();

-- A month without its partition must not cost a decision: the default catches it.
create table social.decisions_default partition of social.decisions default;

-- The partitions of the current month, of those that follow, and of those that the default has caught something of, which
-- moves there. Returns how many were missing.
create function social.ensure_partitions(months_ahead int) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '1s' as $$
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

-- Added: what was possible, how likely each was, and what the choice was made from; written with the decision, and kept
-- when that is archived. A decision is made again from it to the same result.
create table social.decision_exposures (
  workspace_id text not null default social.workspace() references signals.workspaces (id) on delete cascade,
  decision_id  text primary key,
  created_at   timestamptz(3) not null,               -- the decision's
  eligible_actions text[] not null check (cardinality(eligible_actions) > 0),
  action       text not null,
  propensity   double precision not null check (propensity > 0 and propensity <= 1),
  probabilities jsonb not null default '{}',          -- action -> probability
  policy_version text not null,
  weights_version text not null,
  features     jsonb not null,
  rng_key      bigint not null,                       -- the 64 bits that all its randomness comes from
  -- What nights learn from, beside features: those are kilobytes, and a night reads a million rows.
  signals      double precision[] generated always as (array[(features #>> '{signals,sss,score}')::double precision,
                 (features #>> '{signals,ars,score}')::double precision, (features #>> '{signals,evs,signal,score}')::double precision,
                 (features #>> '{signals,trs,signal,score}')::double precision]) stored,
  daypart      text generated always as (features #>> '{temporal,daypart}') stored,
  weekday      int generated always as ((features #>> '{temporal,day}')::int) stored,
  disengaged   double precision generated always as (coalesce((probabilities ->> 'DISENGAGED')::double precision, 0)) stored,
  check (action = any (eligible_actions))
);
create index decision_exposures_created_at_idx on social.decision_exposures (workspace_id, created_at);

create table social.replies (
  workspace_id text not null default social.workspace() references signals.workspaces (id) on delete cascade,
  id           text primary key default gen_random_uuid()::text,
  decision_id  text not null,                         -- no key: the decision is archived, the reply stays
  decision_created_at timestamptz(3),
  content      text not null check (char_length(content) between 10 and 1000 or content = '[deleted]'),
  archetype    text check (archetype in ('CHECKLIST','MYTHBUST','COACH','STORYLET','HUMOR_LIGHT','CREDIBILITY_ANCHOR',
                 'CONFIDENT_RECOMMENDER','PROBLEM_SOLUTION_DIRECT')),
  platform     text not null check (platform in ('TWITTER','REDDIT','THREADS')),
  platform_post_id text,
  utm_code     text check (utm_code ~ '^[a-z0-9_-]+$'),
  help_count   int not null default 0 check (help_count >= 0),
  approval_status text not null default 'PENDING' check (approval_status in ('PENDING','APPROVED','REJECTED','AUTO_APPROVED')),
  approved_by  text,
  approved_at  timestamptz(3),
  posted_at    timestamptz(3),
  metrics_json jsonb,                                 -- window -> metrics; reply_outcomes has them one by one
  deleted_at   timestamptz(3),
  delete_reason text,
  reply_type   text not null default 'STANDARD' check (reply_type in ('STANDARD','COMPETITIVE_POSITIONING','MYTH_CORRECTION',
                 'KARMA_BUILDING')),
  created_at   timestamptz(3) not null default now(),
  updated_at   timestamptz(3) not null default now(),
  -- Added:
  decision_snapshot jsonb not null,                   -- the decision as it was, with its propensity and versions
  idempotency_key text,                               -- one reply for what was planned once
  version      int not null default 1 check (version > 0), -- raised by who edits it
  link         text,                                  -- sent after the text, with its parameters
  has_link     boolean not null default false,        -- that, or one in the text
  promotes     boolean not null default false,        -- it links, or names the brand beyond its signature
  thread       text,                                  -- platform_post_id of the top of the thread that it answers in
  community    text,                                  -- and the subreddit or group
  author_id    text,                                  -- whose post it answers
  confidence   double precision check (confidence between 0 and 1), -- the smaller one of decision and writer
  review_reason text check (review_reason in ('low_confidence','below_auto','decision_review','escalated','first','sampled')),
  reject_reason text check (reject_reason in ('SAFETY','IRRELEVANT','LOW_QUALITY','LEGAL','REGENERATE')),
  constraint replies_workspace_id_key unique (workspace_id, id),
  constraint replies_idempotency_key unique (workspace_id, idempotency_key),
  constraint replies_utm_code_key unique (workspace_id, utm_code)
);
create index replies_posted_at_idx on social.replies (workspace_id, posted_at);
create index replies_approval_status_idx on social.replies (workspace_id, approval_status);
create index replies_platform_posted_at_idx on social.replies (workspace_id, platform, posted_at);
create index replies_platform_post_id_idx on social.replies (workspace_id, platform_post_id);
create index replies_decision_idx on social.replies (decision_id);
-- Added, for how often we speak:
create index replies_thread_idx on social.replies (workspace_id, platform, thread);
create index replies_author_idx on social.replies (author_id, created_at) where author_id is not null;
create index replies_allowed_idx on social.replies (workspace_id, platform)
  where posted_at is null and deleted_at is null and approval_status in ('APPROVED','AUTO_APPROVED');

-- A reply whose writer froze no decision has its decision frozen; one to a decision that is nowhere is refused, as the
-- seed's foreign key did. Whose post it answers, and in which thread, is found here.
create function social.freeze_decision() returns trigger language plpgsql as $$
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
create trigger freeze_decision before insert on social.replies for each row execute function social.freeze_decision();

-- ---------------------------------------------------------------- competitors, champions

create table social.competitors (
  workspace_id text not null default social.workspace() references signals.workspaces (id) on delete cascade,
  id           text primary key default gen_random_uuid()::text,
  name         text not null,
  category     text check (category in ('REHYDRATION','HANGOVER_PILLS','IV_THERAPY','HOME_REMEDY')),
  primary_mechanism text,
  price_point  text check (price_point in ('LOW','MID','HIGH')),
  brand_keywords text[] not null default '{}',
  created_at   timestamptz(3) not null default now(),
  updated_at   timestamptz(3) not null default now(),
  constraint competitors_workspace_id_key unique (workspace_id, id),
  constraint competitors_name_key unique (workspace_id, name)
);

create table social.competitive_mentions (
  workspace_id text not null default social.workspace() references signals.workspaces (id) on delete cascade,
  id           text primary key default gen_random_uuid()::text,
  post_id      text not null,
  competitor_id text not null,
  sentiment    text check (sentiment in ('POSITIVE','NEUTRAL','NEGATIVE')),
  satisfaction text check (satisfaction in ('SATISFIED','UNSATISFIED','QUESTIONING')),
  opportunity_score double precision not null default 0 check (opportunity_score between 0 and 1),
  replied      boolean not null default false,
  created_at   timestamptz(3) not null default now(),
  constraint competitive_mentions_once unique (post_id, competitor_id), -- added: analysed again, it is the same mention
  foreign key (workspace_id, post_id) references social.posts (workspace_id, id) on delete cascade,
  foreign key (workspace_id, competitor_id) references social.competitors (workspace_id, id) on delete cascade
);
create index competitive_mentions_sentiment_idx on social.competitive_mentions (workspace_id, sentiment);
create index competitive_mentions_opportunity_score_idx on social.competitive_mentions (workspace_id, opportunity_score);
create index competitive_mentions_competitor_idx on social.competitive_mentions (competitor_id);
create index competitive_mentions_created_at_idx on social.competitive_mentions (workspace_id, created_at);

create table social.community_champions (
  workspace_id text not null default social.workspace() references signals.workspaces (id) on delete cascade,
  id           text primary key default gen_random_uuid()::text,
  author_id    text not null,
  tier         text check (tier in ('BRONZE','SILVER','GOLD')),
  engagement_count int not null default 0 check (engagement_count >= 0),
  dm_sent_at   timestamptz(3),
  dm_response  text check (dm_response in ('NO_RESPONSE','ACCEPTED','DECLINED')),
  sample_sent  boolean not null default false,
  converted    boolean not null default false,
  advocate_status text not null default 'POTENTIAL' check (advocate_status in ('POTENTIAL','CONTACTED','ENGAGED','ADVOCATE','VIP')),
  created_at   timestamptz(3) not null default now(),
  updated_at   timestamptz(3) not null default now(),
  consent_at   timestamptz(3),                        -- added: when they agreed to be written to
  consent_withdrawn_at timestamptz(3),                -- added
  constraint community_champions_author_key unique (workspace_id, author_id),
  foreign key (workspace_id, author_id) references social.authors (workspace_id, id) on delete cascade
);
create index community_champions_advocate_status_idx on social.community_champions (workspace_id, advocate_status);
create index community_champions_engagement_count_idx on social.community_champions (workspace_id, engagement_count);

-- ---------------------------------------------------------------- learning

create table social.learning_runs (                   -- added
  workspace_id text not null default social.workspace() references signals.workspaces (id) on delete cascade,
  run_id       text primary key default gen_random_uuid()::text,
  kind         text not null,
  "window"     tstzrange,                             -- the data it learned from
  seed         bigint,
  code_version text not null,
  status       text not null default 'RUNNING' check (status in ('RUNNING','DONE','SKIPPED','FAILED')),
  input_rows   bigint,
  skipped_reason text,
  duration_ms  bigint,
  started_at   timestamptz(3) not null default now(),
  as_of        timestamptz(3),                        -- what was final then is what it learned from
  report       jsonb,                                 -- everything that it found, segment by segment
  constraint learning_runs_workspace_id_key unique (workspace_id, run_id)
);
create index learning_runs_started_at_idx on social.learning_runs (workspace_id, kind, started_at);

-- A day on which nothing was adjusted has a row too, SKIPPED: all but date and action may be null.
create table social.weight_adjustment_logs (
  workspace_id text not null default social.workspace() references signals.workspaces (id) on delete cascade,
  id           text primary key default gen_random_uuid()::text,
  date         timestamptz(3) not null default now(),
  action       text not null check (action in ('ADJUSTED','SKIPPED')),
  reason       text,
  valid_segments int,
  total_segments int,
  sample_sizes jsonb,
  old_weights  jsonb,
  new_weights  jsonb,
  predicted_improvement double precision,
  created_at   timestamptz(3) not null default now(),
  run_id       text,                                  -- added
  foreign key (workspace_id, run_id) references social.learning_runs (workspace_id, run_id)
);
create index weight_adjustment_logs_date_idx on social.weight_adjustment_logs (workspace_id, date);

create table social.learning_events (
  workspace_id text not null default social.workspace() references signals.workspaces (id) on delete cascade,
  id           text primary key default gen_random_uuid()::text,
  date         timestamptz(3) not null default now(),
  adjustment_type text not null check (adjustment_type in ('WEIGHT','ARCHETYPE','KEYWORD')),
  adjustment   jsonb not null,
  predicted_improvement double precision not null,
  baseline_performance double precision not null,
  actual_improvement double precision,
  accuracy     double precision,
  evaluated_at timestamptz(3),
  created_at   timestamptz(3) not null default now(),
  run_id       text,                                  -- added
  evaluation   jsonb,                                 -- added: what it was judged by
  foreign key (workspace_id, run_id) references social.learning_runs (workspace_id, run_id)
);
create index learning_events_date_idx on social.learning_events (workspace_id, date);
create index learning_events_adjustment_type_idx on social.learning_events (workspace_id, adjustment_type);
create index learning_events_evaluated_at_idx on social.learning_events (workspace_id, evaluated_at);

create table social.randomized_experiments (
  workspace_id text not null default social.workspace() references signals.workspaces (id) on delete cascade,
  id           text primary key default gen_random_uuid()::text,
  decision_id  text not null,                         -- no key, as of replies
  decision_created_at timestamptz(3),
  predicted_mode text not null check (predicted_mode in ('HELPFUL','ENGAGEMENT','HYBRID','DISENGAGED')),
  actual_mode  text not null check (actual_mode in ('HELPFUL','ENGAGEMENT','HYBRID','DISENGAGED')),
  predicted_outcome double precision,
  actual_outcome double precision,
  created_at   timestamptz(3) not null default now(),
  propensity   double precision check (propensity > 0 and propensity <= 1), -- added: of actual_mode
  constraint randomized_experiments_decision_key unique (workspace_id, decision_id) -- added
);
create index randomized_experiments_predicted_mode_idx on social.randomized_experiments (workspace_id, predicted_mode);
create index randomized_experiments_actual_mode_idx on social.randomized_experiments (workspace_id, actual_mode);

-- What is in force, one row for each segment: the last of its weight_versions.
create table social.segmented_weights (
  workspace_id text not null default social.workspace() references signals.workspaces (id) on delete cascade,
  id           text primary key default gen_random_uuid()::text,
  segment_type text not null check (segment_type in ('GLOBAL','PLATFORM','TIME_OF_DAY','DAY_OF_WEEK','COMBINED')),
  segment_key  text not null,
  sss_weight   double precision not null default 0.40 check (sss_weight between 0 and 1),
  ars_weight   double precision not null default 0.25 check (ars_weight between 0 and 1),
  evs_weight   double precision not null default 0.20 check (evs_weight between 0 and 1),
  trs_weight   double precision not null default 0.15 check (trs_weight between 0 and 1),
  sample_size  int not null default 0 check (sample_size >= 0),
  performance  double precision,
  updated_at   timestamptz(3) not null default now(),
  created_at   timestamptz(3) not null default now(),
  locked_by    text,                                  -- added: learning leaves it alone
  locked_at    timestamptz(3),
  constraint segmented_weights_segment_key unique (workspace_id, segment_type, segment_key),
  constraint segmented_weights_simplex check (abs(sss_weight + ars_weight + evs_weight + trs_weight - 1) <= 0.001)
);
create index segmented_weights_sample_size_idx on social.segmented_weights (workspace_id, segment_type, segment_key, sample_size);

-- Added: every set of weights there was, and who let it in. A segment without a row has that of GLOBAL, and GLOBAL without
-- one has its version 1, the documented .40, .25, .20 and .15, which the first who needs a row writes.
create table social.weight_versions (
  workspace_id text not null default social.workspace() references signals.workspaces (id) on delete cascade,
  id           text primary key default gen_random_uuid()::text,
  segment_type text not null check (segment_type in ('GLOBAL','PLATFORM','TIME_OF_DAY','DAY_OF_WEEK','COMBINED')),
  segment_key  text not null,
  version      int not null check (version > 0),
  weights      double precision[] not null,           -- of SSS, ARS, EVS, TRS
  posterior_mean double precision[],
  posterior_cov double precision[],                   -- 4 x 4, row by row
  effective_from timestamptz(3) not null default now(),
  effective_to timestamptz(3),
  parent_id    text,
  approved_by  text,
  run_id       text,
  created_at   timestamptz(3) not null default now(),
  constraint weight_versions_workspace_id_key unique (workspace_id, id),
  constraint weight_versions_version_key unique (workspace_id, segment_type, segment_key, version),
  constraint weight_versions_simplex check (cardinality(weights) = 4 and array_ndims(weights) = 1 and array_position(weights, null) is null
    and abs(weights[1] + weights[2] + weights[3] + weights[4] - 1) < 1e-9 and 0.05 <= all (weights) and 0.95 >= all (weights)),
  foreign key (workspace_id, parent_id) references social.weight_versions (workspace_id, id),
  foreign key (workspace_id, run_id) references social.learning_runs (workspace_id, run_id)
);
create unique index weight_versions_in_force on social.weight_versions (workspace_id, segment_type, segment_key)
  where effective_to is null and approved_by is not null; -- others are proposed

-- Added: what was learned of which mode and archetype are worth most where, and how much of a say that has.
create table social.policies (
  workspace_id text primary key default social.workspace() references signals.workspaces (id) on delete cascade,
  version      text not null,                         -- the run that taught it last
  stage        text not null default 'SHADOW' check (stage in ('SHADOW','SHARE','FULL')),
  stage_since  timestamptz(3) not null,
  proposed     text check (proposed in ('SHARE','FULL')), -- waits for a person
  state        jsonb not null,                        -- sums of a linear regression of rewards
  noise        double precision not null check (noise > 0), -- standard deviation of rewards
  locked_by    text,                                  -- learning leaves the stage alone
  created_at   timestamptz(3) not null default now(),
  updated_at   timestamptz(3) not null default now()
);

create table social.experiment_assignments (          -- added
  workspace_id text not null,
  experiment_id text not null,
  unit_id      text not null,
  variant      text not null,
  propensity   double precision not null check (propensity > 0 and propensity <= 1),
  assigned_at  timestamptz(3) not null default now(),
  decision_id  text,                                  -- the first decision on the unit: what is observed of it; no key, as of replies
  primary key (experiment_id, unit_id),
  foreign key (workspace_id, experiment_id) references social.experiments (workspace_id, id) on delete cascade
);
create index experiment_assignments_unit_idx on social.experiment_assignments (workspace_id, unit_id);
create table social.experiment_looks (                -- added: each time somebody looked at the results
  workspace_id text not null,
  experiment_id text not null,
  n            bigint not null,
  log_e_value  double precision not null,
  cs_low       double precision,
  cs_high      double precision,
  srm_p        double precision check (srm_p between 0 and 1),
  looked_at    timestamptz(3) not null default now(),
  primary key (experiment_id, n),
  foreign key (workspace_id, experiment_id) references social.experiments (workspace_id, id) on delete cascade
);
-- Added: changes of thresholds that won their experiment. Those that are approved and not over are in force, the later
-- over the earlier ones, on top of the profile's.
create table social.experiment_promotions (
  workspace_id text not null,
  id           text primary key default gen_random_uuid()::text,
  experiment_id text not null,
  version      int not null check (version > 0),
  thresholds   jsonb not null check (jsonb_typeof(thresholds) = 'object'),
  effective_from timestamptz(3),                      -- null: proposed
  effective_to timestamptz(3) check (effective_to >= effective_from),
  approved_by  text,
  created_at   timestamptz(3) not null default now(),
  constraint experiment_promotions_version_key unique (workspace_id, version),
  check (num_nulls(effective_from, approved_by) in (0, 2)),
  foreign key (workspace_id, experiment_id) references social.experiments (workspace_id, id) on delete cascade
);
create unique index experiment_promotions_living on social.experiment_promotions (workspace_id, experiment_id)
  where effective_to is null;

-- ---------------------------------------------------------------- outcomes

create table social.reply_outcomes (                  -- added: append-only
  workspace_id text not null,
  reply_id     text not null,
  "window"     text not null check ("window" in ('15m','60m','24h','7d')), -- after posted_at
  captured_at  timestamptz(3) not null,
  metrics      jsonb not null,
  complete     boolean not null default true,         -- all that the platform has for this window
  primary key (reply_id, "window"),
  foreign key (workspace_id, reply_id) references social.replies (workspace_id, id) on delete cascade
);
create table social.click_events (                    -- added
  workspace_id text not null references signals.workspaces (id) on delete cascade,
  external_id  text not null,
  reply_id     text,
  utm_code     text,
  occurred_at  timestamptz(3) not null,
  visitor      text,                                  -- SHA-256 of the sender's id of who it was, hex
  data         jsonb not null default '{}',           -- as told
  primary key (workspace_id, external_id),
  foreign key (workspace_id, reply_id) references social.replies (workspace_id, id) on delete set null (reply_id)
);
create index click_events_reply_idx on social.click_events (reply_id, occurred_at);
create index click_events_visitor_idx on social.click_events (workspace_id, visitor) where visitor is not null;
create index click_events_unmatched_idx on social.click_events (workspace_id, occurred_at) where reply_id is null;
create table social.order_events (                    -- added
  workspace_id text not null references signals.workspaces (id) on delete cascade,
  external_id  text not null,
  reply_id     text,
  utm_code     text,
  amount       numeric(14, 2) not null check (amount >= 0),
  currency     text not null check (currency ~ '^[A-Z]{3}$'),
  new_customer boolean,
  occurred_at  timestamptz(3) not null,
  visitor      text,                                  -- as of click_events
  data         jsonb not null default '{}',           -- as told
  credited_to  text,                                  -- the reply that it is attributed to,
  credited_by  text check (credited_by in ('click_7d','click_30d','engaged_30d')), -- why,
  credit       double precision check (credit > 0 and credit <= 1), -- and with what share
  primary key (workspace_id, external_id),
  check (num_nulls(credited_by, credit) in (0, 2) and (credited_to is null or credit is not null)),
  foreign key (workspace_id, reply_id) references social.replies (workspace_id, id) on delete set null (reply_id),
  foreign key (workspace_id, credited_to) references social.replies (workspace_id, id) on delete set null (credited_to)
);
create index order_events_reply_idx on social.order_events (reply_id, occurred_at);
create index order_events_credited_to_idx on social.order_events (credited_to);
create index order_events_visitor_idx on social.order_events (workspace_id, visitor) where visitor is not null;
create index order_events_account_idx on social.order_events (workspace_id, (data ->> 'account')) where data ->> 'account' is not null;
create index order_events_unmatched_idx on social.order_events (workspace_id, occurred_at) where reply_id is null;

-- Added: authors.relationship_score is a fold over these, each once.
create table social.relationship_events (
  workspace_id text not null,
  id           text primary key default gen_random_uuid()::text,
  author_id    text,                                  -- null while we know nobody whom it could be of
  reply_id     text,
  type         text not null,
  source_event_id text not null,
  weight       double precision not null check (weight between -1 and 1),
  occurred_at  timestamptz(3) not null,
  data         jsonb not null default '{}',           -- as told
  constraint relationship_events_once unique (workspace_id, type, source_event_id),
  foreign key (workspace_id, author_id) references social.authors (workspace_id, id) on delete cascade,
  foreign key (workspace_id, reply_id) references social.replies (workspace_id, id) on delete set null (reply_id)
);
create index relationship_events_author_idx on social.relationship_events (author_id, occurred_at);
create index relationship_events_reply_idx on social.relationship_events (reply_id, occurred_at);
create index relationship_events_account_idx on social.relationship_events (workspace_id, (data ->> 'account'))
  where data ->> 'account' is not null;
create index relationship_events_unmatched_idx on social.relationship_events (workspace_id, occurred_at)
  where author_id is null or reply_id is null;

-- The reply that an outcome names: by its id, its link's code (or its id in the place of that), or its id where it was posted.
create function social.reply_named(workspace text, reply text, utm text, posted_on text, post text)
returns text language sql stable as $$
  select coalesce(
    (select r.id from social.replies r where r.workspace_id = $1 and r.id = $2),
    (select r.id from social.replies r where r.workspace_id = $1 and r.utm_code = $3),
    (select r.id from social.replies r where r.workspace_id = $1 and r.id = $3),
    (select min(r.id) from social.replies r where r.workspace_id = $1 and r.platform = $4 and r.platform_post_id = $5))
$$;

-- The author that a relationship event is of: the account that it names, else whom the reply answered.
create function social.author_named(workspace text, account_on text, account text, reply text)
returns text language sql stable as $$
  select case when $3 is not null then
    (select a.id from social.authors a where a.workspace_id = $1 and a.platform = $2 and a.platform_id = $3)
  else
    (select p.author_id from social.replies r join social.posts p on p.id = r.decision_snapshot ->> 'post_id' and p.workspace_id = $1
     where r.workspace_id = $1 and r.id = $4)
  end
$$;

create table social.kpi_metrics (
  workspace_id text not null default social.workspace() references signals.workspaces (id) on delete cascade,
  id           text primary key default gen_random_uuid()::text,
  date         date not null,
  platform     text check (platform in ('TWITTER','REDDIT','THREADS')), -- null: all of them
  metric_type  text not null check (metric_type in ('COMMERCIAL','LOVE','SAFETY')),
  metric_name  text not null,
  value        double precision not null,
  created_at   timestamptz(3) not null default now(),
  constraint kpi_metrics_key unique nulls not distinct (workspace_id, date, platform, metric_type, metric_name)
);
create index kpi_metrics_date_idx on social.kpi_metrics (workspace_id, date);
create index kpi_metrics_platform_idx on social.kpi_metrics (workspace_id, platform);

create table social.alerts (                          -- added: one row for each rule that is broken, at most once an hour
  workspace_id text not null references signals.workspaces (id) on delete cascade,
  id           text primary key default gen_random_uuid()::text,
  rule         text not null,
  platform     text check (platform in ('TWITTER','REDDIT','THREADS')), -- null: all of them
  severity     text not null check (severity in ('CRITICAL','HIGH','MEDIUM')),
  value        double precision not null,
  threshold    double precision not null,
  message      text not null,
  raised_at    timestamptz(3) not null,
  seen_at      timestamptz(3) not null,               -- when it was last found so
  times        int not null default 1 check (times > 0)
);
create index alerts_raised_at_idx on social.alerts (workspace_id, raised_at desc);
create index alerts_rule_idx on social.alerts (workspace_id, rule, platform, raised_at desc);

create table social.own_accounts (                    -- added: who answers for us, as its platform knows it; no row: nobody asks
  workspace_id text not null references signals.workspaces (id) on delete cascade,
  source_id    text not null,                         -- that asks; no key: its rows go when it is not polled any more
  platform     text not null check (platform in ('TWITTER','REDDIT','THREADS')),
  karma        bigint,                                -- null: not known
  since        timestamptz(3),                        -- when the account was made
  seen_at      timestamptz(3),                        -- last answer; what is older than an hour is not believed
  last_error   text,                                  -- null: it was good
  primary key (workspace_id, source_id)
);

-- ---------------------------------------------------------------- oversight, audit

create table social.escalations (
  workspace_id text not null default social.workspace() references signals.workspaces (id) on delete cascade,
  id           text primary key default gen_random_uuid()::text,
  post_id      text,
  decision_id  text,                                  -- no key, as of replies
  decision_created_at timestamptz(3),
  reply_id     text,
  reason       text not null check (reason in ('SAFETY_AMBIGUITY','VIRAL_THREAD','MODERATOR_WARNING','BACKLASH_SPIKE',
                 'LOW_CONFIDENCE','MANUAL_FLAG')),
  reason_text  text,
  priority     text not null default 'MEDIUM' check (priority in ('CRITICAL','HIGH','MEDIUM','LOW')),
  status       text not null default 'PENDING' check (status in ('PENDING','IN_REVIEW','RESOLVED','DISMISSED')),
  assigned_to  text,
  resolved_by  text,
  resolution_notes text,
  created_at   timestamptz(3) not null default now(),
  resolved_at  timestamptz(3),
  -- Added:
  sla_due_at   timestamptz(3),
  claimed_by   text,
  claimed_until timestamptz(3),                       -- then another may claim it
  sla_breached_at timestamptz(3),                     -- when somebody saw that it is late
  check ((claimed_by is null) = (claimed_until is null)),
  foreign key (workspace_id, post_id) references social.posts (workspace_id, id) on delete set null (post_id),
  foreign key (workspace_id, reply_id) references social.replies (workspace_id, id) on delete set null (reply_id)
);
create index escalations_status_priority_idx on social.escalations (workspace_id, status, priority);
create index escalations_created_at_idx on social.escalations (workspace_id, created_at);
create index escalations_assigned_to_idx on social.escalations (workspace_id, assigned_to);
-- Added: one living escalation of a decision for each reason.
create unique index escalations_living on social.escalations (workspace_id, decision_id, reason)
  where decision_id is not null and status in ('PENDING','IN_REVIEW');

create table social.audit_logs (
  workspace_id text not null default social.workspace() references signals.workspaces (id),
  id           text primary key default gen_random_uuid()::text,
  entity_type  text not null,
  entity_id    text not null,
  action       text not null,
  actor        text not null,
  details_json jsonb,
  created_at   timestamptz(3) not null default now(),
  -- Added, by trigger:
  seq          bigint not null,                       -- from 1 in each workspace, without a gap
  prev_hash    bytea check (octet_length(prev_hash) = 32), -- row_hash of seq - 1; null of the first
  row_hash     bytea not null check (octet_length(row_hash) = 32),
  details_hash bytea not null check (octet_length(details_hash) = 32), -- of details_json as it was written
  redacted_at  timestamptz(3),                        -- a person's traces were taken from details_json
  constraint audit_logs_seq unique (workspace_id, seq)
);
create index audit_logs_entity_idx on social.audit_logs (workspace_id, entity_type, entity_id);
create index audit_logs_created_at_idx on social.audit_logs (workspace_id, created_at);
create index audit_logs_actor_idx on social.audit_logs (workspace_id, actor);

-- SHA-256 over the hash of the row before and all that this one says; of the details their hash, so that the chain stays
-- as it is when a person's traces are taken from them.
create function social.details_hash(details jsonb) returns bytea language sql immutable as $$
  select sha256(convert_to(coalesce(details::text, ''), 'utf8'))
$$;
create function social.audit_hash(r social.audit_logs) returns bytea language sql immutable as $$
  select sha256(coalesce(r.prev_hash, '') || convert_to(jsonb_build_array(r.workspace_id, r.seq, r.id, r.entity_type,
    r.entity_id, r.action, r.actor, encode(r.details_hash, 'hex'), (extract(epoch from r.created_at) * 1000)::bigint)::text, 'utf8'))
$$;
create function social.chain_audit() returns trigger language plpgsql as $$
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
create trigger chain before insert on social.audit_logs for each row execute function social.chain_audit();

create function social.keep_audit() returns trigger language plpgsql as $$
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
create trigger keep before update or delete on social.audit_logs for each row execute function social.keep_audit();
create function social.keep_all_audit() returns trigger language plpgsql as $$
begin
  raise insufficient_privilege using message = 'social.audit_logs is append-only';
end $$;
create trigger keep_all before truncate on social.audit_logs for each statement execute function social.keep_all_audit();

-- ---------------------------------------------------------------- operations

create table social.worker_heartbeats (
  workspace_id text not null default social.workspace() references signals.workspaces (id) on delete cascade,
  id           text primary key default gen_random_uuid()::text,
  worker_name  text not null,
  posts_processed_count bigint not null default 0,
  last_activity_at timestamptz(3) not null default now(),
  metadata     jsonb,
  constraint worker_heartbeats_name_key unique (workspace_id, worker_name)
);
create index worker_heartbeats_last_activity_at_idx on social.worker_heartbeats (workspace_id, last_activity_at);

create table social.health_checks (
  workspace_id text not null default social.workspace() references signals.workspaces (id) on delete cascade,
  id           text primary key default gen_random_uuid()::text,
  name         text not null,
  status       text not null,
  details      jsonb,
  created_at   timestamptz(3) not null default now()
);
create index health_checks_created_at_idx on social.health_checks (workspace_id, created_at);

create table social.temporal_config_history (
  workspace_id text not null default social.workspace() references signals.workspaces (id) on delete cascade,
  id           text primary key default gen_random_uuid()::text,
  config_type  text not null,
  action       text not null,
  config_id    text not null,
  before       jsonb,
  after        jsonb,
  changed_by   text,
  changed_at   timestamptz(3) not null default now(),
  reason       text
);
create index temporal_config_history_changed_at_idx on social.temporal_config_history (workspace_id, changed_at);

-- Added: each text of a brand profile that was in force.
create table social.profile_versions (
  workspace_id text not null references signals.workspaces (id) on delete cascade,
  id           text primary key default gen_random_uuid()::text,
  name         text not null,
  sha256       bytea not null check (octet_length(sha256) = 32),
  toml         text not null,
  loaded_at    timestamptz(3) not null default now(),
  loaded_by    text not null
);
create index profile_versions_loaded_at_idx on social.profile_versions (workspace_id, name, loaded_at desc);

create table social.tier_changes (
  workspace_id text not null default social.workspace() references signals.workspaces (id) on delete cascade,
  id           text primary key default gen_random_uuid()::text,
  author_id    text not null,
  previous_tier text check (previous_tier in ('MEGA_POWER','MACRO_POWER','MICRO_POWER','ENGAGED_REGULAR','STANDARD','SMALL',
                 'NEW_UNKNOWN')),
  new_tier     text not null check (new_tier in ('MEGA_POWER','MACRO_POWER','MICRO_POWER','ENGAGED_REGULAR','STANDARD','SMALL',
                 'NEW_UNKNOWN')),
  trigger      text not null,
  growth_rate  double precision,
  engagement_rate double precision,
  follower_count int,
  notes        text,
  created_by   text,
  metadata     jsonb,
  created_at   timestamptz(3) not null default now(),
  foreign key (workspace_id, author_id) references social.authors (workspace_id, id) on delete cascade
);
create index tier_changes_author_idx on social.tier_changes (author_id, created_at);

create table social.pending_actions (
  workspace_id text not null default social.workspace() references signals.workspaces (id) on delete cascade,
  id           text primary key default gen_random_uuid()::text,
  author_id    text not null,
  action_type  text not null,
  target_count int not null default 1 check (target_count > 0),
  completed    int not null default 0 check (completed >= 0),
  user_tier    text not null check (user_tier in ('MEGA_POWER','MACRO_POWER','MICRO_POWER','ENGAGED_REGULAR','STANDARD','SMALL',
                 'NEW_UNKNOWN')),
  trigger_post text,
  expires_at   timestamptz(3) not null,
  created_at   timestamptz(3) not null default now(),
  foreign key (workspace_id, author_id) references social.authors (workspace_id, id) on delete cascade,
  foreign key (workspace_id, trigger_post) references social.posts (workspace_id, id) on delete set null (trigger_post)
);
create index pending_actions_author_idx on social.pending_actions (author_id);
create index pending_actions_expires_at_idx on social.pending_actions (workspace_id, expires_at);

create table social.context_snapshots (
  workspace_id text not null default social.workspace() references signals.workspaces (id) on delete cascade,
  id           text primary key default gen_random_uuid()::text,
  post_id      text not null,
  context      jsonb not null,
  created_at   timestamptz(3) not null default now(),
  foreign key (workspace_id, post_id) references social.posts (workspace_id, id) on delete cascade
);
create index context_snapshots_post_idx on social.context_snapshots (post_id, created_at);

-- ---------------------------------------------------------------- what the reference tables say

insert into social.archetypes (name, sort_order, description) values
  ('CHECKLIST', 1, '2-3 steps'),
  ('MYTHBUST', 2, 'one gentle correction'),
  ('COACH', 3, 'time-boxed options'),
  ('STORYLET', 4, 'a scenario of 20-30 words'),
  ('HUMOR_LIGHT', 5, 'kind humour'),
  ('CREDIBILITY_ANCHOR', 6, 'mechanism, testimonials'),
  ('CONFIDENT_RECOMMENDER', 7, 'first person'),
  ('PROBLEM_SOLUTION_DIRECT', 8, 'educational, assertive');
insert into social.power_tiers (name, min_followers, max_followers, priority_weight) values
  ('MICRO', 5000, 50000, 1.2), ('MACRO', 50000, 500000, 1.5), ('MEGA', 500000, null, 2.0);
insert into social.competitor_categories (name) values ('REHYDRATION'), ('HANGOVER_PILLS'), ('IV_THERAPY'), ('HOME_REMEDY');
insert into social.kpi_types (name, aggregation_type) values ('COMMERCIAL', 'SUM'), ('LOVE', 'SUM'), ('SAFETY', 'SUM');
insert into social.escalation_reasons (name, severity, auto_escalate) values
  ('SAFETY_AMBIGUITY', 'CRITICAL', true), ('VIRAL_THREAD', 'HIGH', true), ('MODERATOR_WARNING', 'HIGH', true),
  ('BACKLASH_SPIKE', 'HIGH', true), ('LOW_CONFIDENCE', 'MEDIUM', false), ('MANUAL_FLAG', 'MEDIUM', false);
insert into social.champion_tiers (name, min_engagement, priority_score) values
  ('BRONZE', 3, 1), ('SILVER', 6, 2), ('GOLD', 11, 3); -- GOLD also a power user from 3 on

-- Added: what came within seven days of the replies of ($2, $3]. A reward is a click, thanks or a like; removed is what was
-- taken down or reported. A function and no view, so that the times bound each table before it is joined: the results of a
-- million replies are a few hash joins, those of ten a few looks into indexes.
create function social.reply_results(workspace text, after timestamptz, until timestamptz)
returns table (reply_id text, decision_id text, platform text, posted_at timestamptz, rewarded boolean, removed boolean)
language sql stable as $$
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
$$;

-- ---------------------------------------------------------------- updated_at, walls, rights, partitions

do $$
declare t text;
begin
  foreach t in array array['authors', 'posts', 'replies', 'experiments', 'competitors', 'community_champions',
    'segmented_weights', 'policies'] loop
    execute format('create trigger touch before update on social.%I for each row when (old.* is distinct from new.*) execute function social.touch()', t);
  end loop;
end $$;

-- All but the reference tables.
select ops.wall(c.oid::regclass) from pg_class c
where c.relnamespace = 'social'::regnamespace and c.relkind in ('r', 'p') and c.relname not in ('archetypes', 'power_tiers',
  'competitor_categories', 'kpi_types', 'escalation_reasons', 'champion_tiers');

-- A statement that is new asks for its rights here (a test looks that there is none without a use).
insert into ops.rights (relation, app, reader) values
  ('social.authors',               '{select,insert,update}', true),
  ('social.posts',                 '{select,insert,update}', true),
  ('social.post_versions',         '{select,insert,update,delete}', true),
  ('social.post_metric_snapshots', '{select,insert,update}', true),
  ('social.post_opinions',         '{select,insert,update}', true),
  ('social.tombstones',            '{select,insert,update}', true),
  ('social.refused_posts',         '{select,insert}', true),
  ('social.funnel',                '{select,insert,update}', true),
  ('social.competitors',           '{select,insert}', true),
  ('social.competitive_mentions',  '{select,insert,update,delete}', true),
  ('social.escalation_reasons',    '{select}', true),
  ('social.escalations',           '{select,insert,update}', true),
  ('social.audit_logs',            '{select,insert}', true),
  ('social.click_events',          '{select,insert,update}', true),
  ('social.order_events',          '{select,insert,update}', true),
  ('social.relationship_events',   '{select,insert,update,delete}', true),
  ('social.replies',               '{select,insert,update}', true),
  ('social.decisions',             '{select,insert}', true),
  ('social.decision_exposures',    '{select,insert}', true),
  ('social.randomized_experiments', '{select,insert,update}', true),
  ('social.experiments',           '{select,insert,update}', true),
  ('social.experiment_assignments', '{select,insert}', true),
  ('social.experiment_looks',      '{select,insert}', true),
  ('social.experiment_promotions', '{select,insert,update}', true),
  ('social.segmented_weights',     '{select,insert,update}', true),
  ('social.weight_versions',       '{select,insert,update}', true),
  ('social.policies',              '{select,insert,update}', true),
  ('social.learning_runs',         '{select,insert}', true),
  ('social.learning_events',       '{select,insert,update}', true),
  ('social.weight_adjustment_logs', '{select,insert}', true),
  ('social.profile_versions',      '{select,insert}', true),
  ('social.tier_changes',          '{insert}', true),
  ('social.reply_outcomes',        '{select,insert}', true),
  ('social.community_champions',   '{select,insert,update}', true),
  ('social.own_accounts',          '{select,insert,update,delete}', true),
  ('social.kpi_metrics',           '{select,insert,update,delete}', true),
  ('social.alerts',                '{select,insert,update}', true);
-- The rest.
insert into ops.rights (relation, app, reader)
select 'social.' || c.relname, '{}', true
from pg_class c where c.relnamespace = 'social'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
on conflict do nothing;

revoke execute on function social.ensure_partitions(int) from public;
select social.ensure_partitions(2);
