-- Gateways' words in groups: the look-ups that a group needs stay on an index.

-- By the gateway's id alone: the attempt, which the older key names first, is not known yet.
create index refund_by_provider_ref on payments.refund (tenant_id, provider_ref)
    where provider_ref is not null;
