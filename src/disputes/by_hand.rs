//! Disputes that people enter, for gateways that tell of them by mail only.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use mizan_money::Timestamp;
use mizan_money::id::{DisputeId, PaymentIntentId};
use mizan_providers::ProviderRef;
use serde::Deserialize;
use utoipa::ToSchema;

use super::view::DisputeView;
use crate::app::App;
use crate::auth::Caller;
use crate::db::work;
use crate::http::{ApiPath, Code, IdempotentJson, Problem, idempotent};
use crate::payments::dispute::hand::{Ending, NewDispute, end_dispute, enter_dispute};
use crate::payments::http::{check_amount, check_text};

/// How long a reason is at most, in characters.
const REASON_CHARS_MAX: usize = 100;

/// A dispute that the gateway told by mail. Amounts are minor units of the payment's currency.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewDispute)]
pub(super) struct EnterBody {
    /// The payment.
    #[schema(value_type = String, example = "pi_01a8d6f0c1e34f7b9d2a5c6e7f801234")]
    payment_intent: PaymentIntentId,
    /// What is disputed; else all that was taken and did not go back.
    #[schema(minimum = 1)]
    amount: Option<i64>,
    /// The bank's reason, in the gateway's words.
    reason: Option<String>,
    /// What the gateway calls the dispute. Each is entered once.
    #[schema(example = "CB-2026-0042")]
    provider_dispute: String,
    /// What the gateway keeps for it.
    #[schema(minimum = 1)]
    fee: Option<i64>,
    /// The tax on the fee, booked with it.
    #[schema(minimum = 1)]
    fee_tax: Option<i64>,
    /// Whether the gateway has the money.
    #[serde(default)]
    funds: FundsWord,
    /// Until when it takes evidence.
    #[schema(value_type = Option<String>, format = DateTime)]
    evidence_due_by: Option<Timestamp>,
}

/// Whether the gateway has the money.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DisputeFunds)]
enum FundsWord {
    /// It took it.
    #[default]
    Withdrawn,
    /// It will take it, or not: the outcome tells.
    Later,
}

/// What became of a dispute. Amounts are minor units of the payment's currency.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = DisputeOutcome)]
pub(super) struct OutcomeBody {
    /// What became of it.
    outcome: OutcomeWord,
    /// What the gateway keeps for it beyond what was said, where it took the money or it is lost.
    #[schema(minimum = 1)]
    fee: Option<i64>,
    /// The tax on that fee, booked with it.
    #[schema(minimum = 1)]
    fee_tax: Option<i64>,
    /// What comes back of the fee and its tax, where it is won or closed.
    #[schema(minimum = 1)]
    fee_returned: Option<i64>,
}

/// What became of a dispute, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DisputeEnd)]
enum OutcomeWord {
    /// No end yet: the gateway took the money that was to go later.
    Withdrawn,
    /// Decided for us: what was taken came back.
    Won,
    /// Decided against us: what was not taken yet is.
    Lost,
    /// It came to nothing: what was taken came back.
    Closed,
}

/// The fee with the tax on it.
fn whole_fee(fee: Option<i64>, tax: Option<i64>) -> Result<i64, Problem> {
    for (param, amount) in [("fee", fee), ("fee_tax", tax)] {
        amount.map_or(Ok(()), |amount| check_amount(param, amount))?;
    }
    if fee.is_none() && tax.is_some() {
        let detail = "`fee_tax` is the tax on `fee`, which is missing.";
        return Err(Problem::new(Code::MissingField, detail).param("fee"));
    }
    Ok(fee.unwrap_or(0).saturating_add(tax.unwrap_or(0)))
}

