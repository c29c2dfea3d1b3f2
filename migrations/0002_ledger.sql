-- The books. Whatever a program above does wrong, this schema refuses: entries that do not
-- balance, that leave a gap, that do not continue their account, or that come late.

create schema ledger;
grant usage on schema ledger to mizan_service;

-- One row per tenant: the last journal number and the last outbox number. Both are
-- gap-free and taken last before the commit, so their order is the order of the commits.
create table ledger.book (
    tenant_id      integer primary key references mizan.tenant,
    position       bigint not null default 0,
    event_position bigint not null default 0,
    -- The newest recorded_at, so that time in the journal never goes backwards.
    recorded_at    timestamptz not null default '-infinity'
) with (fillfactor = 50);

create table ledger.account (
    tenant_id   integer not null references mizan.tenant,
    id          bigint generated always as identity,
    public_id   uuid not null,
    -- Role and dimensions of the chart, joined by colons: vendor_payable:ven_1:pending.
    path        text not null constraint account_path_bounds check (length(path) between 1 and 300),
    currency    char(3) not null,
    created_at  timestamptz not null,
    primary key (tenant_id, id),
    constraint account_exists_once unique (tenant_id, path, currency),
    constraint account_public_id_is_unique unique (tenant_id, public_id)
);

-- Apart from account, and without an index on what changes, so that updates stay in the page.
create table ledger.balance (
    tenant_id  integer not null,
    account_id bigint not null,
    currency   char(3) not null,
    -- The side that may not fall below the other: 'c' a liability, 'd' an asset, null none.
    floor_side char(1) constraint floor_side_is_a_side check (floor_side in ('d', 'c')),
    debits     bigint not null default 0 check (debits >= 0),
    credits    bigint not null default 0 check (credits >= 0),
    -- The seq of the account's newest entry.
    version    bigint not null default 0 check (version >= 0),
    primary key (tenant_id, account_id),
    -- A CHECK cannot look elsewhere, so the floor is a column of this row.
    constraint balance_not_below_floor check (
        case floor_side when 'c' then credits >= debits when 'd' then debits >= credits else true end
    )
) with (fillfactor = 60);

create table ledger.transaction (
    tenant_id     integer not null,
    -- How many entries it has, so that legs added to it later show. It fills a gap in the row.
    entry_count   integer not null check (entry_count > 0),
    position      bigint not null check (position > 0),
    id            uuid not null,
    effective_at  timestamptz not null,
    recorded_at   timestamptz not null,
    reverses      bigint,
    -- One of its entries, so that a transaction without entries is refused by one index probe.
    first_account bigint not null,
    first_seq     bigint not null,
    -- The database transaction that wrote it: nothing can be added to it later.
    written_by    xid8 not null default pg_current_xact_id(),
    kind          text not null check (length(kind) between 1 and 60),
    source        text not null check (length(source) <= 100),
    actor         text not null check (length(actor) <= 100),
    metadata      jsonb,
    primary key (tenant_id, position),
    constraint transaction_id_is_unique unique (tenant_id, id)
);
-- A thing is reversed once. Partial, so that the many rows that reverse nothing cost nothing.
create unique index transaction_reversed_once on ledger.transaction (tenant_id, reverses)
    where reverses is not null;

create table ledger.entry (
    account_id    bigint not null,
    seq           bigint not null check (seq > 0),
    position      bigint not null,
    amount        bigint not null constraint entry_amount_is_positive check (amount > 0),
    -- Debits minus credits of the account after this entry.
    balance_after bigint not null,
    effective_at  timestamptz not null,
    recorded_at   timestamptz not null,
    tenant_id     integer not null,
    currency      char(3) not null,
    side          char(1) not null constraint entry_side_is_a_side check (side in ('d', 'c')),
    primary key (tenant_id, account_id, seq, recorded_at)
) partition by range (recorded_at);
-- Rows lie in the order of time, so a block range index finds a transaction's entries by
-- its recorded_at for a few bytes in a hundred thousand rows.
create index entry_recorded_at on ledger.entry
    using brin (recorded_at) with (pages_per_range = 16, autosummarize = on);

