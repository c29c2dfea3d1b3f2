-- Balances over time: the days of a tenant, daily sums of what was known when, closed days.
--
-- Days are the tenant's own, Asia/Dubai is four hours ahead of UTC. A day is everything from
-- its first moment to the first moment of the next one, so that days never overlap, whatever
-- the clocks of a place do.

-- When a day begins in a zone. Where clocks go back over midnight, it begins the first time.
create function ledger.day_start(day date, zone text) returns timestamptz
    language sql stable parallel safe
    set search_path = pg_catalog, pg_temp
as $$
    select coalesce(min(moment), day::timestamp at time zone zone)
    from (
        select (day::timestamp at time zone zone) + step * interval '30 minutes' as moment
        from generate_series(-2, 2) step
    ) near
    where (moment at time zone zone)::date >= day
$$;

-- The day that a moment belongs to in a zone.
create function ledger.day_of(moment timestamptz, zone text) returns date
    language sql stable parallel safe
    set search_path = pg_catalog, pg_temp
as $$
    select case
        when moment < ledger.day_start(near.day, zone) then near.day - 1
        when moment >= ledger.day_start(near.day + 1, zone) then near.day + 1
        else near.day end
    from (select (moment at time zone zone)::date as day) near
$$;

alter table ledger.book
    -- Days before it are closed: no new transaction is effective before it.
    add column closed_before timestamptz not null default '-infinity',
    -- What is known of the time before it will not change: nothing new is recorded before it.
    add column recorded_from timestamptz not null default '-infinity';

-- Each row closes all days up to one. There is no reopening.
create table ledger.period (
    tenant_id      integer not null references mizan.tenant,
    closed_through date not null,
    ends_at        timestamptz not null,
    -- The last journal number when it was closed.
    position       bigint not null check (position >= 0),
    closed_at      timestamptz not null,
    closed_by      text not null check (length(closed_by) between 1 and 100),
    primary key (tenant_id, closed_through),
    constraint period_is_over check (ends_at <= closed_at)
);

-- The days of recording that are summed up, in the order of the journal; days on which nothing
-- was recorded are left out.
create table ledger.folded_day (
    tenant_id      integer not null references mizan.tenant,
    known_day      date not null,
    ends_at        timestamptz not null,
    first_position bigint not null,
    last_position  bigint not null check (last_position >= first_position),
    primary key (tenant_id, known_day)
);

-- What one day of recording added to one day of the world, for each account. Written once.
create table ledger.day_delta (
    debits        bigint not null check (debits >= 0),
    credits       bigint not null check (credits >= 0),
    account_id    integer not null,
    tenant_id     integer not null,
    effective_day date not null,
    known_day     date not null,
    primary key (tenant_id, account_id, effective_day, known_day),
    constraint day_delta_is_something check (debits > 0 or credits > 0),
    constraint day_delta_of_folded_day foreign key (tenant_id, known_day)
        references ledger.folded_day
);

call mizan.isolate_tenants('ledger.period');
call mizan.isolate_tenants('ledger.folded_day');
call mizan.isolate_tenants('ledger.day_delta');

-- Both moments of the book only go on, and the days before closed_before have their row.
create function ledger.check_book_times() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    if new.closed_before < old.closed_before or new.recorded_from < old.recorded_from
        or (new.closed_before > old.closed_before and not exists (
            select from ledger.period p
            where p.tenant_id = new.tenant_id and p.ends_at = new.closed_before
        ))
    then
        raise exception 'the days of tenant % are closed in order and not opened again',
            new.tenant_id
            using errcode = 'integrity_constraint_violation', constraint = 'closing_goes_on';
    end if;
    return null;
end
$$;
create trigger check_book_times after update on ledger.book
    for each row
    when (old.closed_before is distinct from new.closed_before
        or old.recorded_from is distinct from new.recorded_from)
    execute function ledger.check_book_times();

create function ledger.check_period() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (
        select from ledger.book b
        join mizan.tenant t using (tenant_id)
        where b.tenant_id = new.tenant_id
            and b.closed_before = new.ends_at
            and b.position = new.position
            and ledger.day_start(new.closed_through + 1, t.time_zone) = new.ends_at
    ) then
        raise exception 'the period through % disagrees with the book', new.closed_through
            using errcode = 'integrity_constraint_violation', constraint = 'period_closes_book';
    end if;
    return null;
end
$$;
create trigger check_period after insert on ledger.period
    for each row execute function ledger.check_period();

-- A day is summed up when nothing can be recorded in it any more, and all of it is.
create function ledger.check_folded_day() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (
        select from ledger.book b
        join mizan.tenant t using (tenant_id)
        where b.tenant_id = new.tenant_id
            and b.recorded_from >= new.ends_at
            and ledger.day_start(new.known_day + 1, t.time_zone) = new.ends_at
    ) or new.first_position <> 1 + coalesce((
        select max(f.last_position) from ledger.folded_day f
        where f.tenant_id = new.tenant_id and f.known_day < new.known_day
    ), 0) then
        raise exception 'the day % is not the next one to be summed up', new.known_day
            using errcode = 'integrity_constraint_violation', constraint = 'day_is_over';
    end if;
    return null;
