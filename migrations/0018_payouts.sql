-- Payouts: who is paid, on which terms and to which account; the payouts with their gates, items
-- and steps; runs by the calendar; the files that banks are given.

create schema payouts;
grant usage on schema payouts to mizan_service;

-- One row for whoever can be paid. It is locked before anything of a payout is decided.
create table payouts.payee (
    tenant_id    integer not null references mizan.tenant,
    kind         text not null check (kind in ('vendor', 'affiliate')),
    payee        text not null check (payee ~ '^[A-Za-z0-9_.-]{1,80}$'),
    schedule     text not null default 'manual'
        check (schedule in ('manual', 'daily', 'weekly', 'monthly')),
    -- 1 is Monday.
    weekday      smallint check (weekday between 1 and 7),
    -- The last day of a month that is shorter.
    month_day    smallint check (month_day between 1 and 31),
    -- Minor units by currency.
    minimum      jsonb not null default '{}',
    pay_currency char(3),
    rail         text not null default 'bank' check (rail ~ '^[a-z][a-z0-9_-]{0,39}$'),
    created_at   timestamptz not null,
    terms_at     timestamptz,
    terms_by     text,
    primary key (tenant_id, kind, payee),
    constraint schedule_says_when check (
        (schedule = 'weekly') = (weekday is not null)
        and (schedule = 'monthly') = (month_day is not null)
    )
);
call mizan.isolate_tenants('payouts.payee');
create index payee_scheduled on payouts.payee (tenant_id, schedule) where schedule <> 'manual';
grant select on payouts.payee to mizan_service;
grant insert (tenant_id, kind, payee, created_at) on payouts.payee to mizan_service;
grant update (schedule, weekday, month_day, minimum, pay_currency, rail, terms_at, terms_by)
    on payouts.payee to mizan_service;

-- Where a payee is paid. What was changed is a new version; only its marks are written later.
create table payouts.bank_account (
    tenant_id      integer not null,
    kind           text not null,
    payee          text not null,
    version        integer not null check (version > 0),
    holder         text not null check (length(holder) between 1 and 140),
    town           text check (length(town) between 1 and 35),
    country        text not null check (country ~ '^[A-Z]{2}$'),
    currency       char(3) not null,
    iban           text,
    account_number text,
    routing_scheme text check (routing_scheme in ('ifsc', 'aba', 'sort_code')),
    routing        text,
    bic            text,
    -- An account at a gateway: who that is, and the payee's name there.
    gateway        text check (gateway in ('stripe', 'razorpay', 'paypal')),
    gateway_account text,
    created_at     timestamptz not null,
    created_by     text not null,
    verified_at    timestamptz,
    verified_by    text,
    blocked_at     timestamptz,
    blocked_reason text,
    primary key (tenant_id, kind, payee, version),
    foreign key (tenant_id, kind, payee) references payouts.payee,
    constraint account_is_one_of_three check (
        num_nonnulls(iban, account_number, gateway_account) = 1
        and (account_number is null) = (routing_scheme is null)
        and (routing_scheme is null) = (routing is null)
        and (gateway_account is null) = (gateway is null)
    ),
    constraint block_has_a_reason check ((blocked_at is null) = (blocked_reason is null))
);
call mizan.isolate_tenants('payouts.bank_account');
grant select, insert on payouts.bank_account to mizan_service;
grant update (verified_at, verified_by, blocked_at, blocked_reason)
    on payouts.bank_account to mizan_service;

-- What is known of who the payee is. The newest by the time it was true counts, whenever it came.
create table payouts.kyc (
    tenant_id   integer not null,
    id          uuid not null,
    kind        text not null,
    payee       text not null,
    status      text not null check (status in ('pending', 'verified', 'rejected', 'expired')),
    occurred_at timestamptz not null,
    -- [{kind, reference, expires_on}]
    documents   jsonb not null,
    recorded_at timestamptz not null,
    recorded_by text not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, kind, payee) references payouts.payee
);
call mizan.isolate_tenants('payouts.kyc');
create index kyc_newest on payouts.kyc (tenant_id, kind, payee, occurred_at desc, id desc);
grant select, insert on payouts.kyc to mizan_service;

