//! The routes of settings.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use mizan_money::Rate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::store::{self, Settings};
use crate::app::App;
use crate::audit;
use crate::auth::Caller;
use crate::db::work;
use crate::http::{IdempotentJson, Problem, idempotent};
use crate::payments::PaymentError;

/// Every route of settings.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(put_settings, get_settings))
}

/// Over which tenders a refund goes.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum RefundTenders {
    /// Over what each has left, in proportion.
    ProRata,
    /// What the gateway took first.
    GatewayFirst,
    /// What the wallet paid first.
    WalletFirst,
}

/// What promo credit becomes that nobody spent in time.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ExpiredCredit {
    /// Income.
    Income,
    /// A smaller expense.
    ExpenseReversal,
}

/// What is to be changed; what is not named stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSettings)]
struct SettingsBody {
    /// ISO 3166 alpha-2 of the platform.
    #[schema(example = "AE")]
    jurisdiction: Option<String>,
    /// VAT on the platform's own supplies there, where no tax policy says otherwise.
    #[schema(value_type = Option<String>, example = "5")]
    vat_percent: Option<Rate>,
    /// In which days are counted, by its name in the tz database.
    #[schema(example = "Asia/Dubai")]
    time_zone: Option<String>,
    /// Over which tenders a refund goes.
    refund_tenders: Option<RefundTenders>,
    /// What promo credit becomes that nobody spent in time.
    expired_credit: Option<ExpiredCredit>,
    /// Whether customers may put money into their wallets. Holding other people's money is a
    /// regulated trade in most countries: off by default.
    wallet_top_up: Option<bool>,
}

/// What a tenant has decided.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Settings)]
struct SettingsView {
    /// Always `settings`.
    object: &'static str,
    /// ISO 3166 alpha-2 of the platform.
    jurisdiction: String,
    /// VAT on the platform's own supplies there, in percent.
    vat_percent: String,
    /// In which days are counted.
    time_zone: String,
    /// `pro_rata`, `gateway_first`, `wallet_first`.
    refund_tenders: String,
    /// `income`, `expense_reversal`.
    expired_credit: String,
    /// Whether customers may put money into their wallets.
    wallet_top_up: bool,
}

impl From<Settings> for SettingsView {
    fn from(it: Settings) -> Self {
        Self {
            object: "settings",
            jurisdiction: it.jurisdiction,
            vat_percent: it.vat_percent.as_percent_string(),
            time_zone: it.time_zone,
            refund_tenders: it.refund_tenders,
            expired_credit: it.expired_credit,
            wallet_top_up: it.wallet_top_up,
        }
    }
}

impl SettingsBody {
    /// Changes what is named.
    fn change(&self, it: &mut Settings) {
        if let Some(jurisdiction) = &self.jurisdiction {
            it.jurisdiction.clone_from(jurisdiction);
        }
        if let Some(time_zone) = &self.time_zone {
            it.time_zone.clone_from(time_zone);
        }
        it.vat_percent = self.vat_percent.unwrap_or(it.vat_percent);
        it.wallet_top_up = self.wallet_top_up.unwrap_or(it.wallet_top_up);
        if let Some(word) = self.refund_tenders {
            it.refund_tenders = match word {
                RefundTenders::ProRata => "pro_rata",
                RefundTenders::GatewayFirst => "gateway_first",
                RefundTenders::WalletFirst => "wallet_first",
            }
            .to_owned();
        }
        if let Some(word) = self.expired_credit {
            it.expired_credit = match word {
                ExpiredCredit::Income => "income",
                ExpiredCredit::ExpenseReversal => "expense_reversal",
            }
            .to_owned();
        }
    }
}

fn invalid(param: &str, message: &str) -> PaymentError {
    PaymentError::Invalid { param: param.to_owned(), message: message.to_owned() }
}

/// Change the settings
///
/// They hold from now on; what was captured keeps what held then.
#[utoipa::path(
    put,
    path = "/v1/settings",
    tag = "settings",
    operation_id = "change_settings",
    params(("Idempotency-Key" = String, Header, description = "New for each change")),
    request_body = SettingsBody,
    responses((status = 200, description = "Changed", body = SettingsView)),
)]
async fn put_settings(
    State(app): State<App>,
    caller: Caller,
    IdempotentJson { idempotency, body }: IdempotentJson<SettingsBody>,
) -> Result<Response, Problem> {
    let country = |it: &str| it.len() == 2 && it.bytes().all(|b| b.is_ascii_uppercase());
    if !body.jurisdiction.as_deref().is_none_or(country) {
        let way = "A jurisdiction is two upper-case letters of ISO 3166, such as AE.";
        return Err(invalid("jurisdiction", way).into());
    }
    let (tenant, body) = (caller.tenant(), &body);
    idempotent(&app, &caller, &idempotency, "change_settings", |tx| {
        work(async move {
            if let Some(name) = &body.time_zone
                && !store::is_time_zone(tx, name).await?
            {
                let way = "That is no name of the tz database, such as Asia/Dubai.";
                return Err(invalid("time_zone", way).into());
            }
            let mut settings = store::lock(tx, tenant).await?;
            audit::was(tx, &SettingsView::from(settings.clone())).await?;
            body.change(&mut settings);
            store::save(tx, tenant, &settings).await?;
            Ok((StatusCode::OK, SettingsView::from(settings)))
        })
    })
    .await
}

/// Retrieve the settings
#[utoipa::path(
    get,
    path = "/v1/settings",
    tag = "settings",
    operation_id = "retrieve_settings",
    responses((status = 200, description = "What holds now", body = SettingsView)),
)]
async fn get_settings(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<SettingsView>, Problem> {
    let tenant = caller.tenant();
    let read =
        app.db.read("settings", tenant, |tx| work(async move { store::load(tx, tenant).await }));
    Ok(Json(read.await?.into()))
}
