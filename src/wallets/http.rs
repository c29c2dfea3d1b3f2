//! The routes of wallets: what a customer has, and goodwill.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use mizan_ledger::{AccountRef, Role, read};
use mizan_money::{Currency, Money, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::WalletError;
use super::goodwill::{NewGrant, grant_goodwill};
use super::lot::Lot;
use super::shop_name::ShopName;
use super::store;
use crate::app::App;
use crate::auth::Caller;
use crate::db::work;
use crate::http::{ApiPath, Code, IdempotentJson, Problem, idempotent};
use crate::payments::create::AMOUNT_MAX;

/// The most lots that a wallet shows: those that end first.
const LOTS_MAX: i64 = 500;

/// Every route of wallets.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(retrieve_wallet))
        .routes(routes!(grant))
        .merge(super::rules_http::routes())
}

/// What a customer has with the platform.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Wallet)]
struct WalletView {
    /// Always `wallet`.
    object: &'static str,
    /// The shop's word for the customer.
    customer: String,
    /// One for each currency in which there is or was anything.
    purses: Vec<PurseView>,
}

/// Both purses of one currency, in minor units.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Purse)]
struct PurseView {
    /// ISO 4217.
    currency: String,
    /// Cash that can be spent.
    cash: i64,
    /// Cash that checkouts hold.
    cash_held: i64,
    /// Promo credit that can be spent.
    promo: i64,
    /// Promo credit that checkouts hold.
    promo_held: i64,
    /// Cashback that was earned and has not vested.
    pending_cashback: i64,
    /// The credits that are not used up, those that end first first; at most 500.
    lots: Vec<LotView>,
}

/// A promo credit. Amounts are minor units; what is neither held, spent, expired nor clawed back
/// is left.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PromoLot)]
pub(super) struct LotView {
    /// `lot_…`
    id: String,
    /// Always `promo_lot`.
    object: &'static str,
    /// Whose it is.
    customer: String,
    /// ISO 4217.
    currency: String,
    /// `cashback`, `goodwill`, `refund` or `opening`.
    origin: &'static str,
    /// The payment that earned it, or whose refund gave it back.
    payment_intent: Option<String>,
    /// The rule that granted it.
    rule: Option<String>,
    /// Why somebody gave it.
    reason: Option<String>,
    /// `pending` or `vested`.
    status: &'static str,
    /// How much it was.
    amount: i64,
    /// What can still be spent of it, or could once it has vested.
    left: i64,
    /// Held by checkouts.
    held: i64,
    /// Spent.
    spent: i64,
    /// Ended unspent.
    expired: i64,
    /// Taken back by refunds of the order that earned it.
    clawed_back: i64,
    /// Kept back from those refunds, because it had been spent.
    withheld: i64,
    /// When it was earned.
    #[schema(value_type = String, format = DateTime)]
    earned_at: Timestamp,
    /// From when on it can be spent.
    #[schema(value_type = String, format = DateTime)]
    vests_at: Timestamp,
    /// Until when.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

impl From<&Lot> for LotView {
    fn from(lot: &Lot) -> Self {
        Self {
            id: lot.id.to_string(),
            object: "promo_lot",
            customer: lot.customer.clone(),
            currency: lot.currency.code().to_owned(),
            origin: lot.origin.as_str(),
            payment_intent: lot.payment.map(|id| id.to_string()),
            rule: lot.rule.map(|id| id.to_string()),
            reason: lot.reason.clone(),
            status: lot.state.as_str(),
            amount: lot.amount,
            left: lot.left(),
            held: lot.held,
            spent: lot.spent,
            expired: lot.expired,
            clawed_back: lot.clawed,
            withheld: lot.withheld,
            earned_at: lot.earned_at,
            vests_at: lot.vests_at,
            expires_at: lot.expires_at,
        }
    }
}

/// Retrieve a customer's wallet
///
/// A customer that nobody has heard of has an empty one.
#[utoipa::path(
    get,
    path = "/v1/customers/{customer}/wallet",
    operation_id = "retrieve_wallet",
    tag = "wallets",
    params(("customer" = String, Path, description = "The shop's word for the customer")),
    responses((status = 200, description = "The wallet", body = WalletView)),
)]
async fn retrieve_wallet(
    State(app): State<App>,
    caller: Caller,
    ApiPath(customer): ApiPath<ShopName>,
) -> Result<Json<WalletView>, Problem> {
    let (tenant, name) = (caller.tenant(), customer.as_str());
    let view =
        app.db.read("wallet", tenant, |tx| work(async move { wallet(tx, tenant, name).await }));
    Ok(Json(view.await?))
}

