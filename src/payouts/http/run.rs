//! The routes of runs.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use mizan_money::id::{PayoutFileId, PayoutRunId};
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::desk;
use super::view::RunView;
use crate::app::App;
use crate::audit;
use crate::auth::Caller;
use crate::db::work;
use crate::http::{ApiPath, ApiQuery, IdempotentJson, Problem, idempotent};
use crate::payouts::error::{PayoutError, invalid};
use crate::payouts::file::{Format, file_of};
use crate::payouts::run::run;
use crate::payouts::store;

/// Every route of runs.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(run_payouts))
        .routes(routes!(retrieve_payout_run))
        .routes(routes!(download_payout_file))
}

/// Which day is run.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewPayoutRun)]
struct RunBody {
    /// In the marketplace's time zone; else today.
    #[schema(value_type = Option<String>, format = Date)]
    on: Option<NaiveDate>,
}

/// Run the payouts of a day
///
/// Everybody whose schedule is due gets a payout of all that is available, one for each currency.
/// Run again, a day makes what is missing, looks again at what was at a gate, and pays nobody
/// twice.
#[utoipa::path(
    post,
    path = "/v1/payout_runs",
    operation_id = "run_payouts",
    tag = "payouts",
    params(("Idempotency-Key" = String, Header, description = "New for each turn")),
    request_body = RunBody,
    responses((status = 201, description = "The day's payouts", body = RunView)),
)]
async fn run_payouts(
    State(app): State<App>,
    caller: Caller,
    IdempotentJson { idempotency, body }: IdempotentJson<RunBody>,
) -> Result<Response, Problem> {
    let desk = &desk(&app, &caller);
    idempotent(&app, &caller, &idempotency, "run_payouts", |tx| {
        work(async move {
            let (run, payouts, left_out) = run(tx, desk, body.on).await?;
            Ok((StatusCode::CREATED, RunView::of(tx, desk, run, (payouts, left_out)).await?))
        })
    })
    .await
}

/// Retrieve a payout run
#[utoipa::path(
    get,
    path = "/v1/payout_runs/{id}",
    operation_id = "retrieve_payout_run",
    tag = "payouts",
    params(("id" = PayoutRunId, Path)),
    responses((status = 200, description = "As it stands", body = RunView)),
)]
async fn retrieve_payout_run(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<PayoutRunId>,
) -> Result<Json<RunView>, Problem> {
    let desk = &desk(&app, &caller);
    let found = app.db.read("payout_run", desk.tenant, |tx| {
        work(async move {
            let run = store::run(tx, desk.tenant, id).await?;
            let run = run.ok_or_else(|| PayoutError::NotFound { id: id.to_string() })?;
            let payouts = store::payouts_of_run(tx, desk.tenant, id).await?;
            RunView::of(tx, desk, run, (payouts, Vec::new())).await
        })
    });
    Ok(Json(found.await?))
}

/// Which file is wanted, and how.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct FileQuery {
    /// `pain.001` or `csv`.
    #[param(default = "pain.001")]
    format: Option<String>,
    /// An earlier file of the run; else one of what is reserved, else the newest.
    #[param(inline)]
    file: Option<PayoutFileId>,
}

/// Download the bank's file of a run
///
/// The payouts that are reserved for bank accounts are put into a file and count as submitted
/// from then on. Asked for again, the same file comes: a bank knows its name and takes it once.
#[utoipa::path(
    get,
    path = "/v1/payout_runs/{id}/file",
    operation_id = "download_payout_file",
    tag = "payouts",
    params(("id" = PayoutRunId, Path), FileQuery),
    responses((status = 200, description = "The file", body = String,
        content_type = "application/xml")),
)]
async fn download_payout_file(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<PayoutRunId>,
    ApiQuery(query): ApiQuery<FileQuery>,
) -> Result<Response, Problem> {
    let format = query.format.as_deref().unwrap_or("pain.001");
    let format = Format::parse(format)
        .ok_or_else(|| invalid("format", "A file is had as `pain.001` or as `csv`."))?;
    let (desk, doer) = (&desk(&app, &caller), &caller.doer());
    let made = app.db.transaction("payout_file", desk.tenant, |tx| {
        work(async move {
            let run = store::run(tx, desk.tenant, id).await?;
            let run = run.ok_or_else(|| PayoutError::NotFound { id: id.to_string() })?;
            let made = file_of(tx, desk, &run, query.file, format).await?;
            audit::note(tx, desk.tenant, doer, &json!({ "file": made.0 }), desk.now).await?;
            Ok::<_, PayoutError>(made)
        })
    });
    let (file, text) = made.await?;
    let name = format!("attachment; filename=\"{file}.{}\"", format.extension());
    let headers = [
        (header::CONTENT_TYPE, format.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, text).into_response())
}
