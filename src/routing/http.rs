//! The routes of routing rules.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use mizan_money::{Currency, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::RoutingError;
use super::rule::{NewRule, Others, RoutingRuleId, Rule};
use super::store;
use crate::app::App;
use crate::auth::Caller;
use crate::db::work;
use crate::http::{ApiPath, ApiQuery, IdempotentJson, List, PageRequest, Problem, idempotent};

/// The most rules of a tenant that are in force or to come.
const RULES_MAX: i64 = 200;

/// Every route of routing.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_rule, list_rules))
        .routes(routes!(end_rule))
        .merge(super::explain_http::routes())
}

/// A rule to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewRoutingRule)]
struct RuleBody {
    /// For people, 1 to 100 characters.
    name: String,
    /// The highest that fits a payment decides; 0 to 1000.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1000, default = 0)]
    priority: i32,
    /// Names of connections, in the order of preference.
    #[schema(min_items = 1, max_items = 20)]
    connections: Vec<String>,
    /// Whether no other connection may be used.
    #[serde(default)]
    only_these: bool,
    /// ISO 4217; all where empty.
    #[serde(default)]
    currencies: Vec<String>,
    /// ISO 3166 alpha-2; all where empty.
    #[serde(default)]
    countries: Vec<String>,
    /// Kinds of instrument such as `card`; all where empty.
    #[serde(default)]
    payment_method_types: Vec<String>,
    /// From this amount on, in minor units. Needs exactly one currency.
    amount_min: Option<i64>,
    /// Up to and with this amount, in minor units. Needs exactly one currency.
    amount_max: Option<i64>,
    /// From when; else from now on.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_from: Option<Timestamp>,
    /// To before when; else until it is ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_until: Option<Timestamp>,
}

/// A routing rule.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoutingRule)]
struct RuleView {
    /// `rr_…`
    id: String,
    /// Always `routing_rule`.
    object: &'static str,
    /// For people.
    name: String,
    /// The highest that fits a payment decides.
    priority: i32,
    /// Names of connections, in the order of preference.
    connections: Vec<String>,
    /// Whether no other connection may be used.
    only_these: bool,
    /// ISO 4217; all where empty.
    currencies: Vec<String>,
    /// ISO 3166 alpha-2; all where empty.
    countries: Vec<String>,
    /// Kinds of instrument; all where empty.
    payment_method_types: Vec<String>,
    /// From this amount on, in minor units.
    amount_min: Option<i64>,
    /// Up to and with this amount, in minor units.
    amount_max: Option<i64>,
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

impl From<Rule> for RuleView {
    fn from(rule: Rule) -> Self {
        let says = rule.says;
        Self {
            id: rule.id.to_string(),
            object: "routing_rule",
            name: says.name,
            priority: says.priority,
            connections: says.connections,
            only_these: says.others == Others::LeftOut,
            currencies: says.currencies.iter().map(|it| it.code().to_owned()).collect(),
            countries: says.countries,
            payment_method_types: says.methods,
            amount_min: says.amount_min,
            amount_max: says.amount_max,
            valid_from: says.valid_from,
            valid_until: says.valid_until,
            created: rule.created_at,
            created_by: rule.created_by,
        }
    }
}

fn invalid(param: &str, message: impl Into<String>) -> RoutingError {
    RoutingError::Invalid { param: param.to_owned(), message: message.into() }
}

impl RuleBody {
    fn check(&self, app: &App, caller: &Caller, now: Timestamp) -> Result<NewRule, RoutingError> {
        if !(1..=100).contains(&self.name.chars().count()) {
            return Err(invalid("name", "A name has 1 to 100 characters."));
        }
        if !(0..=1000).contains(&self.priority) {
            return Err(invalid("priority", "A priority is 0 to 1000."));
        }
        if !(1..=20).contains(&self.connections.len()) {
            return Err(invalid("connections", "A rule names 1 to 20 connections."));
        }
        for name in &self.connections {
            let known = app.gateways.get(name).is_some_and(|it| it.tenant == caller.tenant());
            if !known {
                let name: String = name.chars().take(40).collect();
                let message = format!("There is no connection `{name}` in the settings.");
                return Err(invalid("connections", message));
            }
        }
        if self.name.contains(char::is_control) || self.currencies.len() > 200 {
            let message = "A rule has at most 200 currencies, and no control characters.";
            return Err(invalid("name", message));
        }
        let currencies = self.currencies.iter().map(|code| Currency::parse(code));
        let currencies: Vec<Currency> = currencies
            .collect::<Result<_, _>>()
            .map_err(|error| invalid("currencies", error.to_string()))?;
        let country = |it: &String| it.len() == 2 && it.bytes().all(|b| b.is_ascii_uppercase());
        if self.countries.len() > 300 || !self.countries.iter().all(country) {
            let message = "A country is two upper-case letters of ISO 3166, such as AE.";
            return Err(invalid("countries", message));
        }
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let method = |it: &String| (1..=40).contains(&it.len()) && it.bytes().all(plain);
        if self.payment_method_types.len() > 50 || !self.payment_method_types.iter().all(method) {
            let message = "A kind of instrument is a word such as `card` or `upi`.";
            return Err(invalid("payment_method_types", message));
        }
        self.check_amounts(&currencies)?;
        let valid_from = self.valid_from.unwrap_or(now);
        if valid_from < now {
            return Err(invalid("valid_from", "A rule begins now or later."));
        }
        if self.valid_until.is_some_and(|until| until <= valid_from) {
            return Err(invalid("valid_until", "A rule ends after it begins."));
        }
        Ok(NewRule {
            name: self.name.clone(),
            priority: self.priority,
            connections: self.connections.clone(),
            others: if self.only_these { Others::LeftOut } else { Others::Follow },
            currencies,
            countries: self.countries.clone(),
            methods: self.payment_method_types.clone(),
            amount_min: self.amount_min,
            amount_max: self.amount_max,
            valid_from,
            valid_until: self.valid_until,
        })
    }

