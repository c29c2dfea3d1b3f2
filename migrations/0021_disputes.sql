-- Disputes of which a hint told, and disputes that people enter.

-- What a gateway is to be asked about a dispute: a row for each hint, gone when it is answered.
-- One for which there is no time any more is left to people.
create table payments.dispute_question (
    tenant_id    integer not null references mizan.tenant,
    -- The webhook that hinted.
    delivery_id  uuid not null,
    provider_ref text not null,
    intent_id    uuid not null,
    attempt_id   uuid not null,
    hinted_at    timestamptz not null,
    ask_at       timestamptz,
    asks         smallint not null default 0 check (asks >= 0),
    primary key (tenant_id, delivery_id, provider_ref),
    foreign key (tenant_id, intent_id) references payments.intent,
    foreign key (tenant_id, attempt_id) references payments.attempt
) with (fillfactor = 80);
create index dispute_question_due on payments.dispute_question (tenant_id, ask_at)
    where ask_at is not null;
call mizan.isolate_tenants('payments.dispute_question');
grant select, insert, delete, update (ask_at, asks) on payments.dispute_question to mizan_service;

-- Which API keys entered a dispute and how it ended, where the gateway does not tell.
alter table payments.dispute
    add column entered_by text check (length(entered_by) between 1 and 100),
    add column decided_by text check (length(decided_by) between 1 and 100),
    add constraint decided_by_hand_as_entered check (entered_by is not null or decided_by is null);
grant update (decided_by) on payments.dispute to mizan_service;
