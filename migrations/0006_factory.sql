-- Schema `factory`: the tables of the factory seed with its names, columns, defaults and constraints, and (marked
-- "added") what its behaviour contract adds. The tenant of a row is its project's organization's workspace.
set local lock_timeout = '1s';
set local statement_timeout = '1min';
create schema if not exists factory;

-- Added: `updated_at` says when a row was last changed, whoever changed it.
create function factory.touch() returns trigger language plpgsql as $$
begin
  new.updated_at := now();
  return new;
end $$;

-- ---------------------------------------------------------------- organizations & users

create table factory.organizations (
  id              uuid primary key default gen_random_uuid(),
  name            text not null,
  slug            text not null,
  logo_url        text,
  settings        jsonb not null default '{}',  -- org-wide settings
  workspace_id    text unique references signals.workspaces (id) on delete set null, -- added: whose it is
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  deleted_at      timestamptz
);

-- Added: unique among the living; the seed's constraint kept a deleted slug for ever.
create unique index idx_organizations_slug on factory.organizations (slug) where deleted_at is null;

create table factory.users (
  id              uuid primary key default gen_random_uuid(),
  email           text not null unique,
  name            text not null,
  avatar_url      text,
  email_verified  boolean not null default false,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now()
);

create index idx_users_email on factory.users (email);

-- Junction: org membership with roles
create table factory.organization_members (
  id              uuid primary key default gen_random_uuid(),
  organization_id uuid not null references factory.organizations (id) on delete cascade,
  user_id         uuid not null references factory.users (id) on delete cascade,
  role            text not null default 'member' check (role in ('member', 'admin')),
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  unique (organization_id, user_id)
);

create index idx_org_members_org on factory.organization_members (organization_id);
create index idx_org_members_user on factory.organization_members (user_id);

-- ---------------------------------------------------------------- authentication

-- Sessions for authenticated users
create table factory.sessions (
  id              uuid primary key default gen_random_uuid(),
  user_id         uuid not null references factory.users (id) on delete cascade,
  token           text not null unique,
  expires_at      timestamptz not null,
  ip_address      text,
  user_agent      text,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now()
);

create index idx_sessions_token on factory.sessions (token);
create index idx_sessions_user on factory.sessions (user_id);
create index idx_sessions_expires on factory.sessions (expires_at);

-- OAuth accounts linked to users
create table factory.accounts (
  id              uuid primary key default gen_random_uuid(),
  user_id         uuid not null references factory.users (id) on delete cascade,
  provider        text not null,         -- 'github', 'google', etc.
  provider_account_id text not null,
  access_token    text,
  refresh_token   text,
  expires_at      timestamptz,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  unique (provider, provider_account_id)
);

create index idx_accounts_user on factory.accounts (user_id);

-- API keys for programmatic access (MCP, Validator feedback API)
create table factory.api_keys (
  id              uuid primary key default gen_random_uuid(),
  organization_id uuid not null references factory.organizations (id) on delete cascade,
  project_id      uuid,                  -- NULL = org-wide, set = project-scoped
  user_id         uuid not null references factory.users (id) on delete cascade,
  name            text not null,
  key_prefix      text not null,          -- first 8 chars for identification
  key_hash        text not null,           -- bcrypt hash of the full key
  scopes          text[] not null default '{}', -- e.g., ['mcp:read', 'mcp:write', 'validator:write']
  last_used_at    timestamptz,
  expires_at      timestamptz,
  created_at      timestamptz not null default now(),
  revoked_at      timestamptz
);

create index idx_api_keys_prefix on factory.api_keys (key_prefix) where revoked_at is null;
create index idx_api_keys_org on factory.api_keys (organization_id);

-- ---------------------------------------------------------------- projects

create table factory.projects (
  id              uuid primary key default gen_random_uuid(),
  organization_id uuid not null references factory.organizations (id) on delete cascade,
  name            text not null,
  slug            text not null,
  description     text,
  settings        jsonb not null default '{}',  -- project settings (templates, extraction strategies, etc.)
  archived_at     timestamptz,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  unique (organization_id, slug)
);

create index idx_projects_org on factory.projects (organization_id) where archived_at is null;

-- ---------------------------------------------------------------- features (shared concept across refinery & foundry)

