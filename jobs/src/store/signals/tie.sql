-- $1 ids of parts, $2 their workspaces, $3 sources, $4 the keys of their wholes.
update signals.signals c set parent_id = n.parent_id
from (select k.id, (select p.id from signals.signals p
                    where p.workspace_id = k.workspace_id and p.source = k.source and p.source_ref = k.parent_ref) as parent_id
      from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as k (id, workspace_id, source, parent_ref)) n
where c.id = any (array[n.id]) and n.parent_id <> n.id
