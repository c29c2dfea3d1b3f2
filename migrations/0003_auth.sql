-- Who may call: API keys. Only a digest is kept, so this table cannot be used to call.

create schema auth;
grant usage on schema auth to mizan_service;

create table auth.api_key (
    tenant_id  integer not null references mizan.tenant,
    id         uuid not null,
    name       text not null constraint api_key_name_bounds check (length(name) between 1 and 100),
    mode       text not null constraint api_key_mode_is_known check (mode in ('test', 'live')),
    -- SHA-256 of the whole key. The key holds 256 random bits, so no slow digest is needed.
    digest     bytea not null constraint api_key_digest_is_sha256 check (length(digest) = 32),
    created_at timestamptz not null,
    revoked_at timestamptz,
    primary key (tenant_id, id),
    constraint api_key_ends_after_it_begins check (revoked_at >= created_at)
);
-- Not led by tenant_id: a key is looked up before its tenant is known.
create unique index api_key_digest_is_unique on auth.api_key (digest);
call mizan.isolate_tenants('auth.api_key');

grant select, insert on auth.api_key to mizan_service;
grant update (revoked_at) on auth.api_key to mizan_service;

-- The one way from a key to its tenant. It answers only to who already holds the key.
create function auth.tenant_of_key(key_digest bytea)
    returns table (tenant_id integer, key_id uuid, mode text)
    language sql stable security definer
    set search_path = pg_catalog, pg_temp
begin atomic
    select k.tenant_id, k.id, k.mode
    from auth.api_key k
    where k.digest = key_digest and k.revoked_at is null;
end;
revoke all on function auth.tenant_of_key(bytea) from public;
grant execute on function auth.tenant_of_key(bytea) to mizan_service;

-- The numbers of all tenants and nothing else of them: jobs go through them one by one.
create function mizan.tenant_ids() returns setof integer
    language sql stable security definer
    set search_path = pg_catalog, pg_temp
begin atomic
    select t.tenant_id from mizan.tenant t order by t.tenant_id;
end;
revoke all on function mizan.tenant_ids() from public;
grant execute on function mizan.tenant_ids() to mizan_service;
