-- Before migrations: a schema for their list, and nothing left of a killed `create index concurrently`, which
-- `if not exists` would take for a whole index.
do $$
declare half regclass;
begin
  -- Without `if not exists`, which asks for the right to create before it looks.
  if to_regnamespace('ops') is null then
    create schema ops;
  end if;
  for half in select i.indexrelid::regclass from pg_index i
              join pg_class c on c.oid = i.indexrelid and c.relkind = 'i'
              join pg_namespace n on n.oid = c.relnamespace and n.nspname in ('ops', 'signals', 'factory', 'social')
              where not i.indisvalid
                and not exists (select from pg_stat_progress_create_index p where p.index_relid = i.indexrelid) loop
    execute format('drop index %s', half);
  end loop;
end $$