create table payouts.block (
    tenant_id  integer not null,
    id         uuid not null,
    kind       text not null,
    payee      text not null,
    reason     text not null check (length(reason) between 1 and 500),
    created_at timestamptz not null,
    created_by text not null,
    lifted_at  timestamptz,
    lifted_by  text,
    primary key (tenant_id, id),
    foreign key (tenant_id, kind, payee) references payouts.payee
);
call mizan.isolate_tenants('payouts.block');
create index block_open on payouts.block (tenant_id, kind, payee) where lifted_at is null;
grant select, insert on payouts.block to mizan_service;
grant update (lifted_at, lifted_by) on payouts.block to mizan_service;

-- The payouts of one day. There is one for each day, however often it is run.
create table payouts.run (
    tenant_id  integer not null references mizan.tenant,
    id         uuid not null,
    on_day     date not null,
    created_at timestamptz not null,
    created_by text not null,
    primary key (tenant_id, id),
    constraint one_run_a_day unique (tenant_id, on_day)
);
call mizan.isolate_tenants('payouts.run');
grant select, insert on payouts.run to mizan_service;

-- What a bank is given at once. Its contents are the payouts that name it.
create table payouts.file (
    tenant_id  integer not null references mizan.tenant,
    id         uuid not null,
    run_id     uuid,
    created_at timestamptz not null,
    created_by text not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, run_id) references payouts.run
);
call mizan.isolate_tenants('payouts.file');
create index file_of_run on payouts.file (tenant_id, run_id, id desc);
grant select, insert on payouts.file to mizan_service;

create table payouts.payout (
    tenant_id      integer not null references mizan.tenant,
    id             uuid not null,
    kind           text not null,
    payee          text not null,
    state          text not null check (state in ('draft', 'gated', 'approved', 'reserved',
        'submitted', 'in_transit', 'paid', 'returned', 'failed', 'cancelled')),
    rail           text not null check (rail ~ '^[a-z][a-z0-9_-]{0,39}$'),
    currency       char(3) not null,
    -- Minor units: what was asked for (null: everything), what is paid.
    asked          bigint check (asked > 0),
    amount         bigint not null check (amount >= 0),
    -- What the payee receives, in its own currency.
    pay_currency   char(3) not null,
    pay_amount     bigint not null check (pay_amount >= 0),
    -- Units of `currency` for one of `pay_currency`.
    rate           text,
    rate_source    text,
    rate_at        timestamptz,
    bank_version   integer,
    created_at     timestamptz not null,
    created_by     text not null,
    approved       bigint,
    approved_by    text,
    approved_at    timestamptz,
    retry_of       uuid,
    run_id         uuid,
    on_day         date,
    file_id        uuid,
    -- The sequence numbers of the payee's account behind which and up to which it itemises.
    cut_from       bigint,
    cut_to         bigint,
    reserved_at    timestamptz,
    submitted_at   timestamptz,
    paid_at        timestamptz,
    ended_at       timestamptz,
    -- Which account of ours it was paid from, what it cost there, and what the rail took.
    till           text,
    cost_currency  char(3),
    cost           bigint,
    fee_currency   char(3),
    fee            bigint,
    -- Why it did not arrive: our word, and the rail's.
    reason         text,
    reason_code    text,
    primary key (tenant_id, id),
    foreign key (tenant_id, kind, payee) references payouts.payee,
    foreign key (tenant_id, kind, payee, bank_version) references payouts.bank_account,
    foreign key (tenant_id, run_id) references payouts.run,
    foreign key (tenant_id, file_id) references payouts.file,
    foreign key (tenant_id, retry_of) references payouts.payout,
    constraint conversion_has_a_rate check ((currency = pay_currency) = (rate is null)),
    constraint one_currency_is_one_amount check (currency <> pay_currency or amount = pay_amount),
    constraint reserved_is_itemised check (
        state in ('draft', 'gated', 'approved', 'cancelled')
        or (amount > 0 and pay_amount > 0 and cut_to is not null and reserved_at is not null)
    ),
    constraint end_matches_state check (
        (ended_at is not null) = (state in ('returned', 'failed', 'cancelled'))
    ),
    constraint approved_by_another check (approved_by is distinct from created_by
        or approved_by is null),
    constraint reason_where_it_did_not_arrive check (
        state not in ('returned', 'failed') or reason is not null
    )
);
call mizan.isolate_tenants('payouts.payout');
-- Once for each payee, currency and date, however many runs there are at once.
create unique index payout_once_a_day on payouts.payout (tenant_id, kind, payee, currency, on_day)
    where on_day is not null;
