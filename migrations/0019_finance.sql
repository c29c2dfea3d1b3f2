-- What finance does by hand: journals by two people, settlements and remittances, rates of
-- exchange and revaluations; and the test clocks of tenants that play.

create schema finance;
grant usage on schema finance to mizan_service;

-- A manual journal: drafted by one, posted or rejected by another, and never changed.
create table finance.journal (
    tenant_id     integer not null references mizan.tenant,
    id            uuid not null,
    kind          text not null
        check (kind in ('correction', 'opening', 'import', 'remittance', 'other')),
    state         text not null check (state in ('draft', 'posted', 'rejected')),
    reason        text not null check (length(reason) between 1 and 500),
    effective_at  timestamptz not null,
    -- The transaction that it puts right.
    corrects      uuid,
    entry_count   integer not null check (entry_count between 2 and 10000),
    created_at    timestamptz not null,
    created_by    text not null check (length(created_by) between 1 and 100),
    decided_at    timestamptz,
    decided_by    text check (length(decided_by) between 1 and 100),
    -- Why it was rejected.
    decision      text check (length(decision) between 1 and 500),
    -- What it was posted as: one, or several for a book carried over.
    transactions  uuid[] not null default '{}',
    primary key (tenant_id, id),
    -- The application checks the keys; the database is the second lock on the door.
    constraint journal_takes_two check (decided_by <> created_by),
    constraint journal_end_matches_state check (
        (state = 'draft') = (decided_at is null)
        and (decided_at is null) = (decided_by is null)
        and (state = 'rejected') = (decision is not null)
        and (state = 'posted') = (cardinality(transactions) > 0)
    )
);
call mizan.isolate_tenants('finance.journal');
grant select, insert on finance.journal to mizan_service;
grant update (state, decided_at, decided_by, decision, transactions)
    on finance.journal to mizan_service;

create table finance.journal_entry (
    tenant_id  integer not null,
    journal_id uuid not null,
    n          integer not null check (n between 1 and 10000),
    account    text not null check (length(account) between 1 and 300),
    side       text not null check (side in ('debit', 'credit')),
    amount     bigint not null check (amount > 0),
    currency   char(3) not null,
    primary key (tenant_id, journal_id, n),
    foreign key (tenant_id, journal_id) references finance.journal
);
call mizan.isolate_tenants('finance.journal_entry');
grant select, insert on finance.journal_entry to mizan_service;

-- What a person says a gateway paid out. A reference is reported once and received once; one
-- that went straight into the bank is both.
create table finance.settlement (
    tenant_id      integer not null references mizan.tenant,
    id             uuid not null,
    provider       text not null check (length(provider) between 1 and 80),
    stage          text not null check (stage in ('reported', 'received', 'direct')),
    currency       char(3) not null,
    amount         bigint not null check (amount > 0),
    bank           text check (length(bank) between 1 and 80),
    received       bigint,
    reference      text check (length(reference) between 1 and 100),
    occurred_at    timestamptz not null,
    created_at     timestamptz not null,
    created_by     text not null,
    transaction_id uuid not null,
    primary key (tenant_id, id),
    constraint settlement_names_its_bank check ((stage = 'reported') = (bank is null)),
    constraint settlement_received_is_a_part
        check ((stage = 'reported') = (received is null) and received between 0 and amount)
);
call mizan.isolate_tenants('finance.settlement');
create unique index settlement_is_reported_once on finance.settlement
    (tenant_id, provider, reference) where stage in ('reported', 'direct');
create unique index settlement_is_received_once on finance.settlement
    (tenant_id, provider, reference) where stage in ('received', 'direct');
grant select, insert on finance.settlement to mizan_service;

-- A tax or another liability paid from a bank.
create table finance.remittance (
    tenant_id      integer not null references mizan.tenant,
    id             uuid not null,
    account        text not null check (length(account) between 1 and 300),
    bank           text not null check (length(bank) between 1 and 80),
    currency       char(3) not null,
    amount         bigint not null check (amount > 0),
    reference      text check (length(reference) between 1 and 100),
    occurred_at    timestamptz not null,
    created_at     timestamptz not null,
    created_by     text not null,
    transaction_id uuid not null,
    primary key (tenant_id, id)
);
call mizan.isolate_tenants('finance.remittance');
create unique index remittance_reference_is_its_own on finance.remittance
    (tenant_id, account, reference);
grant select, insert on finance.remittance to mizan_service;

-- What one unit of `base` costs in `quote`, as it was told. Never changed: a newer one counts.
create table finance.fx_rate (
    tenant_id  integer not null references mizan.tenant,
    id         uuid not null,
    base       char(3) not null,
    quote      char(3) not null,
    rate       text not null constraint fx_rate_is_an_exact_decimal
        check (rate ~ '^(0|[1-9][0-9]{0,8})(\.[0-9]{0,11}[1-9])?$' and rate <> '0'),
    source     text not null check (length(source) between 1 and 100),
    at         timestamptz not null,
    created_at timestamptz not null,
    created_by text not null,
    primary key (tenant_id, id),
    constraint fx_rate_is_between_two check (base <> quote)
);
call mizan.isolate_tenants('finance.fx_rate');
create index fx_rate_newest on finance.fx_rate (tenant_id, base, quote, at desc, id desc);
grant select, insert on finance.fx_rate to mizan_service;