create table factory.features (
  id              uuid primary key default gen_random_uuid(),
  project_id      uuid not null references factory.projects (id) on delete cascade,
  parent_id       uuid references factory.features (id) on delete cascade,  -- hierarchical features
  name            text not null,
  slug            text not null,
  sort_order      integer not null default 0,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  deleted_at      timestamptz,
  check (parent_id <> id)                          -- added
);
create unique index features_live_slug on factory.features (project_id, slug) where deleted_at is null; -- added: among the living

create index idx_features_project on factory.features (project_id) where deleted_at is null;
create index idx_features_parent on factory.features (parent_id);

-- ---------------------------------------------------------------- documents (unified table for all document types)

-- Document types: product_overview, feature_requirements, technical_requirements,
--                 foundation_blueprint, system_diagram, feature_blueprint

create table factory.documents (
  id              uuid primary key default gen_random_uuid(),
  project_id      uuid not null references factory.projects (id) on delete cascade,
  feature_id      uuid references factory.features (id) on delete set null,  -- for feature-scoped docs
  type            text not null check (type in (
                      'product_overview',
                      'feature_requirements',
                      'technical_requirements',
                      'foundation_blueprint',
                      'system_diagram',
                      'feature_blueprint'
                  )),
  title           text not null,
  slug            text not null,
  -- Current content stored as TipTap JSON (ProseMirror document)
  content         jsonb,
  -- Mermaid source for system diagrams
  diagram_source  text,
  -- Template that was used to create this document
  template_id     uuid,
  sort_order      integer not null default 0,
  created_by      uuid references factory.users (id) on delete set null,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  deleted_at      timestamptz
);
create unique index documents_live_slug on factory.documents (project_id, type, slug) where deleted_at is null; -- added

create index idx_documents_project_type on factory.documents (project_id, type) where deleted_at is null;
create index idx_documents_feature on factory.documents (feature_id) where deleted_at is null;

-- ---------------------------------------------------------------- document versions

-- Each save creates a new version. Yjs updates are persisted here for
-- collaborative editing history. The `content` snapshot is created at
-- explicit save points (not every keystroke).

create table factory.document_versions (
  id              uuid primary key default gen_random_uuid(),
  document_id     uuid not null references factory.documents (id) on delete cascade,
  version_number  integer not null,
  content         jsonb not null,           -- ProseMirror document snapshot
  diagram_source  text,                      -- Mermaid source snapshot (system diagrams)
  change_summary  text,                      -- Optional human/AI-readable summary
  created_by      uuid references factory.users (id) on delete set null,
  created_at      timestamptz not null default now(),
  unique (document_id, version_number)
);

create index idx_doc_versions_document on factory.document_versions (document_id, version_number desc);

-- Yjs document state for real-time collaboration persistence
create table factory.yjs_documents (
  document_id     uuid primary key references factory.documents (id) on delete cascade,
  state           bytea not null,            -- Yjs encoded document state
  state_vector    bytea,                     -- Yjs state vector for sync
  updated_at      timestamptz not null default now()
);

-- Yjs incremental updates (for efficient sync; periodically compacted)
create table factory.yjs_updates (
  id              bigint generated by default as identity primary key, -- the seed: bigserial
  document_id     uuid not null references factory.documents (id) on delete cascade,
  update_data     bytea not null,
  created_at      timestamptz not null default now()
);

create index idx_yjs_updates_document on factory.yjs_updates (document_id, id);

-- ---------------------------------------------------------------- templates

create table factory.templates (
  id              uuid primary key default gen_random_uuid(),
  organization_id uuid references factory.organizations (id) on delete cascade,  -- NULL = system template
  project_id      uuid references factory.projects (id) on delete cascade,       -- NULL = org-level
  type            text not null check (type in (
                      'refinery',           -- refinery document template
                      'foundry',            -- foundry blueprint template set
                      'planner_extraction', -- work order extraction strategy
                      'planner_work_order', -- work order template
                      'planner_phase'       -- phase template
                  )),
  name            text not null,
  description     text,
  content         jsonb not null,           -- template structure and content
  is_default      boolean not null default false,
  created_by      uuid references factory.users (id) on delete set null,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now()
);

create index idx_templates_org on factory.templates (organization_id, type);
create index idx_templates_project on factory.templates (project_id, type);