impl EnterBody {
    fn check(self) -> Result<NewDispute, Problem> {
        self.amount.map_or(Ok(()), |amount| check_amount("amount", amount))?;
        check_text("reason", self.reason.as_deref(), REASON_CHARS_MAX)?;
        let reference = ProviderRef::parse(self.provider_dispute).map_err(|_| {
            let detail =
                "`provider_dispute` has 1 to 255 of A-Z, a-z, 0-9, `_`, `-`, `.`, `:`, `~`.";
            Problem::new(Code::InvalidField, detail).param("provider_dispute")
        })?;
        Ok(NewDispute {
            payment: self.payment_intent,
            amount: self.amount,
            reason: self.reason,
            reference,
            fee: whole_fee(self.fee, self.fee_tax)?,
            is_withdrawn: self.funds == FundsWord::Withdrawn,
            evidence_due_by: self.evidence_due_by,
        })
    }
}

impl OutcomeBody {
    fn check(&self) -> Result<Ending, Problem> {
        let fee = whole_fee(self.fee, self.fee_tax)?;
        self.fee_returned.map_or(Ok(()), |amount| check_amount("fee_returned", amount))?;
        let back = self.fee_returned.unwrap_or(0);
        let comes_back = matches!(self.outcome, OutcomeWord::Won | OutcomeWord::Closed);
        let out_of_place = match comes_back {
            true => (fee != 0).then_some("fee"),
            false => (back != 0).then_some("fee_returned"),
        };
        if let Some(param) = out_of_place {
            let detail = "A fee is kept with money that goes, and returned with money that comes.";
            return Err(Problem::new(Code::InvalidField, detail).param(param));
        }
        Ok(match self.outcome {
            OutcomeWord::Withdrawn => Ending::Withdrawn { fee },
            OutcomeWord::Won => Ending::Won { fee: back },
            OutcomeWord::Lost => Ending::Lost { fee },
            OutcomeWord::Closed => Ending::Closed { fee: back },
        })
    }
}

/// Enter a dispute by hand
///
/// For gateways that tell of disputes by mail only (Telr, PayTabs). Booked as one that a gateway
/// tells of; the others' are refused here.
#[utoipa::path(
    post,
    path = "/v1/disputes",
    tag = "disputes",
    operation_id = "create_dispute",
    params(("Idempotency-Key" = String, Header, description = "New for each dispute")),
    request_body = EnterBody,
    responses((status = 201, description = "Entered and booked", body = DisputeView)),
)]
pub(super) async fn enter(
    State(app): State<App>,
    caller: Caller,
    IdempotentJson { idempotency, body }: IdempotentJson<EnterBody>,
) -> Result<Response, Problem> {
    let asked = &body.check()?;
    let (tenant, now, key) = (caller.tenant(), caller.now(&app), &caller.key().to_string());
    idempotent(&app, &caller, &idempotency, "create_dispute", |tx| {
        work(async move {
            let (payment, id) = enter_dispute(tx, tenant, now, key, asked).await?;
            let dispute = payment.dispute(id).ok_or_else(Problem::not_found)?;
            Ok((StatusCode::CREATED, DisputeView::of(&payment, dispute)))
        })
    })
    .await
}

/// Enter what became of a dispute
///
/// Of one that was entered by hand. What a gateway tells of itself is refused here.
#[utoipa::path(
    post,
    path = "/v1/disputes/{id}/outcome",
    tag = "disputes",
    operation_id = "set_dispute_outcome",
    params(
        ("id" = DisputeId, Path),
        ("Idempotency-Key" = String, Header, description = "New for each outcome"),
    ),
    request_body = OutcomeBody,
    responses((status = 200, description = "Booked", body = DisputeView)),
)]
pub(super) async fn decide(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<DisputeId>,
    IdempotentJson { idempotency, body }: IdempotentJson<OutcomeBody>,
) -> Result<Response, Problem> {
    let ending = body.check()?;
    let (tenant, now, key) = (caller.tenant(), caller.now(&app), &caller.key().to_string());
    idempotent(&app, &caller, &idempotency, "set_dispute_outcome", |tx| {
        work(async move {
            let payment = end_dispute(tx, tenant, now, key, (id, ending)).await?;
            let dispute = payment.dispute(id).ok_or_else(Problem::not_found)?;
            Ok((StatusCode::OK, DisputeView::of(&payment, dispute)))
        })
    })
    .await
}
