-- The marketplace's money: order lines with everything that decides who gets what, the terms of
-- vendors, the rules of commission and tax, deliveries, releases, disputes.

-- What a tenant decides once for all payments.
alter table mizan.tenant
    add column refund_tenders text not null default 'pro_rata'
        check (refund_tenders in ('pro_rata', 'gateway_first', 'wallet_first')),
    add column expired_credit text not null default 'income'
        check (expired_credit in ('income', 'expense_reversal')),
    add column wallet_top_up boolean not null default false;
grant update (jurisdiction, vat_percent, time_zone, refund_tenders, expired_credit, wallet_top_up)
    on mizan.tenant to mizan_service;

-- The terms of a vendor's contract; 'default' is for everybody without own terms. Never changed:
-- newer ones begin.
create schema vendors;
grant usage on schema vendors to mizan_service;
create table vendors.terms (
    tenant_id  integer not null references mizan.tenant,
    vendor     text not null check (vendor ~ '^[A-Za-z0-9_.-]{1,80}$'),
    valid_from timestamptz not null,
    terms      jsonb not null,
    created_at timestamptz not null,
    created_by text not null,
    primary key (tenant_id, vendor, valid_from)
);
call mizan.isolate_tenants('vendors.terms');
grant select, insert on vendors.terms to mizan_service;

-- A vendor's debt is given up by two people.
create table vendors.write_off (
    tenant_id    integer not null references mizan.tenant,
    id           uuid not null,
    vendor       text not null,
    currency     char(3) not null,
    amount       bigint not null check (amount > 0),
    reason       text not null check (length(reason) between 1 and 500),
    state        text not null check (state in ('requested', 'approved', 'rejected')),
    requested_by text not null,
    decided_by   text,
    created_at   timestamptz not null,
    decided_at   timestamptz,
    primary key (tenant_id, id),
    constraint two_people_write_off check (decided_by is null or decided_by <> requested_by),
    constraint decided_by_somebody check ((state = 'requested') = (decided_by is null))
);
call mizan.isolate_tenants('vendors.write_off');
grant select, insert on vendors.write_off to mizan_service;
grant update (state, decided_by, decided_at) on vendors.write_off to mizan_service;

-- What the platform charges vendors, by date. A rule is never changed: it ends, and another begins.
create schema commissions;
grant usage on schema commissions to mizan_service;
create table commissions.rule (
    tenant_id   integer not null references mizan.tenant,
    id          uuid not null,
    name        text not null check (length(name) between 1 and 100),
    vendor      text,
    category    text,
    tier        text,
    percent     text not null,
    base        text not null check (base in ('net', 'gross')),
    fixed       bigint not null default 0 check (fixed >= 0),
    least       bigint check (least >= 0),
    most        bigint check (most >= least),
    currency    char(3),
    valid_from  timestamptz not null,
    valid_until timestamptz check (valid_until > valid_from),
    created_at  timestamptz not null,
    created_by  text not null,
    primary key (tenant_id, id),
    constraint amounts_are_of_a_currency
        check (currency is not null or (fixed = 0 and least is null and most is null))
);
call mizan.isolate_tenants('commissions.rule');
grant select, insert on commissions.rule to mizan_service;
grant update (valid_until) on commissions.rule to mizan_service;

-- How the platform's own supplies to vendors of a jurisdiction are taxed, and what it withholds.
create table commissions.tax_policy (
    tenant_id    integer not null references mizan.tenant,
    id           uuid not null,
    jurisdiction text not null check (jurisdiction ~ '^[A-Z]{2}$'),
    regime       text not null check (regime in ('vat', 'gst', 'none')),
    percent      text not null,
    home_state   text,
    tcs_percent  text not null default '0',
    tds_percent  text not null default '0',
    tds_section  text not null default 'ecommerce',
    valid_from   timestamptz not null,
    valid_until  timestamptz check (valid_until > valid_from),
    created_at   timestamptz not null,
    created_by   text not null,
    primary key (tenant_id, id)
);
call mizan.isolate_tenants('commissions.tax_policy');
grant select, insert on commissions.tax_policy to mizan_service;
grant update (valid_until) on commissions.tax_policy to mizan_service;

