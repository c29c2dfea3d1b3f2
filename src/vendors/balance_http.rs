//! The routes of vendors' balances and statements.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use chrono::NaiveDate;
use mizan_ledger::read::parse_day;
use mizan_money::id::PaymentIntentId;
use mizan_money::{Currency, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::balance::{self, Ageing, Moved, Standing};
use super::terms_http::{check_vendor, invalid};
use crate::app::App;
use crate::auth::Caller;
use crate::db::work;
use crate::http::{ApiPath, ApiQuery, Code, Problem};
use crate::payments::line::Component;
use crate::payments::{Payment, PaymentError, store};

/// Every route of balances.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_balance)).routes(routes!(get_statement))
}

/// What a vendor has.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VendorBalance)]
struct BalanceView {
    /// Your id of the vendor.
    vendor: String,
    /// Always `vendor_balance`.
    object: &'static str,
    /// In each currency.
    balances: Vec<StandingView>,
}

/// What a vendor has in one currency, in minor units.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VendorBalanceOfCurrency)]
struct StandingView {
    /// ISO 4217.
    currency: &'static str,
    /// Earned and not yet released.
    pending: i64,
    /// Can be paid out.
    available: i64,
    /// Kept back for a term.
    reserve: i64,
    /// Held while a dispute is open.
    held: i64,
    /// Owed by the vendor; the next earnings pay it first.
    debt: i64,
    /// How old the debt is; what was recovered paid the oldest first.
    debt_ageing: AgeingView,
    /// What we owe the vendor in all, less its debt.
    net: i64,
}

/// A debt by its age, in minor units.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DebtAgeing)]
struct AgeingView {
    /// For at most 30 days.
    days_0_to_30: i64,
    /// For 31 to 60 days.
    days_31_to_60: i64,
    /// For 61 to 90 days.
    days_61_to_90: i64,
    /// For longer.
    over_90_days: i64,
}

impl From<Ageing> for AgeingView {
    fn from(it: Ageing) -> Self {
        Self {
            days_0_to_30: it.to_30,
            days_31_to_60: it.to_60,
            days_61_to_90: it.to_90,
            over_90_days: it.beyond,
        }
    }
}

impl StandingView {
    fn of(currency: Currency, it: &Standing, ageing: Ageing) -> Self {
        Self {
            currency: currency.code(),
            pending: it.pending,
            available: it.available,
            reserve: it.reserve,
            held: it.held,
            debt: it.debt,
            debt_ageing: ageing.into(),
            net: it.net(),
        }
    }
}

/// Retrieve a vendor's balance
///
/// By currency, as the books say now.
#[utoipa::path(
    get,
    path = "/v1/vendors/{vendor}/balance",
    tag = "vendors",
    operation_id = "retrieve_vendor_balance",
    params(("vendor" = String, Path, description = "Your id of the vendor")),
    responses((status = 200, description = "What it has", body = BalanceView)),
)]
async fn get_balance(
    State(app): State<App>,
    caller: Caller,
    ApiPath(vendor): ApiPath<String>,
) -> Result<Json<BalanceView>, Problem> {
    check_vendor(&vendor)?;
    let (tenant, now, name) = (caller.tenant(), caller.now(&app), &vendor);
    let found = app.db.read("vendor_balance", tenant, |tx| {
        work(async move {
            let standings = balance::standings(tx, tenant, name).await?;
            let ageing = balance::ageing(tx, tenant, now, name).await?;
            Ok::<_, PaymentError>((standings, ageing))
        })
    });
    let (standings, ageing) = found.await?;
    let of = |currency| ageing.get(currency).copied().unwrap_or_default();
    let balances = standings.iter().map(|(to, it)| StandingView::of(*to, it, of(to))).collect();
    Ok(Json(BalanceView { vendor, object: "vendor_balance", balances }))
}

/// Which days a statement covers.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct StatementQuery {
    /// The first day, in the tenant's time zone.
    #[param(value_type = String, format = Date)]
    from: String,
    /// The last day.
    #[param(value_type = String, format = Date)]
    to: String,
    /// ISO 4217.
    currency: String,
}

/// A vendor's statement. `opening + sales_gross - commission - vat_on_commission - withheld
/// - refunds + other - paid_out = closing`, all in minor units.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VendorStatement)]
struct StatementView {
    /// Your id of the vendor.
    vendor: String,
    /// Always `vendor_statement`.
    object: &'static str,
    /// ISO 4217.
    currency: &'static str,
    /// The first day.
    from: String,
    /// The last day.
    to: String,
    /// What we owed before it.
    opening: i64,
    /// What customers, and the platform on top, paid for the vendor's lines.
    sales_gross: i64,
    /// Of that, the platform's commission.
    commission: i64,
    /// The VAT or GST on it.
    vat_on_commission: i64,
    /// Of that, taxes withheld and the part of affiliates.
    withheld: i64,
    /// What refunds took from the vendor.
    refunds: i64,
    /// Disputes, corrections and everything else: what was added.
    other: i64,
    /// What was paid out, less what came back.
    paid_out: i64,
    /// What we owe after the last day.
    closing: i64,
    /// What moved it, in the order of the journal.
    entries: Vec<EntryView>,
}