-- ---------------------------------------------------------------- planner: phases & work orders

create table factory.phases (
  id              uuid primary key default gen_random_uuid(),
  project_id      uuid not null references factory.projects (id) on delete cascade,
  name            text not null,
  description     text,
  sort_order      integer not null default 0,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now()
);

create index idx_phases_project on factory.phases (project_id);

create table factory.work_orders (
  id              uuid primary key default gen_random_uuid(),
  project_id      uuid not null references factory.projects (id) on delete cascade,
  phase_id        uuid references factory.phases (id) on delete set null,
  feature_id      uuid references factory.features (id) on delete set null,
  title           text not null,
  status          text not null default 'backlog' check (status in (
                      'backlog', 'ready', 'in_progress', 'in_review', 'done'
                  )),
  -- Rich description stored as TipTap JSON
  description     jsonb,
  -- Acceptance criteria (separate for easy extraction)
  acceptance_criteria jsonb,
  -- Out of scope notes
  out_of_scope    jsonb,
  -- Implementation plan (step-by-step, file-level)
  implementation_plan jsonb,
  -- Assignees stored as array of user IDs
  assignee_ids    uuid[] not null default '{}',
  sort_order      integer not null default 0,
  deliverable_type text,                    -- e.g., 'feature', 'bugfix', 'chore'
  created_by      uuid references factory.users (id) on delete set null,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  deleted_at      timestamptz
);

create index idx_work_orders_project on factory.work_orders (project_id) where deleted_at is null;
create index idx_work_orders_phase on factory.work_orders (phase_id) where deleted_at is null;
create index idx_work_orders_status on factory.work_orders (project_id, status) where deleted_at is null;
create index idx_work_orders_feature on factory.work_orders (feature_id) where deleted_at is null;
-- GIN index for assignee array lookups
create index idx_work_orders_assignees on factory.work_orders using gin (assignee_ids) where deleted_at is null;

-- ---------------------------------------------------------------- validator: feedback

create table factory.feedback_items (
  id              uuid primary key default gen_random_uuid(),
  project_id      uuid not null references factory.projects (id) on delete cascade,
  -- Feedback content
  title           text,
  description     text not null,
  category        text check (category in ('bug', 'feature_request', 'performance', 'other')),
  priority_score  real,                     -- AI-assigned priority (0.0 - 1.0)
  status          text not null default 'new' check (status in (
                      'new', 'triaged', 'in_progress', 'resolved', 'dismissed'
                  )),
  -- Enrichment context
  browser_info    jsonb,
  device_info     jsonb,
  session_data    jsonb,
  -- Source tracking
  source_app_key_id uuid references factory.api_keys (id) on delete set null,
  external_user_id  text,                   -- ID from the client's system
  -- Generated issue references
  generated_issue_url text,                 -- GitHub/Jira issue URL
  generated_issue_id  text,
  -- Tags for filtering
  tags            text[] not null default '{}',
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now()
);

create index idx_feedback_project on factory.feedback_items (project_id);
create index idx_feedback_status on factory.feedback_items (project_id, status);
create index idx_feedback_category on factory.feedback_items (project_id, category);
create index idx_feedback_tags on factory.feedback_items using gin (tags);

-- ---------------------------------------------------------------- knowledge graph

-- Nodes represent any entity in the system that participates in the graph.
-- The actual content lives in the domain tables (documents, work_orders, etc.).
-- This table provides the graph overlay.

create table factory.graph_nodes (
  id              uuid primary key default gen_random_uuid(),
  project_id      uuid not null references factory.projects (id) on delete cascade,
  -- Polymorphic reference to the source entity
  entity_type     text not null check (entity_type in (
                      'document',
                      'work_order',
                      'feature',
                      'feedback_item',
                      'artifact',
                      'codebase_file'
                  )),
  entity_id       uuid not null,
  -- Cached metadata for graph traversal without joins
  label           text not null,
  metadata        jsonb not null default '{}',
  -- State tracking for drift detection
  content_hash    text,                     -- hash of content at last sync
  last_synced_at  timestamptz,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  unique (project_id, entity_type, entity_id),
  unique (project_id, id)                          -- added: edges refer to it
);

create index idx_graph_nodes_project on factory.graph_nodes (project_id);
create index idx_graph_nodes_entity on factory.graph_nodes (entity_type, entity_id);

