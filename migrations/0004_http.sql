-- Answers already given, so that a repeated request changes nothing and hears the same again.

create schema http;
grant usage on schema http to mizan_service;

-- Kept as long as what they made: a key that is forgotten would charge twice.
create table http.idempotency (
    tenant_id    integer not null references mizan.tenant,
    key          text not null
        constraint idempotency_key_is_visible_ascii check (key ~ '^[\x21-\x7e]{1,255}$'),
    -- SHA-256 of method, path and the body's bytes: another request under the same key is a
    -- mistake of the caller, and gets told so.
    fingerprint  bytea not null
        constraint idempotency_fingerprint_is_sha256 check (length(fingerprint) = 32),
    state        text not null
        constraint idempotency_state_is_known check (state in ('running', 'done')),
    -- What answers in place of a stored answer while a gateway has not.
    operation_id uuid,
    status       smallint constraint idempotency_status_is_final check (status between 200 and 499),
    -- The exact bytes: the repeated answer must not differ in so much as a space.
    body         bytea,
    created_at   timestamptz not null,
    finished_at  timestamptz,
    primary key (tenant_id, key),
    constraint idempotency_done_has_an_answer check (
        (state = 'done') = (status is not null and body is not null and finished_at is not null))
);
call mizan.isolate_tenants('http.idempotency');

grant select, insert on http.idempotency to mizan_service;
grant update (state, operation_id, status, body, finished_at) on http.idempotency to mizan_service;

-- For the readiness check: whether the schema is the one that the program was built for.
grant select on public._sqlx_migrations to mizan_service;