-- The intent: whose order it is, and what of it the customer's wallet pays.
alter table payments.intent
    add column order_id text check (order_id ~ '^[A-Za-z0-9_.-]{1,80}$'),
    add column customer text check (customer ~ '^[A-Za-z0-9_.-]{1,80}$'),
    add column customer_state text check (length(customer_state) <= 10),
    add column attribution jsonb,
    add column wallet_cash bigint not null default 0 check (wallet_cash >= 0),
    add column wallet_promo bigint not null default 0 check (wallet_promo >= 0),
    add column wallet_state text not null default 'none'
        check (wallet_state in ('none', 'held', 'spent', 'released')),
    -- What of the wallet's part went back or is promised to.
    add column cash_back bigint not null default 0 check (cash_back between 0 and wallet_cash),
    add column promo_back bigint not null default 0 check (promo_back between 0 and wallet_promo),
    -- What refunds kept back because cashback of the order was spent.
    add column withheld bigint not null default 0 check (withheld >= 0),
    add constraint wallet_is_a_part check (wallet_cash + wallet_promo <= amount),
    add constraint wallet_has_an_owner
        check (customer is not null or wallet_cash + wallet_promo = 0),
    drop constraint never_more_than_captured,
    add constraint never_more_than_captured
        check (refund_pending + refunded + withheld + disputed + lost <= captured);
create index intent_by_order on payments.intent (tenant_id, order_id) where order_id is not null;
create index intent_by_customer on payments.intent (tenant_id, customer, id)
    where customer is not null;
create index intent_holds on payments.intent (tenant_id, updated_at)
    where wallet_state = 'held';
grant update (wallet_state, cash_back, promo_back, withheld) on payments.intent to mizan_service;

-- What is asked of a gateway: the order's part of it, rounded to what the gateway can take.
alter table payments.attempt add column charge bigint check (charge > 0);
update payments.attempt a set charge = i.amount
    from payments.intent i where i.tenant_id = a.tenant_id and i.id = a.intent_id;
alter table payments.attempt alter column charge set not null;

-- The lines: what they are, what is taken off, who gets what.
create function payments.parts_add_up(parts jsonb, total bigint) returns boolean
    language sql immutable
    return (
        select coalesce(sum((p ->> 'amount')::bigint), 0) = total
            and coalesce(bool_and(
                (p ->> 'amount')::bigint >= 0
                and (p ->> 'back')::bigint between 0 and (p ->> 'amount')::bigint), true)
        from jsonb_array_elements(parts) p);
grant execute on function payments.parts_add_up(jsonb, bigint) to mizan_service;

alter table payments.line
    alter column vendor drop not null,
    alter column commission_percent drop not null,
    add column kind text not null default 'item'
        check (kind in ('item', 'shipping', 'tip', 'plan', 'top_up')),
    add column item text check (length(item) <= 100),
    add column category text check (length(category) <= 100),
    add column quantity integer not null default 1 check (quantity > 0),
    add column contract text,
    -- Before discounts, tax included.
    add column price bigint,
    add column vendor_discount bigint not null default 0 check (vendor_discount >= 0),
    add column platform_discount bigint not null default 0 check (platform_discount >= 0),
    add column tax_amount bigint,
    add column coupon bigint not null default 0,
    add column parts jsonb not null default '[]',
    add column deal jsonb,
    add column refunded bigint not null default 0,
    add column coupon_back bigint not null default 0,
    add column delivery text check (delivery in ('delivered', 'returned', 'lost')),
    add column delivered_at timestamptz,
    add column release_at timestamptz,
    add column released_at timestamptz,
    add column reserved bigint not null default 0 check (reserved >= 0),
    add column reserve_until timestamptz;

update payments.line l set
    price = amount, tax_amount = tax,
    refunded = refunded_share + refunded_commission + refunded_commission_vat,
    parts = case captured when 0 then '[]'::jsonb else jsonb_build_array(
        jsonb_build_object('component', 'vendor_share', 'amount', share, 'back', refunded_share,
            'account', 'vendor_payable:' || vendor || ':pending'),
        jsonb_build_object('component', 'commission', 'amount', commission,
            'back', refunded_commission, 'account', 'deferred_commission'),
        jsonb_build_object('component', 'commission_vat', 'amount', commission_vat,
            'back', refunded_commission_vat, 'account', 'vat_output_payable:' || (
                select jurisdiction from mizan.tenant t where t.tenant_id = l.tenant_id)))
    end;
update payments.refund set parts = (
    select coalesce(jsonb_agg(jsonb_build_object(
        'n', p -> 'n', 'paid', (p ->> 'share')::bigint + (p ->> 'commission')::bigint
            + (p ->> 'commission_vat')::bigint, 'coupon', 0, 'kept', false, 'parts',
        jsonb_build_array(
            jsonb_build_array('vendor_share', p -> 'share'),
            jsonb_build_array('commission', p -> 'commission'),
            jsonb_build_array('commission_vat', p -> 'commission_vat')))), '[]')
    from jsonb_array_elements(parts) p);