-- Edges represent typed relationships between nodes.

create table factory.graph_edges (
  id              uuid primary key default gen_random_uuid(),
  project_id      uuid not null references factory.projects (id) on delete cascade,
  source_node_id  uuid not null,
  target_node_id  uuid not null,
  edge_type       text not null check (edge_type in (
                      'derives_from',       -- work_order -> blueprint -> requirement
                      'shared_context',     -- foundation -> feature_blueprint
                      'implements',         -- codebase_file -> blueprint
                      'feedback_on',        -- feedback_item -> feature/requirement
                      'parent_of',          -- parent feature -> child feature
                      'references',         -- generic reference link
                      'blocks',             -- work_order -> work_order dependency
                      'related_to'          -- generic related
                  )),
  metadata        jsonb not null default '{}',
  created_at      timestamptz not null default now(),
  unique (source_node_id, target_node_id, edge_type),
  -- Added: both ends are of this project, and differ.
  foreign key (project_id, source_node_id) references factory.graph_nodes (project_id, id) on delete cascade,
  foreign key (project_id, target_node_id) references factory.graph_nodes (project_id, id) on delete cascade,
  check (source_node_id <> target_node_id)
);

create index idx_graph_edges_source on factory.graph_edges (source_node_id);
create index idx_graph_edges_target on factory.graph_edges (target_node_id);
create index idx_graph_edges_project on factory.graph_edges (project_id);
create index idx_graph_edges_type on factory.graph_edges (project_id, edge_type);

-- Drift alerts generated when graph detects inconsistencies
create table factory.drift_alerts (
  id              uuid primary key default gen_random_uuid(),
  project_id      uuid not null references factory.projects (id) on delete cascade,
  source_node_id  uuid not null,
  target_node_id  uuid,
  drift_type      text not null check (drift_type in (
                      'code_drift',          -- code changed, blueprint stale
                      'requirements_drift',  -- PRD updated, blueprint not
                      'foundation_drift',    -- foundation changed, feature blueprint not
                      'work_order_drift'     -- blueprint changed, work orders stale
                  )),
  description     text not null,
  severity        text not null default 'medium' check (severity in ('low', 'medium', 'high')),
  status          text not null default 'open' check (status in ('open', 'acknowledged', 'resolved', 'dismissed')),
  resolved_at     timestamptz,
  resolved_by     uuid references factory.users (id) on delete set null,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  -- Added: as edges.
  foreign key (project_id, source_node_id) references factory.graph_nodes (project_id, id) on delete cascade,
  foreign key (project_id, target_node_id) references factory.graph_nodes (project_id, id) on delete cascade
);
-- Added: one living alert for each of them.
create unique index drift_alerts_live on factory.drift_alerts (source_node_id, target_node_id, drift_type)
  nulls not distinct where status in ('open', 'acknowledged');

create index idx_drift_alerts_project on factory.drift_alerts (project_id, status);
create index idx_drift_alerts_source on factory.drift_alerts (source_node_id);

-- ---------------------------------------------------------------- artifacts (file uploads)

create table factory.artifact_folders (
  id              uuid primary key default gen_random_uuid(),
  project_id      uuid not null references factory.projects (id) on delete cascade,
  parent_id       uuid references factory.artifact_folders (id) on delete cascade,
  name            text not null,
  sort_order      integer not null default 0,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  check (parent_id <> id)                          -- added
);

create index idx_artifact_folders_project on factory.artifact_folders (project_id);

create table factory.artifacts (
  id              uuid primary key default gen_random_uuid(),
  project_id      uuid not null references factory.projects (id) on delete cascade,
  folder_id       uuid references factory.artifact_folders (id) on delete set null,
  name            text not null,
  file_name       text not null,
  mime_type       text not null,
  file_size       bigint not null,          -- bytes
  storage_key     text not null,             -- S3/MinIO object key
  -- Processing state
  processing_status text not null default 'pending' check (processing_status in (
                      'pending', 'processing', 'completed', 'failed'
                  )),
  -- Extracted text content for search/agent context
  extracted_text  text,
  uploaded_by     uuid references factory.users (id) on delete set null,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  deleted_at      timestamptz
);