-- The claim of an idempotency key. It answers the same for ever: accepted when the
-- transaction exists, refused when the rejection does.
create table ledger.outcome (
    tenant_id      integer not null,
    key            text not null check (length(key) between 1 and 120),
    request_hash   bytea not null check (length(request_hash) = 32),
    -- The id the transaction has if it was accepted.
    transaction_id uuid not null,
    primary key (tenant_id, key)
);
create table ledger.rejection (
    tenant_id   integer not null,
    key         text not null,
    reason      jsonb not null,
    recorded_at timestamptz not null,
    primary key (tenant_id, key),
    constraint rejection_has_its_outcome foreign key (tenant_id, key) references ledger.outcome
);

call mizan.isolate_tenants('ledger.book');
call mizan.isolate_tenants('ledger.account');
call mizan.isolate_tenants('ledger.balance');
call mizan.isolate_tenants('ledger.transaction');
call mizan.isolate_tenants('ledger.entry');
call mizan.isolate_tenants('ledger.outcome');
call mizan.isolate_tenants('ledger.rejection');

-- A tenant has its book from its first moment.
create function ledger.open_book() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    insert into ledger.book (tenant_id) values (new.tenant_id);
    return null;
end
$$;
create trigger open_book after insert on mizan.tenant
    for each row execute function ledger.open_book();

-- The one check of the chain. Statement-level: its cost is per batch and per account, and
-- it probes an index only for the first new entry of each account. A connection keeps the plan
-- it made when the tables were small; "limit 1" and counts make each look-up a probe of an
-- index in any plan, where a join might have become a scan of the whole journal.
create function ledger.check_entries() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
declare
    broken record;
begin
    select e.position, e.currency, sum(case e.side when 'd' then e.amount else -e.amount end) as off_by
    into broken
    from new_entries e
    group by e.tenant_id, e.position, e.currency
    having sum(case e.side when 'd' then e.amount else -e.amount end) <> 0
    limit 1;
    if found then
        raise exception 'transaction % does not balance: % is off by %',
            broken.position, broken.currency, broken.off_by
            using errcode = 'integrity_constraint_violation', constraint = 'entries_balance';
    end if;

    select e.position, t.position is null as is_late, e.many, t.entry_count into broken
    from (
        select tenant_id, position, recorded_at, effective_at, count(*) as many
        from new_entries
        group by tenant_id, position, recorded_at, effective_at
    ) e
    left join lateral (
        select t.position, t.entry_count
        from ledger.transaction t
        where t.tenant_id = e.tenant_id
            and t.position = e.position
            and t.recorded_at = e.recorded_at
            and t.effective_at = e.effective_at
            and t.written_by = pg_current_xact_id()
        limit 1
    ) t on true
    where t.entry_count is distinct from e.many
    limit 1;
    if found and broken.is_late then
        raise exception 'transaction % is not of this database transaction', broken.position
            using errcode = 'integrity_constraint_violation', constraint = 'entries_are_not_late';
    elsif found then
        raise exception 'transaction % has % entries and says %',
            broken.position, broken.many, broken.entry_count
            using errcode = 'integrity_constraint_violation', constraint = 'entries_are_complete';
    end if;

    with new_rows as (
        select e.tenant_id, e.account_id, e.seq, e.balance_after, e.currency, e.recorded_at,
            case e.side when 'd' then e.amount else -e.amount end as change,
            lag(e.seq) over per_account as previous_seq,
            lag(e.balance_after) over per_account as previous_balance,
            lag(e.recorded_at) over per_account as previous_time,
            lead(e.seq) over per_account is null as is_newest
        from new_entries e
        window per_account as (partition by e.tenant_id, e.account_id order by e.seq)
    )
    select n.account_id, n.seq,
        case
            when n.seq <> coalesce(n.previous_seq, stored.seq, 0) + 1 then 'leaves a gap'
            when n.balance_after <> coalesce(n.previous_balance, stored.balance_after, 0) + n.change
                then 'does not continue the balance'
            when n.recorded_at < coalesce(n.previous_time, stored.recorded_at, '-infinity')
                then 'is recorded before the entry it follows'
            when n.is_newest and b.account_id is null then 'is for an unknown account'
            when n.currency <> b.currency then 'has another currency than its account'
            when n.is_newest and (b.version <> n.seq or b.debits - b.credits <> n.balance_after)
                then 'disagrees with the head'
            when n.previous_seq is null and (
                select count(*) from ledger.entry same
                where same.tenant_id = n.tenant_id and same.account_id = n.account_id
                    and same.seq = n.seq
                    and same.recorded_at >= coalesce(stored.recorded_at, '-infinity')
            ) <> 1 then 'repeats a sequence number'
        end as fault
    into broken
    from new_rows n
    left join lateral (
        select b.account_id, b.currency, b.debits, b.credits, b.version
        from ledger.balance b
        where b.tenant_id = n.tenant_id and b.account_id = n.account_id
        limit 1
    ) b on true
    left join lateral (
        select e.seq, e.balance_after, e.recorded_at
        from ledger.entry e
        where n.previous_seq is null
            and e.tenant_id = n.tenant_id and e.account_id = n.account_id and e.seq = n.seq - 1
            and e.recorded_at <= n.recorded_at
        order by e.recorded_at desc
        limit 1
    ) stored on true
    where case
        when n.seq <> coalesce(n.previous_seq, stored.seq, 0) + 1 then true
        when n.balance_after <> coalesce(n.previous_balance, stored.balance_after, 0) + n.change then true
        when n.recorded_at < coalesce(n.previous_time, stored.recorded_at, '-infinity') then true
        when b.account_id is null or n.currency <> b.currency then true
        when n.is_newest and (b.version <> n.seq or b.debits - b.credits <> n.balance_after) then true
        when n.previous_seq is null then (
            select count(*) from ledger.entry same
            where same.tenant_id = n.tenant_id and same.account_id = n.account_id
                and same.seq = n.seq
                and same.recorded_at >= coalesce(stored.recorded_at, '-infinity')
        ) <> 1
        else false
    end
    limit 1;
    if found then
        raise exception 'entry % of account % %', broken.seq, broken.account_id,
            coalesce(broken.fault, 'breaks the chain')
            using errcode = 'integrity_constraint_violation', constraint = 'entries_continue';
    end if;
    return null;
