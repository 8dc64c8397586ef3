-- A tenant {w} with three authors, of whom a1 and a2 have been answered: r1 and r3 to a1, r2 to a2.
insert into signals.workspaces (id, name) values ('{w}', '{w}') on conflict do nothing;
insert into social.authors (id, workspace_id, platform, platform_id, handle)
  select '{w}-a' || n, '{w}', 'TWITTER', n::text, 'author' || n from generate_series(1, 3) n;
insert into social.posts (id, workspace_id, platform, platform_post_id, author_id, content, posted_at)
  select '{w}-p' || n, '{w}', 'TWITTER', '10' || n, '{w}-a' || (case n when 2 then 2 else 1 end), 'words', '2026-01-10 12:00+00'
  from generate_series(1, 3) n;
insert into social.decisions (id, workspace_id, post_id, sss_score, ars_score, evs_score, trs_score, composite_score, mode)
  select '{w}-d' || n, '{w}', '{w}-p' || n, 0.9, 0.5, 1, 0.9, 0.7, 'HELPFUL' from generate_series(1, 3) n;
insert into social.replies (id, workspace_id, decision_id, content, platform, platform_post_id, utm_code, posted_at)
  select '{w}-r' || n, '{w}', '{w}-d' || n, 'a helpful answer', 'TWITTER', '20' || n, 'u' || n, '2026-01-10 12:30+00'
  from generate_series(1, 3) n;
