//! The routes of test clocks.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::TimeDelta;
use mizan_money::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Advance, TestClock, advance, hear_all};
use crate::app::App;
use crate::auth::{Caller, Mode};
use crate::db::work;
use crate::finance::error::FinanceError;
use crate::finance::input;
use crate::http::{IdempotentJson, Problem, idempotent};
use crate::jobs;

/// Every route of test clocks.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(test_clock)).routes(routes!(advance_test_clock))
}

/// How far to let the time go on: one of the two.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = AdvanceTestClock)]
struct AdvanceBody {
    /// By so many seconds.
    #[schema(minimum = 1)]
    seconds: Option<i64>,
    /// To this moment.
    #[serde(default, deserialize_with = "input::moment")]
    #[schema(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
}

impl AdvanceBody {
    fn check(&self) -> Result<Advance, FinanceError> {
        match (self.seconds, self.to) {
            (Some(seconds), None) if seconds > 0 => TimeDelta::try_seconds(seconds)
                .map(Advance::By)
                .ok_or_else(|| FinanceError::invalid("seconds", "so long is no time")),
            (Some(_), None) => {
                Err(FinanceError::invalid("seconds", "a test clock only goes forwards"))
            }
            (None, Some(moment)) => Ok(Advance::To(moment)),
            _ => Err(FinanceError::invalid("seconds", "say either `seconds` or `to`")),
        }
    }
}

/// The time of a marketplace that plays.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TestClock)]
struct ClockView {
    /// Always `test_clock`.
    object: &'static str,
    /// The time it is here.
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
    /// How far that is ahead of the real time.
    ahead_seconds: i64,
    /// When it was moved last; null where it never was.
    #[schema(value_type = Option<String>, format = DateTime)]
    moved_at: Option<Timestamp>,
}

impl From<TestClock> for ClockView {
    fn from(clock: TestClock) -> Self {
        Self {
            object: "test_clock",
            now: clock.now,
            ahead_seconds: clock.ahead.num_seconds(),
            moved_at: clock.moved_at,
        }
    }
}

fn check_mode(caller: &Caller) -> Result<(), FinanceError> {
    match caller.mode() {
        Mode::Test => Ok(()),
        Mode::Live => Err(FinanceError::NotAllowed {
            message: "real money has the real time: test clocks are for test keys".to_owned(),
        }),
    }
}

/// Read the test clock
#[utoipa::path(
    get,
    path = "/v1/test_clock",
    operation_id = "read_test_clock",
    tag = "finance",
    responses((status = 200, description = "The clock", body = ClockView)),
)]
async fn test_clock(State(app): State<App>, caller: Caller) -> Result<Json<ClockView>, Problem> {
    check_mode(&caller)?;
    let (tenant, real) = (caller.tenant(), app.clock.now());
    let found = app
        .db
        .read("test_clock", tenant, |tx| work(async move { super::read(tx, tenant, real).await }));
    Ok(Json(found.await?.into()))
}

/// Advance the test clock
///
/// Lets the time of this marketplace go on, forwards only, and does at once what is due by then.
/// For marketplaces that have test keys only.
#[utoipa::path(
    post,
    path = "/v1/test_clock/advance",
    operation_id = "advance_test_clock",
    tag = "finance",
    params(("Idempotency-Key" = String, Header, description = "New for each move")),
    request_body = AdvanceBody,
    responses((status = 200, description = "Advanced", body = ClockView)),
)]
async fn advance_test_clock(
    State(app): State<App>,
    caller: Caller,
    IdempotentJson { idempotency, body }: IdempotentJson<AdvanceBody>,
) -> Result<Response, Problem> {
    check_mode(&caller)?;
    let (how, by) = (body.check()?, &caller.key().to_string());
    let (tenant, real) = (caller.tenant(), app.clock.now());
    let answer = idempotent(&app, &caller, &idempotency, "advance_test_clock", |tx| {
        work(async move {
            let moved = advance(tx, tenant, real, how, by).await?;
            Ok((StatusCode::OK, ClockView::from(moved)))
        })
    })
    .await?;
    hear_all(&app).await?;
    if let Err(error) = jobs::run_due(&app).await {
        tracing::warn!(%tenant, %error, "what is due by the new time is left to the next turn");
    }
    Ok(answer)
}