end
$$;

-- A head moves only together with the entries that moved it, in its sums as in its balance.
-- Old and new are put together by grouping: joining them can be quadratic.
create function ledger.check_heads() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
declare
    broken record;
begin
    select h.account_id, h.version into broken
    from (
        select tenant_id, account_id,
            max(version) filter (where age = 'new') as version,
            max(version) filter (where age = 'old') as old_version,
            sum(case age when 'new' then debits else -debits end) as debits,
            sum(case age when 'new' then credits else -credits end) as credits,
            min(currency) = max(currency)
                and min(coalesce(floor_side, '-')) = max(coalesce(floor_side, '-')) as is_the_same
        from (select 'new' as age, * from new_heads union all select 'old', * from old_heads) heads
        group by tenant_id, account_id
    ) h
    left join ledger.book b on b.tenant_id = h.tenant_id
    left join lateral (
        select count(*) as many,
            coalesce(sum(e.amount) filter (where e.side = 'd'), 0) as debits,
            coalesce(sum(e.amount) filter (where e.side = 'c'), 0) as credits
        from ledger.entry e
        where e.tenant_id = h.tenant_id and e.account_id = h.account_id
            and e.seq > h.old_version and e.seq <= h.version
            and e.recorded_at = b.recorded_at
    ) entries on true
    where (
        h.is_the_same
        and h.version > h.old_version
        and entries.many = h.version - h.old_version
        and entries.debits = h.debits
        and entries.credits = h.credits
    ) is not true
    limit 1;
    if found then
        raise exception 'the balance of account % moved to version % without its entries',
            broken.account_id, broken.version
            using errcode = 'integrity_constraint_violation', constraint = 'head_moves_with_entry';
    end if;
    return null;
