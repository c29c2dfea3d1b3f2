//! The routes of cashback rules.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use mizan_money::{Currency, Rate, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::WalletError;
use super::rule::{Basis, CashbackRule, CashbackRuleId, NewCashbackRule};
use super::store;
use crate::app::App;
use crate::auth::Caller;
use crate::db::work;
use crate::http::{ApiPath, ApiQuery, IdempotentJson, List, PageRequest, Problem, idempotent};
use crate::payments::create::AMOUNT_MAX;

/// The most rules of a tenant that are in force or to come.
const RULES_MAX: i64 = 200;

/// The most days that a rule can name: ten years.
const DAYS_MAX: i32 = 3_650;

/// Every route of cashback rules.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create_rule, list_rules)).routes(routes!(end_rule))
}

/// A rule to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewCashbackRule)]
struct RuleBody {
    /// For people, 1 to 100 characters.
    name: String,
    /// Percent of the basis, rounded half-up once per order.
    percent: Rate,
    /// What the gateway took, or the price whatever it was paid with.
    #[serde(default)]
    basis: BasisWord,
    /// The most for one order, in minor units. Needs a currency.
    #[schema(minimum = 1, maximum = 999_999_999_999_i64)]
    cap: Option<i64>,
    /// The least basis of a whole order, in minor units. Needs a currency.
    #[schema(minimum = 1, maximum = 999_999_999_999_i64)]
    min_amount: Option<i64>,
    /// ISO 4217: only orders in it.
    currency: Option<String>,
    /// Whether only a customer's first delivered order counts.
    #[serde(default)]
    first_order: bool,
    /// How many days after delivery it can be spent.
    #[schema(minimum = 0, maximum = 3650)]
    vest_days: i32,
    /// For how many days then; for ever where none.
    #[schema(minimum = 1, maximum = 3650)]
    expiry_days: Option<i32>,
    /// Orders from when on; else from now on.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_from: Option<Timestamp>,
    /// Orders to before when; else until it is ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_until: Option<Timestamp>,
}

/// What a percentage is taken of.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, ToSchema)]
#[schema(as = CashbackBasis)]
#[serde(rename_all = "snake_case")]
enum BasisWord {
    /// What the gateway took.
    #[default]
    Paid,
    /// The price.
    Price,
}

/// A cashback rule.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CashbackRule)]
struct RuleView {
    /// `cbr_…`
    id: String,
    /// Always `cashback_rule`.
    object: &'static str,
    /// For people.
    name: String,
    /// Percent of the basis.
    percent: String,
    /// `paid` or `price`.
    basis: &'static str,
    /// The most for one order, in minor units.
    cap: Option<i64>,
    /// The least basis of a whole order, in minor units.
    min_amount: Option<i64>,
    /// Only orders in it; all where none.
    currency: Option<&'static str>,
    /// Whether only a customer's first delivered order counts.
    first_order: bool,
    /// How many days after delivery it can be spent.
    vest_days: i32,
    /// For how many days then.
    expiry_days: Option<i32>,
    /// From when.
    #[schema(value_type = String, format = DateTime)]
    valid_from: Timestamp,
    /// To before when.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_until: Option<Timestamp>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// By whom.
    created_by: String,
}

impl From<CashbackRule> for RuleView {
    fn from(rule: CashbackRule) -> Self {
        let says = rule.says;
        Self {
            id: rule.id.to_string(),
            object: "cashback_rule",
            name: says.name,
            percent: says.percent.as_percent_string(),
            basis: says.basis.as_str(),
            cap: says.cap,
            min_amount: says.min_amount,
            currency: says.currency.map(Currency::code),
            first_order: says.first_order,
            vest_days: says.vest_days,
            expiry_days: says.expiry_days,
            valid_from: says.valid_from,
            valid_until: says.valid_until,
            created: rule.created_at,
            created_by: rule.created_by,
        }
    }
}

