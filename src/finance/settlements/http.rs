//! The routes of settlements.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use mizan_money::{Money, Timestamp, TransactionId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{NewSettlement, Settlement, SettlementId, Stage, settle, store};
use crate::app::App;
use crate::auth::Caller;
use crate::db::work;
use crate::finance::error::FinanceError;
use crate::finance::input;
use crate::http::{ApiQuery, IdempotentJson, List, PageRequest, Problem, idempotent};

/// Every route of settlements.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(record_settlement, list_settlements))
}

/// A settlement to be recorded.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewSettlement)]
struct SettlementBody {
    /// The gateway, as in `gateway_clearing:{provider}`.
    #[schema(example = "stripe")]
    provider: String,
    /// ISO 4217.
    currency: String,
    /// What left the gateway for us, in minor units.
    #[schema(minimum = 1)]
    amount: i64,
    /// How far it has come.
    stage: StageWord,
    /// Our bank account, as in `bank:{bank}`; not for one that is only reported.
    bank: Option<String>,
    /// What arrived of `amount`; the rest are bank charges. All of it where nothing is said.
    received: Option<i64>,
    /// What the gateway calls it; told once for each stage.
    reference: Option<String>,
    /// When; else now.
    #[serde(default, deserialize_with = "input::moment")]
    #[schema(value_type = Option<String>, format = DateTime)]
    occurred_at: Option<Timestamp>,
}

/// How far a settlement has come.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SettlementStage)]
enum StageWord {
    /// The gateway says that it paid out.
    Reported,
    /// The bank has what was reported.
    Received,
    /// The bank has it, and it was not reported before.
    Direct,
}

impl SettlementBody {
    fn check(&self, now: Timestamp) -> Result<NewSettlement, FinanceError> {
        let currency = input::currency("currency", &self.currency)?;
        let amount = input::amount("amount", self.amount, currency)?;
        let reference = self.reference.as_deref();
        Ok(NewSettlement {
            provider: input::name("provider", &self.provider)?,
            amount,
            stage: self.stage(amount)?,
            reference: reference.map(|it| input::text("reference", it, 100)).transpose()?,
            occurred_at: input::when("occurred_at", self.occurred_at, now)?,
        })
    }

    fn stage(&self, amount: Money) -> Result<Stage, FinanceError> {
        let bank = || {
            let named = self.bank.as_deref().ok_or_else(|| {
                FinanceError::invalid("bank", "name the bank account that the money is on")
            })?;
            input::name("bank", named)
        };
        let refuse = |param: &str, why: &str| Err(FinanceError::invalid(param, why));
        match self.stage {
            StageWord::Reported if self.bank.is_some() => {
                refuse("bank", "what is only reported is on no bank account yet")
            }
            StageWord::Reported | StageWord::Direct if self.received.is_some() => {
                refuse("received", "`received` belongs to the stage `received`")
            }
            StageWord::Reported => Ok(Stage::Reported),
            StageWord::Direct => Ok(Stage::Direct { bank: bank()? }),
            StageWord::Received => {
                let received = self.received.unwrap_or(amount.minor());
                if !(1..=amount.minor()).contains(&received) {
                    return refuse("received", "what is received is a part of `amount`");
                }
                let received = Money::new(received, amount.currency());
                Ok(Stage::Received { bank: bank()?, received })
            }
        }
    }
}

/// A settlement.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Settlement)]
struct SettlementView {
    /// `stl_…`
    id: SettlementId,
    /// Always `settlement`.
    object: &'static str,
    /// The gateway.
    provider: String,
    /// `reported`, `received` or `direct`.
    stage: &'static str,
    /// ISO 4217.
    currency: &'static str,
    /// What left the gateway for us, in minor units.
    amount: i64,
    /// Our bank account, once the money is there.
    bank: Option<String>,
    /// What arrived, once it is there.
    received: Option<i64>,
    /// What the gateway calls it.
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

impl From<Settlement> for SettlementView {
    fn from(settlement: Settlement) -> Self {
        let says = settlement.says;
        let arrived = says.stage.arrived(says.amount);
        let (bank, received) = arrived.map(|(bank, it)| (bank.to_owned(), it.minor())).unzip();
        Self {
            id: settlement.id,
            object: "settlement",
            provider: says.provider,
            stage: says.stage.as_str(),
            currency: says.amount.currency().code(),
            amount: says.amount.minor(),
            bank,
            received,
            reference: says.reference,
            occurred_at: says.occurred_at,
            transaction: settlement.transaction,
            created: settlement.created_at,
            created_by: settlement.created_by,
        }
    }
}

/// Record a settlement
///
/// What a gateway paid out, as somebody saw it there or at the bank. It has happened, so it is
/// booked; only a reference that was told before is refused.
#[utoipa::path(
    post,
    path = "/v1/settlements",
    operation_id = "record_settlement",
    tag = "finance",
    params(("Idempotency-Key" = String, Header, description = "New for each settlement")),
    request_body = SettlementBody,
    responses((status = 201, description = "Recorded", body = SettlementView)),
)]
async fn record_settlement(
    State(app): State<App>,
    caller: Caller,
    IdempotentJson { idempotency, body }: IdempotentJson<SettlementBody>,
) -> Result<Response, Problem> {
    let (tenant, now, by) = (caller.tenant(), caller.now(&app), &caller.key().to_string());
    let new = &body.check(now)?;
    idempotent(&app, &caller, &idempotency, "record_settlement", |tx| {
        work(async move {
            let settled = settle::settle(tx, tenant, now, new, by).await?;
            Ok((StatusCode::CREATED, SettlementView::from(settled)))
        })
    })
    .await
}

/// Which settlements.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SettlementsQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: Option<u32>,
    /// Continue behind this id: older ones.
    #[param(inline)]
    starting_after: Option<SettlementId>,
    /// Only those of this gateway.
    provider: Option<String>,
}

/// List settlements
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/v1/settlements",
    operation_id = "list_settlements",
    tag = "finance",
    params(SettlementsQuery),
    responses((status = 200, description = "A page", body = List<SettlementView>)),
)]
async fn list_settlements(
    State(app): State<App>,
    caller: Caller,
    ApiQuery(query): ApiQuery<SettlementsQuery>,
) -> Result<Json<List<SettlementView>>, Problem> {
    let page = PageRequest::new(query.limit, query.starting_after, None)?;
    let (tenant, rows, after) = (caller.tenant(), page.rows(), query.starting_after);
    let provider = query.provider.as_deref();
    let found = app.db.read("settlements", tenant, |tx| {
        work(async move { store::settlements(tx, tenant, provider, after, rows).await })
    });
    let found = found.await?.into_iter().map(SettlementView::from).collect();
    Ok(Json(page.list(found, "/v1/settlements")))
}