end
$$;

-- An account and its head are made together, and a head begins empty.
create function ledger.check_new_accounts() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
declare
    broken record;
begin
    select n.id, n.path into broken
    from new_accounts n
    where (
        select count(*) from ledger.balance b
        where b.tenant_id = n.tenant_id and b.account_id = n.id and b.currency = n.currency
    ) = 0
    limit 1;
    if found then
        raise exception 'account % (%) has no balance row', broken.id, broken.path
            using errcode = 'integrity_constraint_violation', constraint = 'account_has_its_head';
    end if;
    return null;
end
$$;

create function ledger.check_new_heads() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
declare
    broken record;
begin
    select n.account_id into broken
    from new_heads n
    where n.debits <> 0 or n.credits <> 0 or n.version <> 0
        or (
            select count(*) from ledger.account a
            where a.tenant_id = n.tenant_id and a.id = n.account_id and a.currency = n.currency
        ) = 0
    limit 1;
    if found then
        raise exception 'the balance row of account % is not that of a new account',
            broken.account_id
            using errcode = 'integrity_constraint_violation', constraint = 'head_has_its_account';
    end if;
    return null;
end
$$;

-- Positions are the journal numbers an auditor expects: no gap, none twice, none empty.
create function ledger.check_transactions() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
declare
    broken record;
begin
    select t.position into broken
    from new_transactions t
    where (
        select count(*) from ledger.entry e
        where e.tenant_id = t.tenant_id and e.account_id = t.first_account
            and e.seq = t.first_seq and e.recorded_at = t.recorded_at and e.position = t.position
    ) = 0
    limit 1;
    if found then
        raise exception 'transaction % has no entries', broken.position
            using errcode = 'integrity_constraint_violation', constraint = 'transaction_has_entries';
    end if;

    select t.position into broken
    from new_transactions t
    where t.reverses is not null and (
        t.reverses >= t.position
        or (
            select count(*) from ledger.transaction original
            where original.tenant_id = t.tenant_id and original.position = t.reverses
        ) = 0
    )
    limit 1;
    if found then
        raise exception 'transaction % reverses one that is not before it', broken.position
            using errcode = 'integrity_constraint_violation',
                constraint = 'reversal_follows_its_original';
    end if;

    select t.last_position into broken
    from (
        select tenant_id, min(position) as first_position, max(position) as last_position,
            min(recorded_at) as first_time, max(recorded_at) as last_time, count(*) as many
        from new_transactions group by tenant_id
    ) t
    left join ledger.book b using (tenant_id)
    where b.position is distinct from t.last_position
        or b.recorded_at <> t.first_time
        or b.recorded_at <> t.last_time
        or t.last_position - t.first_position + 1 <> t.many
        or (t.first_position > 1 and (
            select count(*) from ledger.transaction p
            where p.tenant_id = t.tenant_id and p.position = t.first_position - 1
        ) = 0)
    limit 1;
    if found then
        raise exception 'position % disagrees with the book', broken.last_position
            using errcode = 'integrity_constraint_violation', constraint = 'position_follows_book';
    end if;
    return null;
end
$$;

create function ledger.check_book() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    if new.position < old.position or new.event_position < old.event_position
        or new.recorded_at < old.recorded_at or new.tenant_id <> old.tenant_id
        or (new.position = old.position and new.recorded_at <> old.recorded_at)
        or (new.position > old.position and not exists (
            select from ledger.transaction t
            where t.tenant_id = new.tenant_id and t.position = new.position
                and t.recorded_at = new.recorded_at and t.written_by = pg_current_xact_id()
        ))
    then
        raise exception 'the book of tenant % moved from % to % without its transactions',
            new.tenant_id, old.position, new.position
            using errcode = 'integrity_constraint_violation', constraint = 'book_moves_with_journal';
    end if;
    return null;
end
$$;

create function ledger.refuse_change() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception '% is append-only: % is refused, post a correcting transaction instead',
        tg_table_name, lower(tg_op)
        using errcode = 'insufficient_privilege', constraint = 'journal_is_append_only';