impl RuleBody {
    fn check(&self, now: Timestamp) -> Result<NewCashbackRule, WalletError> {
        let invalid = |param: &str, message: &str| WalletError::invalid(param, message);
        let length = self.name.chars().count();
        if !(1..=100).contains(&length) || self.name.contains(char::is_control) {
            let message = "A name has 1 to 100 characters and no control characters.";
            return Err(invalid("name", message));
        }
        if self.percent.is_zero() {
            return Err(invalid("percent", "A rule that grants nothing is no rule."));
        }
        for (param, amount) in [("cap", self.cap), ("min_amount", self.min_amount)] {
            if amount.is_some_and(|amount| !(1..=AMOUNT_MAX).contains(&amount)) {
                let message = format!("An amount is 1 to {AMOUNT_MAX} minor units.");
                return Err(invalid(param, &message));
            }
            if amount.is_some() && self.currency.is_none() {
                let message = "An amount needs a currency: 100 JPY and 100 AED differ.";
                return Err(invalid("currency", message));
            }
        }
        let currency = self.currency.as_deref().map(Currency::parse).transpose();
        let currency =
            currency.map_err(|error| WalletError::invalid("currency", error.to_string()))?;
        if !(0..=DAYS_MAX).contains(&self.vest_days) {
            return Err(invalid("vest_days", "Cashback vests after 0 to 3650 days."));
        }
        if self.expiry_days.is_some_and(|days| !(1..=DAYS_MAX).contains(&days)) {
            return Err(invalid("expiry_days", "Cashback can be spent for 1 to 3650 days."));
        }
        let valid_from = self.valid_from.unwrap_or(now);
        if self.valid_until.is_some_and(|until| until <= valid_from) {
            return Err(invalid("valid_until", "A rule ends after it begins."));
        }
        Ok(NewCashbackRule {
            name: self.name.clone(),
            percent: self.percent,
            basis: match self.basis {
                BasisWord::Paid => Basis::Paid,
                BasisWord::Price => Basis::Price,
            },
            cap: self.cap,
            min_amount: self.min_amount,
            currency,
            first_order: self.first_order,
            vest_days: self.vest_days,
            expiry_days: self.expiry_days,
            valid_from,
            valid_until: self.valid_until,
        })
    }
}

/// Create a cashback rule
///
/// Of the rules in force when an order is made, the one that grants most counts for it. A rule
/// is never changed: end it and create another, so that it can be seen later why it granted.
#[utoipa::path(
    post,
    path = "/v1/cashback_rules",
    operation_id = "create_cashback_rule",
    tag = "wallets",
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
    let rule = &CashbackRule {
        id: CashbackRuleId::generate(now),
        says: body.check(now)?,
        created_at: now,
        created_by: caller.key().to_string(),
    };
    idempotent(&app, &caller, &idempotency, "create_cashback_rule", |tx| {
        work(async move {
            if store::rules_to_come(tx, tenant, now).await? >= RULES_MAX {
                let message = format!("There are {RULES_MAX} rules: end one first.");
                return Err(WalletError::invalid("name", message).into());
            }
            store::insert_rule(tx, tenant, rule).await?;
            Ok((StatusCode::CREATED, RuleView::from(rule.clone())))
        })
    })
    .await
}

/// Where a list of rules goes on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct RulesQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: Option<u32>,
    /// Continue behind this id: older ones.
    #[param(inline)]
    starting_after: Option<CashbackRuleId>,
}

/// List cashback rules
///
/// Newest first, those that are over included.
#[utoipa::path(
    get,
    path = "/v1/cashback_rules",
    operation_id = "list_cashback_rules",
    tag = "wallets",
    params(RulesQuery),
    responses((status = 200, description = "A page", body = List<RuleView>)),
)]
async fn list_rules(
    State(app): State<App>,
    caller: Caller,
    ApiQuery(query): ApiQuery<RulesQuery>,
) -> Result<Json<List<RuleView>>, Problem> {
    let page = PageRequest::new(query.limit, query.starting_after, None)?;
    let (tenant, rows, after) = (caller.tenant(), page.rows(), query.starting_after);
    let found = app.db.read("cashback_rules", tenant, |tx| {
        work(async move { store::rules(tx, tenant, after, rows).await })
    });
    let found = found.await?.into_iter().map(RuleView::from).collect();
    Ok(Json(page.list(found, "/v1/cashback_rules")))
}

/// End a cashback rule
///
/// Orders made from now on earn nothing by it; those made before still do when they are
/// delivered. Ending what is over changes nothing.
#[utoipa::path(
    post,
    path = "/v1/cashback_rules/{id}/end",
    operation_id = "end_cashback_rule",
    tag = "wallets",
    params(
        ("id" = CashbackRuleId, Path),
        ("Idempotency-Key" = String, Header, description = "New for each ending"),
    ),
    request_body = Nothing,
    responses((status = 200, description = "Ended", body = RuleView)),
)]
async fn end_rule(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<CashbackRuleId>,
    IdempotentJson { idempotency, body: Nothing {} }: IdempotentJson<Nothing>,
) -> Result<Response, Problem> {
    let (tenant, now) = (caller.tenant(), caller.now(&app));
    idempotent(&app, &caller, &idempotency, "end_cashback_rule", |tx| {
        work(async move {
            let ended = store::end_rule(tx, tenant, id, now).await?;
            Ok((StatusCode::OK, RuleView::from(ended)))
        })
    })
    .await
}

/// A body without fields.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = EndCashbackRule)]
struct Nothing {}
