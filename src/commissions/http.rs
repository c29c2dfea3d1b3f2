//! The routes of commission rules.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use mizan_ledger::{AccountRef, Role};
use mizan_money::{Currency, Rate, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::rule::{Base, CommissionRuleId, NewRule, Rule};
use super::store::{self, RULES_MAX};
use crate::app::App;
use crate::auth::Caller;
use crate::db::work;
use crate::http::{ApiPath, ApiQuery, IdempotentJson, List, PageRequest, Problem, idempotent};
use crate::payments::PaymentError;

/// Every route of commissions.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_rule, list_rules))
        .routes(routes!(end_rule))
        .merge(super::tax_http::routes())
}

/// A commission rule to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCommissionRule)]
struct RuleBody {
    /// For people, 1 to 100 characters.
    name: String,
    /// Only this vendor's lines.
    vendor: Option<String>,
    /// Only lines of this category.
    category: Option<String>,
    /// Only vendors of this tier, as their terms say.
    tier: Option<String>,
    /// How much of the base, in percent.
    #[schema(example = "10")]
    percent: Rate,
    /// Of what: the price without its tax, or with it.
    #[serde(default)]
    base: Base,
    /// Added for each line, in minor units; needs a currency.
    #[serde(default)]
    fixed: i64,
    /// At least so much for a line, in minor units; needs a currency.
    min: Option<i64>,
    /// At most so much for a line, in minor units; needs a currency.
    max: Option<i64>,
    /// Only orders in this currency.
    currency: Option<String>,
    /// From when; else from now on.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_from: Option<Timestamp>,
    /// To before when; else until it is ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_until: Option<Timestamp>,
}

/// A commission rule. The most particular one decides: a vendor's own before one for a category,
/// that before one for a tier, that before a general one; of equals the one that began last.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CommissionRule)]
struct RuleView {
    /// `crl_…`
    id: String,
    /// Always `commission_rule`.
    object: &'static str,
    name: String,
    vendor: Option<String>,
    category: Option<String>,
    tier: Option<String>,
    percent: Rate,
    base: Base,
    fixed: i64,
    min: Option<i64>,
    max: Option<i64>,
    currency: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    valid_from: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_until: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    created_by: String,
}

impl From<Rule> for RuleView {
    fn from(rule: Rule) -> Self {
        let says = rule.says;
        Self {
            id: rule.id.to_string(),
            object: "commission_rule",
            name: says.name,
            vendor: says.vendor,
            category: says.category,
            tier: says.tier,
            percent: says.percent,
            base: says.base,
            fixed: says.fixed,
            min: says.least,
            max: says.most,
            currency: says.currency.map(|it| it.code().to_owned()),
            valid_from: says.valid_from,
            valid_until: says.valid_until,
            created: rule.created_at,
            created_by: rule.created_by,
        }
    }
}

pub(super) fn invalid(param: &str, message: impl Into<String>) -> PaymentError {
    PaymentError::Invalid { param: param.to_owned(), message: message.into() }
}

pub(super) fn check_name(param: &str, text: Option<&str>) -> Result<(), PaymentError> {
    let fits = |it: &str| (1..=100).contains(&it.chars().count()) && !it.contains(char::is_control);
    match text.is_none_or(fits) {
        true => Ok(()),
        false => {
            Err(invalid(param, format!("`{param}` has 1 to 100 characters, none of control.")))
        }
    }
}

pub(super) fn check_window(from: Timestamp, until: Option<Timestamp>) -> Result<(), PaymentError> {
    match until.is_some_and(|until| until <= from) {
        true => Err(invalid("valid_until", "It ends after it begins.")),
        false => Ok(()),
    }
}

