-- A digest of the rows that are not `tenant`'s, per walled table.
create function public.foreign_rows(tenant text) returns table (name text, digest text) language plpgsql as $$
begin
  for name in select c.oid::regclass::text from pg_class c
              where c.relrowsecurity and not c.relispartition
                and c.relnamespace in ('ops'::regnamespace, 'signals'::regnamespace, 'social'::regnamespace) order by 1 loop
    execute format('select md5(coalesce(string_agg(x::text, '','' order by x::text), '''')) from %s x where %I <> %L',
                   name, case name when 'signals.workspaces' then 'id' else 'workspace_id' end, tenant) into digest;
    return next;
  end loop;
end $$