    fn check_amounts(&self, currencies: &[Currency]) -> Result<(), RoutingError> {
        let bounded = self.amount_min.is_some() || self.amount_max.is_some();
        if bounded && currencies.len() != 1 {
            let message = "An amount needs exactly one currency: 100 JPY and 100 AED differ.";
            return Err(invalid("currencies", message));
        }
        if self.amount_min.is_some_and(|min| min < 0) {
            return Err(invalid("amount_min", "An amount is not negative."));
        }
        if self.amount_max.is_some_and(|max| max < self.amount_min.unwrap_or(0)) {
            return Err(invalid("amount_max", "`amount_max` is not below `amount_min`."));
        }
        Ok(())
    }
}

/// Create a routing rule
///
/// A rule is never changed: end it and create another, so that it can be seen later why a payment
/// went where it went.
#[utoipa::path(
    post,
    path = "/v1/routing/rules",
    operation_id = "create_routing_rule",
    tag = "routing",
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
    let says = body.check(&app, &caller, now)?;
    let rule = &Rule {
        id: RoutingRuleId::generate(now),
        says,
        created_at: now,
        created_by: caller.key().to_string(),
    };
    idempotent(&app, &caller, &idempotency, "create_routing_rule", |tx| {
        work(async move {
            if store::rules_to_come(tx, tenant, now).await? >= RULES_MAX {
                let message = format!("There are {RULES_MAX} rules: end one first.");
                return Err(invalid("name", message).into());
            }
            store::insert(tx, tenant, rule).await?;
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
    starting_after: Option<RoutingRuleId>,
}

/// List routing rules
///
/// Newest first, those that are over included.
#[utoipa::path(
    get,
    path = "/v1/routing/rules",
    operation_id = "list_routing_rules",
    tag = "routing",
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
    let found = app.db.read("routing_rules", tenant, |tx| {
        work(async move { store::rules(tx, tenant, after, rows).await })
    });
    let found = found.await?.into_iter().map(RuleView::from).collect();
    Ok(Json(page.list(found, "/v1/routing/rules")))
}

/// End a routing rule
///
/// From now on it decides nothing. Ending what is over changes nothing.
#[utoipa::path(
    post,
    path = "/v1/routing/rules/{id}/end",
    operation_id = "end_routing_rule",
    tag = "routing",
    params(
        ("id" = RoutingRuleId, Path),
        ("Idempotency-Key" = String, Header, description = "New for each ending"),
    ),
    request_body = Nothing,
    responses((status = 200, description = "Ended", body = RuleView)),
)]
async fn end_rule(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<RoutingRuleId>,
    IdempotentJson { idempotency, body: Nothing {} }: IdempotentJson<Nothing>,
) -> Result<Response, Problem> {
    let (tenant, now) = (caller.tenant(), caller.now(&app));
    idempotent(&app, &caller, &idempotency, "end_routing_rule", |tx| {
        work(async move {
            let ended = store::end(tx, tenant, id, now).await?;
            Ok((StatusCode::OK, RuleView::from(ended)))
        })
    })
    .await
}

/// A body without fields.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = EndRoutingRule)]
struct Nothing {}