impl RuleBody {
    fn check(self, now: Timestamp) -> Result<NewRule, PaymentError> {
        check_name("name", Some(&self.name))?;
        check_name("category", self.category.as_deref())?;
        check_name("tier", self.tier.as_deref())?;
        if let Some(vendor) = &self.vendor {
            AccountRef::new(Role::VendorPayable, &[vendor, "pending"])
                .map_err(|error| invalid("vendor", error.to_string()))?;
        }
        let currency = self.currency.as_deref().map(Currency::parse).transpose();
        let currency = currency.map_err(|error| invalid("currency", error.to_string()))?;
        let amounts = [Some(self.fixed).filter(|it| *it != 0), self.min, self.max];
        if currency.is_none() && amounts.iter().any(Option::is_some) {
            let message = "`fixed`, `min` and `max` are amounts: name their currency.";
            return Err(invalid("currency", message));
        }
        if amounts.iter().flatten().any(|it| *it < 0) {
            return Err(invalid("fixed", "An amount is not negative."));
        }
        if self.max.is_some_and(|max| max < self.min.unwrap_or(0)) {
            return Err(invalid("max", "`max` is not below `min`."));
        }
        let valid_from = self.valid_from.unwrap_or(now);
        check_window(valid_from, self.valid_until)?;
        Ok(NewRule {
            name: self.name,
            vendor: self.vendor,
            category: self.category,
            tier: self.tier,
            percent: self.percent,
            base: self.base,
            fixed: self.fixed,
            least: self.min,
            most: self.max,
            currency,
            valid_from,
            valid_until: self.valid_until,
        })
    }
}

/// Create a commission rule
///
/// A rule is never changed: end it and create another, so that it can be told later which rule
/// made which cent. It holds for money that is captured while it is in force.
#[utoipa::path(
    post,
    path = "/v1/commission_rules",
    operation_id = "create_commission_rule",
    tag = "commissions",
    params(("Idempotency-Key" = String, Header, description = "New for each rule")),
    request_body = RuleBody,
    responses((status = 201, description = "Created", body = RuleView)),
)]
async fn create_rule(
    State(app): State<App>,
    caller: Caller,
    IdempotentJson { idempotency, body }: IdempotentJson<RuleBody>,
) -> Result<Response, Problem> {
    let (tenant, now) = (caller.tenant(), caller.now(&app));
    let rule = &Rule {
        id: CommissionRuleId::generate(now),
        says: body.check(now)?,
        created_at: now,
        created_by: caller.key().to_string(),
    };
    idempotent(&app, &caller, &idempotency, "create_commission_rule", |tx| {
        work(async move {
            if store::rules_to_come(tx, tenant, now).await? >= RULES_MAX {
                let message = format!("There are {RULES_MAX} rules: end one first.");
                return Err(invalid("name", message).into());
            }
            store::insert_rule(tx, tenant, rule).await?;
            Ok((StatusCode::CREATED, RuleView::from(rule.clone())))
        })
    })
    .await
}

/// Where a list goes on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct RulesQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: Option<u32>,
    /// Continue behind this id: older ones.
    #[param(inline)]
    starting_after: Option<CommissionRuleId>,
}

/// List commission rules
///
/// Newest first, those that are over included.
#[utoipa::path(
    get,
    path = "/v1/commission_rules",
    operation_id = "list_commission_rules",
    tag = "commissions",
    params(RulesQuery),
    responses((status = 200, description = "A page", body = List<RuleView>)),
)]
async fn list_rules(
    State(app): State<App>,
    caller: Caller,
    ApiQuery(query): ApiQuery<RulesQuery>,
) -> Result<Json<List<RuleView>>, Problem> {
    let page = PageRequest::new(query.limit, query.starting_after, None)?;
    let (tenant, rows) = (caller.tenant(), page.rows());
    let after = query.starting_after.map(CommissionRuleId::uuid);
    let found = app.db.read("commission_rules", tenant, |tx| {
        work(async move { store::rules(tx, tenant, after, rows).await })
    });
    let found = found.await?.into_iter().map(RuleView::from).collect();
    Ok(Json(page.list(found, "/v1/commission_rules")))
}

/// End a commission rule
///
/// From now on it decides nothing. Ending what is over changes nothing.
#[utoipa::path(
    post,
    path = "/v1/commission_rules/{id}/end",
    operation_id = "end_commission_rule",
    tag = "commissions",
    params(
        ("id" = CommissionRuleId, Path),
        ("Idempotency-Key" = String, Header, description = "New for each ending"),
    ),
    request_body = EndBody,
    responses((status = 200, description = "Ended", body = RuleView)),
)]
async fn end_rule(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<CommissionRuleId>,
    IdempotentJson { idempotency, body: EndBody {} }: IdempotentJson<EndBody>,
) -> Result<Response, Problem> {
    let (tenant, now) = (caller.tenant(), caller.now(&app));
    idempotent(&app, &caller, &idempotency, "end_commission_rule", |tx| {
        work(async move {
            let ended = store::end_rule(tx, tenant, id, now).await?;
            Ok((StatusCode::OK, RuleView::from(ended)))
        })
    })
    .await
}

/// A body without fields.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = EndCommissionRule)]
struct EndBody {}
