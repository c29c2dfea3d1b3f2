-- Several gateways: what a payment says for its route, why a connection was chosen, the rules
-- that decide it, and one turn for whatever has to be asked about again.

-- An attempt is asked about for more than its fee by now: a page nobody came back from, a
-- delivery that is a hint only.
alter table payments.attempt rename column fee_check_at to sync_at;
alter table payments.attempt rename column fee_checks to syncs;
alter index payments.attempt_fee_due rename to attempt_sync_due;
alter table payments.attempt add column route jsonb;

alter table payments.intent
    add column country text check (country ~ '^[A-Z]{2}$'),
    add column method text check (method ~ '^[a-z][a-z0-9_]{0,39}$');

-- The customer agreed on the gateway's page, and we say that the money is to be taken.
alter table payments.operation drop constraint operation_kind_check;
alter table payments.operation add constraint operation_kind_check
    check (kind in ('create', 'confirm', 'capture', 'void', 'refund'));

-- Which connections payments go over. A rule is never changed: it ends, and another begins.
create table payments.routing_rule (
    tenant_id   integer not null,
    id          uuid not null,
    name        text not null check (length(name) between 1 and 100),
    priority    integer not null check (priority between 0 and 1000),
    connections text[] not null check (cardinality(connections) between 1 and 20),
    others      boolean not null,
    currencies  text[] not null default '{}' check (cardinality(currencies) <= 200),
    countries   text[] not null default '{}' check (cardinality(countries) <= 300),
    methods     text[] not null default '{}' check (cardinality(methods) <= 50),
    amount_min  bigint check (amount_min >= 0),
    amount_max  bigint check (amount_max >= amount_min),
    valid_from  timestamptz not null,
    valid_until timestamptz check (valid_until > valid_from),
    created_at  timestamptz not null,
    created_by  text not null,
    primary key (tenant_id, id),
    constraint amounts_are_of_one_currency
        check ((amount_min is null and amount_max is null) or cardinality(currencies) = 1)
);
call mizan.isolate_tenants('payments.routing_rule');
grant select, insert on payments.routing_rule to mizan_service;
grant update (valid_until) on payments.routing_rule to mizan_service;

-- Some gateways call a payment by its newest transaction.
create index attempt_by_charge on payments.attempt (tenant_id, connection, charge_ref)
    where charge_ref is not null;
