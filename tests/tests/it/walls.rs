//! What the wall between tenants is made of. That it stands: the scenario `walls`.

use millrace_tests::Pg;

/// A table that a later migration adds is either behind the wall or named here, with the reason.
#[tokio::test]
async fn every_table_is_walled_or_no_tenants() {
    const NO_TENANTS: &[&str] = &[
        "ops.embedding_models", // models
        "ops.embeddings",       // shared by equal text; reached by its hash only
        "ops.leases",           // leader election
        "ops.migrations",
        "ops.rights",
        "ops.schedule_ticks",
        "ops.workers",   // processes
        "signals.users", // people, who may belong to several workspaces
        // Reference data.
        "social.archetypes",
        "social.champion_tiers",
        "social.competitor_categories",
        "social.escalation_reasons",
        "social.kpi_types",
        "social.power_tiers",
    ];
    let db = Pg::database().await;
    let open: Vec<String> = sqlx::query_scalar(
        "select c.oid::regclass::text from pg_class c
         where c.relnamespace in ('ops'::regnamespace, 'signals'::regnamespace, 'social'::regnamespace) and c.relkind in ('r', 'p')
           and not (c.relrowsecurity and c.relforcerowsecurity
                    and exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'workspace'))
         order by 1",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap();
    assert_eq!(open, NO_TENANTS);
    let own_rights: Vec<String> = sqlx::query_scalar(
        "select c.oid::regclass::text from pg_class c
         where c.relnamespace in ('ops'::regnamespace, 'signals'::regnamespace, 'social'::regnamespace) and c.relkind = 'v'
           and not coalesce(c.reloptions::text like '%security_invoker=true%', false)",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap();
    assert!(own_rights.is_empty(), "views that see what their owner sees: {own_rights:?}");
    let unfixed: Vec<String> = sqlx::query_scalar(
        "select p.oid::regprocedure::text from pg_proc p
         where p.pronamespace in ('ops'::regnamespace, 'signals'::regnamespace, 'social'::regnamespace) and p.prosecdef
           and (p.proconfig is null or not exists (select from unnest(p.proconfig) c where c like 'search_path=pg_catalog%')
                or has_function_privilege('public', p.oid, 'execute'))",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap();
    assert!(unfixed.is_empty(), "functions that run as the owner, for anybody: {unfixed:?}");
}
