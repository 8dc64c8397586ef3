-- Gives the roles of roles.sql exactly what ops.rights says, and takes away the rest. `millrace migrate` runs it last;
-- where there are no such roles it does nothing.
do $$
declare r record;
begin
  if not pg_has_role((select nspowner from pg_namespace where nspname = 'ops'), 'usage') then
    return; -- only the owner grants
  end if;
  if to_regrole('millrace_app') is not null then
    grant usage on schema ops, signals, factory, social to millrace_app;
    revoke all on all tables in schema ops, signals, factory, social from millrace_app;
    for r in select relation, array_to_string(app, ', ') as verbs from ops.rights where app <> '{}' loop
      execute format('grant %s on %s to millrace_app', r.verbs, r.relation);
    end loop;
    grant usage on all sequences in schema ops to millrace_app;
    grant execute on function ops.ensure_partitions(int), ops.drop_partitions(text, date), ops.index_embeddings(smallint),
      factory.index_vectors(uuid, smallint, boolean), social.ensure_partitions(int), social.stray_decisions(),
      social.drop_decisions(date, bigint, numeric), social.forget_audit(timestamptz, bigint, numeric, text),
      ops.erase_bodies(text, text[]),
      social.erase(text, text, text[], text[], text[], text[], text[], text[], text[], bigint[], text) to millrace_app;
  end if;
  if to_regrole('millrace_reader') is not null then
    grant usage on schema ops, signals, factory, social to millrace_reader;
    revoke all on all tables in schema ops, signals, factory, social from millrace_reader;
    for r in select relation from ops.rights where reader loop
      execute format('grant select on %s to millrace_reader', r.relation);
    end loop;
  end if;
end $$;
