//! Judges the two promises: every 2xx is an obligation, every effect may be there once.

use std::collections::HashMap;

use sqlx::PgPool;
use uuid::Uuid;

/// What was promised, by the name of what was delivered.
#[derive(Debug, Default)]
pub struct Oracle {
    promised: HashMap<String, Uuid>,
    /// A second 2xx of one delivery that named another event.
    contradictions: Vec<String>,
}

/// What was found; every list is empty if the promises were kept.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Deliveries that got a 2xx.
    pub promised: usize,
    /// Promised, but there is no event row.
    pub lost: Vec<Uuid>,
    /// Two answers named two events for one delivery.
    pub contradictions: Vec<String>,
    /// More event rows than deliveries that can have made them.
    pub doubled_events: i64,
    /// Events without exactly one signal, or signals whose effects are not there exactly once.
    pub effects: Vec<String>,
    /// Events not read, signals not processed, jobs that live or died.
    pub unfinished: Vec<String>,
}

impl Verdict {
    /// Whether both promises were kept and everything is done.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let Self { lost, contradictions, doubled_events, effects, unfinished, .. } = self;
        lost.is_empty()
            && contradictions.is_empty()
            && *doubled_events == 0
            && effects.is_empty()
            && unfinished.is_empty()
    }
}

impl Oracle {
    /// `delivery` was answered 2xx with this event.
    pub fn promised(&mut self, delivery: &str, event: Uuid) {
        let first = *self.promised.entry(delivery.to_owned()).or_insert(event);
        if first != event {
            self.contradictions.push(format!("{delivery}: {first} and {event}"));
        }
    }

    /// How many deliveries are promised.
    #[must_use]
    pub fn promised_so_far(&self) -> usize {
        self.promised.len()
    }

    /// Look at everything that is stored. `deliveries` is how many different ones were sent at all, answered or not.
    pub async fn judge(&self, pool: &PgPool, deliveries: usize) -> Verdict {
        let promised: Vec<Uuid> = self.promised.values().copied().collect();
        let lost = sqlx::query_scalar(
            "select p from unnest($1::uuid[]) p where not exists (select from ops.events e where e.id = p)",
        )
        .bind(&promised)
        .fetch_all(pool)
        .await
        .unwrap();
        // Pages of platforms were fetched, and promised to nobody.
        let events = one(
            pool,
            "select count(*) from ops.events where event_type is null or event_type not like 'page.%'",
        )
        .await;
        Verdict {
            promised: promised.len(),
            lost,
            contradictions: self.contradictions.clone(),
            doubled_events: (events - i64::try_from(deliveries).unwrap()).max(0),
            effects: effects(pool).await,
            unfinished: unfinished(pool).await,
        }
    }
}

/// Rows of work that is not done yet, by what they are; nothing when all is done.
pub async fn unfinished(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "select format('%s %s', count(*), what) from (
           select 'events ' || state as what from ops.events where state <> 'normalized'
           union all select 'signals not processed' from signals.signals
           where processed_at is null and deleted_at is null
           union all
           select format('%s jobs %s, attempt %s, leased by %s: %s', kind, state, attempt, leased_by, last_error)
           from ops.jobs
           union all select format('%s dead letters (%s)', kind, reason) from ops.dead_letters
           where replayed_at is null
           union all select format('codebases %s', index_status) from factory.codebase_connections
           where index_status not in ('pending', 'completed')
         ) open group by what order by what",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

