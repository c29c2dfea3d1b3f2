-- Fewer bytes for each entry and fewer look-ups for each check: a ledger is as fast as what it
-- has to write and to read again. The rules stay what they were. Three things make it possible:
--
-- * a head and a book remember their state before their last move, so what is inserted is
--   checked against one row each and not against the journal;
-- * an entry's effective time is its transaction's, its sequence number is unique within the
--   month by an index of the month and across months by its head, and its account's id fits
--   four bytes;
-- * half a SHA-256 tells requests apart as well as a whole one.

alter table ledger.outcome disable trigger append_only;
alter table ledger.outcome drop constraint outcome_request_hash_check;
update ledger.outcome set request_hash = substring(request_hash for 16);
alter table ledger.outcome
    add constraint outcome_request_hash_check check (length(request_hash) = 16);
alter table ledger.outcome enable trigger append_only;

-- The journal is copied into its new form, month by month, and counted.
alter table ledger.entry rename to entry_before;
alter index ledger.entry_recorded_at rename to entry_before_recorded_at;
do $$
declare
    part record;
begin
    for part in select inhrelid::regclass::text as name from pg_inherits
        where inhparent = 'ledger.entry_before'::regclass
    loop
        execute format('alter table %s rename to %I', part.name,
            replace(split_part(part.name, '.', 2), 'entry_', 'before_'));
    end loop;
end
$$;

create table ledger.entry (
    seq           bigint not null check (seq > 0),
    position      bigint not null,
    amount        bigint not null constraint entry_amount_is_positive check (amount > 0),
    -- Debits minus credits of the account after this entry.
    balance_after bigint not null,
    recorded_at   timestamptz not null,
    tenant_id     integer not null,
    account_id    integer not null,
    currency      char(3) not null,
    side          char(1) not null constraint entry_side_is_a_side check (side in ('d', 'c'))
) partition by range (recorded_at);
-- Rows lie in the order of time, so a block range index finds a transaction's entries by
-- its recorded_at for a few bytes in a hundred thousand rows.
create index entry_recorded_at on ledger.entry
    using brin (recorded_at) with (pages_per_range = 16, autosummarize = on);
call mizan.isolate_tenants('ledger.entry');

-- Makes the months from one time to another, and what stands on each: an insert aimed at a
-- partition passes the parent's triggers by, and only a partition can have an index that is
-- unique without the time. Attached rather than created as a partition, because that takes a
-- lock which lets the service go on posting.
create or replace function ledger.ensure_partitions(from_time timestamptz, to_time timestamptz)
    returns integer
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
            execute format('create unique index %I on ledger.%I (tenant_id, account_id, seq)', part || '_chain', part);
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

do $$
declare
    month_start timestamptz;
    part text;
begin
    set local timezone = 'UTC';
    for month_start in
        select to_timestamp(substring(c.relname from 'before_(\d{4}_\d{2})'), 'YYYY_MM')
        from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'ledger.entry_before'::regclass
        order by 1
    loop
        perform ledger.ensure_partitions(month_start, month_start);
        part := 'entry_' || to_char(month_start, 'YYYY_MM');
        -- The rows were checked when they came, by the same rules.
        execute format('alter table ledger.%I disable trigger check_entries', part);
        execute format(
            'insert into ledger.%I (account_id, seq, position, amount, balance_after, recorded_at, tenant_id, currency, side)
             select account_id, seq, position, amount, balance_after, recorded_at, tenant_id, currency, side
             from ledger.entry_before where recorded_at >= %L and recorded_at < %L order by position, seq',
            part, month_start, month_start + interval '1 month');
        execute format('alter table ledger.%I enable trigger check_entries', part);
    end loop;
    if (select count(*) from ledger.entry) <> (select count(*) from ledger.entry_before) then
        raise exception 'entries were lost on the way to their new form';
    end if;
end
$$;
drop table ledger.entry_before;