-- An open position valued at the end of a day, and taken back on the next.
create table finance.fx_revaluation (
    tenant_id      integer not null references mizan.tenant,
    id             uuid not null,
    currency       char(3) not null,
    into_currency  char(3) not null,
    on_day         date not null,
    rate           text not null,
    -- The stored rate, where it was not named with the request.
    fx_rate_id     uuid,
    -- Minor units: what is open in `currency`, what it cost in `into_currency`, its value.
    position       bigint not null,
    book           bigint not null,
    value          bigint not null,
    difference     bigint not null constraint fx_difference_is_one check (value - book = difference),
    transaction_id uuid,
    reversal_id    uuid,
    created_at     timestamptz not null,
    created_by     text not null,
    primary key (tenant_id, id),
    constraint fx_revalued_once_a_day unique (tenant_id, currency, into_currency, on_day),
    constraint fx_difference_is_booked check (
        (difference = 0) = (transaction_id is null)
        and (transaction_id is null) = (reversal_id is null)
    )
);
call mizan.isolate_tenants('finance.fx_revaluation');
grant select, insert on finance.fx_revaluation to mizan_service;

-- How far a tenant that plays is ahead of everybody's time. It only goes forwards.
create table finance.test_clock (
    tenant_id    integer primary key references mizan.tenant,
    ahead_micros bigint not null
        constraint test_clock_is_ahead check (ahead_micros between 0 and 316224000000000),
    moved_at     timestamptz not null,
    moved_by     text not null
);
call mizan.isolate_tenants('finance.test_clock');
grant select, insert on finance.test_clock to mizan_service;
grant update (ahead_micros, moved_at, moved_by) on finance.test_clock to mizan_service;

-- Real money and a test clock exclude each other, whichever came first. The lock makes one of
-- two that come at once see the other.
create function finance.check_test_clock() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    perform pg_advisory_xact_lock(hashtext('finance.test_clock'), new.tenant_id);
    if exists (select from auth.api_key k where k.tenant_id = new.tenant_id and k.mode = 'live')
    then
        raise exception 'tenant % has keys for real money', new.tenant_id
            using errcode = 'check_violation', constraint = 'test_clock_is_for_play_money';
    end if;
    if tg_op = 'UPDATE' then
        if new.ahead_micros < old.ahead_micros then
            raise exception 'a test clock goes forwards'
                using errcode = 'check_violation', constraint = 'test_clock_goes_forwards';
        end if;
    end if;
    return new;
end
$$;
create trigger check_test_clock before insert or update on finance.test_clock
    for each row execute function finance.check_test_clock();

create function finance.check_live_key() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    perform pg_advisory_xact_lock(hashtext('finance.test_clock'), new.tenant_id);
    if exists (select from finance.test_clock c where c.tenant_id = new.tenant_id) then
        raise exception 'tenant % has a test clock', new.tenant_id
            using errcode = 'check_violation', constraint = 'live_key_needs_the_real_time';
    end if;
    return new;
end
$$;
create trigger check_live_key before insert on auth.api_key
    for each row when (new.mode = 'live') execute function finance.check_live_key();

-- All of them, for jobs that go through the tenants one by one.
create function finance.test_clocks() returns table (tenant_id integer, ahead_micros bigint)
    language sql stable security definer
    set search_path = pg_catalog, pg_temp
begin atomic
    select c.tenant_id, c.ahead_micros from finance.test_clock c;
end;
revoke all on function finance.test_clocks() from public;
grant execute on function finance.test_clocks() to mizan_service;

-- Who holds the keys, now with how far their tenants are ahead.
drop function auth.tenants_of_keys(bytea[]);
create function auth.tenants_of_keys(key_digests bytea[])
    returns table (n bigint, tenant_id integer, key_id uuid, mode text, ahead_micros bigint)
    language plpgsql stable security definer
    set search_path = pg_catalog, pg_temp
    set enable_seqscan = off
as $$
begin
    return query
    select asked.n, known.tenant_id, known.id, known.mode, coalesce(clock.ahead_micros, 0)
    from unnest(key_digests) with ordinality as asked (digest, n)
    cross join lateral (
        select k.tenant_id, k.id, k.mode
        from auth.api_key k
        where k.digest = asked.digest and k.revoked_at is null
        limit 1
    ) known
    left join finance.test_clock clock on clock.tenant_id = known.tenant_id;
end
$$;
revoke all on function auth.tenants_of_keys(bytea[]) from public;
grant execute on function auth.tenants_of_keys(bytea[]) to mizan_service;
