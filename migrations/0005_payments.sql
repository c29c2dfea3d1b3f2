-- Payments: what the shop wants (intent), what was tried at a gateway (attempt), what was
-- asked of it (operation), what went back (refund). An amount here never moves without its
-- entry in the same transaction; the checks below are the second lock on that door.

create schema payments;
grant usage on schema payments to mizan_service;

create table payments.intent (
    tenant_id           integer not null references mizan.tenant,
    id                  uuid not null,
    currency            char(3) not null,
    amount              bigint not null constraint intent_amount_is_positive check (amount > 0),
    capture_method      text not null check (capture_method in ('automatic', 'manual')),
    state               text not null check (state in (
        'requires_payment_method', 'requires_confirmation', 'processing', 'requires_action',
        'requires_capture', 'partially_captured', 'succeeded', 'review', 'expired', 'cancelled',
        'reversed')),
    authorised          bigint not null default 0 check (authorised >= 0),
    captured            bigint not null default 0 check (captured >= 0),
    voided              bigint not null default 0 check (voided >= 0),
    refund_pending      bigint not null default 0 check (refund_pending >= 0),
    refunded            bigint not null default 0 check (refunded >= 0),
    disputed            bigint not null default 0 check (disputed >= 0),
    lost                bigint not null default 0 check (lost >= 0),
    -- Money the gateway took beyond what was asked; it stands in unapplied_receipts. Below zero:
    -- more went back at the gateway than was ever taken.
    unapplied           bigint not null default 0,
    description         text check (length(description) <= 500),
    payment_method      text check (length(payment_method) <= 255),
    return_url          text check (length(return_url) <= 2048),
    metadata            jsonb not null default '{}',
    next_action         jsonb,
    last_error          jsonb,
    review_reason       text,
    cancellation_reason text,
    created_at          timestamptz not null,
    updated_at          timestamptz not null,
    primary key (tenant_id, id),
    constraint never_more_than_authorised check (captured + voided <= authorised),
    constraint never_more_than_captured check (refund_pending + refunded + disputed + lost <= captured),
    constraint review_says_why check (state <> 'review' or review_reason is not null)
) with (fillfactor = 80);

-- The order's lines, and their split, frozen at capture.
create table payments.line (
    tenant_id             integer not null,
    intent_id             uuid not null,
    n                     smallint not null check (n > 0),
    vendor                text not null,
    description           text check (length(description) <= 500),
    amount                bigint not null check (amount > 0),
    tax_percent           text not null,
    commission_percent    text not null,
    captured              bigint not null default 0,
    tax                   bigint not null default 0,
    share                 bigint not null default 0,
    commission            bigint not null default 0,
    commission_vat        bigint not null default 0,
    refunded_share        bigint not null default 0,
    refunded_commission   bigint not null default 0,
    refunded_commission_vat bigint not null default 0,
    primary key (tenant_id, intent_id, n),
    foreign key (tenant_id, intent_id) references payments.intent,
    constraint split_adds_up check (captured = share + commission + commission_vat),
    constraint nothing_goes_back_twice check (
        refunded_share between 0 and share
        and refunded_commission between 0 and commission
        and refunded_commission_vat between 0 and commission_vat)
) with (fillfactor = 80);

create table payments.attempt (
    tenant_id      integer not null,
    id             uuid not null,
    intent_id      uuid not null,
    connection     text not null,
    provider       text not null,
    -- The gateway's id; unknown until it answers.
    provider_ref   text,
    charge_ref     text,
    -- What the gateway says of it.
    status         text not null check (status in (
        'created', 'requires_action', 'processing', 'authorised', 'captured', 'failed',
        'cancelled', 'reversed', 'unknown')),
    -- When the gateway said so; an older word changes nothing.
    status_at      timestamptz not null,
    -- What of its money was put on the order; the rest went to unapplied receipts.
    captured       bigint not null default 0 check (captured >= 0),
    fee            bigint,
    fee_tax        bigint,
    fee_currency   char(3),
    fee_ref        text,
    -- When to ask for a fee that is not known yet.
    fee_check_at   timestamptz,
    fee_checks     smallint not null default 0,
    created_at     timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, intent_id) references payments.intent,
    constraint one_attempt_per_gateway_payment unique (tenant_id, connection, provider_ref)
) with (fillfactor = 80);
create index attempt_by_intent on payments.attempt (tenant_id, intent_id);
-- Few: attempts whose gateway has not told us its id yet.
create index attempt_without_reference on payments.attempt (tenant_id, connection)
    where provider_ref is null;