create index idx_artifacts_project on factory.artifacts (project_id) where deleted_at is null;
create index idx_artifacts_folder on factory.artifacts (folder_id) where deleted_at is null;

-- ---------------------------------------------------------------- codebase connection

create table factory.codebase_connections (
  id              uuid primary key default gen_random_uuid(),
  project_id      uuid not null references factory.projects (id) on delete cascade unique,
  -- GitHub repository info
  github_installation_id bigint not null,
  repository_url  text not null,
  repository_owner text not null,
  repository_name text not null,
  default_branch  text not null default 'main',
  -- Webhook
  webhook_id      bigint,
  webhook_secret  text,
  -- Indexing state
  index_status    text not null default 'pending' check (index_status in (
                      'pending', 'indexing', 'completed', 'failed'
                  )),
  last_indexed_at timestamptz,
  last_indexed_commit text,                -- SHA of last indexed commit
  file_count      integer default 0,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  -- Added:
  target_commit   text,                             -- what the index is to show; raised by deliveries
  target_seen_at  timestamptz,                      -- when that was said
  model_id        smallint references ops.embedding_models (id), -- whose vectors the chunks have
  rules           int,                              -- version of the rules that cut them
  run_id          uuid,                             -- the run that is indexing, or was the last to: a job_runs.id
  heartbeat_at    timestamptz,                      -- of that run
  error           text,                             -- why the last run failed
  suspended_at    timestamptz,                      -- the installation is suspended: no runs
  disabled_at     timestamptz,                      -- the installation is gone: chunks are purged after a grace
  unique (project_id, id)
);

-- Indexed code files with embeddings
create table factory.codebase_files (
  id              uuid primary key default gen_random_uuid(),
  connection_id   uuid not null references factory.codebase_connections (id) on delete cascade,
  file_path       text not null,
  language        text,
  file_hash       text not null,            -- SHA of file content
  last_modified   timestamptz,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  -- Added:
  project_id      uuid not null,
  size_bytes      bigint not null default 0,
  unique (connection_id, file_path),
  foreign key (project_id, connection_id) references factory.codebase_connections (project_id, id) on delete cascade
);

create index idx_codebase_files_conn on factory.codebase_files (connection_id);
create index idx_codebase_files_path on factory.codebase_files (connection_id, file_path);

-- Added: files that are not looked into, each with its reason, so that none is taken for new at each run.
create table factory.codebase_skips (
  connection_id   uuid not null,
  project_id      uuid not null,
  file_path       text not null,
  file_hash       text not null,
  reason          text not null,
  primary key (connection_id, file_path),
  foreign key (project_id, connection_id) references factory.codebase_connections (project_id, id) on delete cascade
);

-- Code chunks: semantic units parsed by tree-sitter, with vector embeddings
create table factory.code_chunks (
  id              uuid primary key default gen_random_uuid(),
  file_id         uuid not null references factory.codebase_files (id) on delete cascade,
  -- Chunk metadata
  chunk_type      text not null,            -- 'function', 'class', 'method', 'import', 'block'
  name            text,                     -- function/class name if applicable
  start_line      integer not null,
  end_line        integer not null,
  content         text not null,            -- raw source code of the chunk
  -- Vector embedding for semantic search
  embedding       vector,                    -- of any dimension; stays empty: the vectors are in code_vectors
  created_at      timestamptz not null default now(),
  -- Added:
  project_id      uuid not null,
  connection_id   uuid not null,
  ordinal         int not null,                     -- place in the file, from 0
  start_byte      int not null,                     -- of the file; the chunks of a file have no gap between them
  symbols         text[] not null default '{}',     -- qualified names of all that is defined in it
  content_hash    bytea not null check (octet_length(content_hash) = 32), -- SHA-256 of the text that was embedded
  symbol_words    text not null default '',         -- the symbols as words
  words           tsvector not null,                -- what it says, identifiers split
  names           tsvector not null,                -- path and symbols (A), what it says (D)
  unique (file_id, ordinal),
  foreign key (project_id, connection_id) references factory.codebase_connections (project_id, id) on delete cascade
);

create function factory.chunk_names(path_words text, symbol_words text, words tsvector) returns tsvector
language sql immutable parallel safe as $$
  select setweight(to_tsvector('english', path_words || ' ' || symbol_words), 'A') || setweight(words, 'D')
$$;