/// All that the work has left, without ids and times: two runs of the same work are to leave the same.
pub async fn state(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "with line as (
           select format('event: %s, %s records, %s bodies', e.state, e.records,
                         (select count(*) from ops.event_bodies b where b.event_id = e.id)) as text
           from ops.events e
           union all
           select format('signal %s: %L, %s %s %s %L, %s', source_ref, verbatim, severity, frequency, user_segment,
                         interpretation, case when deleted_at is null then status else 'deleted' end)
           from signals.signals
           union all
           select format('version of %s: %s, %L', s.source_ref, v.change, v.verbatim)
           from signals.signal_versions v join signals.signals s on s.id = v.signal_id
           union all
           select format('link of %s to %s, %s', s.source_ref, p.name, l.origin)
           from signals.signal_projects l join signals.signals s on s.id = l.signal_id
           join signals.projects p on p.id = l.project_id
           union all
           select format('persona of %s: %s', s.source_ref, p.persona_id) from signals.signal_personas p join signals.signals s on s.id = p.signal_id
           union all
           select format('log of %s: %s', s.source_ref, l.action) from signals.activity_logs l join signals.signals s on s.id = l.target_id
           union all
           select format('vector of %s', s.source_ref)
           from signals.signals s join signals.signal_embeddings v on v.signal_id = s.id
           union all
           select format('tick of %s, with a job: %s', schedule, job_id is not null) from ops.schedule_ticks
           union all
           select format('dead letter: %s, %s, replayed: %s', kind, reason, replayed_at is not null) from ops.dead_letters
           union all
           select format('codebase %s: %s at %s, %s files, said %s times', p.slug, c.index_status,
                         c.last_indexed_commit, c.file_count,
                         (select count(*) from factory.activities a where a.entity_id = c.id))
           from factory.codebase_connections c join factory.projects p on p.id = c.project_id
           union all
           select format('file %s: %s %s', file_path, language, file_hash) from factory.codebase_files
           union all
           select format('file %s skipped: %s', file_path, reason) from factory.codebase_skips
           union all
           select format('chunk %s of %s: %s %s, %s to %s, %s, vectors: %s', c.ordinal, f.file_path, c.chunk_type, c.name,
                         c.start_line, c.end_line, md5(c.content || c.words || c.names),
                         (select count(*) from factory.code_vectors v
                          where v.connection_id = c.connection_id and v.content_hash = c.content_hash))
           from factory.code_chunks c join factory.codebase_files f on f.id = c.file_id
           union all
           select format('%s vectors', count(*)) from factory.code_vectors
           union all
           select format('post %s: %L, decided: %s, %s decisions, %s exposures', p.platform_post_id, p.content,
                         p.processed_at is not null,
                         (select count(*) from social.decisions d where d.post_id = p.id),
                         (select count(*) from social.decisions d join social.decision_exposures e on e.decision_id = d.id
                          where d.post_id = p.id))
           from social.posts p
           union all
           select format('%s learned: %s, logged %s times', r.workspace_id, count(*) > 0, count(distinct l.id) - count(distinct r.run_id))
           from social.learning_runs r join social.weight_adjustment_logs l on l.run_id = r.run_id group by r.workspace_id
           union all
           select format('experiment %s: %s, %s, %s looks, promoted: %s, told %s times', e.name, e.status, e.winner,
                         (select count(*) from social.experiment_looks l where l.experiment_id = e.id),
                         (select count(*) from social.experiment_promotions p where p.experiment_id = e.id),
                         (select count(*) from social.audit_logs l where l.entity_id = e.id))
           from social.experiments e
           union all
           select format('partition %s', inhrelid::regclass) from pg_inherits
           where inhparent in ('ops.event_bodies'::regclass, 'ops.job_history'::regclass)
         ) select text from line order by text",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

/// Events that are stored.
pub async fn events(pool: &PgPool) -> i64 {
    one(pool, "select count(*) from ops.events").await
}

/// Age of the oldest job that could run, seconds.
pub async fn oldest_ready_s(pool: &PgPool) -> f64 {
    let age = sqlx::query_scalar(
        "select coalesce(extract(epoch from now() - min(run_at)), 0)::float8 from ops.jobs where state = 'ready'",
    );
    age.fetch_one(pool).await.unwrap()
}

/// Jobs that have not ended.
pub async fn jobs(pool: &PgPool) -> i64 {
    one(pool, "select count(*) from ops.jobs").await
}

async fn one(pool: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}

/// One signal per event that brings some, and each thing that is written per signal written once.
async fn effects(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "select format('event %s became %s signals', e.id, count(v.signal_id))
         from ops.events e join ops.sources o on o.id = e.source_id and o.kind not in ('github', 'reddit', 'threads', 'x')
         left join signals.signal_versions v on v.event_id = e.id
         where e.state = 'normalized' group by e.id having count(v.signal_id) <> 1
         union all
         select format('signal %s has %s versions of %s events', signal_id, count(*), count(distinct event_id))
         from signals.signal_versions group by signal_id having count(*) <> count(distinct event_id)
         union all
         select format('%s of %s is logged %s times', action, target_id, count(*))
         from signals.activity_logs group by action, target_id having count(*) <> 1
         union all
         select format('job %s ended %s times', id, count(*)) from ops.job_history group by id having count(*) <> 1
         union all
         select format('signal %s lost the trace of event %s', s.id, e.id)
         from signals.signals s left join ops.events e on e.id = s.event_id
         where s.trace_id is distinct from e.trace_id
         union all
         select format('job %s has no trace of an event', h.id) from ops.job_history h
         where h.kind = 'normalize' and not exists (select from ops.events e where e.trace_id = h.trace_id)
         limit 20",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}
