-- What `mizan verify` has proved, so that the next proof can begin where the last one ended and
-- still notice when something before that place has changed or gone.
--
-- Whoever owns the database can rewrite these rows as well. They catch the change of one thing
-- that is not followed through everywhere; a seal that is kept elsewhere catches the rest.

create schema proof;
grant usage on schema proof to mizan_service;

-- One row for each proof that found every law kept.
create table proof.mark (
    tenant_id      integer not null references mizan.tenant,
    number         bigint not null check (number > 0),
    mode           text not null constraint mark_mode_is_known check (mode in ('full', 'incremental')),
    -- The last journal number and the last outbox number that were proved.
    position       bigint not null check (position >= 0),
    event_position bigint not null check (event_position >= 0),
    -- The newest recorded_at of the journal then.
    recorded_at    timestamptz not null,
    proved_at      timestamptz not null,
    primary key (tenant_id, number)
);
call mizan.isolate_tenants('proof.mark');

-- What at most a thousand consecutive transactions with their entries were: the digest decides
-- whether one has changed, four bytes of each one's own digest say which.
create table proof.block (
    tenant_id      integer not null,
    first_position bigint not null check (first_position > 0),
    last_position  bigint not null,
    mark           bigint not null,
    digest         bytea not null constraint block_digest_is_sha256 check (length(digest) = 32),
    leaves         bytea not null,
    primary key (tenant_id, first_position),
    constraint block_is_of_a_mark foreign key (tenant_id, mark) references proof.mark,
    constraint block_has_a_leaf_for_each check (
        last_position between first_position and first_position + 999
        and length(leaves) = 4 * (last_position - first_position + 1))
);
call mizan.isolate_tenants('proof.block');

-- What each account came to at the newest mark.
create table proof.head (
    tenant_id  integer not null,
    account_id bigint not null,
    version    bigint not null,
    debits     numeric not null,
    credits    numeric not null,
    primary key (tenant_id, account_id)
) with (fillfactor = 80);
call mizan.isolate_tenants('proof.head');

create trigger append_only before update or delete or truncate on proof.mark
    for each statement execute function ledger.refuse_change();
create trigger append_only before update or delete or truncate on proof.block
    for each statement execute function ledger.refuse_change();
create trigger never_removed before delete or truncate on proof.head
    for each statement execute function ledger.refuse_change();

grant select, insert on proof.mark, proof.block, proof.head to mizan_service;
grant update (version, debits, credits) on proof.head to mizan_service;