alter table ledger.account add constraint account_ids_fit_an_entry check (id <= 2147483647);

-- The head before its last move, and the journal number up to which that move went.
alter table ledger.balance
    add column before_debits bigint not null default 0,
    add column before_credits bigint not null default 0,
    add column before_version bigint not null default 0,
    add column position bigint not null default 0;
-- Neither moves here: they learn where they stand.
alter table ledger.balance disable trigger check_heads;
update ledger.balance set before_debits = debits, before_credits = credits,
    before_version = version;
alter table ledger.balance enable trigger check_heads;
-- The journal number before the last move, and one entry of the newest transaction.
alter table ledger.book
    add column before_position bigint not null default 0,
    add column last_account integer not null default 0,
    add column last_seq bigint not null default 0;
alter table ledger.book disable trigger check_book;
update ledger.book set before_position = position;
alter table ledger.book enable trigger check_book;
-- Those entries need not be named by every transaction any more.
alter table ledger.transaction drop column first_account, drop column first_seq;

-- The one check of what is inserted. Statement-level: its cost is a probe for each transaction
-- and one for each account. A connection keeps the plan it made when the tables were small;
-- "limit 1" makes each look-up a probe of an index in any plan, and nothing else is joined.
create or replace function ledger.check_entries() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
declare
    broken record;
begin
    -- Every transaction of the book's last move, and no other, has its entries here; they are
    -- as many as it says, of its time, and balance in each currency.
    for broken in
        select every.tenant_id, every.many, every.first_position, every.last_position,
            every.wrong, b.position, b.before_position
        from (
            select e.tenant_id, count(*) as many,
                min(e.position) as first_position, max(e.position) as last_position,
                min(case when t.entry_count is distinct from e.many or e.is_off then e.position end)
                    as wrong
            from (
                select c.tenant_id, c.position, c.recorded_at, sum(c.many) as many,
                    bool_or(c.off_by <> 0) as is_off
                from (
                    select n.tenant_id, n.position, n.recorded_at, n.currency, count(*) as many,
                        sum(case n.side when 'd' then n.amount else -n.amount end) as off_by
                    from new_entries n
                    group by n.tenant_id, n.position, n.recorded_at, n.currency
                ) c
                group by c.tenant_id, c.position, c.recorded_at
            ) e
            left join lateral (
                select t.entry_count
                from ledger.transaction t
                where t.tenant_id = e.tenant_id
                    and t.position = e.position
                    and t.recorded_at = e.recorded_at
                    and t.written_by = pg_current_xact_id()
                limit 1
            ) t on true
            group by e.tenant_id
        ) every
        left join lateral (
            select b.position, b.before_position
            from ledger.book b
            where b.tenant_id = every.tenant_id
            limit 1
        ) b on true
    loop
        if broken.wrong is not null then
            perform ledger.explain_entries(broken.tenant_id, broken.wrong,
                (select jsonb_agg(to_jsonb(n)) from new_entries n
                 where n.tenant_id = broken.tenant_id and n.position = broken.wrong));
        elsif (
            broken.last_position = broken.position
            and broken.first_position = broken.before_position + 1
            and broken.many = broken.position - broken.before_position
        ) is not true then
            raise exception 'transactions % to % are not those that the book moved over',
                broken.first_position, broken.last_position
                using errcode = 'integrity_constraint_violation',
                    constraint = 'transaction_has_entries';
        end if;
    end loop;

    -- Each entry continues the one before it, and the newest of each account meets its head:
    -- the head moved from where the first begins to where the newest ends, for just this.
    select n.account_id, n.seq,
        case
            when n.seq <> n.previous_seq + 1 then 'leaves a gap'
            when n.balance_after <> n.previous_balance + n.debit - n.credit
                then 'does not continue the balance'
            when not n.is_newest then 'has another currency than its account'
            when b.account_id is null then 'is for an unknown account'
            when n.currency <> b.currency then 'has another currency than its account'
            when b.position < n.position then 'is beside its head, which did not move for it'
            when n.seq > b.version then 'leaves a gap'
            when n.seq - n.many <> b.before_version then 'repeats a sequence number or leaves a gap'
            when b.debits - b.credits <> n.balance_after then 'does not continue the balance'
            else 'disagrees with the head'
        end as fault
    into broken
    from (
        select e.tenant_id, e.account_id, e.seq, e.position, e.balance_after, e.currency,
            case e.side when 'd' then e.amount else 0 end as debit,
            case e.side when 'c' then e.amount else 0 end as credit,
            lag(e.seq) over per_account as previous_seq,
            lag(e.balance_after) over per_account as previous_balance,
            lag(e.currency) over per_account as previous_currency,
            lead(e.seq) over per_account is null as is_newest,
            row_number() over per_account as many,
            sum(case e.side when 'd' then e.amount else 0 end) over per_account as debits,
            sum(case e.side when 'c' then e.amount else 0 end) over per_account as credits
        from new_entries e
        window per_account as (partition by e.tenant_id, e.account_id order by e.seq)
    ) n
    left join lateral (
        select b.account_id, b.currency, b.debits, b.credits, b.version, b.position,
            b.before_debits, b.before_credits, b.before_version
        from ledger.balance b
        where n.is_newest and b.tenant_id = n.tenant_id and b.account_id = n.account_id
        limit 1
    ) b on true
    where (
        (n.previous_seq is null or (
            n.seq = n.previous_seq + 1
            and n.balance_after = n.previous_balance + n.debit - n.credit
            and n.currency = n.previous_currency
        ))
        and (not n.is_newest or (
            n.currency = b.currency
            and n.position <= b.position
            and n.seq = b.version
            and n.seq - n.many = b.before_version
            and n.balance_after = b.debits - b.credits
            and n.debits = b.debits - b.before_debits
            and n.credits = b.credits - b.before_credits
        ))
    ) is not true
    limit 1;
    if found then
        raise exception 'entry % of account % %', broken.seq, broken.account_id, broken.fault
            using errcode = 'integrity_constraint_violation', constraint = 'entries_continue';
    end if;
    return null;
