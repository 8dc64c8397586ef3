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
insert into ops.embeddings (model_id, content_hash, vector, engine)
  select 1, content_hash, '[1,2,3]', 'hash' from signals.signals where workspace_id = '{w}';
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
insert into social.authors (id, workspace_id, platform, platform_id, handle, display_name, bio)
  values ('{w}-author', '{w}', 'TWITTER', '{w}~1', '{w}~handle', '{w}~name', '{w}~bio');
insert into social.posts (id, workspace_id, platform, platform_post_id, author_id, content, in_reply_to, content_hash, event_id, trace_id)
  select '{w}-post-' || n, '{w}', 'TWITTER', '{w}_post_' || n, '{w}-author', '{w}~words ' || n, '{w}~ref',
         sha256(convert_to('{w}~words ' || n, 'utf8')), md5('{w} event ' || n)::uuid, '{w}~trace' from generate_series(1, 3) n;
insert into social.post_versions (workspace_id, post_id, content_sha256, content, seen_at)
  values ('{w}', '{w}-post-1', sha256('{w}'), '{w}~before', now());
insert into social.post_opinions (workspace_id, post_id, content_sha256, safety, model)
  values ('{w}', '{w}-post-1', sha256('{w}'), 'B', '{w}~model');
insert into social.post_metric_snapshots (workspace_id, post_id, minute, captured_at, likes)
  values ('{w}', '{w}-post-1', date_trunc('minute', now()), now(), 3);
insert into social.tombstones (workspace_id, platform, kind, platform_id, reason, superseded_by)
  values ('{w}', 'TWITTER', 'post', '{w}_post_3', '{w}~reason', '{w}_post_2'),
         ('{w}', 'TWITTER', 'author', '{w}~gone', '{w}~reason', null);
insert into social.refused_posts (workspace_id, platform, platform_post_id, rule, message, event_id)
  values ('{w}', 'TWITTER', '{w}_refused', '{w}~rule', '{w}~message', md5('{w} event 1')::uuid);
insert into social.funnel (workspace_id, platform, day, stage, count) values ('{w}', 'TWITTER', current_date, 'saved', 3);
insert into social.experiments (id, workspace_id, name, variant_a, variant_b, metric)
  values ('{w}-experiment', '{w}', '{w}~name', '{"x": "{w}~a"}', '{"x": "{w}~b"}', '{w}~metric');
insert into social.decisions (id, workspace_id, post_id, sss_score, ars_score, evs_score, trs_score, composite_score, mode, review_reason)
  values ('{w}-decision', '{w}', '{w}-post-1', 0.5, 0.5, 1, 0.5, 0.5, 'HYBRID', '{w}~why');
insert into social.decision_exposures (workspace_id, decision_id, created_at, eligible_actions, action, propensity, policy_version,
                                       weights_version, features, rng_key)
  values ('{w}', '{w}-decision', now(), '{HYBRID}', 'HYBRID', 1, '{w}~policy', '{w}~weights', '{"x": "{w}~feature"}', 7);
insert into social.replies (id, workspace_id, decision_id, content, platform, platform_post_id, approved_by)
  values ('{w}-reply', '{w}', '{w}-decision', '{w}~a reply', 'TWITTER', '{w}_reply', '{w}~who');
insert into social.competitors (id, workspace_id, name) values ('{w}-competitor', '{w}', '{w}~competitor');
insert into social.competitive_mentions (workspace_id, post_id, competitor_id) values ('{w}', '{w}-post-1', '{w}-competitor');
insert into social.community_champions (workspace_id, author_id) values ('{w}', '{w}-author');
insert into social.learning_runs (workspace_id, run_id, kind, code_version) values ('{w}', '{w}-run', 'weights', '{w}~code');
insert into signals.threshold_versions (workspace_id, name, version, above, promise, approved_by)
  values ('{w}', 'SUGGESTIONS', 1, 0.6, 0.6, '{w}~who');
insert into signals.threshold_locks (workspace_id, name, locked_by) values ('{w}', 'SUGGESTIONS', '{w}~who');
insert into social.keyword_changes (workspace_id, version, term, what, category, share, effective_from, approved_by)
  values ('{w}', 1, '{w}~term', 'ADD', '{w}~category', 0.1, now(), '{w}~who');
insert into social.keyword_locks (workspace_id, term, locked_by) values ('{w}', '{w}~term', '{w}~who');
insert into social.weight_adjustment_logs (workspace_id, action, reason) values ('{w}', 'SKIPPED', '{w}~reason');
insert into social.learning_events (workspace_id, adjustment_type, adjustment, predicted_improvement, baseline_performance)
  values ('{w}', 'WEIGHT', '{"x": "{w}~adjustment"}', 0.1, 0.5);