end
$$;

create trigger check_entries after insert on ledger.entry
    referencing new table as new_entries
    for each statement execute function ledger.check_entries();
create trigger check_heads after update on ledger.balance
    referencing old table as old_heads new table as new_heads
    for each statement execute function ledger.check_heads();
create trigger check_transactions after insert on ledger.transaction
    referencing new table as new_transactions
    for each statement execute function ledger.check_transactions();
create trigger check_new_accounts after insert on ledger.account
    referencing new table as new_accounts
    for each statement execute function ledger.check_new_accounts();
create trigger check_new_heads after insert on ledger.balance
    referencing new table as new_heads
    for each statement execute function ledger.check_new_heads();
create trigger check_book after update on ledger.book
    for each row execute function ledger.check_book();

create trigger append_only before update or delete or truncate on ledger.entry
    for each statement execute function ledger.refuse_change();
create trigger append_only before update or delete or truncate on ledger.transaction
    for each statement execute function ledger.refuse_change();
create trigger append_only before update or delete or truncate on ledger.outcome
    for each statement execute function ledger.refuse_change();
create trigger append_only before update or delete or truncate on ledger.rejection
    for each statement execute function ledger.refuse_change();
create trigger append_only before update or delete or truncate on ledger.account
    for each statement execute function ledger.refuse_change();
create trigger never_removed before delete or truncate on ledger.balance
    for each statement execute function ledger.refuse_change();
create trigger never_removed before delete or truncate on ledger.book
    for each statement execute function ledger.refuse_change();

-- Makes the months from one time to another, and the guards on each: an insert aimed at a
-- partition passes the parent's triggers by. Attached rather than created as a partition,
-- because that takes a lock which lets the service go on posting.
create function ledger.ensure_partitions(from_time timestamptz, to_time timestamptz) returns integer
    language plpgsql
    security definer
    set search_path = pg_catalog, pg_temp
    set timezone = 'UTC'
as $$
declare
    month_start timestamptz := date_trunc('month', from_time);
    part text;
    made integer := 0;
begin
    if from_time is null or to_time is null or to_time > from_time + interval '60 months' then
        raise exception 'partitions are made for at most 60 months at a time';
    end if;
    while month_start <= to_time loop
        part := 'entry_' || to_char(month_start, 'YYYY_MM');
        if to_regclass('ledger.' || part) is null then
            perform pg_advisory_xact_lock(hashtext('ledger.ensure_partitions'));
        end if;
        if to_regclass('ledger.' || part) is null then
            execute format('create table ledger.%I (like ledger.entry including defaults including constraints)', part);
            execute format('create trigger check_entries after insert on ledger.%I referencing new table as new_entries for each statement execute function ledger.check_entries()', part);
            execute format('create trigger append_only before update or delete or truncate on ledger.%I for each statement execute function ledger.refuse_change()', part);
            execute format('alter table ledger.%I enable row level security', part);
            execute format('alter table ledger.entry attach partition ledger.%I for values from (%L) to (%L)',
                part, month_start, month_start + interval '1 month');
            made := made + 1;
        end if;
        month_start := month_start + interval '1 month';
    end loop;
    return made;
end
$$;
revoke all on function ledger.ensure_partitions(timestamptz, timestamptz) from public;
grant execute on function ledger.ensure_partitions(timestamptz, timestamptz) to mizan_service;

-- What the service may do: append to the journal, move heads and books, read.
grant select on all tables in schema ledger to mizan_service;
grant update (position, event_position, recorded_at) on ledger.book to mizan_service;
grant insert (tenant_id, public_id, path, currency, created_at) on ledger.account to mizan_service;
grant insert (tenant_id, account_id, currency, floor_side) on ledger.balance to mizan_service;
grant update (debits, credits, version) on ledger.balance to mizan_service;
grant insert (tenant_id, entry_count, position, id, effective_at, recorded_at, reverses, first_account, first_seq, kind, source, actor, metadata)
    on ledger.transaction to mizan_service;
grant insert on ledger.entry, ledger.outcome, ledger.rejection to mizan_service;
