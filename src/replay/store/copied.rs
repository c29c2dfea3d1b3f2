//! The tables whose rows are copied into the books that are written again.

/// A table whose rows are copied: what was commanded, and the bytes that were received.
pub(in crate::replay) struct Copied {
    pub(super) read: &'static str,
    pub(super) write: &'static str,
}

/// In the order of their foreign keys. What follows from gateways' words is left out or set to
/// the beginning.
pub(in crate::replay) const COPIED: [Copied; 9] = [
    Copied {
        read: "select to_jsonb(t) from vendors.terms t
             where tenant_id = mizan.current_tenant() order by vendor, valid_from",
        write: "insert into vendors.terms
             select r.* from jsonb_populate_recordset(null::vendors.terms, $1) r",
    },
    Copied {
        read: "select to_jsonb(t) from commissions.rule t
             where tenant_id = mizan.current_tenant() order by id",
        write: "insert into commissions.rule
             select r.* from jsonb_populate_recordset(null::commissions.rule, $1) r",
    },
    Copied {
        read: "select to_jsonb(t) from commissions.tax_policy t
             where tenant_id = mizan.current_tenant() order by id",
        write: "insert into commissions.tax_policy
             select r.* from jsonb_populate_recordset(null::commissions.tax_policy, $1) r",
    },
    Copied {
        read: "select to_jsonb(t) from payments.routing_rule t
             where tenant_id = mizan.current_tenant() order by id",
        write: "insert into payments.routing_rule
             select r.* from jsonb_populate_recordset(null::payments.routing_rule, $1) r",
    },
    Copied {
        // Before the first attempt only an instrument that is named makes a difference.
        read: "select to_jsonb(t) || '{
                 \"authorised\": 0, \"captured\": 0, \"voided\": 0, \"refund_pending\": 0,
                 \"refunded\": 0, \"disputed\": 0, \"lost\": 0, \"unapplied\": 0,
                 \"cash_back\": 0, \"promo_back\": 0, \"withheld\": 0,
                 \"next_action\": null, \"last_error\": null, \"review_reason\": null,
                 \"cancellation_reason\": null}'
                 || jsonb_build_object('updated_at', created_at, 'state', case
                     when payment_method is null or exists (
                         select from payments.attempt a
                         where a.tenant_id = t.tenant_id and a.intent_id = t.id)
                     then 'requires_payment_method' else 'requires_confirmation' end)
             from payments.intent t where tenant_id = mizan.current_tenant() order by id",
        write: "insert into payments.intent
             select r.* from jsonb_populate_recordset(null::payments.intent, $1) r",
    },
    Copied {
        read: "select to_jsonb(t) || '{
                 \"captured\": 0, \"tax\": 0, \"coupon\": 0, \"parts\": [], \"deal\": null,
                 \"refunded\": 0, \"coupon_back\": 0, \"delivery\": null,
                 \"delivered_at\": null, \"release_at\": null, \"released_at\": null,
                 \"reserved\": 0, \"reserve_until\": null}'
             from payments.line t where tenant_id = mizan.current_tenant() order by intent_id, n",
        write: "insert into payments.line
             select r.* from jsonb_populate_recordset(null::payments.line, $1) r",
    },
    Copied {
        read: "select to_jsonb(t) from payments.exchange t
             where tenant_id = mizan.current_tenant() order by operation_id, n",
        write: "insert into payments.exchange
             select r.* from jsonb_populate_recordset(null::payments.exchange, $1) r",
    },
    Copied {
        read: "select to_jsonb(t) from http.idempotency t
             where tenant_id = mizan.current_tenant() order by key",
        write: "insert into http.idempotency
             select r.* from jsonb_populate_recordset(null::http.idempotency, $1) r",
    },
    Copied {
        read: "select to_jsonb(t) from webhooks.delivery t
             where tenant_id = mizan.current_tenant() order by id",
        write: "insert into webhooks.delivery
                 (tenant_id, id, connection, provider, dedupe_id, event_type, object_ref, body,
                  headers, signed_at, received_at, occurred_at)
             select tenant_id, id, connection, provider, dedupe_id, event_type, object_ref, body,
                 headers, signed_at, received_at, occurred_at
             from jsonb_populate_recordset(null::webhooks.delivery, $1)",
    },
];