create index attempt_fee_due on payments.attempt (tenant_id, fee_check_at) where fee_check_at is not null;

create table payments.refund (
    tenant_id      integer not null,
    id             uuid not null,
    intent_id      uuid not null,
    attempt_id     uuid not null,
    amount         bigint not null constraint refund_amount_is_positive check (amount > 0),
    currency       char(3) not null,
    reason         text not null,
    state          text not null check (state in
        ('requested', 'sent', 'pending', 'succeeded', 'failed', 'bounced')),
    -- Since when, by the gateway's clock where it is the gateway's word.
    status_at      timestamptz not null,
    -- 'api' when we asked for it, 'gateway' when it was made in the gateway's dashboard.
    origin         text not null check (origin in ('api', 'gateway')),
    provider_ref   text,
    failure_reason text,
    -- What each line gives back: [{n, share, commission, commission_vat}].
    parts          jsonb not null,
    -- The bounced refund whose money this one sends again.
    repays         uuid,
    metadata       jsonb not null default '{}',
    created_at     timestamptz not null,
    updated_at     timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, intent_id) references payments.intent,
    foreign key (tenant_id, attempt_id) references payments.attempt,
    constraint one_refund_per_gateway_refund unique (tenant_id, attempt_id, provider_ref)
) with (fillfactor = 80);
create index refund_by_intent on payments.refund (tenant_id, intent_id);
-- What bounced is sent again once at a time.
create unique index refund_repaid_once on payments.refund (tenant_id, repays)
    where repays is not null and state <> 'failed';

-- Committed as 'sent' before the call, so that a crash leaves something to ask about.
create table payments.operation (
    tenant_id     integer not null,
    id            uuid not null,
    intent_id     uuid not null,
    attempt_id    uuid not null,
    refund_id     uuid,
    kind          text not null check (kind in ('create', 'capture', 'void', 'refund')),
    state         text not null check (state in (
        'created', 'sent', 'succeeded', 'declined', 'pending', 'rejected_before_send', 'unknown')),
    -- What to take, for a capture.
    amount        bigint,
    -- Our key at the gateway: the same for every repetition.
    key           text not null,
    -- Hash of the request as it was sent; a repetition must be the same request.
    request_hash  text,
    outcome       jsonb,
    checks        smallint not null default 0,
    created_at    timestamptz not null,
    sent_at       timestamptz,
    finished_at   timestamptz,
    next_check_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, intent_id) references payments.intent,
    foreign key (tenant_id, attempt_id) references payments.attempt,
    constraint operation_key_is_unique unique (tenant_id, key),
    constraint refund_operation_names_its_refund check ((kind = 'refund') = (refund_id is not null)),
    constraint open_operation_is_checked check (
        (state in ('sent', 'pending', 'unknown')) = (next_check_at is not null))
) with (fillfactor = 80);
create index operation_due on payments.operation (tenant_id, next_check_at) where next_check_at is not null;
create index operation_by_intent on payments.operation (tenant_id, intent_id);

-- What was said over the wire, secrets and card data removed.
create table payments.exchange (
    tenant_id    integer not null,
    operation_id uuid not null,
    n            integer not null,
    archived     jsonb not null,
    created_at   timestamptz not null,
    primary key (tenant_id, operation_id, n)
);

call mizan.isolate_tenants('payments.intent');
call mizan.isolate_tenants('payments.line');
call mizan.isolate_tenants('payments.attempt');
call mizan.isolate_tenants('payments.refund');
call mizan.isolate_tenants('payments.operation');
call mizan.isolate_tenants('payments.exchange');

grant select, insert on all tables in schema payments to mizan_service;
grant update (state, authorised, captured, voided, refund_pending, refunded, disputed, lost,
    unapplied, payment_method, return_url, next_action, last_error, review_reason,
    cancellation_reason, updated_at) on payments.intent to mizan_service;
grant update (captured, tax, share, commission, commission_vat, refunded_share,
    refunded_commission, refunded_commission_vat) on payments.line to mizan_service;
grant update (provider_ref, charge_ref, status, status_at, captured, fee, fee_tax, fee_currency,
    fee_ref, fee_check_at, fee_checks) on payments.attempt to mizan_service;
grant update (state, status_at, provider_ref, failure_reason, updated_at) on payments.refund to mizan_service;
grant update (state, request_hash, outcome, checks, sent_at, finished_at, next_check_at)
    on payments.operation to mizan_service;

