-- Every decision about payments, in the order of the commits: what was asked of a gateway, and
-- each word of one that was applied. With the deliveries' bytes and the answers to plain
-- transactions it is enough to write the journal a second time and compare.

create table payments.word (
    tenant_id   integer not null references mizan.tenant,
    -- Taken after the journal's book, or with the payment locked: it follows the commits of
    -- whatever touched the same payment or the same accounts. A roll-back leaves a gap.
    n           bigint generated always as identity,
    -- Where the journal stood, the word's own entries included.
    position    bigint not null,
    -- The time the word was applied with.
    recorded_at timestamptz not null,
    -- {"word": "delivered", "delivery": …} and the like; bytes stay where they are kept.
    word        jsonb not null constraint word_is_bounded check (octet_length(word::text) <= 65536),
    primary key (tenant_id, n)
);
call mizan.isolate_tenants('payments.word');

create function payments.refuse_change() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception 'what was said stays said: % is refused', lower(tg_op)
        using errcode = 'insufficient_privilege', constraint = 'word_is_append_only';
end
$$;
create trigger append_only before update or delete or truncate on payments.word
    for each statement execute function payments.refuse_change();

grant select on payments.word to mizan_service;
grant insert (tenant_id, position, recorded_at, word) on payments.word to mizan_service;
