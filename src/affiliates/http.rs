//! The routes of affiliates: terms, codes, clicks, and what they have.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use mizan_ledger::{AccountRef, Role, read};
use mizan_money::{Currency, Rate, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::affiliate::{Affiliate, FundedBy, NewClick};
use super::error::AffiliateError;
use super::{register, store};
use crate::app::App;
use crate::auth::Caller;
use crate::db::work;
use crate::http::{ApiPath, IdempotentJson, Problem, idempotent};
use crate::wallets::ShopName;

/// The most codes that an affiliate shows.
const CODES_SHOWN: i64 = 1_000;

/// The most days that terms can name: ten years.
const DAYS_MAX: i32 = 3_650;

/// Every route of affiliates.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_affiliate))
        .routes(routes!(retrieve_affiliate))
        .routes(routes!(add_code))
        .routes(routes!(record_click))
}

/// An affiliate to be registered.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewAffiliate)]
struct AffiliateBody {
    /// The shop's word for it: 1 to 80 letters, digits, `_`, `.` or `-`.
    id: String,
    /// For people, 1 to 200 characters.
    name: Option<String>,
    /// Percent of the price before tax, rounded half-up per line.
    percent: Rate,
    /// Who pays it: the platform out of its own, or the vendor out of its share.
    #[serde(default)]
    funded_by: FundedByWord,
    /// For how many days a click counts.
    #[serde(default = "month")]
    #[schema(minimum = 0, maximum = 3650, default = 30)]
    window_days: i32,
    /// How many days after delivery a commission can be paid.
    #[serde(default = "fortnight")]
    #[schema(minimum = 0, maximum = 3650, default = 14)]
    release_days: i32,
}

const fn month() -> i32 {
    30
}

const fn fortnight() -> i32 {
    14
}

/// Who pays a commission.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[schema(as = FundedBy)]
#[serde(rename_all = "snake_case")]
enum FundedByWord {
    /// The platform, out of its own.
    #[default]
    Platform,
    /// The vendor, out of its share.
    Vendor,
}

/// An affiliate with its terms and what it has.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Affiliate)]
struct AffiliateView {
    /// The shop's word for it.
    id: String,
    /// Always `affiliate`.
    object: &'static str,
    /// For people.
    name: Option<String>,
    /// Percent of the price before tax.
    percent: String,
    /// `platform` or `vendor`.
    funded_by: &'static str,
    /// For how many days a click counts.
    window_days: i32,
    /// How many days after delivery a commission can be paid.
    release_days: i32,
    /// Its codes, in the order of the alphabet.
    codes: Vec<String>,
    /// One for each currency in which there is or was anything.
    balances: Vec<BalanceView>,
    /// When it was registered.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// By whom.
    created_by: String,
}

/// What an affiliate has in one currency, in minor units.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AffiliateBalance)]
struct BalanceView {
    /// ISO 4217.
    currency: String,
    /// Earned; the return window is open.
    pending: i64,
    /// Can be paid.
    available: i64,
    /// Was paid and taken back: what it owes.
    receivable: i64,
}

impl AffiliateBody {
    fn check(self, now: Timestamp, by: String) -> Result<Affiliate, AffiliateError> {
        let invalid = AffiliateError::invalid;
        let id = name("id", &self.id)?;
        let readable =
            |it: &String| (1..=200).contains(&it.chars().count()) && !it.contains(char::is_control);
        if !self.name.as_ref().is_none_or(readable) {
            let message = "A name has 1 to 200 characters and no control characters.";
            return Err(invalid("name", message));
        }
        for (param, days) in
            [("window_days", self.window_days), ("release_days", self.release_days)]
        {
            if !(0..=DAYS_MAX).contains(&days) {
                return Err(invalid(param, "Terms name 0 to 3650 days."));
            }
        }
        Ok(Affiliate {
            id: id.to_string(),
            name: self.name,
            rate: self.percent,
            funded_by: match self.funded_by {
                FundedByWord::Platform => FundedBy::Platform,
                FundedByWord::Vendor => FundedBy::Vendor,
            },
            window_days: self.window_days,
            release_days: self.release_days,
            created_at: now,
            created_by: by,
        })
    }
}

fn name(param: &str, text: &str) -> Result<ShopName, AffiliateError> {
    text.parse().map_err(|error| AffiliateError::invalid(param, format!("{param}: {error}.")))
}

/// Register an affiliate
///
/// Its terms stay: other terms are another affiliate's.
#[utoipa::path(
    post,
    path = "/v1/affiliates",
    operation_id = "create_affiliate",
    tag = "affiliates",
    params(("Idempotency-Key" = String, Header, description = "New for each affiliate")),
    request_body = AffiliateBody,
    responses((status = 201, description = "Registered", body = AffiliateView)),
)]
async fn create_affiliate(
    State(app): State<App>,
    caller: Caller,
    IdempotentJson { idempotency, body }: IdempotentJson<AffiliateBody>,
) -> Result<Response, Problem> {
    let (tenant, now) = (caller.tenant(), caller.now(&app));
    let affiliate = &body.check(now, caller.key().to_string())?;
    idempotent(&app, &caller, &idempotency, "create_affiliate", |tx| {
        work(async move {
            register::register(tx, tenant, affiliate).await?;
            Ok((StatusCode::CREATED, view(tx, tenant, &affiliate.id).await?))
        })
    })
    .await
}

