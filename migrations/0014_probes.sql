-- The check of new events looked for the event before them in a way that the planner could
-- turn into reading all events. "limit 1" makes it a probe of the index in any plan, and the
-- number is counted outside of the comparison: row-level security lets an index use only what
-- cannot fail, and a subtraction can.
create or replace function outbox.check_events() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
declare
    broken record;
begin
    select n.last_position into broken
    from (
        select tenant_id, min(event_position) as first_position,
            min(event_position) - 1 as position_before,
            max(event_position) as last_position, count(*) as many
        from new_events group by tenant_id
    ) n
    left join lateral (
        select b.event_position from ledger.book b where b.tenant_id = n.tenant_id limit 1
    ) b on true
    left join lateral (
        select e.event_position
        from outbox.event e
        where e.tenant_id = n.tenant_id and e.event_position = n.position_before
        limit 1
    ) before on true
    where (
        b.event_position = n.last_position
        and n.last_position - n.first_position + 1 = n.many
        and (n.first_position = 1 or before.event_position is not null)
    ) is not true
    limit 1;
    if found then
        raise exception 'event position % disagrees with the book', broken.last_position
            using errcode = 'integrity_constraint_violation', constraint = 'event_position_follows_book';
    end if;
    return null;
end
$$;

-- A tenant's events are numbered by its book, which belongs to a tenant that is there: asking
-- again for each event says nothing new.
alter table outbox.event drop constraint event_tenant_id_fkey;

-- Nobody asks for the events of one object, and every event paid for the answer.
drop index outbox.event_by_object;

-- The same rules in fewer steps. What one row tells is asked in a trigger's "when", which costs
-- no query; what belongs together is counted, where it was looked up one by one.
--
-- A statement writes for one tenant. A command of SQL that writes heads, transactions and
-- entries writes all of them under one command number (cmin), which nothing can write later:
-- heads are of the same command as the transactions that moved them, and together they moved by
-- exactly as many entries as those have. Each account that has entries was checked against its
-- head when they came, so there is nothing left over by which another head could have moved.

drop trigger check_heads on ledger.balance;

create function ledger.refuse_head() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception 'the balance of account % moved to version % without its entries',
        new.account_id, new.version
        using errcode = 'integrity_constraint_violation', constraint = 'head_moves_with_entry';
end
$$;
create trigger head_continues after update on ledger.balance
    for each row
    when (new.version <= old.version
        or (new.tenant_id, new.account_id, new.currency, new.floor_side,
            new.before_version, new.before_debits, new.before_credits)
            is distinct from
            (old.tenant_id, old.account_id, old.currency, old.floor_side,
            old.version, old.debits, old.credits))
    execute function ledger.refuse_head();

create or replace function ledger.check_heads() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
declare
    broken record;
begin
    select n.account_id, n.version into broken
    from (
        select count(*) as many, min(tenant_id) as tenant_id, max(tenant_id) as last_tenant_id,
            min(position) as first_position, max(position) as last_position,
            sum(version - before_version) as entries,
            min(account_id) as account_id, max(version) as version
        from new_heads
    ) n
    left join lateral (
        select b.position, b.before_position
        from ledger.book b where b.tenant_id = n.tenant_id limit 1
    ) b on true
    left join lateral (
        select h.xmin as written_by, h.cmin as command
        from ledger.balance h
        where h.tenant_id = n.tenant_id and h.account_id = n.account_id limit 1
    ) h on true
    left join lateral (
        select sum(t.entry_count) as entries,
            bool_and(t.xmin = h.written_by and t.cmin = h.command) as are_together
        from ledger.transaction t
        where t.tenant_id = n.tenant_id
            and t.position > b.before_position and t.position <= b.position
    ) t on true
    where n.many > 0 and (
        n.last_tenant_id = n.tenant_id
        and n.first_position = b.position
        and n.last_position = b.position
        and n.entries = t.entries
        and t.are_together
    ) is not true;
    if found then
        raise exception 'the balance of account % moved to version % without its entries',
            broken.account_id, broken.version
            using errcode = 'integrity_constraint_violation', constraint = 'head_moves_with_entry';
    end if;
    return null;
end
$$;
create trigger check_heads after update on ledger.balance
    referencing new table as new_heads
    for each statement execute function ledger.check_heads();

drop trigger check_times on ledger.transaction;
drop function ledger.check_times();

create or replace function ledger.check_transactions() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
declare
    written record;
    broken record;
