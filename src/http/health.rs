//! Whether the process lives, and whether it can do its work.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Code, Problem, ProblemBody};
use crate::app::App;
use crate::db::{DbError, SchemaState};

/// How the service is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// Always `ok`: otherwise the answer is a problem.
    #[schema(example = "ok")]
    status: &'static str,
}

const OK: Json<Health> = Json(Health { status: "ok" });

/// The process lives
///
/// It says nothing about the database: a restart would not bring that back.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "health",
    security(()),
    responses((status = 200, description = "The process answers", body = Health)),
)]
pub(super) async fn healthz() -> Json<Health> {
    OK
}

/// The service can do its work
///
/// The database answers and has the schema that this program was built for.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "health",
    security(()),
    responses(
        (status = 200, description = "Requests can be sent", body = Health),
        (
            status = 503,
            description = "Not now; `Retry-After` says when to look again",
            body = ProblemBody,
            content_type = "application/problem+json",
        ),
    ),
)]
pub(super) async fn readyz(State(app): State<App>) -> Result<Json<Health>, Problem> {
    let not_ready = |detail| Problem::new(Code::Unavailable, detail).retry_after(5);
    match app.db.schema_state().await {
        Ok(SchemaState::Current) => Ok(OK),
        Ok(SchemaState::Behind) => Err(not_ready("The schema waits for its migrations.")),
        Ok(SchemaState::Ahead) => Err(not_ready("The schema belongs to a newer program.")),
        Err(DbError::Other { .. }) => Err(not_ready("The database has no schema yet.")),
        Err(_) => Err(not_ready("The database is away.")),
    }
}