/// Retrieve an affiliate
///
/// With its codes and balances.
#[utoipa::path(
    get,
    path = "/v1/affiliates/{id}",
    operation_id = "retrieve_affiliate",
    tag = "affiliates",
    params(("id" = String, Path, description = "The shop's word for it")),
    responses((status = 200, description = "The affiliate", body = AffiliateView)),
)]
async fn retrieve_affiliate(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<ShopName>,
) -> Result<Json<AffiliateView>, Problem> {
    let (tenant, id) = (caller.tenant(), id.as_str());
    let found =
        app.db.read("affiliate", tenant, |tx| work(async move { view(tx, tenant, id).await }));
    Ok(Json(found.await?))
}

async fn view(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: &str,
) -> Result<AffiliateView, AffiliateError> {
    let found = store::affiliate(conn, tenant, id).await?;
    let it = found.ok_or_else(|| AffiliateError::NotFound { id: id.to_owned() })?;
    let payable = |bucket| AccountRef::new(Role::AffiliatePayable, &[id, bucket]);
    let paths = [
        payable("pending")?,
        payable("available")?,
        AccountRef::new(Role::AffiliateReceivable, &[id])?,
    ];
    let mut balances: BTreeMap<Currency, [i64; 3]> = BTreeMap::new();
    for account in read::accounts_at(conn, tenant, &paths).await? {
        if let Some(at) = paths.iter().position(|path| *path == account.account) {
            let of_currency = balances.entry(account.currency).or_default();
            of_currency[at] = account.balance().minor();
        }
    }
    let balance = |(currency, [pending, available, receivable]): (Currency, [i64; 3])| {
        let currency = currency.code().to_owned();
        BalanceView { currency, pending, available, receivable }
    };
    Ok(AffiliateView {
        codes: store::codes(conn, tenant, id, CODES_SHOWN).await?,
        balances: balances.into_iter().map(balance).collect(),
        id: it.id,
        object: "affiliate",
        name: it.name,
        percent: it.rate.as_percent_string(),
        funded_by: it.funded_by.as_str(),
        window_days: it.window_days,
        release_days: it.release_days,
        created: it.created_at,
        created_by: it.created_by,
    })
}

/// A code to be given.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewAffiliateCode)]
struct CodeBody {
    /// What customers type, or what stands in the link: 1 to 80 letters, digits, `_`, `.`, `-`.
    code: String,
}

/// Give an affiliate a code
///
/// Giving the same again changes nothing.
#[utoipa::path(
    post,
    path = "/v1/affiliates/{id}/codes",
    operation_id = "add_affiliate_code",
    tag = "affiliates",
    params(
        ("id" = String, Path, description = "The shop's word for the affiliate"),
        ("Idempotency-Key" = String, Header, description = "New for each code"),
    ),
    request_body = CodeBody,
    responses((status = 201, description = "Given", body = AffiliateView)),
)]
async fn add_code(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<ShopName>,
    IdempotentJson { idempotency, body }: IdempotentJson<CodeBody>,
) -> Result<Response, Problem> {
    let (tenant, now) = (caller.tenant(), caller.now(&app));
    let (code, by) = (&name("code", &body.code)?, &caller.key().to_string());
    let id = id.as_str();
    idempotent(&app, &caller, &idempotency, "add_affiliate_code", |tx| {
        work(async move {
            register::add_code(tx, tenant, now, id, code.as_str(), by).await?;
            Ok((StatusCode::CREATED, view(tx, tenant, id).await?))
        })
    })
    .await
}

/// A click to be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewAffiliateClick)]
struct ClickBody {
    /// The code in the link.
    code: String,
    /// The shop's word for a visitor it does not know.
    visitor: Option<String>,
    /// The shop's word for the customer.
    customer: Option<String>,
}

/// A click that was kept.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AffiliateClick)]
struct ClickView {
    /// `clk_…`
    id: String,
    /// Always `affiliate_click`.
    object: &'static str,
    /// The code in the link.
    code: String,
    /// Whose code it is.
    affiliate: String,
    /// The shop's word for a visitor it does not know.
    visitor: Option<String>,
    /// The shop's word for the customer.
    customer: Option<String>,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
}

/// Record a click
///
/// A payment that names no affiliate is attributed to the last click of its customer that is
/// still inside the affiliate's window.
#[utoipa::path(
    post,
    path = "/v1/affiliate_clicks",
    operation_id = "create_affiliate_click",
    tag = "affiliates",
    params(("Idempotency-Key" = String, Header, description = "New for each click")),
    request_body = ClickBody,
    responses((status = 201, description = "Kept", body = ClickView)),
)]
async fn record_click(
    State(app): State<App>,
    caller: Caller,
    IdempotentJson { idempotency, body }: IdempotentJson<ClickBody>,
) -> Result<Response, Problem> {
    let (tenant, now) = (caller.tenant(), caller.now(&app));
    name("code", &body.code)?;
    for (param, text) in [("visitor", &body.visitor), ("customer", &body.customer)] {
        text.as_deref().map(|text| name(param, text)).transpose()?;
    }
    let ClickBody { code, visitor, customer } = body;
    let click = &NewClick { code, visitor, customer };
    idempotent(&app, &caller, &idempotency, "create_affiliate_click", |tx| {
        work(async move {
            let (id, affiliate) = register::click(tx, tenant, now, click).await?;
            let NewClick { code, visitor, customer } = click.clone();
            let (id, object) = (id.to_string(), "affiliate_click");
            let kept = ClickView { id, object, code, affiliate, visitor, customer, created: now };
            Ok((StatusCode::CREATED, kept))
        })
    })
    .await
}