begin
    select t.last_position, t.effective_at, b.closed_before, t.reversals > 0 as has_reversals,
        b.position = t.last_position
            and b.before_position = t.first_position - 1
            and b.recorded_at = t.first_time
            and b.recorded_at = t.last_time
            and t.last_position - t.first_position + 1 = t.many
            and t.last_tenant_id = t.tenant_id as follows,
        t.effective_at < b.closed_before as is_closed,
        t.first_time < b.recorded_from as is_summed_up
    into written
    from (
        select min(tenant_id) as tenant_id, max(tenant_id) as last_tenant_id,
            min(position) as first_position, max(position) as last_position,
            min(recorded_at) as first_time, max(recorded_at) as last_time,
            min(effective_at) as effective_at, count(reverses) as reversals, count(*) as many
        from new_transactions
    ) t
    left join lateral (
        select b.position, b.before_position, b.recorded_at, b.closed_before, b.recorded_from
        from ledger.book b where b.tenant_id = t.tenant_id limit 1
    ) b on true
    where t.many > 0;
    if not found then
        return null;
    end if;

    if written.has_reversals then
        select t.position into broken
        from new_transactions t
        left join lateral (
            select original.position
            from ledger.transaction original
            where original.tenant_id = t.tenant_id and original.position = t.reverses
            limit 1
        ) original on true
        where t.reverses is not null and (original.position < t.position) is not true
        limit 1;
        if found then
            raise exception 'transaction % reverses one that is not before it', broken.position
                using errcode = 'integrity_constraint_violation',
                    constraint = 'reversal_follows_its_original';
        end if;
    end if;
    if written.follows is not true then
        raise exception 'position % disagrees with the book', written.last_position
            using errcode = 'integrity_constraint_violation', constraint = 'position_follows_book';
    end if;
    -- The row of the book is locked by now, so nobody can close a day between this look and the
    -- commit. Who lost a race against a closing is told to run the transaction again, and then
    -- knows of it.
    if written.is_closed then
        raise exception 'a transaction is effective at %, and the days before % are closed',
            written.effective_at, written.closed_before
            using errcode = 'serialization_failure', constraint = 'period_is_open';
    end if;
    if written.is_summed_up then
        raise exception 'a transaction is recorded in a day that is summed up already'
            using errcode = 'integrity_constraint_violation', constraint = 'known_day_is_open';
    end if;
    return null;
end
$$;

-- What is inserted against the transactions, the book and the heads.
create or replace function ledger.check_entries() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
declare
    move record;
    broken record;
begin
    select n.*, b.position, b.before_position into move
    from (
        select min(tenant_id) as tenant_id, max(tenant_id) as last_tenant_id,
            min(position) as first_position, max(position) as last_position
        from new_entries
    ) n
    left join lateral (
        select b.position, b.before_position
        from ledger.book b where b.tenant_id = n.tenant_id limit 1
    ) b on true;
    if move.tenant_id is null then
        return null;
    end if;
    if move.tenant_id <> move.last_tenant_id then
        raise exception 'entries of tenants % and % came together',
            move.tenant_id, move.last_tenant_id
            using errcode = 'integrity_constraint_violation', constraint = 'entries_are_of_one_tenant';
    end if;

    -- Every transaction of the book's last move, and no other, has its entries here; they are
    -- as many as it says, of its time, and balance in each currency.
    select g.position, sum(g.many) as many into broken
    from (
        select n.position, n.recorded_at, count(*) as many, 0 as says,
            sum(case n.side when 'd' then n.amount else -n.amount end) as off_by
        from new_entries n
        group by n.position, n.recorded_at, n.currency
        union all
        select t.position, t.recorded_at, 0, t.entry_count, 0
        from ledger.transaction t
        where t.tenant_id = move.tenant_id
            and t.position > move.before_position and t.position <= move.position
            and t.written_by = pg_current_xact_id()
    ) g
    group by g.position, g.recorded_at
    having sum(g.many) <> sum(g.says) or bool_or(g.off_by <> 0)
    order by g.position
    limit 1;
    if found and broken.many > 0 and (broken.position <= move.position or not exists (
        select from ledger.transaction t
        where t.tenant_id = move.tenant_id and t.position = broken.position
            and t.written_by = pg_current_xact_id()
    )) then
        perform ledger.explain_entries(move.tenant_id, broken.position,
            (select jsonb_agg(to_jsonb(n)) from new_entries n where n.position = broken.position));
    end if;
    if broken.position is not null or (
        move.last_position = move.position and move.first_position = move.before_position + 1
    ) is not true then
        raise exception 'transactions % to % are not those that the book moved over',
            move.first_position, move.last_position
            using errcode = 'integrity_constraint_violation',
                constraint = 'transaction_has_entries';
    end if;

    -- Each entry continues the one before it, and each account's meet its head: it moved from
    -- where the first begins to where the newest ends, for just these.
    select s.account_id into broken
    from (
        select e.account_id, count(*) as many, max(e.seq) as last_seq,
            max(e.position) as last_position,
            min(e.currency) as currency, max(e.currency) as last_currency,
            sum(e.change) filter (where e.change > 0) as debits,
            sum(e.change) filter (where e.change < 0) as credits,
            min(e.balance_after - e.change) filter (where e.previous_seq is null) as began_at,
            bool_and(e.previous_seq is null or (
                e.seq = e.previous_seq + 1 and e.balance_after - e.change = e.previous_balance
            )) as continues
        from (
            select n.account_id, n.seq, n.position, n.balance_after, n.currency,
                case n.side when 'd' then n.amount else -n.amount end as change,
                lag(n.seq) over per_account as previous_seq,
                lag(n.balance_after) over per_account as previous_balance
            from new_entries n
            window per_account as (partition by n.account_id order by n.seq)
        ) e
        group by e.account_id
    ) s
    left join lateral (
        select b.currency, b.debits, b.credits, b.version, b.position,
            b.before_debits, b.before_credits, b.before_version
        from ledger.balance b
        where b.tenant_id = move.tenant_id and b.account_id = s.account_id
        limit 1
    ) b on true
    where (
        s.continues
        and s.currency = b.currency
        and s.last_currency = b.currency
        and s.last_position <= b.position
        and s.last_seq = b.version
        and s.last_seq - s.many = b.before_version
        and s.began_at = b.before_debits - b.before_credits
        and coalesce(s.debits, 0) = b.debits - b.before_debits
        and coalesce(-s.credits, 0) = b.credits - b.before_credits
    ) is not true
    limit 1;
    if found then
        perform ledger.explain_chain(move.tenant_id, broken.account_id,
            (select jsonb_agg(to_jsonb(n)) from new_entries n
             where n.account_id = broken.account_id));
    end if;
    return null;
