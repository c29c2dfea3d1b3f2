-- Wallets and affiliates: the credits behind a promo purse one by one, what checkouts hold of a
-- purse, the rules that grant cashback; and who brought a customer, and what that has earned.
-- How much a purse has is in the ledger alone; here is which credit it is and when it ends.

create schema wallets;
grant usage on schema wallets to mizan_service;

-- A rule is never changed: it ends, and another begins.
create table wallets.cashback_rule (
    tenant_id   integer not null references mizan.tenant,
    id          uuid not null,
    name        text not null check (length(name) between 1 and 100),
    percent     text not null check (percent ~ '^[0-9]{1,3}(\.[0-9]{1,6})?$'),
    basis       text not null check (basis in ('paid', 'price')),
    cap         bigint check (cap > 0),
    min_amount  bigint check (min_amount > 0),
    currency    char(3),
    first_order boolean not null,
    vest_days   integer not null check (vest_days between 0 and 3650),
    expiry_days integer check (expiry_days between 1 and 3650),
    valid_from  timestamptz not null,
    valid_until timestamptz check (valid_until > valid_from),
    created_at  timestamptz not null,
    created_by  text not null,
    primary key (tenant_id, id),
    constraint amounts_are_of_one_currency
        check ((cap is null and min_amount is null) or currency is not null)
);
call mizan.isolate_tenants('wallets.cashback_rule');
grant select, insert on wallets.cashback_rule to mizan_service;
grant update (valid_until) on wallets.cashback_rule to mizan_service;

-- One credit. What is neither held, spent, expired nor clawed back is left: as cashback that is
-- owed while it is pending, in the promo purse once it has vested.
create table wallets.lot (
    tenant_id  integer not null references mizan.tenant,
    id         uuid not null,
    customer   text not null check (customer ~ '^[A-Za-z0-9_.-]{1,80}$'),
    currency   char(3) not null,
    origin     text not null check (origin in ('cashback', 'goodwill', 'refund', 'opening')),
    -- The payment that earned it, or whose refund gave it back.
    payment_id uuid,
    rule_id    uuid,
    reason     text check (length(reason) between 1 and 500),
    amount     bigint not null check (amount > 0),
    held       bigint not null default 0 check (held >= 0),
    spent      bigint not null default 0 check (spent >= 0),
    expired    bigint not null default 0 check (expired >= 0),
    clawed     bigint not null default 0 check (clawed >= 0),
    -- What was kept back from refunds because it had been spent. It is no part of the amount:
    -- the customer has paid for it.
    withheld   bigint not null default 0 check (withheld >= 0),
    state      text not null check (state in ('pending', 'vested')),
    earned_at  timestamptz not null,
    vests_at   timestamptz not null check (vests_at >= earned_at),
    expires_at timestamptz check (expires_at >= vests_at),
    -- When something last came back to it: what comes back after the end expires then.
    back_at    timestamptz,
    created_by text not null,
    primary key (tenant_id, id),
    constraint lot_parts_fit check (held + spent + expired + clawed <= amount),
    constraint pending_is_not_spent check (state = 'vested' or held + spent + expired = 0),
    constraint taken_back_at_most_once check (clawed + withheld <= amount),
    constraint cashback_says_why
        check (origin <> 'cashback' or (payment_id is not null and rule_id is not null)),
    foreign key (tenant_id, rule_id) references wallets.cashback_rule
) with (fillfactor = 80);
create index lot_of_customer on wallets.lot (tenant_id, customer, currency);
create index lot_by_payment on wallets.lot (tenant_id, payment_id) where payment_id is not null;
create index lot_to_vest on wallets.lot (tenant_id, vests_at, id) where state = 'pending';
create index lot_to_expire on wallets.lot (tenant_id, expires_at, id)
    where state = 'vested' and expires_at is not null
        and held + spent + expired + clawed < amount;
call mizan.isolate_tenants('wallets.lot');
grant select, insert on wallets.lot to mizan_service;
grant update (held, spent, expired, clawed, withheld, state, back_at)
    on wallets.lot to mizan_service;

-- What a checkout holds of a customer's purses. A payment that is tried again after its hold
-- went back holds anew: another round.
create table wallets.hold (
    tenant_id  integer not null references mizan.tenant,
    payment_id uuid not null,
    round      smallint not null check (round > 0),
    customer   text not null,
    currency   char(3) not null,
    cash       bigint not null check (cash >= 0),
    promo      bigint not null check (promo >= 0),
    state      text not null check (state in ('held', 'released', 'spent')),
    held_at    timestamptz not null,
    primary key (tenant_id, payment_id),
    constraint a_hold_holds_something check (cash + promo > 0)
) with (fillfactor = 80);
call mizan.isolate_tenants('wallets.hold');
grant select, insert on wallets.hold to mizan_service;
grant update (round, customer, currency, cash, promo, state, held_at)
    on wallets.hold to mizan_service;

