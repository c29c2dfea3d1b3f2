-- Who changed what: a row for each command, in the transaction that obeyed it, never changed.

create schema audit;
grant usage on schema audit to mizan_service;

create table audit.entry (
    tenant_id       integer not null references mizan.tenant,
    id              uuid not null,
    at              timestamptz not null,
    -- `key_…`, or `command line`.
    actor           text not null constraint audit_actor_bounds check (length(actor) between 1 and 100),
    role            text constraint audit_role_bounds check (length(role) between 1 and 40),
    -- The route, such as `POST /v1/payouts/{id}/approve`, or the command.
    action          text not null constraint audit_action_bounds check (length(action) between 1 and 200),
    -- What it was about: an id of ours, or a path's own name.
    object          text constraint audit_object_bounds check (length(object) between 1 and 200),
    -- How it was answered; none while a gateway has not.
    status          smallint,
    request_id      uuid,
    -- What was answered stands under this key.
    idempotency_key text,
    -- What it was before; none where something is new.
    before          jsonb,
    -- What it is then; none where that stands under the key.
    after           jsonb,
    primary key (tenant_id, id)
);
create index audit_of_object on audit.entry (tenant_id, object, id) where object is not null;
create index audit_of_actor on audit.entry (tenant_id, actor, id);
call mizan.isolate_tenants('audit.entry');
grant select, insert on audit.entry to mizan_service;

create function audit.refuse_change() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception 'audit rows are never changed or removed'
        using errcode = 'insufficient_privilege', constraint = 'audit_is_append_only';
end
$$;
create trigger append_only before update or delete or truncate on audit.entry
    for each statement execute function audit.refuse_change();