/// One transaction of a statement.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VendorStatementEntry)]
struct EntryView {
    /// `txn_…`
    transaction: String,
    /// What happened.
    kind: String,
    /// The thing it belongs to.
    source: String,
    /// When it was true.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What it added to what we owe; zero where money only changed its bucket.
    amount: i64,
    /// The same for people, with the currency.
    shown: String,
    /// What we owed after it.
    balance: i64,
}

/// Retrieve a vendor's statement
///
/// What moved its balance in one currency, from one day to another.
#[utoipa::path(
    get,
    path = "/v1/vendors/{vendor}/statements",
    tag = "vendors",
    operation_id = "retrieve_vendor_statement",
    params(("vendor" = String, Path, description = "Your id of the vendor"), StatementQuery),
    responses((status = 200, description = "The statement", body = StatementView)),
)]
async fn get_statement(
    State(app): State<App>,
    caller: Caller,
    ApiPath(vendor): ApiPath<String>,
    ApiQuery(query): ApiQuery<StatementQuery>,
) -> Result<Json<StatementView>, Problem> {
    check_vendor(&vendor)?;
    let currency = Currency::parse(&query.currency)
        .map_err(|it| Problem::new(Code::UnknownCurrency, it.to_string()).param("currency"))?;
    let days = (day("from", &query.from)?, day("to", &query.to)?);
    if days.1 < days.0 {
        return Err(invalid("to", "The last day is not before the first.").into());
    }
    let (tenant, now, name) = (caller.tenant(), caller.now(&app), &vendor);
    let view = app.db.read("vendor_statement", tenant, |tx| {
        work(async move { view_of(tx, tenant, now, (name, currency), days).await })
    });
    Ok(Json(view.await?))
}

fn day(param: &str, text: &str) -> Result<NaiveDate, PaymentError> {
    parse_day(text).ok_or_else(|| invalid(param, "A day is such as 2026-03-31."))
}

async fn view_of(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    (vendor, currency): (&str, Currency),
    days: (NaiveDate, NaiveDate),
) -> Result<StatementView, PaymentError> {
    let found = balance::statement(conn, tenant, now, (vendor, currency), days).await?;
    let mut view = StatementView {
        vendor: vendor.to_owned(),
        object: "vendor_statement",
        currency: currency.code(),
        from: days.0.to_string(),
        to: days.1.to_string(),
        opening: found.opening,
        sales_gross: 0,
        commission: 0,
        vat_on_commission: 0,
        withheld: 0,
        refunds: 0,
        other: 0,
        paid_out: 0,
        closing: found.closing,
        entries: Vec::with_capacity(found.moved.len()),
    };
    let sold: Vec<PaymentIntentId> = found
        .moved
        .iter()
        .filter(|it| is_sale(it))
        .filter_map(|it| it.source.parse().ok())
        .collect();
    let payments: BTreeMap<String, Payment> = store::load(conn, tenant, &sold)
        .await?
        .into_iter()
        .map(|payment| (payment.intent.id.to_string(), payment))
        .collect();
    let mut after = found.opening;
    for moved in found.moved {
        after += moved.amount;
        view.count(&moved, vendor, payments.get(&moved.source));
        view.entries.push(EntryView {
            transaction: moved.transaction.to_string(),
            kind: moved.kind,
            source: moved.source,
            at: moved.at,
            amount: moved.amount,
            shown: balance::shown(moved.amount, currency),
            balance: after,
        });
    }
    Ok(view)
}

fn is_sale(moved: &Moved) -> bool {
    moved.kind == "payment.captured"
}

impl StatementView {
    /// Counts a transaction where it belongs.
    fn count(&mut self, moved: &Moved, vendor: &str, sale: Option<&Payment>) {
        match (moved.kind.split_once('.').map(|(of, _)| of), sale) {
            (Some("payment"), Some(payment)) => self.count_sale(moved.amount, vendor, payment),
            (Some("refund"), _) => self.refunds -= moved.amount,
            (Some("payout"), _) => self.paid_out -= moved.amount,
            _ => self.other += moved.amount,
        }
    }

    fn count_sale(&mut self, share: i64, vendor: &str, payment: &Payment) {
        let own = payment.lines.iter().filter(|line| line.vendor.as_deref() == Some(vendor));
        let (mut gross, mut commission, mut vat) = (0, 0, 0);
        for line in own {
            gross += line.captured.minor() + line.coupon.minor();
            commission += line.amount_of(Component::Commission).minor();
            let charged = line.parts.iter().filter(|part| part.component.is_charged());
            let all: i64 = charged.map(|part| part.amount.minor()).sum();
            vat += all - line.amount_of(Component::Commission).minor();
        }
        self.sales_gross += gross;
        self.commission += commission;
        self.vat_on_commission += vat;
        self.withheld += gross - commission - vat - share;
    }
}
