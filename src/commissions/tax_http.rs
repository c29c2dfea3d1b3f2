//! The routes of tax policies.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use mizan_ledger::{AccountRef, Role};
use mizan_money::{Rate, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::http::{check_name, check_window, invalid};
use super::store;
use super::tax::{NewTaxPolicy, Regime, TaxPolicy, TaxPolicyId};
use crate::app::App;
use crate::auth::Caller;
use crate::db::work;
use crate::http::{ApiQuery, IdempotentJson, List, PageRequest, Problem, idempotent};
use crate::payments::PaymentError;

/// Every route of tax policies.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create_tax, list_taxes))
}

/// A tax policy to be made: how the platform's supplies to vendors of a country are taxed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTaxPolicy)]
struct TaxBody {
    /// ISO 3166 alpha-2.
    #[schema(example = "AE")]
    jurisdiction: String,
    /// Which kind of tax.
    regime: Regime,
    /// On the platform's commission and on what it sells itself, in percent.
    #[serde(default = "zero")]
    #[schema(default = "0", example = "5")]
    percent: Rate,
    /// The platform's own state, where GST tells states apart.
    home_state: Option<String>,
    /// Collected at source of the net taxable value, all components together, in percent.
    #[serde(default = "zero")]
    #[schema(default = "0", example = "0.5")]
    tcs_percent: Rate,
    /// Income tax deducted of the value without tax, in percent.
    #[serde(default = "zero")]
    #[schema(default = "0", example = "0.1")]
    tds_percent: Rate,
    /// The section it is deducted by: a dimension of the account.
    #[serde(default = "ecommerce")]
    #[schema(default = "ecommerce")]
    tds_section: String,
    /// From when; else from now on.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_from: Option<Timestamp>,
    /// To before when; else until another begins.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_until: Option<Timestamp>,
}

fn zero() -> Rate {
    Rate::ZERO
}

fn ecommerce() -> String {
    "ecommerce".to_owned()
}

/// A tax policy. Of several for a country, the one that began last holds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TaxPolicy)]
struct TaxView {
    /// `txp_…`
    id: String,
    /// Always `tax_policy`.
    object: &'static str,
    jurisdiction: String,
    regime: Regime,
    percent: Rate,
    home_state: Option<String>,
    tcs_percent: Rate,
    tds_percent: Rate,
    tds_section: String,
    #[schema(value_type = String, format = DateTime)]
    valid_from: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_until: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    created_by: String,
}

impl From<TaxPolicy> for TaxView {
    fn from(tax: TaxPolicy) -> Self {
        let says = tax.says;
        Self {
            id: tax.id.to_string(),
            object: "tax_policy",
            jurisdiction: says.jurisdiction,
            regime: says.regime,
            percent: says.percent,
            home_state: says.home_state,
            tcs_percent: says.tcs,
            tds_percent: says.tds,
            tds_section: says.tds_section,
            valid_from: says.valid_from,
            valid_until: says.valid_until,
            created: tax.created_at,
            created_by: tax.created_by,
        }
    }
}

impl TaxBody {
    fn check(self, now: Timestamp) -> Result<NewTaxPolicy, PaymentError> {
        let country = self.jurisdiction.len() == 2
            && self.jurisdiction.bytes().all(|byte| byte.is_ascii_uppercase());
        if !country {
            let message = "A jurisdiction is two upper-case letters of ISO 3166, such as AE.";
            return Err(invalid("jurisdiction", message));
        }
        check_name("home_state", self.home_state.as_deref())?;
        AccountRef::new(Role::TdsPayable, &[&self.tds_section])
            .map_err(|error| invalid("tds_section", error.to_string()))?;
        let valid_from = self.valid_from.unwrap_or(now);
        check_window(valid_from, self.valid_until)?;
        Ok(NewTaxPolicy {
            jurisdiction: self.jurisdiction,
            regime: self.regime,
            percent: self.percent,
            home_state: self.home_state,
            tcs: self.tcs_percent,
            tds: self.tds_percent,
            tds_section: self.tds_section,
            valid_from,
            valid_until: self.valid_until,
        })
    }
}

/// Create a tax policy
///
/// Laws and rates have dates: a policy is never changed, a newer one takes over.
#[utoipa::path(
    post,
    path = "/v1/tax_policies",
    operation_id = "create_tax_policy",
    tag = "commissions",
    params(("Idempotency-Key" = String, Header, description = "New for each policy")),
    request_body = TaxBody,
    responses((status = 201, description = "Created", body = TaxView)),
)]
async fn create_tax(
    State(app): State<App>,
    caller: Caller,
    IdempotentJson { idempotency, body }: IdempotentJson<TaxBody>,
) -> Result<Response, Problem> {
    let (tenant, now) = (caller.tenant(), caller.now(&app));
    let tax = &TaxPolicy {
        id: TaxPolicyId::generate(now),
        says: body.check(now)?,
        created_at: now,
        created_by: caller.key().to_string(),
    };
    idempotent(&app, &caller, &idempotency, "create_tax_policy", |tx| {
        work(async move {
            store::insert_tax(tx, tenant, tax).await?;
            Ok((StatusCode::CREATED, TaxView::from(tax.clone())))
        })
    })
    .await
}

/// Where a list goes on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TaxesQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: Option<u32>,
    /// Continue behind this id: older ones.
    #[param(inline)]
    starting_after: Option<TaxPolicyId>,
}

/// List tax policies
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/v1/tax_policies",
    operation_id = "list_tax_policies",
    tag = "commissions",
    params(TaxesQuery),
    responses((status = 200, description = "A page", body = List<TaxView>)),
)]
async fn list_taxes(
    State(app): State<App>,
    caller: Caller,
    ApiQuery(query): ApiQuery<TaxesQuery>,
) -> Result<Json<List<TaxView>>, Problem> {
    let page = PageRequest::new(query.limit, query.starting_after, None)?;
    let (tenant, rows) = (caller.tenant(), page.rows());
    let after = query.starting_after.map(TaxPolicyId::uuid);
    let found = app.db.read("tax_policies", tenant, |tx| {
        work(async move { store::taxes(tx, tenant, after, rows).await })
    });
    let found = found.await?.into_iter().map(TaxView::from).collect();
    Ok(Json(page.list(found, "/v1/tax_policies")))
}
