-- Who a key is, what it is narrowed to, until when it is good, and when it was last used.

alter table auth.api_key
    add column role text not null default 'admin'
        constraint api_key_role_is_known check (role in
            ('customer', 'vendor', 'affiliate', 'support', 'finance', 'admin', 'super_admin')),
    -- None: all that the role may do.
    add column scopes text[] not null default '{}'
        constraint api_key_scopes_bounds check (cardinality(scopes) <= 40),
    -- Which customer, vendor or affiliate it is.
    add column subject text,
    add column expires_at timestamptz,
    add column last_used_at timestamptz,
    -- The key that this one took the place of.
    add column rolled_from uuid,
    add column created_by text not null default 'command line'
        constraint api_key_maker_bounds check (length(created_by) between 1 and 100),
    add constraint api_key_outsiders_are_named check
        ((role in ('customer', 'vendor', 'affiliate')) = (subject is not null)),
    add constraint api_key_subject_bounds check (length(subject) between 1 and 80);
alter table auth.api_key
    alter column role drop default,
    alter column created_by drop default;

grant update (expires_at, last_used_at) on auth.api_key to mizan_service;

drop function auth.tenants_of_keys(bytea[]);
create function auth.tenants_of_keys(key_digests bytea[])
    returns table (
        n bigint, tenant_id integer, key_id uuid, mode text, ahead_micros bigint,
        role text, scopes text[], subject text, expires_at timestamptz
    )
    language plpgsql stable security definer
    set search_path = pg_catalog, pg_temp
    set enable_seqscan = off
as $$
begin
    return query
    select asked.n, known.tenant_id, known.id, known.mode, coalesce(clock.ahead_micros, 0),
        known.role, known.scopes, known.subject, known.expires_at
    from unnest(key_digests) with ordinality as asked (digest, n)
    cross join lateral (
        select k.tenant_id, k.id, k.mode, k.role, k.scopes, k.subject, k.expires_at
        from auth.api_key k
        where k.digest = asked.digest and k.revoked_at is null
        limit 1
    ) known
    left join finance.test_clock clock on clock.tenant_id = known.tenant_id;
end
$$;
revoke all on function auth.tenants_of_keys(bytea[]) from public;
grant execute on function auth.tenants_of_keys(bytea[]) to mizan_service;
