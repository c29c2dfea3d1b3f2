//! What a vendor earned, line by line.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use mizan_ledger::read;
use mizan_money::id::PaymentIntentId;
use mizan_money::{TenantId, Timestamp, TransactionId};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::store::{self, LineAt};
use super::terms_http::{check_vendor, invalid};
use crate::app::App;
use crate::auth::Caller;
use crate::db::work;
use crate::http::{ApiPath, ApiQuery, List, PageRequest, Problem};
use crate::payments::line::{Component, Line};
use crate::payments::{Payment, PaymentError};
use crate::payouts;

/// Every route of earnings.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// What the list is narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: Option<u32>,
    /// Continue behind this id: older ones.
    starting_after: Option<String>,
}

/// What a vendor earns by one line of an order. `gross - commission - commission_vat - withheld
/// - refunds - fee = net`, in minor units.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VendorEarning)]
struct EarningView {
    /// `pi_…:n`
    id: String,
    /// Always `vendor_earning`.
    object: &'static str,
    /// Your order.
    order: String,
    /// `pi_…`
    payment_intent: String,
    /// The line's number.
    line: i16,
    /// ISO 4217.
    currency: &'static str,
    /// Your id of the item.
    item: Option<String>,
    /// What the customer, and the platform on top, paid for it.
    gross: i64,
    /// What the vendor gave off before.
    discount: i64,
    /// The platform's commission.
    commission: i64,
    /// In percent.
    commission_percent: Option<String>,
    /// The rule that says so.
    commission_rule: Option<String>,
    /// VAT or GST on it.
    commission_vat: i64,
    /// Taxes withheld, and the part of an affiliate.
    withheld: i64,
    /// What of the vendor's part went back, or is promised to, with what it bears for others.
    refunds: i64,
    /// The gateway's fee, where the vendor bears it: never, so far.
    fee: i64,
    /// What the vendor has of it.
    net: i64,
    /// When the goods were delivered.
    #[schema(value_type = Option<String>, format = DateTime)]
    delivered_at: Option<Timestamp>,
    /// When it becomes, or became, available.
    #[schema(value_type = Option<String>, format = DateTime)]
    available_at: Option<Timestamp>,
    /// `pending`, `available`, or `paid` in a payout.
    status: &'static str,
    /// The payout that pays it.
    payout: Option<String>,
}

/// List a vendor's earnings
///
/// Line by line, newest first.
#[utoipa::path(
    get,
    path = "/v1/vendors/{vendor}/earnings",
    tag = "vendors",
    operation_id = "list_vendor_earnings",
    params(("vendor" = String, Path, description = "Your id of the vendor"), ListQuery),
    responses((status = 200, description = "A page", body = List<EarningView>)),
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    ApiPath(vendor): ApiPath<String>,
    ApiQuery(query): ApiQuery<ListQuery>,
) -> Result<Json<List<EarningView>>, Problem> {
    check_vendor(&vendor)?;
    let after = query.starting_after.as_deref().map(place).transpose()?;
    let page = PageRequest::new(query.limit, after, None)?;
    let (tenant, name, rows) = (caller.tenant(), &vendor, page.rows());
    let found = app.db.read("vendor_earnings", tenant, |tx| {
        work(async move { earnings(tx, tenant, name, after, rows).await })
    });
    let url = format!("/v1/vendors/{vendor}/earnings");
    Ok(Json(page.list(found.await?, url)))
}

/// Reads an id such as `pi_…:2`.
fn place(text: &str) -> Result<LineAt, PaymentError> {
    let parts = text.split_once(':');
    let place = parts.and_then(|(id, n)| Some((id.parse().ok()?, n.parse().ok()?)));
    place.ok_or_else(|| invalid("starting_after", "An id of an earning is such as pi_…:2."))
}

async fn earnings(
    conn: &mut PgConnection,
    tenant: TenantId,
    vendor: &str,
    after: Option<LineAt>,
    limit: i64,
) -> Result<Vec<EarningView>, PaymentError> {
    let places = store::lines_of(conn, tenant, vendor, after, limit).await?;
    let ids: Vec<PaymentIntentId> = places.iter().map(|(id, _)| *id).collect();
    let payments = crate::payments::store::load(conn, tenant, &ids).await?;
    let mut released: BTreeMap<LineAt, TransactionId> = BTreeMap::new();
    for (id, n) in &places {
        let key = format!("{id}:{n}:released");
        if let Some(found) = read::transaction_by_key(conn, tenant, &key).await? {
            released.insert((*id, *n), found.id);
        }
    }
    let transactions: Vec<TransactionId> = released.values().copied().collect();
    let paid = payouts::store::paid_in(conn, tenant, &transactions)
        .await
        .map_err(|error| PaymentError::Corrupt { what: error.to_string() })?;
    let view = |(id, n): &LineAt| {
        let payment = payments.iter().find(|it| it.intent.id == *id)?;
        let line = payment.lines.iter().find(|line| line.n == *n)?;
        let payout = released.get(&(*id, *n)).and_then(|it| paid.get(it));
        Some(EarningView::of(payment, line, payout.map(|(payout, _)| payout.to_string())))
    };
    Ok(places.iter().filter_map(view).collect())
}

impl EarningView {
    fn of(payment: &Payment, line: &Line, payout: Option<String>) -> Self {
        let charged = line.parts.iter().filter(|part| part.component.is_charged());
        let charged: i64 = charged.map(|part| part.amount.minor()).sum();
        let commission = line.amount_of(Component::Commission).minor();
        let gross = line.captured.minor() + line.coupon.minor();
        let own = line.parts.iter().filter(|part| part.component.is_vendors());
        let share: i64 = own.map(|part| part.amount.minor()).sum();
        let net = line.vendor_left().minor();
        let deal = line.deal.as_ref();
        Self {
            id: format!("{}:{}", payment.intent.id, line.n),
            object: "vendor_earning",
            order: payment.intent.order_name(),
            payment_intent: payment.intent.id.to_string(),
            line: line.n,
            currency: payment.intent.currency.code(),
            item: line.item.clone(),
            gross,
            discount: line.vendor_discount.minor(),
            commission,
            commission_percent: deal.map(|it| it.commission.percent.as_percent_string()),
            commission_rule: deal.and_then(|it| it.commission.rule.clone()),
            commission_vat: charged - commission,
            withheld: gross - charged - share,
            refunds: share - net,
            fee: 0,
            net,
            delivered_at: line.delivered_at,
            available_at: line.released_at.or(line.release_at),
            status: match (&payout, line.released_at) {
                (Some(_), _) => "paid",
                (None, Some(_)) => "available",
                (None, None) => "pending",
            },
            payout,
        }
    }
}
