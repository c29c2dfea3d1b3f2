//! The route that gateways call.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use mizan_providers::{Headers, WebhookKeys};
use mizan_webhooks::Refused;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::receive::{InboxError, receive};
use crate::app::App;
use crate::http::{Code, Problem, ProblemBody, read_body};
use crate::payments::PaymentError;
use crate::payments::gateway::certificates::CertificateError;

/// Every route of the inbox.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(take))
}

/// What became of a delivery.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookReceipt)]
struct ReceiptView {
    /// Its id here; that of the first where it is a repetition.
    id: String,
    /// `applied`, `ignored`, `stale`, `parked`, or `duplicate`.
    status: &'static str,
}

impl From<InboxError> for Problem {
    fn from(error: InboxError) -> Self {
        match error {
            InboxError::Db(error) | InboxError::Payments(PaymentError::Db(error)) => error.into(),
            InboxError::Payments(error) => error.into(),
            InboxError::Webhooks(error) => Self::internal(&error),
        }
    }
}

fn refused(connection: &str, refused: &Refused) -> Problem {
    tracing::warn!(connection, code = refused.code(), "a webhook was not believed");
    match refused {
        Refused::TooLarge { .. } => Problem::new(Code::BodyTooLarge, refused.to_string()),
        Refused::NoSecrets => Problem::new(Code::ProviderUnavailable, refused.to_string()),
        Refused::NotBelieved(why) => Problem::new(Code::SignatureInvalid, why.to_string()),
    }
}

fn no_certificate(connection: &str, error: CertificateError) -> Problem {
    match error {
        CertificateError::NotBelieved(why) => refused(connection, &Refused::NotBelieved(why)),
        other => {
            tracing::warn!(connection, error = %other, "a webhook cannot be verified now");
            Problem::new(Code::ProviderUnavailable, other.to_string())
        }
    }
}

/// Deliver a gateway's webhook
///
/// For gateways. The signature is verified over the raw bytes; a delivery is kept once and
/// applied before it is answered. Anything but 2xx asks the gateway to deliver again.
#[utoipa::path(
    post,
    path = "/webhooks/{provider}/{connection}",
    tag = "webhooks",
    operation_id = "deliver_webhook",
    security(()),
    params(
        ("provider" = String, Path, description = "The gateway, e.g. `stripe`"),
        ("connection" = String, Path, description = "The connection, as configured"),
    ),
    request_body(content = String, content_type = "application/json"),
    responses(
        (status = 200, description = "Taken in, or known already", body = ReceiptView),
        (status = 401, description = "Not believed", body = ProblemBody,
            content_type = "application/problem+json"),
    ),
)]
async fn take(
    State(app): State<App>,
    Path((provider, connection)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let gateway = app.gateways.get(&connection).filter(|g| g.provider.name().as_str() == provider);
    let gateway = gateway.ok_or_else(|| {
        Problem::new(Code::RouteNotFound, "No such gateway connection is configured.")
    })?;
    let headers = request.headers().clone();
    let body = read_body(request, &app).await?;
    let text = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    let headers: Headers = headers.iter().filter_map(text).collect();
    let provider = gateway.provider.as_ref();
    if gateway.webhook_secrets.is_empty() {
        return Err(refused(&connection, &Refused::NoSecrets));
    }
    let certificates = gateway.certificates.of(provider, &gateway.client, &headers).await;
    let certificates = certificates.map_err(|error| no_certificate(&connection, error))?;
    let keys =
        WebhookKeys { secrets: &gateway.webhook_secrets, certificates: certificates.as_slice() };
    let checked = mizan_webhooks::check(provider, keys, &headers, &body, app.clock.now())
        .map_err(|error| refused(&connection, &error))?;
    let receipt = receive(&app, gateway, checked).await?;
    Ok(match provider.acknowledgement() {
        Some(words) => words.into_response(),
        None => {
            Json(ReceiptView { id: receipt.id.to_string(), status: receipt.status }).into_response()
        }
    })
}