create unique index payout_retried_once on payouts.payout (tenant_id, retry_of)
    where retry_of is not null;
create index payout_of_payee on payouts.payout (tenant_id, kind, payee, id desc);
create index payout_of_run on payouts.payout (tenant_id, run_id) where run_id is not null;
create index payout_of_file on payouts.payout (tenant_id, file_id) where file_id is not null;
grant select on payouts.payout to mizan_service;
grant insert (tenant_id, id, kind, payee, state, rail, currency, asked, amount, pay_currency,
        pay_amount, rate, rate_source, rate_at, created_at, created_by, retry_of, run_id, on_day)
    on payouts.payout to mizan_service;
grant update (state, amount, pay_amount, bank_version, approved, approved_by, approved_at, file_id,
        cut_from, cut_to, reserved_at, submitted_at, paid_at, ended_at, till, cost_currency, cost,
        fee_currency, fee, reason, reason_code)
    on payouts.payout to mizan_service;

-- What was checked before the money was reserved, the newest look at it, and why it failed.
create table payouts.gate (
    tenant_id  integer not null,
    payout_id  uuid not null,
    gate       text not null,
    passed     boolean not null,
    reason     text not null,
    checked_at timestamptz not null,
    primary key (tenant_id, payout_id, gate),
    foreign key (tenant_id, payout_id) references payouts.payout
);
call mizan.isolate_tenants('payouts.gate');
grant select, insert on payouts.gate to mizan_service;
grant update (passed, reason, checked_at) on payouts.gate to mizan_service;

-- What a payout pays, from the journal. Frozen: their sum is the payout's amount.
create table payouts.item (
    tenant_id      integer not null,
    payout_id      uuid not null,
    n              integer not null check (n > 0),
    kind           text not null,
    source         text not null,
    -- Minor units; below zero what was taken off.
    amount         bigint not null check (amount <> 0),
    seq            bigint,
    transaction_id uuid,
    effective_at   timestamptz,
    primary key (tenant_id, payout_id, n),
    foreign key (tenant_id, payout_id) references payouts.payout
);
call mizan.isolate_tenants('payouts.item');
create index item_of_source on payouts.item (tenant_id, source);
create index item_of_transaction on payouts.item (tenant_id, transaction_id)
    where transaction_id is not null;
grant select, insert on payouts.item to mizan_service;

-- What became of a payout, step by step.
create table payouts.step (
    tenant_id integer not null,
    payout_id uuid not null,
    n         integer not null check (n > 0),
    state     text not null,
    at        timestamptz not null,
    actor     text not null,
    detail    text,
    primary key (tenant_id, payout_id, n),
    foreign key (tenant_id, payout_id) references payouts.payout
);
call mizan.isolate_tenants('payouts.step');
grant select, insert on payouts.step to mizan_service;

-- What is asked of a gateway for a payout: written before it is asked, so that a crash leaves a
-- trace, and asked again under the same key as long as the outcome is not known.
create table payouts.call (
    tenant_id     integer not null,
    payout_id     uuid not null,
    -- Our operation, which the gateway's key is made of.
    id            uuid not null,
    connection    text not null,
    -- `sent` may have been executed; `known` has the gateway's own name of it.
    state         text not null check (state in ('written', 'sent', 'known', 'over')),
    provider_ref  text,
    -- What the gateway said last, in a word.
    said          text,
    checks        smallint not null default 0,
    created_at    timestamptz not null,
    sent_at       timestamptz,
    next_check_at timestamptz,
    primary key (tenant_id, payout_id),
    foreign key (tenant_id, payout_id) references payouts.payout,
    constraint known_has_a_name check (state <> 'known' or provider_ref is not null),
    constraint sent_has_a_time check (state = 'written' or sent_at is not null or state = 'over')
);
call mizan.isolate_tenants('payouts.call');
create index call_due on payouts.call (tenant_id, next_check_at) where next_check_at is not null;
grant select, insert on payouts.call to mizan_service;
grant update (state, provider_ref, said, checks, sent_at, next_check_at)
    on payouts.call to mizan_service;
