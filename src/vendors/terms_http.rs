//! The routes of vendors' terms.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use mizan_ledger::{AccountRef, Role};
use mizan_money::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::store;
use super::terms::Terms;
use crate::app::App;
use crate::auth::Caller;
use crate::db::work;
use crate::http::{ApiPath, IdempotentJson, Problem, idempotent, parse_json};
use crate::payments::PaymentError;

/// Every route of terms.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(put_terms, get_terms))
}

/// Terms to be set.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewVendorTerms)]
struct TermsBody {
    /// From when; else from now on.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_from: Option<Timestamp>,
    /// What they say, read strictly afterwards: a flattened field would lose its place in errors.
    #[serde(flatten)]
    #[schema(value_type = Terms)]
    terms: serde_json::Map<String, serde_json::Value>,
}

/// The terms of a vendor.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VendorTerms)]
struct TermsView {
    /// Your id of the vendor.
    vendor: String,
    /// Always `vendor_terms`.
    object: &'static str,
    /// Since when they hold; null where nobody set any.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_from: Option<Timestamp>,
    /// What they say.
    #[serde(flatten)]
    terms: Terms,
}

pub(super) fn invalid(param: &str, message: impl Into<String>) -> PaymentError {
    PaymentError::Invalid { param: param.to_owned(), message: message.into() }
}

/// Refuses what can be no vendor's id: it becomes a part of account paths.
pub(super) fn check_vendor(vendor: &str) -> Result<(), PaymentError> {
    let made = AccountRef::new(Role::VendorPayable, &[vendor, "pending"]);
    made.map(drop).map_err(|error| invalid("vendor", error.to_string()))
}

/// Set the terms of a vendor
///
/// Terms are never changed: newer ones begin. They hold for money captured while they do. The
/// vendor `default` is everybody without own terms.
#[utoipa::path(
    put,
    path = "/v1/vendors/{vendor}/terms",
    operation_id = "set_vendor_terms",
    tag = "vendors",
    params(
        ("vendor" = String, Path, description = "Your id of the vendor, or `default`"),
        ("Idempotency-Key" = String, Header, description = "New for each change"),
    ),
    request_body = TermsBody,
    responses((status = 200, description = "Set", body = TermsView)),
)]
async fn put_terms(
    State(app): State<App>,
    caller: Caller,
    ApiPath(vendor): ApiPath<String>,
    IdempotentJson { idempotency, body }: IdempotentJson<TermsBody>,
) -> Result<Response, Problem> {
    check_vendor(&vendor)?;
    let (tenant, now) = (caller.tenant(), caller.now(&app));
    let terms: Terms = parse_json(serde_json::Value::Object(body.terms).to_string().as_bytes())?;
    if let Some((field, way)) = terms.fault() {
        return Err(invalid(field, way).into());
    }
    let valid_from = body.valid_from.unwrap_or(now);
    let (vendor, terms, by) = (&vendor, &terms, &caller.key().to_string());
    idempotent(&app, &caller, &idempotency, "set_vendor_terms", |tx| {
        work(async move {
            let said = (now, by.as_str());
            if !store::insert_terms(tx, tenant, vendor, valid_from, terms, said).await? {
                let message = "Other terms begin at this very moment: choose a later one.";
                return Err(invalid("valid_from", message).into());
            }
            let view = TermsView {
                vendor: vendor.clone(),
                object: "vendor_terms",
                valid_from: Some(valid_from),
                terms: terms.clone(),
            };
            Ok((StatusCode::OK, view))
        })
    })
    .await
}

/// Retrieve the terms of a vendor
///
/// Those that hold now: its own, else the default ones.
#[utoipa::path(
    get,
    path = "/v1/vendors/{vendor}/terms",
    operation_id = "retrieve_vendor_terms",
    tag = "vendors",
    params(("vendor" = String, Path, description = "Your id of the vendor, or `default`")),
    responses((status = 200, description = "The terms", body = TermsView)),
)]
async fn get_terms(
    State(app): State<App>,
    caller: Caller,
    ApiPath(vendor): ApiPath<String>,
) -> Result<Json<TermsView>, Problem> {
    check_vendor(&vendor)?;
    let (tenant, now) = (caller.tenant(), caller.now(&app));
    let names = std::slice::from_ref(&vendor);
    let all = app.db.read("vendor_terms", tenant, |tx| {
        work(async move { store::terms_of(tx, tenant, names).await })
    });
    let all = all.await?;
    let newest = |name: &str| {
        let begun = all.get(name)?.iter().filter(|(from, _)| *from <= now);
        begun.max_by_key(|(from, _)| *from).cloned()
    };
    let found = newest(&vendor).or_else(|| newest(Terms::DEFAULT));
    let (valid_from, terms) = found.map(|(from, terms)| (Some(from), terms)).unwrap_or_default();
    Ok(Json(TermsView { vendor, object: "vendor_terms", valid_from, terms }))
}
