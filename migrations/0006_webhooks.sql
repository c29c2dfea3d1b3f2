-- What gateways told us: each verified delivery kept once, byte for byte, with what became of
-- it. The bytes are evidence: they can be verified and applied again, and never edited.

create schema webhooks;
grant usage on schema webhooks to mizan_service;

create table webhooks.delivery (
    tenant_id       integer not null references mizan.tenant,
    id              uuid not null,
    connection      text not null
        constraint delivery_connection_bounds check (length(connection) between 1 and 100),
    provider        text not null
        constraint delivery_provider_is_a_name check (provider ~ '^[a-z][a-z0-9_]{0,39}$'),
    -- The gateway's id of the event, or the digest of the bytes where it gives none.
    dedupe_id       text not null
        constraint delivery_dedupe_id_bounds check (length(dedupe_id) between 1 and 255),
    event_type      text
        constraint delivery_event_type_bounds check (length(event_type) between 1 and 255),
    -- The gateway's id of the payment, refund or other thing: how a timeline finds it.
    object_ref      text
        constraint delivery_object_ref_bounds check (length(object_ref) between 1 and 255),
    -- The raw bytes, since a signature covers bytes and not what they mean.
    body            bytea not null
        constraint delivery_body_bounds check (octet_length(body) <= 1048576),
    -- [[name, value], …]: the few headers that a second verification needs, in their order.
    headers         jsonb not null constraint delivery_headers_bounds check (
        case jsonb_typeof(headers)
            when 'array' then jsonb_array_length(headers) <= 16
                and octet_length(headers::text) <= 131072
            else false end),
    -- By the gateway's signature, by our clock, and by the event itself.
    signed_at       timestamptz,
    received_at     timestamptz not null,
    occurred_at     timestamptz,
    state           text not null default 'received' constraint delivery_state_is_known check (
        state in ('received', 'applied', 'ignored', 'stale', 'parked')),
    reason          text
        constraint delivery_reason_bounds check (length(reason) between 1 and 500),
    -- How often somebody tried to apply it.
    attempts        integer not null default 0
        constraint delivery_attempts_are_counted check ((attempts = 0) = (state = 'received')),
    next_attempt_at timestamptz,
    finished_at     timestamptz,
    primary key (tenant_id, id),
    constraint delivery_is_kept_once unique (tenant_id, connection, dedupe_id),
    -- Whatever had no effect says why.
    constraint delivery_reason_matches_state check (
        (reason is not null) = (state in ('ignored', 'stale', 'parked'))),
    constraint delivery_retry_matches_state check (
        (next_attempt_at is not null) = (state = 'parked')),
    constraint delivery_end_matches_state check (
        (finished_at is not null) = (state in ('applied', 'ignored', 'stale')))
) with (fillfactor = 80);
-- No index names `state`: from received to applied no indexed column changes, so the second
-- version of the row stays in its page.
create index delivery_due on webhooks.delivery (tenant_id, next_attempt_at)
    where next_attempt_at is not null;
create index delivery_with_reason on webhooks.delivery (tenant_id, id) where reason is not null;
create index delivery_by_object on webhooks.delivery (tenant_id, object_ref, id)
    where object_ref is not null;
call mizan.isolate_tenants('webhooks.delivery');

create function webhooks.refuse_change() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception 'a delivery is evidence: % of what was received is refused', lower(tg_op)
        using errcode = 'insufficient_privilege', constraint = 'delivery_is_evidence';
end
$$;

create function webhooks.refuse_return() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception 'delivery % is % after % attempts and cannot become % after %',
        old.id, old.state, old.attempts, new.state, new.attempts
        using errcode = 'integrity_constraint_violation', constraint = 'delivery_goes_forward';
end
$$;

-- By column and per statement, so that no update has to read and compare the bytes.
create trigger received_is_kept
    before update of tenant_id, id, connection, provider, dedupe_id, event_type, object_ref,
        body, headers, signed_at, received_at, occurred_at
    on webhooks.delivery
    for each statement execute function webhooks.refuse_change();
create trigger never_removed before delete or truncate on webhooks.delivery
    for each statement execute function webhooks.refuse_change();
-- A finished delivery stays as it is, and each change of the others is one more attempt.
create trigger goes_forward before update on webhooks.delivery
    for each row when (old.finished_at is not null or new.attempts <> old.attempts + 1)
    execute function webhooks.refuse_return();

-- A delivery begins as received: what became of it can only be said afterwards.
grant select on webhooks.delivery to mizan_service;
grant insert (tenant_id, id, connection, provider, dedupe_id, event_type, object_ref, body,
    headers, signed_at, received_at, occurred_at) on webhooks.delivery to mizan_service;
grant update (state, reason, attempts, next_attempt_at, finished_at)
    on webhooks.delivery to mizan_service;