alter table payments.line
    alter column price set not null,
    alter column tax_amount set not null,
    drop constraint split_adds_up,
    drop constraint nothing_goes_back_twice,
    drop constraint line_amount_check,
    drop column share, drop column commission, drop column commission_vat,
    drop column refunded_share, drop column refunded_commission,
    drop column refunded_commission_vat,
    add constraint line_amount_check check (amount >= 0),
    add constraint split_adds_up check (payments.parts_add_up(parts, captured + coupon)),
    add constraint nothing_goes_back_twice check (
        refunded between 0 and captured and coupon_back between 0 and coupon);
grant update (captured, tax, coupon, parts, deal, refunded, coupon_back, delivery, delivered_at,
    release_at, released_at, reserved, reserve_until) on payments.line to mizan_service;
-- What becomes available, and what leaves the reserve, at its time.
create index line_release_due on payments.line (tenant_id, release_at)
    where release_at is not null and released_at is null;
create index line_reserve_due on payments.line (tenant_id, reserve_until)
    where reserve_until is not null;
create index line_by_vendor on payments.line (tenant_id, vendor, intent_id);

-- A refund: over which tenders it goes, and what is kept back of it.
alter table payments.refund
    add column charge bigint,
    add column to_cash bigint not null default 0 check (to_cash >= 0),
    add column to_promo bigint not null default 0 check (to_promo >= 0),
    add column cash_part bigint not null default 0 check (cash_part between 0 and to_cash),
    add column withheld bigint not null default 0 check (withheld >= 0),
    add column clawed jsonb not null default '[]',
    alter column attempt_id drop not null;
update payments.refund set charge = amount;
alter table payments.refund alter column charge set not null;

-- What banks take back, and what the books say of it.
create table payments.dispute (
    tenant_id        integer not null references mizan.tenant,
    id               uuid not null,
    intent_id        uuid not null,
    attempt_id       uuid not null,
    connection       text not null,
    provider         text not null,
    provider_ref     text not null,
    state            text not null check (state in ('warning', 'warning_closed',
        'needs_response', 'under_review', 'won', 'lost')),
    -- By the gateway's clock, and how many rows it knew of then: by both, old words are known.
    status_at        timestamptz not null,
    status_rows      smallint not null,
    currency         char(3) not null,
    amount           bigint not null check (amount >= 0),
    reason           text,
    evidence_due_by  timestamptz,
    evidence         jsonb,
    evidence_sent_at timestamptz,
    accepted_at      timestamptz,
    -- Every row of the gateway's balance so far: [{id, gross, fee}], each amount with currency.
    rows             jsonb not null,
    booked           text not null check (booked in ('nothing', 'held', 'lost')),
    withdrawn        bigint not null check (withdrawn >= 0),
    -- Often in the currency of the balance at the gateway.
    fee              bigint not null,
    fee_currency     char(3) not null,
    -- What of it is the order's, and what rounding added.
    taken            bigint not null check (taken >= 0),
    rounding         bigint not null,
    spread           jsonb not null,
    parts            jsonb not null,
    -- What of vendors' money is held for it: [{n, vendor, from, amount}].
    held             jsonb not null,
    charged          jsonb not null,
    step             integer not null,
    lost_step        integer not null,
    created_at       timestamptz not null,
    updated_at       timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, intent_id) references payments.intent,
    foreign key (tenant_id, attempt_id) references payments.attempt,
    constraint one_dispute_per_gateway_dispute unique (tenant_id, connection, provider_ref),
    constraint booked_as_withdrawn check ((booked = 'nothing') = (withdrawn = 0)),
    constraint nothing_taken_of_nothing check (booked <> 'nothing' or taken = 0)
) with (fillfactor = 80);
create index dispute_by_intent on payments.dispute (tenant_id, intent_id);
call mizan.isolate_tenants('payments.dispute');
grant select, insert on payments.dispute to mizan_service;
grant update (state, status_at, status_rows, amount, reason, evidence_due_by, evidence,
    evidence_sent_at, accepted_at, rows, booked, withdrawn, fee, fee_currency, taken, rounding,
    spread, parts, held, charged, step, lost_step, updated_at)
    on payments.dispute to mizan_service;

-- Answering a dispute is asked of the gateway as everything is.
alter table payments.operation
    add column dispute_id uuid,
    add column evidence jsonb,
    drop constraint operation_kind_check,
    add constraint operation_kind_check check (kind in
        ('create', 'confirm', 'capture', 'void', 'refund', 'accept_dispute', 'contest_dispute')),
    add constraint answer_names_its_dispute check (
        (dispute_id is not null) = (kind in ('accept_dispute', 'contest_dispute'))),
    add constraint evidence_is_for_contests check (
        (evidence is not null) = (kind = 'contest_dispute'));