insert into social.randomized_experiments (workspace_id, decision_id, predicted_mode, actual_mode)
  values ('{w}', '{w}-decision', 'HYBRID', 'HELPFUL');
insert into social.segmented_weights (workspace_id, segment_type, segment_key) values ('{w}', 'GLOBAL', '{w}~key');
insert into social.policies (workspace_id, version, stage_since, state, noise) values ('{w}', '{w}~v', now(), '{}', 1);
insert into social.weight_versions (workspace_id, segment_type, segment_key, version, weights, approved_by)
  values ('{w}', 'GLOBAL', '{w}~key', 1, '{.4,.25,.2,.15}', '{w}~who');
insert into social.experiment_assignments (workspace_id, experiment_id, unit_id, variant, propensity)
  values ('{w}', '{w}-experiment', '{w}~unit', 'a', 0.5);
insert into social.experiment_looks (workspace_id, experiment_id, n, log_e_value) values ('{w}', '{w}-experiment', 10, 0.5);
insert into social.experiment_promotions (workspace_id, experiment_id, version, thresholds, effective_from, approved_by)
  values ('{w}', '{w}-experiment', 1, '{"x": "{w}~threshold"}', now(), '{w}~who');
insert into social.reply_outcomes (workspace_id, reply_id, "window", captured_at, metrics)
  values ('{w}', '{w}-reply', '15m', now(), '{"x": "{w}~metric"}');
insert into social.click_events (workspace_id, external_id, reply_id, occurred_at) values ('{w}', '{w}~click', '{w}-reply', now());
insert into social.order_events (workspace_id, external_id, reply_id, amount, currency, occurred_at)
  values ('{w}', '{w}~order', '{w}-reply', 10, 'USD', now());
insert into social.relationship_events (workspace_id, author_id, reply_id, type, source_event_id, weight, occurred_at)
  values ('{w}', '{w}-author', '{w}-reply', 'thanks', '{w}~event', 0.15, now());
insert into social.alerts (workspace_id, rule, severity, value, threshold, message, raised_at, seen_at)
  values ('{w}', '{w}~rule', 'MEDIUM', 1, 2, '{w}~alert', now(), now());
insert into social.kpi_metrics (workspace_id, date, metric_type, metric_name, value) values ('{w}', current_date, 'LOVE', '{w}~kpi', 1);
insert into social.alerts (workspace_id, rule, severity, value, threshold, message, raised_at, seen_at)
  values ('{w}', '{w}~rule', 'HIGH', 1, 2, '{w}~message', now(), now());
insert into social.escalations (id, workspace_id, post_id, decision_id, reply_id, reason, reason_text)
  values ('{w}-escalation', '{w}', '{w}-post-1', '{w}-decision', '{w}-reply', 'VIRAL_THREAD', '{w}~why');
insert into social.audit_logs (workspace_id, entity_type, entity_id, action, actor)
  values ('{w}', 'reply', '{w}-reply', 'approved', '{w}~who');
insert into social.worker_heartbeats (workspace_id, worker_name) values ('{w}', '{w}~worker');
insert into social.health_checks (workspace_id, name, status) values ('{w}', '{w}~check', 'ok');
insert into social.temporal_config_history (workspace_id, config_type, action, config_id) values ('{w}', 'rule', 'added', '{w}~rule');
insert into social.profile_versions (workspace_id, name, sha256, toml, loaded_by)
  values ('{w}', '{w}~profile', sha256('{w}'), '{w}~toml', '{w}~who');
insert into social.tier_changes (workspace_id, author_id, new_tier, trigger) values ('{w}', '{w}-author', 'SMALL', '{w}~trigger');
insert into social.pending_actions (workspace_id, author_id, action_type, user_tier, expires_at)
  values ('{w}', '{w}-author', '{w}~action', 'SMALL', now());
insert into social.context_snapshots (workspace_id, post_id, context) values ('{w}', '{w}-post-1', '{"x": "{w}~context"}');
insert into social.own_accounts (workspace_id, source_id, platform, karma, since, seen_at, last_error)
  values ('{w}', '{w}-source', 'REDDIT', 7, now(), now(), '{w}~error');
insert into ops.ingest_cursors (workspace_id, source_id, query_hash, platform, kind, query, overlap_s, last_error)
  values ('{w}', '{w}-source', '{w}~hash', 'x', 'search', '{w}~query', 30, '{w}~error');
insert into ops.rate_budgets (workspace_id, credential, bucket, limit_n, remaining, refill_per_s, window_s, reset_at)
  values ('{w}', '{w}~credential', 'search', 10, 5, 0, 60, now());