-- Which credits a checkout uses.
create table wallets.lot_use (
    tenant_id  integer not null,
    payment_id uuid not null,
    round      smallint not null,
    lot_id     uuid not null,
    amount     bigint not null check (amount > 0),
    -- What refunds gave back of it.
    returned   bigint not null default 0 check (returned >= 0),
    state      text not null check (state in ('held', 'spent', 'released', 'returned')),
    primary key (tenant_id, payment_id, round, lot_id),
    foreign key (tenant_id, payment_id) references wallets.hold,
    foreign key (tenant_id, lot_id) references wallets.lot,
    constraint no_more_comes_back_than_was_spent check (returned <= amount),
    constraint only_what_was_spent_comes_back
        check (returned = 0 or state in ('spent', 'returned')),
    constraint returned_is_all check ((state = 'returned') = (returned = amount))
) with (fillfactor = 80);
create index lot_use_by_lot on wallets.lot_use (tenant_id, lot_id);
call mizan.isolate_tenants('wallets.lot_use');
grant select, insert on wallets.lot_use to mizan_service;
grant update (returned, state) on wallets.lot_use to mizan_service;

-- What a refund gave back, and to which credit: to the one it was spent from, or to one of its
-- own where that had ended.
create table wallets.give_back (
    tenant_id  integer not null,
    refund_id  uuid not null,
    from_lot   uuid not null,
    to_lot     uuid not null,
    payment_id uuid not null,
    amount     bigint not null check (amount > 0),
    given_at   timestamptz not null,
    primary key (tenant_id, refund_id, from_lot),
    foreign key (tenant_id, from_lot) references wallets.lot,
    foreign key (tenant_id, to_lot) references wallets.lot
);
call mizan.isolate_tenants('wallets.give_back');
grant select, insert on wallets.give_back to mizan_service;

-- What a refund took back of the cashback that its order had earned. It takes once; where the
-- refund came to nothing, it was undone.
create table wallets.claw_back (
    tenant_id  integer not null references mizan.tenant,
    refund_id  uuid not null,
    payment_id uuid not null,
    currency   char(3) not null,
    pending    bigint not null default 0 check (pending >= 0),
    promo      bigint not null default 0 check (promo >= 0),
    withheld   bigint not null default 0 check (withheld >= 0),
    state      text not null check (state in ('taken', 'undone')),
    taken_at   timestamptz not null,
    primary key (tenant_id, refund_id)
);
call mizan.isolate_tenants('wallets.claw_back');
grant select, insert on wallets.claw_back to mizan_service;
grant update (pending, promo, withheld, state) on wallets.claw_back to mizan_service;

-- And of which credit how much: out of what was left of it, or kept back from the refund.
create table wallets.claw_back_lot (
    tenant_id integer not null,
    refund_id uuid not null,
    lot_id    uuid not null,
    taken     bigint not null check (taken >= 0),
    withheld  bigint not null check (withheld >= 0),
    primary key (tenant_id, refund_id, lot_id),
    foreign key (tenant_id, refund_id) references wallets.claw_back,
    foreign key (tenant_id, lot_id) references wallets.lot,
    constraint something_was_taken check (taken + withheld > 0)
);
call mizan.isolate_tenants('wallets.claw_back_lot');
grant select, insert on wallets.claw_back_lot to mizan_service;

-- Which lines have been delivered and looked at for cashback, and with which figures: a delivery
-- that is told twice grants once, and deliveries of parts add up to the whole's cashback.
create table wallets.delivered_line (
    tenant_id  integer not null references mizan.tenant,
    payment_id uuid not null,
    line       smallint not null check (line > 0),
    paid       bigint not null check (paid >= 0),
    price      bigint not null check (price >= 0),
    primary key (tenant_id, payment_id, line)
);
call mizan.isolate_tenants('wallets.delivered_line');
grant select, insert on wallets.delivered_line to mizan_service;

-- The order of a customer that was delivered first; there is one.
create table wallets.first_order (
    tenant_id integer not null references mizan.tenant,
    customer  text not null,
    order_ref text not null,
    primary key (tenant_id, customer)
);
call mizan.isolate_tenants('wallets.first_order');
grant select, insert on wallets.first_order to mizan_service;

create schema affiliates;
grant usage on schema affiliates to mizan_service;

