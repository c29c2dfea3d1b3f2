-- Tenants, the service's limited role, and the one rule that keeps tenants apart.
--
-- Every table of every schema carries tenant_id first and the same row-level security
-- policy, so that a forgotten "where" finds nothing rather than somebody else's rows.

create schema mizan;

-- The role the service works as. It owns nothing; each migration grants what it needs.
do $$
begin
    if not exists (select from pg_catalog.pg_roles where rolname = 'mizan_service') then
        create role mizan_service nologin;
    end if;
exception when duplicate_object or unique_violation then
    null; -- another database of the same cluster made it a moment ago
end
$$;
grant mizan_service to current_user;

-- The tenant of this transaction, set by "set local mizan.tenant". No tenant: no rows.
create function mizan.current_tenant() returns integer
    language sql stable parallel safe
    return nullif(pg_catalog.current_setting('mizan.tenant', true), '')::integer;

-- Puts the isolation policy on a table. Called once for each table that has a tenant_id.
create procedure mizan.isolate_tenants(target regclass)
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    execute format('alter table %s enable row level security', target);
    execute format(
        'create policy tenant_isolation on %s using (tenant_id = mizan.current_tenant())'
        || ' with check (tenant_id = mizan.current_tenant())', target);
end
$$;

create table mizan.tenant (
    tenant_id    integer primary key,
    name         text not null constraint tenant_name_bounds check (length(name) between 1 and 100),
    time_zone    text not null default 'Asia/Dubai',
    -- Where the platform itself owes VAT on its commission, and at which rate.
    jurisdiction text not null default 'AE' check (jurisdiction ~ '^[A-Z]{2}$'),
    vat_percent  text not null default '5' check (vat_percent ~ '^[0-9]{1,3}(\.[0-9]{1,6})?$'),
    created_at   timestamptz not null
);
call mizan.isolate_tenants('mizan.tenant');

-- A procedure and functions that only the owner calls.
revoke all on procedure mizan.isolate_tenants(regclass) from public;
grant usage on schema mizan to mizan_service;
grant execute on function mizan.current_tenant() to mizan_service;
grant select on mizan.tenant to mizan_service;