end
$$;
create trigger check_folded_day after insert on ledger.folded_day
    for each row execute function ledger.check_folded_day();

-- Runs when the transactions, and with them the book, are written: the row of the book is
-- locked by then, so nobody can close a day between this look and the commit. Who lost a race
-- against a closing is told to run the transaction again, and then knows of it.
create function ledger.check_times() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
declare
    broken record;
begin
    select t.effective_at, b.closed_before, t.effective_at < b.closed_before as is_closed
    into broken
    from (
        select tenant_id, min(effective_at) as effective_at, min(recorded_at) as recorded_at
        from new_transactions
        group by tenant_id
    ) t
    join ledger.book b on b.tenant_id = t.tenant_id
    where t.effective_at < b.closed_before or t.recorded_at < b.recorded_from
    limit 1;
    if found and broken.is_closed then
        raise exception 'a transaction is effective at %, and the days before % are closed',
            broken.effective_at, broken.closed_before
            using errcode = 'serialization_failure', constraint = 'period_is_open';
    elsif found then
        raise exception 'a transaction is recorded in a day that is summed up already'
            using errcode = 'integrity_constraint_violation', constraint = 'known_day_is_open';
    end if;
    return null;
end
$$;
create trigger check_times after insert on ledger.transaction
    referencing new table as new_transactions
    for each statement execute function ledger.check_times();

-- A zone has a name that PostgreSQL knows, and stays once a day was counted by it.
create function ledger.check_time_zone() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'UPDATE' and new.time_zone = old.time_zone then
        return new;
    end if;
    -- Looking through all zones reads hundreds of files; one that a tenant has is known.
    if not exists (select from mizan.tenant where time_zone = new.time_zone)
        and not exists (select from pg_timezone_names where name = new.time_zone)
    then
        raise exception 'PostgreSQL knows no time zone of that name'
            using errcode = 'check_violation', constraint = 'tenant_time_zone_is_known';
    end if;
    if tg_op = 'UPDATE' then
        -- Days are closed and summed up under this lock.
        perform from ledger.book where tenant_id = new.tenant_id for update;
        if exists (
            select from ledger.book
            where tenant_id = new.tenant_id
                and (closed_before > '-infinity' or recorded_from > '-infinity')
        ) then
            raise exception 'days of tenant % have been counted in %', new.tenant_id, old.time_zone
                using errcode = 'integrity_constraint_violation',
                    constraint = 'tenant_time_zone_stays';
        end if;
    end if;
    return new;
end
$$;
create trigger check_time_zone before insert or update of time_zone on mizan.tenant
    for each row execute function ledger.check_time_zone();

-- An account's newest entry that was recorded before a moment, as its sequence number; 0 where
-- there is none. Sequence and time grow together, so it is found by halving: a hot account has
-- millions of entries, and an index by time on each would cost every posting.
create function ledger.last_seq_before(tenant integer, account bigint, moment timestamptz)
    returns bigint
    language plpgsql stable
    set search_path = pg_catalog, pg_temp
as $$
declare
    low bigint := 0;
    high bigint;
    middle bigint;
begin
    select b.version into high
    from ledger.balance b
    where b.tenant_id = tenant and b.account_id = account;
    high := coalesce(high, 0);
    while low < high loop
        middle := high - (high - low) / 2;
        if exists (
            select from ledger.entry e
            where e.tenant_id = tenant and e.account_id = account and e.seq = middle
                and e.recorded_at < moment
        ) then
            low := middle;
        else
            high := middle - 1;
        end if;
    end loop;
    return low;
end
$$;

-- The last journal number that was recorded before a moment; 0 where there is none.
create function ledger.last_position_before(tenant integer, moment timestamptz) returns bigint
    language plpgsql stable
    set search_path = pg_catalog, pg_temp
as $$
declare
    low bigint := 0;
    high bigint;
    middle bigint;
begin
    select b.position into high from ledger.book b where b.tenant_id = tenant;
    high := coalesce(high, 0);
    while low < high loop
        middle := high - (high - low) / 2;
        if exists (
            select from ledger.transaction t
            where t.tenant_id = tenant and t.position = middle and t.recorded_at < moment
        ) then
            low := middle;
        else
            high := middle - 1;
        end if;
    end loop;
    return low;
end
$$;

create trigger append_only before update or delete or truncate on ledger.period
    for each statement execute function ledger.refuse_change();
create trigger append_only before update or delete or truncate on ledger.folded_day
    for each statement execute function ledger.refuse_change();
create trigger append_only before update or delete or truncate on ledger.day_delta
    for each statement execute function ledger.refuse_change();

grant select, insert on ledger.period, ledger.folded_day, ledger.day_delta to mizan_service;
grant update (closed_before, recorded_from) on ledger.book to mizan_service;