end
$$;

-- Says what is wrong with the entries of one transaction. Called only when something is.
create function ledger.explain_entries(tenant integer, at_position bigint, entries jsonb)
    returns void
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
declare
    broken record;
begin
    select e.currency, sum(case e.side when 'd' then e.amount else -e.amount end) as off_by
    into broken
    from jsonb_to_recordset(entries) as e (currency text, side text, amount bigint)
    group by e.currency
    having sum(case e.side when 'd' then e.amount else -e.amount end) <> 0
    limit 1;
    if found then
        raise exception 'transaction % does not balance: % is off by %',
            at_position, broken.currency, broken.off_by
            using errcode = 'integrity_constraint_violation', constraint = 'entries_balance';
    end if;
    select t.entry_count into broken
    from ledger.transaction t
    where t.tenant_id = tenant and t.position = at_position
        and t.written_by = pg_current_xact_id()
        and t.entry_count <> jsonb_array_length(entries);
    if found then
        raise exception 'transaction % has % entries and says %',
            at_position, jsonb_array_length(entries), broken.entry_count
            using errcode = 'integrity_constraint_violation', constraint = 'entries_are_complete';
    end if;
    raise exception 'transaction % is not of this database transaction', at_position
        using errcode = 'integrity_constraint_violation', constraint = 'entries_are_not_late';
end
$$;