async fn wallet(
    conn: &mut PgConnection,
    tenant: TenantId,
    customer: &str,
) -> Result<WalletView, WalletError> {
    let purse = |kind, bucket| AccountRef::new(Role::CustomerWallet, &[customer, kind, bucket]);
    let paths = [
        purse("cash", "spendable")?,
        purse("cash", "held")?,
        purse("promo", "spendable")?,
        purse("promo", "held")?,
        AccountRef::new(Role::CashbackLiability, &[customer])?,
    ];
    let accounts = read::accounts_at(conn, tenant, &paths).await?;
    let mut balances: BTreeMap<Currency, [i64; 5]> = BTreeMap::new();
    for account in &accounts {
        if let Some(at) = paths.iter().position(|path| *path == account.account) {
            let of_currency = balances.entry(account.currency).or_default();
            of_currency[at] = account.balance().minor();
        }
    }
    let lots = store::lots_of_customer(conn, tenant, customer, LOTS_MAX).await?;
    for lot in &lots {
        balances.entry(lot.currency).or_default();
    }
    let purse = |(currency, sums): (Currency, [i64; 5])| {
        let [cash, cash_held, promo, promo_held, pending_cashback] = sums;
        let ours = lots.iter().filter(|lot| lot.currency == currency).map(LotView::from);
        PurseView {
            currency: currency.code().to_owned(),
            cash,
            cash_held,
            promo,
            promo_held,
            pending_cashback,
            lots: ours.collect(),
        }
    };
    Ok(WalletView {
        object: "wallet",
        customer: customer.to_owned(),
        purses: balances.into_iter().map(purse).collect(),
    })
}

/// Promo credit to be given.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewWalletGrant)]
struct GrantBody {
    /// In minor units of the currency.
    #[schema(minimum = 1, maximum = 999_999_999_999_i64)]
    amount: i64,
    /// ISO 4217.
    currency: String,
    /// Until when it can be spent; for ever where none.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// Why, 1 to 500 characters.
    reason: String,
}

/// Grant promo credit
///
/// Goodwill of the platform: it can be spent at once.
#[utoipa::path(
    post,
    path = "/v1/customers/{customer}/wallet/grants",
    operation_id = "grant_promo_credit",
    tag = "wallets",
    params(
        ("customer" = String, Path, description = "The shop's word for the customer"),
        ("Idempotency-Key" = String, Header, description = "New for each grant"),
    ),
    request_body = GrantBody,
    responses((status = 201, description = "Granted", body = LotView)),
)]
async fn grant(
    State(app): State<App>,
    caller: Caller,
    ApiPath(customer): ApiPath<ShopName>,
    IdempotentJson { idempotency, body }: IdempotentJson<GrantBody>,
) -> Result<Response, Problem> {
    let (tenant, now) = (caller.tenant(), caller.now(&app));
    let currency = Currency::parse(&body.currency).map_err(|error| {
        Problem::new(Code::UnknownCurrency, error.to_string()).param("currency")
    })?;
    if !(1..=AMOUNT_MAX).contains(&body.amount) {
        let message = format!("A grant is 1 to {AMOUNT_MAX} minor units.");
        return Err(Problem::new(Code::InvalidAmount, message).param("amount"));
    }
    let length = body.reason.chars().count();
    if !(1..=500).contains(&length) || body.reason.contains(char::is_control) {
        let message = "A reason has 1 to 500 characters and no control characters.";
        return Err(WalletError::invalid("reason", message).into());
    }
    let asked = &NewGrant {
        customer: customer.to_string(),
        amount: Money::new(body.amount, currency),
        expires_at: body.expires_at,
        reason: body.reason,
        by: caller.key().to_string(),
    };
    idempotent(&app, &caller, &idempotency, "grant_promo_credit", |tx| {
        work(async move {
            let lot = grant_goodwill(tx, tenant, now, asked).await?;
            Ok((StatusCode::CREATED, LotView::from(&lot)))
        })
    })
    .await
}
