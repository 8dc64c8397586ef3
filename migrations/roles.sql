-- Roles for Millrace. `millrace roles | psql DATABASE` as an administrator (a superuser, or one with CREATEROLE who owns
-- the database); as often as you like. Then give each a password (`\password millrace_app`), run `millrace migrate` as
-- millrace_owner and everything else as millrace_app.
--   millrace_owner   owns the schemas ops, signals, factory and social: migrations
--   millrace_app     the service: rows of the tables it works on, as ops.rights lists them; no DDL, no ownership
--   millrace_reader  people and dashboards: reads, but no secrets and no raw deliveries
-- A role of another name works as member: `grant millrace_app to your_role`.
do $$
declare it record;
begin
  for it in select name from unnest(array['millrace_owner', 'millrace_app', 'millrace_reader']) name loop
    if to_regrole(it.name) is null then
      execute format('create role %I login', it.name);
    end if;
    execute format('grant connect on database %I to %I', current_database(), it.name);
  end loop;
  execute format('grant create on database %I to millrace_owner', current_database());
  if (select rolconfig is null from pg_roles where rolname = 'millrace_reader') then
    alter role millrace_reader set default_transaction_read_only = on;
    -- A reader of one workspace is another role, with its id here. It can set something else: this saves typing.
    begin
      alter role millrace_reader set millrace.workspace = '*';
    exception when insufficient_privilege then
      raise notice 'millrace_reader sees nothing until it says: set millrace.workspace = ''*''';
    end;
  end if;
  -- Who changes ownership must be a member of the new owner.
  if not (select rolsuper from pg_roles where rolname = current_user) then
    execute format('grant millrace_owner to %I', current_user);
  end if;

  -- An installation that ran as one role so far changes hands.
  for it in select format('alter schema %I owner to millrace_owner', nspname) as change
            from pg_namespace where nspname in ('ops', 'signals', 'factory', 'social')
            union all
            select format('alter %s %I.%I owner to millrace_owner',
                          case c.relkind when 'v' then 'view' when 'S' then 'sequence' else 'table' end,
                          n.nspname, c.relname)
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname in ('ops', 'signals', 'factory', 'social') and c.relkind in ('r', 'p', 'v', 'S')
              -- The sequence of a column follows its table.
              and not exists (select from pg_depend d where d.objid = c.oid and d.classid = 'pg_class'::regclass
                              and d.deptype in ('a', 'i') and c.relkind = 'S')
            union all
            select format('alter routine %s owner to millrace_owner', p.oid::regprocedure)
            from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname in ('ops', 'signals', 'factory', 'social') loop
    execute it.change;
  end loop;
end $$;

-- The extension is the administrator's: migrations find it there.
create extension if not exists vector;