create index idx_code_chunks_file on factory.code_chunks (file_id);
create index code_chunks_connection on factory.code_chunks (connection_id, content_hash);
create index code_chunks_words on factory.code_chunks using gin (words);
create index code_chunks_names on factory.code_chunks using gin (names);

-- Added: the vectors, narrow so that an exact scan of a repository stays in few pages (a row of code_chunks with its
-- vector would be over the 2 KB from which Postgres stores values elsewhere). One row for each text of a repository,
-- however many chunks say it; other repositories copy what they find here under the same hash.
create table factory.code_vectors (
  connection_id   uuid not null,
  project_id      uuid not null,
  model_id        smallint not null references ops.embedding_models (id),
  content_hash    bytea not null check (octet_length(content_hash) = 32),
  vector          halfvec not null,
  engine          text not null,                    -- which engine made it
  written         uuid not null,                    -- MD5 of the vector as text: `verify` sees what was changed since
  primary key (connection_id, model_id, content_hash),
  foreign key (project_id, connection_id) references factory.codebase_connections (project_id, id) on delete cascade
);
create index code_vectors_hash on factory.code_vectors (content_hash, model_id);

-- Added: the HNSW index of one large codebase and model, built or kept; without `wanted`, dropped. Others are searched
-- exactly. The same limits as of a model's: only the service's role may ask for it.
create function factory.index_vectors(connection uuid, model smallint, wanted boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare d int; idx text := format('code_hnsw_%s_%s', replace(connection::text, '-', ''), model); ext text;
begin
  -- Looked for first: even `if not exists` would wait for all writers.
  if (to_regclass(format('factory.%I', idx)) is not null) = wanted then
    return;
  end if;
  if not wanted then
    execute format('drop index if exists factory.%I', idx);
    return;
  end if;
  select dims into strict d from ops.embedding_models where id = model;
  select extnamespace::regnamespace into strict ext from pg_extension where extname = 'vector';
  execute format(
    'create index if not exists %1$I on factory.code_vectors using hnsw ((vector::%2$s.halfvec(%3$s)) %2$s.halfvec_cosine_ops) with (m = 16, ef_construction = 64) where connection_id = %4$L and model_id = %5$s',
    idx, ext, d, connection, model);
end $$;
revoke execute on function factory.index_vectors(uuid, smallint, boolean) from public;

-- ---------------------------------------------------------------- comments & mentions

-- Comments can be attached to any entity (documents, work orders, feedback items)
create table factory.comments (
  id              uuid primary key default gen_random_uuid(),
  project_id      uuid not null references factory.projects (id) on delete cascade,
  -- Polymorphic parent
  parent_type     text not null check (parent_type in (
                      'document', 'work_order', 'feedback_item'
                  )),
  parent_id       uuid not null,
  -- Thread support
  thread_id       uuid references factory.comments (id) on delete cascade,  -- NULL = root comment
  -- Content
  content         jsonb not null,           -- TipTap JSON for rich text
  -- For inline comments (position in document)
  anchor_data     jsonb,                    -- position/selection info in the document
  -- Agent-generated comments (flagged issues, suggestions)
  is_agent        boolean not null default false,
  agent_type      text,                     -- 'review', 'suggestion', 'drift_alert'
  -- Status for flagged comments
  resolved        boolean not null default false,
  resolved_by     uuid references factory.users (id) on delete set null,
  resolved_at     timestamptz,
  created_by      uuid references factory.users (id) on delete set null,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  deleted_at      timestamptz,
  check (thread_id <> id)                          -- added
);

create index idx_comments_parent on factory.comments (parent_type, parent_id) where deleted_at is null;
create index idx_comments_thread on factory.comments (thread_id) where deleted_at is null;
create index idx_comments_project on factory.comments (project_id) where deleted_at is null;

-- Mentions track @user and @artifact references in content
create table factory.mentions (
  id              uuid primary key default gen_random_uuid(),
  -- Where the mention appears
  source_type     text not null check (source_type in (
                      'document', 'work_order', 'comment'
                  )),
  source_id       uuid not null,
  -- What is mentioned
  target_type     text not null check (target_type in ('user', 'artifact', 'document', 'work_order', 'feature')),
  target_id       uuid not null,
  created_at      timestamptz not null default now()
);

create index idx_mentions_source on factory.mentions (source_type, source_id);
create index idx_mentions_target on factory.mentions (target_type, target_id);

-- ---------------------------------------------------------------- activity feed

create table factory.activities (
  id              uuid primary key default gen_random_uuid(),
  project_id      uuid not null references factory.projects (id) on delete cascade,
  -- What entity was affected
  entity_type     text not null,
  entity_id       uuid not null,
  -- What happened
  action          text not null,             -- 'created', 'updated', 'deleted', 'status_changed',
                                            -- 'comment_added', 'version_created', 'drift_detected', etc.
  -- Change details
  changes         jsonb,                    -- {field: {old: ..., new: ...}}
  metadata        jsonb not null default '{}',
  -- Who did it
  actor_id        uuid references factory.users (id) on delete set null,
  actor_type      text not null default 'user' check (actor_type in ('user', 'agent', 'system')),
  created_at      timestamptz not null default now()
);

create index idx_activities_project on factory.activities (project_id, created_at desc);
create index idx_activities_entity on factory.activities (entity_type, entity_id, created_at desc);

-- ---------------------------------------------------------------- agent suggestions

-- Structured edit suggestions from AI agents (diff-based)
create table factory.agent_suggestions (
  id              uuid primary key default gen_random_uuid(),
  project_id      uuid not null references factory.projects (id) on delete cascade,
  document_id     uuid not null references factory.documents (id) on delete cascade,
  -- The agent that generated this
  agent_type      text not null,             -- 'refinery', 'foundry', 'planner', 'validator'
  -- Suggestion content: array of section-level diffs
  diffs           jsonb not null,           -- [{sectionId, oldContent, newContent, explanation}]
  -- Status tracking
  status          text not null default 'pending' check (status in (
                      'pending', 'accepted', 'rejected', 'partially_accepted'
                  )),
  accepted_diffs  uuid[] default '{}',      -- IDs of accepted individual diffs
  rejected_diffs  uuid[] default '{}',      -- IDs of rejected individual diffs
  -- Context used to generate suggestion
  context_summary text,
  -- Conversation reference
  conversation_id uuid,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now()
);

create index idx_suggestions_document on factory.agent_suggestions (document_id);
create index idx_suggestions_status on factory.agent_suggestions (project_id, status);

-- ---------------------------------------------------------------- agent conversations

create table factory.agent_conversations (
  id              uuid primary key default gen_random_uuid(),
  project_id      uuid not null references factory.projects (id) on delete cascade,
  user_id         uuid not null references factory.users (id) on delete cascade,
  agent_type      text not null,             -- 'refinery', 'foundry', 'planner', 'validator'
  -- Context: which entity the conversation is about
  context_type    text,                      -- 'document', 'work_order', etc.
  context_id      uuid,
  title           text,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now()
);

create index idx_conversations_project on factory.agent_conversations (project_id);
create index idx_conversations_user on factory.agent_conversations (user_id);

create table factory.agent_messages (
  id              uuid primary key default gen_random_uuid(),
  conversation_id uuid not null references factory.agent_conversations (id) on delete cascade,
  role            text not null check (role in ('user', 'assistant', 'system')),
  content         text not null,
  -- Tool calls and results
  tool_calls      jsonb,
  -- Attached artifacts/files referenced in this message
  attachments     jsonb,
  -- Token usage tracking
  input_tokens    integer,
  output_tokens   integer,
  model           text,
  created_at      timestamptz not null default now()
);

create index idx_agent_messages_conv on factory.agent_messages (conversation_id, created_at);

-- ---------------------------------------------------------------- notifications

create table factory.notifications (
  id              uuid primary key default gen_random_uuid(),
  user_id         uuid not null references factory.users (id) on delete cascade,
  project_id      uuid references factory.projects (id) on delete cascade,
  type            text not null,             -- 'mention', 'drift_alert', 'comment_reply', 'status_change'
  title           text not null,
  body            text,
  -- Link to the relevant entity
  entity_type     text,
  entity_id       uuid,
  -- Read state
  read_at         timestamptz,
  created_at      timestamptz not null default now()
);

create index idx_notifications_user on factory.notifications (user_id, read_at) where read_at is null;
create index idx_notifications_project on factory.notifications (project_id);

-- ---------------------------------------------------------------- integration configs

create table factory.integration_configs (
  id              uuid primary key default gen_random_uuid(),
  project_id      uuid not null references factory.projects (id) on delete cascade,
  type            text not null check (type in ('slack', 'github_issues', 'jira')),
  config          jsonb not null,           -- encrypted webhook URLs, API tokens, etc.
  enabled         boolean not null default true,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  unique (project_id, type)
);

-- ---------------------------------------------------------------- background jobs metadata

-- BullMQ handles the actual job queue in Redis.
-- This table tracks job metadata for UI display and auditing.
create table factory.job_runs (
  id              uuid primary key default gen_random_uuid(),
  project_id      uuid references factory.projects (id) on delete cascade, -- null: of no project (the seed: not null)
  job_type        text not null,             -- 'codebase_index', 'drift_detection', 'export', 'embedding'
  status          text not null default 'pending' check (status in (
                      'pending', 'running', 'completed', 'failed'
                  )),
  input           jsonb,
  output          jsonb,
  error           text,
  started_at      timestamptz,
  completed_at    timestamptz,
  created_at      timestamptz not null default now()
);

create index idx_job_runs_project on factory.job_runs (project_id, created_at desc);
create index idx_job_runs_status on factory.job_runs (status) where status in ('pending', 'running');

-- ---------------------------------------------------------------- added: updated_at
do $$
declare t text;
begin
  foreach t in array array['organizations', 'users', 'organization_members', 'sessions', 'accounts', 'projects',
    'features', 'documents', 'yjs_documents', 'templates', 'phases', 'work_orders',
    'feedback_items', 'graph_nodes', 'drift_alerts', 'artifact_folders', 'artifacts', 'codebase_connections',
    'codebase_files', 'comments', 'agent_suggestions', 'agent_conversations', 'integration_configs'] loop
    execute format('create trigger touch before update on factory.%I for each row when (old.* is distinct from new.*) execute function factory.touch()', t);
  end loop;
end $$;

-- ---------------------------------------------------------------- added: walls and rights
do $$
declare
  every text := '(select current_setting(''millrace.workspace'', true) = ''*'')';
  t text;
begin
  perform ops.wall('factory.organizations');
  for t in select c.oid::regclass from pg_class c
           where c.relnamespace = 'factory'::regnamespace and c.relkind = 'r' and c.relname <> 'organizations' loop
    execute format('alter table %s enable row level security', t);
    execute format('alter table %s force row level security', t);
    execute format('create policy workspace on %s using (%s or %s)', t, every, case
      when t in ('factory.projects', 'factory.organization_members', 'factory.api_keys')
        then 'organization_id in (select id from factory.organizations)'
      when t = 'factory.templates'
        then 'organization_id in (select id from factory.organizations) or project_id in (select id from factory.projects)'
      when t in ('factory.document_versions', 'factory.yjs_documents', 'factory.yjs_updates')
        then 'document_id in (select id from factory.documents)'
      when t = 'factory.agent_messages' then 'conversation_id in (select id from factory.agent_conversations)'
      -- People, their sessions, and mentions belong to no tenant.
      when t in ('factory.users', 'factory.sessions', 'factory.accounts', 'factory.mentions') then 'false'
      else 'project_id in (select id from factory.projects)'
    end);
  end loop;
end $$;

insert into ops.rights (relation, app, reader) values
  ('factory.organizations',        '{select,insert}', true),
  ('factory.projects',             '{select,insert}', true),
  ('factory.codebase_connections', '{select,insert,update,delete}', false), -- webhook_secret
  ('factory.codebase_files',       '{select,insert,update,delete}', true),
  ('factory.codebase_skips',       '{select,insert,update,delete}', true),
  ('factory.code_chunks',          '{select,insert,update,delete}', true),
  ('factory.code_vectors',         '{select,insert,delete}', true),
  ('factory.job_runs',             '{select,insert,update}', true),
  ('factory.activities',           '{insert}', true);
-- The rest is the applications' own.
insert into ops.rights (relation, app, reader)
select 'factory.' || c.relname, '{}', c.relname not in ('users', 'sessions', 'accounts', 'api_keys', 'integration_configs')
from pg_class c where c.relnamespace = 'factory'::regnamespace and c.relkind = 'r'
on conflict do nothing;
