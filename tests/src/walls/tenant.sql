-- A tenant with a row or two in every table. {w} is its name; what must not be seen by others says '{w}~'.
insert into signals.workspaces (id, name, settings) values ('{w}', '{w}~name', '{"secret": "{w}~settings"}');
insert into signals.users (id, name) values ('{w}-user', 'shared') on conflict do nothing;
insert into ops.sources (id, workspace_id, kind, name, path_id, scheme, external_id, options)
  values ('{w}-source', '{w}', 'webhook', '{w}~source', '{w}~path', 'standard', '{w}~account', '{"x": "{w}~option"}');
insert into ops.source_secrets (id, workspace_id, source_id, sealed, key_id)
  values ('{w}-secret', '{w}', '{w}-source', '{w}~sealed', '{w}~key');
insert into ops.api_keys (id, workspace_id, source_id, name, prefix, hash, scopes)
  values ('{w}-key', '{w}', '{w}-source', '{w}~key', '{w}~', sha256('{w}'), '{read,write}'),
         ('{w}-old', '{w}', null, '{w}~old', '{w}~', sha256('{w} old'), '{read}');
insert into ops.events (id, workspace_id, source_id, delivery_key, event_type, body_bytes, state, reason, trace_id)
  select md5('{w} event ' || n)::uuid, '{w}', '{w}-source', sha256(convert_to('{w} event ' || n, 'utf8')), '{w}~type', 10,
         (array['stored', 'normalized', 'ignored', 'quarantined'])[n], '{w}~reason', '{w}~trace' from generate_series(1, 4) n;
insert into ops.event_bodies (event_id, workspace_id, received_at, headers, body)
  select id, '{w}', received_at, '{"h": "{w}~header"}', '{w}~body' from ops.events where workspace_id = '{w}';
insert into ops.quarantine (event_id, workspace_id, source_id, reason, detail)
  values (md5('{w} event 4')::uuid, '{w}', '{w}-source', '{w}~reason', '{w}~detail');
insert into ops.delivery_counts (workspace_id, source_id, outcome, reason, hour, count)
  values ('{w}', '{w}-source', 'refused', '{w}~reason', date_trunc('hour', now()), 7);
insert into ops.jobs (workspace_id, kind, attempts_max, unique_key, payload, state, run_at, last_error, trace_id)
  values ('{w}', 'normalize', 3, '{w}~1', '{"x": "{w}~payload"}', 'ready', now(), '{w}~error', '{w}~trace'),
         ('{w}', 'normalize', 3, '{w}~2', '{"x": "{w}~payload"}', 'scheduled', now(), '{w}~error', '{w}~trace');
insert into ops.jobs (workspace_id, kind, attempts_max, payload, state, attempt, leased_by, lease_until, last_error)
  values ('{w}', 'normalize', 3, '{"x": "{w}~payload"}', 'running', 1, '{w}~worker', now() - interval '1 minute', '{w}~error');
insert into ops.job_history (id, workspace_id, kind, outcome, attempt, crashes, error, created_at)
  values (900, '{w}', 'normalize', 'dead', 1, 0, '{w}~error', now());
insert into ops.dead_letters (job_id, workspace_id, kind, source_id, payload, priority, attempts_max, reason, error, attempt, crashes, created_at)
  values (900, '{w}', 'normalize', '{w}-source', '{"x": "{w}~payload"}', 2, 3, 'permanent', '{w}~error', 3, 0, now());
insert into ops.queue_limits (workspace_id, kind, running_max) values ('{w}', 'normalize', 3);
insert into ops.queue_pauses (workspace_id, kind, reason) values ('{w}', 'other', '{w}~why');
insert into ops.endpoint_calls (workspace_id, day, calls) values ('{w}', current_date, 3);
insert into ops.audit (workspace_id, actor, action, target) values ('{w}', '{w}~actor', 'source.add', '{w}~target');
insert into signals.projects (id, workspace_id, name, description)
  values ('{w}-project', '{w}', '{w}~project', '{w}~about'), ('{w}-other', '{w}', '{w}~other', null);
insert into signals.inbox_items (id, workspace_id, type, source, source_ref, title, raw_content, event_id)
  values ('{w}-item', '{w}', 'feedback', 'webhook', '{w}~ref', '{w}~title', '{w}~raw', md5('{w} event 2')::uuid);
insert into signals.activity_logs (workspace_id, action, target_type, target_id) values ('{w}', 'x', 'signal', '{w}~target');
insert into signals.notifications (workspace_id, type, title) values ('{w}', 'x', '{w}~title');
insert into signals.signals (id, workspace_id, verbatim, interpretation, source, source_ref, source_metadata, classification,
                             ai_classification, tags, source_id, event_id, trace_id, content_hash, processed_at)
  select '{w}-signal-' || n, '{w}', '{w}~words ' || n, '{w}~meaning', 'webhook', '{w}~ref ' || n, '{"m": "{w}~meta"}',
         '{"projectId": "{w}-project", "x": "{w}~class"}',
         '{"projectMatches": [{"projectId": "{w}-other", "confidence": 0.9, "matchReason": "{w}~match"}]}', '["{w}~tag"]',
         '{w}-source', md5('{w} event ' || n)::uuid, '{w}~trace', sha256(convert_to('{w}~words ' || n, 'utf8')),
         case when n < 3 then now() at time zone 'utc' end
  from generate_series(1, 3) n;
update signals.signals set duplicate_of = '{w}-signal-1', duplicate_kind = 'near', duplicate_score = 0.9, parent_id = '{w}-signal-1'
  where id = '{w}-signal-2';
insert into ops.embeddings (model_id, content_hash, vector)
  select 1, content_hash, '[1,2,3]' from signals.signals where workspace_id = '{w}';
insert into signals.signal_versions (workspace_id, signal_id, version, change, verbatim, event_id)
  select '{w}', id, 1, 'created', '{w}~words', event_id from signals.signals where workspace_id = '{w}';
insert into signals.signal_projects (signal_id, project_id, link_reason, confidence)
  values ('{w}-signal-1', '{w}-project', '{w}~reason', 0.5);
insert into signals.signal_personas (signal_id, persona_id) values ('{w}-signal-1', '{w}~persona');
insert into signals.suggestion_feedback (workspace_id, signal_id, project_id, verdict, actor)
  values ('{w}', '{w}-signal-3', '{w}-project', 'dismissed', '{w}~actor');
insert into signals.clusters (id, workspace_id, theme) values ('{w}-cluster', '{w}', '{w}~theme');
insert into signals.cluster_members (cluster_id, workspace_id, signal_id) values ('{w}-cluster', '{w}', '{w}-signal-1');
insert into signals.automation_actions (workspace_id, cluster_id, action_type) values ('{w}', '{w}-cluster', 'notification_sent');