end
$$;

-- Says what is wrong with the entries of one account. Called only when something is.
create function ledger.explain_chain(tenant integer, account integer, entries jsonb)
    returns void
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
declare
    broken record;
begin
    select f.* into broken
    from (
        select n.seq,
            case
                when n.seq <> n.previous_seq + 1 then 'leaves a gap'
                when n.balance_after <> n.previous_balance + n.change
                    then 'does not continue the balance'
                when b.account_id is null then 'is for an unknown account'
                when n.currency <> b.currency then 'has another currency than its account'
                when not n.is_newest then null
                when b.position < n.position then 'is beside its head, which did not move for it'
                when n.seq > b.version then 'leaves a gap'
                when n.seq - n.many <> b.before_version
                    then 'repeats a sequence number or leaves a gap'
                when b.debits - b.credits <> n.balance_after then 'does not continue the balance'
                else 'disagrees with the head'
            end as fault
        from (
            select e.seq, e.position, e.balance_after, e.currency,
                case e.side when 'd' then e.amount else -e.amount end as change,
                lag(e.seq) over per_account as previous_seq,
                lag(e.balance_after) over per_account as previous_balance,
                lead(e.seq) over per_account is null as is_newest,
                row_number() over per_account as many
            from jsonb_to_recordset(entries) as e (seq bigint, position bigint,
                balance_after bigint, currency char(3), side text, amount bigint)
            window per_account as (order by e.seq)
        ) n
        left join ledger.balance b on b.tenant_id = tenant and b.account_id = account
    ) f
    order by f.fault is null, f.seq
    limit 1;
    raise exception 'entry % of account % %', broken.seq, account, broken.fault
        using errcode = 'integrity_constraint_violation', constraint = 'entries_continue';
end
$$;

-- A book moves over transactions that this database transaction wrote, the newest of which has
-- the entry that the book names; that entry's coming was checked against the whole move. An
-- outbox number that goes on alone is no move.
drop trigger check_book on ledger.book;
create or replace function ledger.check_book() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
declare
    newest record;
begin
    if new.position > old.position and new.event_position >= old.event_position
        and new.recorded_at >= old.recorded_at and new.tenant_id = old.tenant_id
        and new.before_position = old.position
    then
        select t.position is not null as is_written, e.position is not null as has_entry
        into newest
        from (select) nothing
        left join lateral (
            select t.position
            from ledger.transaction t
            where t.tenant_id = new.tenant_id and t.position = new.position
                and t.recorded_at = new.recorded_at and t.written_by = pg_current_xact_id()
            limit 1
        ) t on true
        left join lateral (
            select e.position
            from ledger.entry e
            where e.tenant_id = new.tenant_id and e.account_id = new.last_account
                and e.seq = new.last_seq and e.recorded_at = new.recorded_at
                and e.position = new.position
            limit 1
        ) e on true;
        if newest.is_written and newest.has_entry then
            return null;
        elsif newest.is_written then
            raise exception 'transaction % has no entries', new.position
                using errcode = 'integrity_constraint_violation',
                    constraint = 'transaction_has_entries';
        end if;
    end if;
    raise exception 'the book of tenant % moved from % to % without its transactions',
        new.tenant_id, old.position, new.position
        using errcode = 'integrity_constraint_violation', constraint = 'book_moves_with_journal';
end
$$;
create trigger check_book after update on ledger.book
    for each row
    when (new.event_position < old.event_position
        or (new.tenant_id, new.position, new.recorded_at, new.before_position,
            new.last_account, new.last_seq)
            is distinct from
            (old.tenant_id, old.position, old.recorded_at, old.before_position,
            old.last_account, old.last_seq))
    execute function ledger.check_book();

-- A book is made with its tenant, which is never removed; a row that moved twice in one
-- transaction would be asked for its tenant each time.
alter table ledger.book drop constraint book_tenant_id_fkey;