-- A head moves only together with the entries that moved it. It says itself where it came
-- from; the newest entry, if it is there, was checked against all of that.
-- Old and new are put together by grouping: joining them can be quadratic.
create or replace function ledger.check_heads() returns trigger
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
            max(position) filter (where age = 'new') as position,
            max(version) filter (where age = 'old') as old_version,
            sum(case age when 'new' then before_version else -version end) = 0
                and sum(case age when 'new' then before_debits else -debits end) = 0
                and sum(case age when 'new' then before_credits else -credits end) = 0
                and count(*) = 2
                and min(currency) = max(currency)
                and min(coalesce(floor_side, '-')) = max(coalesce(floor_side, '-')) as continues
        from (select 'new' as age, * from new_heads union all select 'old', * from old_heads) heads
        group by tenant_id, account_id
    ) h
    left join lateral (
        select b.position, b.recorded_at
        from ledger.book b where b.tenant_id = h.tenant_id limit 1
    ) b on true
    left join lateral (
        select e.position
        from ledger.entry e
        where e.tenant_id = h.tenant_id and e.account_id = h.account_id
            and e.seq = h.version and e.recorded_at = b.recorded_at
        limit 1
    ) newest on true
    where (
        h.continues
        and h.version > h.old_version
        and h.position = b.position
        and newest.position <= b.position
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

create or replace function ledger.check_new_heads() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
declare
    broken record;
begin
    select n.account_id into broken
    from new_heads n
    where n.debits <> 0 or n.credits <> 0 or n.version <> 0
        or n.before_debits <> 0 or n.before_credits <> 0 or n.before_version <> 0
        or n.position <> 0
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

-- Positions are the journal numbers an auditor expects: no gap, none twice.
create or replace function ledger.check_transactions() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
declare
    broken record;
begin
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
    left join lateral (
        select b.position, b.before_position, b.recorded_at
        from ledger.book b where b.tenant_id = t.tenant_id limit 1
    ) b on true
    where (
        b.position = t.last_position
        and b.before_position = t.first_position - 1
        and b.recorded_at = t.first_time
        and b.recorded_at = t.last_time
        and t.last_position - t.first_position + 1 = t.many
    ) is not true
    limit 1;
    if found then
        raise exception 'position % disagrees with the book', broken.last_position
            using errcode = 'integrity_constraint_violation', constraint = 'position_follows_book';
    end if;
    return null;
end
$$;

-- A book moves over transactions that this database transaction wrote, the newest of which has
-- the entry that the book names; that entry's coming was checked against the whole move.
create or replace function ledger.check_book() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    if new.position < old.position or new.event_position < old.event_position
        or new.recorded_at < old.recorded_at or new.tenant_id <> old.tenant_id
        or (new.position = old.position
            and (new.recorded_at, new.before_position, new.last_account, new.last_seq)
                is distinct from
                (old.recorded_at, old.before_position, old.last_account, old.last_seq))
        or (new.position > old.position and (
            new.before_position <> old.position
            or not exists (
                select from ledger.transaction t
                where t.tenant_id = new.tenant_id and t.position = new.position
                    and t.recorded_at = new.recorded_at and t.written_by = pg_current_xact_id()
            )
        ))
    then
        raise exception 'the book of tenant % moved from % to % without its transactions',
            new.tenant_id, old.position, new.position
            using errcode = 'integrity_constraint_violation', constraint = 'book_moves_with_journal';
    end if;
    if new.position > old.position and not exists (
        select from ledger.entry e
        where e.tenant_id = new.tenant_id and e.account_id = new.last_account
            and e.seq = new.last_seq and e.recorded_at = new.recorded_at
            and e.position = new.position
    ) then
        raise exception 'transaction % has no entries', new.position
            using errcode = 'integrity_constraint_violation', constraint = 'transaction_has_entries';
    end if;
    return null;
end
$$;

create trigger check_entries after insert on ledger.entry
    referencing new table as new_entries
    for each statement execute function ledger.check_entries();
create trigger append_only before update or delete or truncate on ledger.entry
    for each statement execute function ledger.refuse_change();
grant select, insert on ledger.entry to mizan_service;
grant update (before_position, last_account, last_seq) on ledger.book to mizan_service;
grant update (before_debits, before_credits, before_version, position) on ledger.balance
    to mizan_service;