create table affiliates.affiliate (
    tenant_id    integer not null references mizan.tenant,
    id           text not null check (id ~ '^[A-Za-z0-9_.-]{1,80}$'),
    name         text check (length(name) between 1 and 200),
    percent      text not null check (percent ~ '^[0-9]{1,3}(\.[0-9]{1,6})?$'),
    funded_by    text not null check (funded_by in ('platform', 'vendor')),
    window_days  integer not null check (window_days between 0 and 3650),
    release_days integer not null check (release_days between 0 and 3650),
    created_at   timestamptz not null,
    created_by   text not null,
    primary key (tenant_id, id)
);
call mizan.isolate_tenants('affiliates.affiliate');
grant select, insert on affiliates.affiliate to mizan_service;

create table affiliates.code (
    tenant_id  integer not null,
    code       text not null check (code ~ '^[A-Za-z0-9_.-]{1,80}$'),
    affiliate  text not null,
    created_at timestamptz not null,
    created_by text not null,
    primary key (tenant_id, code),
    foreign key (tenant_id, affiliate) references affiliates.affiliate
);
create index code_of_affiliate on affiliates.code (tenant_id, affiliate);
call mizan.isolate_tenants('affiliates.code');
grant select, insert on affiliates.code to mizan_service;

create table affiliates.click (
    tenant_id  integer not null,
    id         uuid not null,
    code       text not null,
    affiliate  text not null,
    visitor    text check (length(visitor) between 1 and 80),
    customer   text check (length(customer) between 1 and 80),
    clicked_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, code) references affiliates.code,
    foreign key (tenant_id, affiliate) references affiliates.affiliate,
    constraint somebody_clicked check (visitor is not null or customer is not null)
);
create index click_of_visitor on affiliates.click (tenant_id, visitor, clicked_at)
    where visitor is not null;
create index click_of_customer on affiliates.click (tenant_id, customer, clicked_at)
    where customer is not null;
call mizan.isolate_tenants('affiliates.click');
grant select, insert on affiliates.click to mizan_service;

-- What one line of a payment has earned an affiliate. Where the vendor pays it, the split at
-- capture booked it, and here stands only when it can be paid.
create table affiliates.accrual (
    tenant_id  integer not null,
    id         uuid not null,
    payment_id uuid not null,
    line       smallint not null check (line > 0),
    affiliate  text not null,
    currency   char(3) not null,
    percent    text not null,
    funded_by  text not null check (funded_by in ('platform', 'vendor')),
    base       bigint not null check (base >= 0),
    amount     bigint not null check (amount >= 0),
    reversed   bigint not null default 0 check (reversed >= 0),
    state      text not null check (state in ('pending', 'available')),
    accrued_at timestamptz not null,
    -- None before the delivery.
    release_at timestamptz,
    primary key (tenant_id, id),
    unique (tenant_id, payment_id, line),
    foreign key (tenant_id, affiliate) references affiliates.affiliate,
    constraint no_more_is_reversed_than_accrued check (reversed <= amount),
    constraint available_was_due check (state = 'pending' or release_at is not null)
) with (fillfactor = 80);
create index accrual_to_release on affiliates.accrual (tenant_id, release_at)
    where state = 'pending' and release_at is not null;
create index accrual_of_affiliate on affiliates.accrual (tenant_id, affiliate);
call mizan.isolate_tenants('affiliates.accrual');
grant select, insert on affiliates.accrual to mizan_service;
grant update (reversed, state, release_at) on affiliates.accrual to mizan_service;

-- What a refund took back of commissions. It takes once; where the refund came to nothing, it
-- was undone.
create table affiliates.claw_back (
    tenant_id  integer not null references mizan.tenant,
    refund_id  uuid not null,
    payment_id uuid not null,
    state      text not null check (state in ('taken', 'undone')),
    taken_at   timestamptz not null,
    primary key (tenant_id, refund_id)
);
call mizan.isolate_tenants('affiliates.claw_back');
grant select, insert on affiliates.claw_back to mizan_service;
grant update (state) on affiliates.claw_back to mizan_service;

-- And of which how much, with the bucket it was in.
create table affiliates.claw_back_part (
    tenant_id  integer not null,
    refund_id  uuid not null,
    accrual_id uuid not null,
    bucket     text not null check (bucket in ('pending', 'available')),
    amount     bigint not null check (amount > 0),
    primary key (tenant_id, refund_id, accrual_id),
    foreign key (tenant_id, refund_id) references affiliates.claw_back,
    foreign key (tenant_id, accrual_id) references affiliates.accrual
);
call mizan.isolate_tenants('affiliates.claw_back_part');
grant select, insert on affiliates.claw_back_part to mizan_service;
