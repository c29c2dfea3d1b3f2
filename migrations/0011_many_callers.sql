-- Many callers at once: their API keys are looked up, and their idempotency keys taken, in one
-- statement for all of them. Both functions keep their plans, which a function of language sql
-- would make again for each call. A plan that was made when the table was small must stay good
-- when it is large: so no plan may scan, and "limit 1" makes each look-up a probe of the index.

-- In place of auth.tenant_of_key: the one way from keys to their tenants. It answers only to who
-- already holds the keys, and nothing for one that is unknown or was revoked. n is the place of
-- the digest in the question.
create function auth.tenants_of_keys(key_digests bytea[])
    returns table (n bigint, tenant_id integer, key_id uuid, mode text)
    language plpgsql stable security definer
    set search_path = pg_catalog, pg_temp
    set enable_seqscan = off
as $$
begin
    return query
    select asked.n, known.tenant_id, known.id, known.mode
    from unnest(key_digests) with ordinality as asked (digest, n)
    cross join lateral (
        select k.tenant_id, k.id, k.mode
        from auth.api_key k
        where k.digest = asked.digest and k.revoked_at is null
        limit 1
    ) known;
end
$$;
revoke all on function auth.tenants_of_keys(bytea[]) from public;
grant execute on function auth.tenants_of_keys(bytea[]) to mizan_service;

-- Takes the locks of idempotency keys without waiting, then tells of each key that is not simply
-- free: another request holds it in this moment, or what is known of it. Two statements in one
-- call: the second sees what was committed before the locks were granted, so a key of which it
-- says nothing is free until this transaction ends.
create function http.take_keys(of_tenant integer, keys text[], locks bigint[])
    returns table (
        n            bigint,
        is_ours      boolean,
        fingerprint  bytea,
        operation_id uuid,
        status       smallint,
        body         bytea,
        created_at   timestamptz
    )
    language plpgsql volatile
    set search_path = pg_catalog, pg_temp
    set enable_seqscan = off
as $$
declare
    taken boolean[];
begin
    taken := array(
        select pg_try_advisory_xact_lock(wanted.number)
        from unnest(locks) with ordinality as wanted (number, n)
        order by wanted.n
    );
    return query
    select asked.n, asked.is_ours, known.fingerprint, known.operation_id, known.status,
        known.body, known.created_at
    from unnest(keys, taken) with ordinality as asked (key, is_ours, n)
    left join lateral (
        select i.key, i.fingerprint, i.operation_id, i.status, i.body, i.created_at
        from http.idempotency i
        where asked.is_ours and i.tenant_id = of_tenant and i.key = asked.key
        limit 1
    ) known on true
    where not asked.is_ours or known.key is not null;
end
$$;
revoke all on function http.take_keys(integer, text[], bigint[]) from public;
grant execute on function http.take_keys(integer, text[], bigint[]) to mizan_service;

-- What the first of them replaces.
drop function auth.tenant_of_key(bytea);
