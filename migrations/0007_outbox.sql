-- The outbox: what happened, in the order of the commits, written beside the entry.
-- A relay reads it by event_position, which has no gaps, so nothing committed late is skipped.

create schema outbox;
grant usage on schema outbox to mizan_service;

create table outbox.event (
    tenant_id        integer not null references mizan.tenant,
    event_position   bigint not null check (event_position > 0),
    id               uuid not null,
    kind             text not null check (length(kind) between 1 and 60),
    object_id        text not null check (length(object_id) <= 100),
    -- The journal number of the entry it announces, where money moved.
    journal_position bigint,
    payload          jsonb not null,
    created_at       timestamptz not null,
    primary key (tenant_id, event_position),
    constraint event_id_is_unique unique (tenant_id, id)
);
create index event_by_object on outbox.event (tenant_id, object_id);
call mizan.isolate_tenants('outbox.event');

create function outbox.check_events() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
declare
    broken record;
begin
    select n.last_position into broken
    from (
        select tenant_id, min(event_position) as first_position,
            max(event_position) as last_position, count(*) as many
        from new_events group by tenant_id
    ) n
    left join ledger.book b using (tenant_id)
    where b.event_position is distinct from n.last_position
        or n.last_position - n.first_position + 1 <> n.many
        or (n.first_position > 1 and not exists (
            select from outbox.event e
            where e.tenant_id = n.tenant_id and e.event_position = n.first_position - 1
        ))
    limit 1;
    if found then
        raise exception 'event position % disagrees with the book', broken.last_position
            using errcode = 'integrity_constraint_violation', constraint = 'event_position_follows_book';
    end if;
    return null;
end
$$;
create trigger check_events after insert on outbox.event
    referencing new table as new_events
    for each statement execute function outbox.check_events();
create trigger append_only before update or delete or truncate on outbox.event
    for each statement execute function ledger.refuse_change();

grant select, insert on outbox.event to mizan_service;
