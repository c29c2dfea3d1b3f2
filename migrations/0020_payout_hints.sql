-- What gateways tell of a payout by webhook is a reason to ask about it: how such news find what
-- was asked, and how they leave alone what is being asked at this moment.

-- Until when nobody else asks: an answer may be on its way.
alter table payouts.call add column asking_until timestamptz;
create index call_of_reference on payouts.call (tenant_id, provider_ref)
    where provider_ref is not null;
grant update (asking_until) on payouts.call to mizan_service;
