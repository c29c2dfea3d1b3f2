//! The routes of remittances.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use mizan_money::{Timestamp, TransactionId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::remit::{check_account, remit};
use super::{NewRemittance, Remittance, RemittanceId, store};
use crate::app::App;
use crate::auth::Caller;
use crate::db::work;
use crate::finance::error::FinanceError;
use crate::finance::input::{self, NewestFirst};
use crate::http::{ApiQuery, IdempotentJson, List, PageRequest, Problem, idempotent};

/// Every route of remittances.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(remit_liability, list_remittances))
}

/// A liability to be paid.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewRemittance)]
struct RemittanceBody {
    /// What is owed.
    #[schema(example = "tds_payable:ecommerce")]
    account: String,
    /// Our bank account, as in `bank:{bank}`.
    bank: String,
    /// How much is paid, in minor units: no more than is owed.
    #[schema(minimum = 1)]
    amount: i64,
    /// ISO 4217.
    currency: String,
    /// What the office or the bank calls it; told once for each account.
    reference: Option<String>,
    /// When; else now.
    #[serde(default, deserialize_with = "input::moment")]
    #[schema(value_type = Option<String>, format = DateTime)]
    occurred_at: Option<Timestamp>,
}

impl RemittanceBody {
    fn check(&self, now: Timestamp) -> Result<NewRemittance, FinanceError> {
        let currency = input::currency("currency", &self.currency)?;
        let reference = self.reference.as_deref();
        Ok(NewRemittance {
            account: check_account(&self.account)?,
            bank: input::name("bank", &self.bank)?,
            amount: input::amount("amount", self.amount, currency)?,
            reference: reference.map(|it| input::text("reference", it, 100)).transpose()?,
            occurred_at: input::when("occurred_at", self.occurred_at, now)?,
        })
    }
}

/// A liability that was paid.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Remittance)]
struct RemittanceView {
    /// `rem_…`
    id: RemittanceId,
    /// Always `remittance`.
    object: &'static str,
    /// What was owed.
    account: String,
    /// Our bank account.
    bank: String,
    /// How much was paid, in minor units.
    amount: i64,
    /// ISO 4217.
    currency: &'static str,
    /// What the office or the bank calls it.
    reference: Option<String>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Timestamp,
    /// What it was posted as.
    transaction: TransactionId,
    /// When it was recorded.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// With which key.
    created_by: String,
}

impl From<Remittance> for RemittanceView {
    fn from(remittance: Remittance) -> Self {
        let says = remittance.says;
        Self {
            id: remittance.id,
            object: "remittance",
            account: says.account.path().to_owned(),
            bank: says.bank,
            amount: says.amount.minor(),
            currency: says.amount.currency().code(),
            reference: says.reference,
            occurred_at: says.occurred_at,
            transaction: remittance.transaction,
            created: remittance.created_at,
            created_by: remittance.created_by,
        }
    }
}

/// Remit a liability
///
/// Books the payment of a tax, or of what a supplier is owed, from a bank account. More than is
/// owed is refused.
#[utoipa::path(
    post,
    path = "/v1/remittances",
    operation_id = "remit_liability",
    tag = "finance",
    params(("Idempotency-Key" = String, Header, description = "New for each remittance")),
    request_body = RemittanceBody,
    responses((status = 201, description = "Paid", body = RemittanceView)),
)]
async fn remit_liability(
    State(app): State<App>,
    caller: Caller,
    IdempotentJson { idempotency, body }: IdempotentJson<RemittanceBody>,
) -> Result<Response, Problem> {
    let (tenant, now, by) = (caller.tenant(), caller.now(&app), &caller.key().to_string());
    let new = &body.check(now)?;
    idempotent(&app, &caller, &idempotency, "remit_liability", |tx| {
        work(async move {
            let paid = remit(tx, tenant, now, new, by).await?;
            Ok((StatusCode::CREATED, RemittanceView::from(paid)))
        })
    })
    .await
}

/// List remittances
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/v1/remittances",
    operation_id = "list_remittances",
    tag = "finance",
    params(NewestFirst<RemittanceId>),
    responses((status = 200, description = "A page", body = List<RemittanceView>)),
)]
async fn list_remittances(
    State(app): State<App>,
    caller: Caller,
    ApiQuery(query): ApiQuery<NewestFirst<RemittanceId>>,
) -> Result<Json<List<RemittanceView>>, Problem> {
    let page = PageRequest::new(query.limit, query.starting_after, None)?;
    let (tenant, rows, after) = (caller.tenant(), page.rows(), query.starting_after);
    let found = app.db.read("remittances", tenant, |tx| {
        work(async move { store::remittances(tx, tenant, after, rows).await })
    });
    let found = found.await?.into_iter().map(RemittanceView::from).collect();
    Ok(Json(page.list(found, "/v1/remittances")))
}
