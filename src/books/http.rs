//! The routes that read accounts, balances, statements and the trial balance.

use axum::Json;
use axum::extract::State;
use mizan_ledger::{Role, read};
use mizan_money::{AccountId, TransactionId};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::as_of::{Asked, horizon};
use super::error::BooksError;
use super::past_view::{BalanceView, ScopeView};
use super::view::{AccountView, StatementLineView, TrialBalanceView};
use super::{dated_http, period_http, transaction_http};
use crate::app::App;
use crate::auth::Caller;
use crate::db::work;
use crate::http::{ApiPath, ApiQuery, Code, Cursor, List, PageQuery, PageRequest, Problem};

/// Every route of the books.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(accounts))
        .routes(routes!(account))
        .routes(routes!(balance))
        .routes(routes!(statement))
        .routes(routes!(trial_balance))
        .merge(dated_http::routes())
        .merge(period_http::routes())
        .merge(transaction_http::routes())
}

/// What a list of accounts is narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AccountsQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: Option<u32>,
    /// Continue behind this account.
    #[param(inline)]
    starting_after: Option<AccountId>,
    /// Go back before this account.
    #[param(inline)]
    ending_before: Option<AccountId>,
    /// Only those of this role of the chart, e.g. `vendor_payable`.
    role: Option<String>,
}

/// Which balance.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct BalanceQuery {
    /// Only what is dated on this day or before it, in the marketplace's time zone.
    #[param(format = Date)]
    effective: Option<String>,
    /// Only what was recorded by the end of this day.
    #[param(format = Date)]
    known: Option<String>,
    /// Only what was recorded at this moment or before it; not together with `known`.
    #[param(format = DateTime)]
    known_at: Option<String>,
}

/// How fine a trial balance is, and as of when.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TrialQuery {
    /// One line per role, or one per account; `role` if nothing is said.
    #[param(inline)]
    detail: Option<DetailWord>,
    /// Only what is dated on this day or before it, in the marketplace's time zone.
    #[param(format = Date)]
    effective: Option<String>,
    /// Only what was recorded by the end of this day.
    #[param(format = Date)]
    known: Option<String>,
    /// Only what was recorded at this moment or before it; not together with `known`.
    #[param(format = DateTime)]
    known_at: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DetailWord {
    Role,
    Account,
}

/// The ledger's way to say which part of a list. `uuid` is the id's own method.
pub(super) fn page_of<Id: Copy>(page: &PageRequest<Id>, uuid: fn(Id) -> uuid::Uuid) -> read::Page {
    let cursor = match *page.cursor() {
        Cursor::Start => read::Cursor::Start,
        Cursor::After(id) => read::Cursor::After(uuid(id)),
        Cursor::Before(id) => read::Cursor::Before(uuid(id)),
    };
    // A checked page has at most a hundred rows.
    read::Page { limit: u16::try_from(page.rows() - 1).unwrap_or(100), cursor }
}

/// The page in the form of every list.
pub(super) fn list<T, V: From<T>>(found: read::Listed<T>, url: String) -> List<V> {
    let data = found.data.into_iter().map(V::from).collect();
    List { object: "list", data, has_more: found.has_more, url }
}

/// The answer to a cursor that names nothing here, whether it never did or is somebody else's.
pub(super) fn unknown_cursor<Id>(page: &PageRequest<Id>) -> Problem {
    let param = match page.cursor() {
        Cursor::Before(_) => "ending_before",
        Cursor::Start | Cursor::After(_) => "starting_after",
    };
    let detail = format!("`{param}` names nothing in this list. Use an id from one of its pages.");
    Problem::new(Code::InvalidParameter, detail).param(param)
}

/// List accounts
///
/// Those that have entries, by path and currency.
#[utoipa::path(
    get,
    path = "/v1/ledger/accounts",
    operation_id = "list_ledger_accounts",
    tag = "ledger",
    params(AccountsQuery),
    responses((status = 200, description = "A page", body = List<AccountView>)),
)]
async fn accounts(
    State(app): State<App>,
    caller: Caller,
    ApiQuery(query): ApiQuery<AccountsQuery>,
) -> Result<Json<List<AccountView>>, Problem> {
    let page = PageRequest::new(query.limit, query.starting_after, query.ending_before)?;
    let role = query.role.as_deref().map(role_of).transpose()?;
    let (tenant, part) = (caller.tenant(), page_of(&page, AccountId::uuid));
    let found = app
        .db
        .read("ledger_accounts", tenant, |tx| {
            work(async move { Ok::<_, BooksError>(read::accounts(tx, tenant, role, part).await?) })
        })
        .await?
        .ok_or_else(|| unknown_cursor(&page))?;
    Ok(Json(list(found, "/v1/ledger/accounts".to_owned())))
}

fn role_of(name: &str) -> Result<Role, Problem> {
    Role::parse(name).ok_or_else(|| {
        let detail = "`role` is not in the chart of accounts, such as `vendor_payable` is.";
        Problem::new(Code::InvalidParameter, detail).param("role")
    })
}

/// Loads one account of the caller's, or answers as for any unknown id.
async fn find(app: &App, caller: &Caller, id: AccountId) -> Result<read::Account, Problem> {
    let tenant = caller.tenant();
    let found = app.db.read("ledger_account", tenant, |tx| {
        work(async move { Ok::<_, BooksError>(read::account(tx, tenant, id).await?) })
    });
    found.await?.ok_or_else(Problem::not_found)
}

/// Retrieve an account
#[utoipa::path(
    get,
    path = "/v1/ledger/accounts/{id}",
    operation_id = "retrieve_ledger_account",
    tag = "ledger",
    params(("id" = AccountId, Path)),
    responses((status = 200, description = "The account", body = AccountView)),
)]
async fn account(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<AccountId>,
) -> Result<Json<AccountView>, Problem> {
    Ok(Json(find(&app, &caller, id).await?.into()))
}

/// Retrieve a balance
///
/// As it is now; or as of a day of the world (`effective`), as it was known at a time (`known`,
/// `known_at`), or both. What was true on the last of March as it was known five days later has
/// one answer, whatever was dated back since.
#[utoipa::path(
    get,
    path = "/v1/ledger/accounts/{id}/balance",
    operation_id = "retrieve_ledger_balance",
    tag = "ledger",
    params(("id" = AccountId, Path), BalanceQuery),
    responses((status = 200, description = "The balance", body = BalanceView)),
)]
async fn balance(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<AccountId>,
    ApiQuery(query): ApiQuery<BalanceQuery>,
) -> Result<Json<BalanceView>, Problem> {
    let (tenant, now) = (caller.tenant(), caller.now(&app));
    let BalanceQuery { effective, known, known_at } = query;
    let Some(as_of) = (Asked { effective, known, known_at }).check(now)? else {
        return Ok(Json(BalanceView::now(&find(&app, &caller, id).await?, now)));
    };
    let found = app.db.read("ledger_balance", tenant, |tx| {
        work(async move {
            let horizon = horizon(tx, tenant, as_of, now).await?;
            let found = read::balance_as_of(tx, tenant, id, &horizon).await?;
            Ok::<_, BooksError>(found.map(|found| BalanceView::past(&found, &horizon, now)))
        })
    });
    Ok(Json(found.await?.ok_or_else(Problem::not_found)?))
}

/// Read an account's statement
///
/// Its entries, newest first, with the balance after each. A page ends with a transaction: where
/// the one at the limit touches the account more than once, its further lines come with it.
/// For the days of the world with opening and closing balance there is `dated_statement`.
#[utoipa::path(
    get,
    path = "/v1/ledger/accounts/{id}/statement",
    operation_id = "read_ledger_statement",
    tag = "ledger",
    params(("id" = AccountId, Path), PageQuery<TransactionId>),
    responses((status = 200, description = "A page", body = List<StatementLineView>)),
)]
async fn statement(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<AccountId>,
    ApiQuery(query): ApiQuery<PageQuery<TransactionId>>,
) -> Result<Json<List<StatementLineView>>, Problem> {
    let page = query.check()?;
    find(&app, &caller, id).await?;
    let (tenant, part) = (caller.tenant(), page_of(&page, TransactionId::uuid));
    let found = app
        .db
        .read("ledger_statement", tenant, |tx| {
            work(async move { Ok::<_, BooksError>(read::statement(tx, tenant, id, part).await?) })
        })
        .await?
        .ok_or_else(|| unknown_cursor(&page))?;
    Ok(Json(list(found, format!("/v1/ledger/accounts/{id}/statement"))))
}

/// Read the trial balance
///
/// Every balance that is not zero, now or as of a day, as it was known at a time. In each
/// currency the debits equal the credits. A figure is an integer; only beyond 64 bits it is a
/// text of its digits.
#[utoipa::path(
    get,
    path = "/v1/ledger/trial_balance",
    operation_id = "read_trial_balance",
    tag = "ledger",
    params(TrialQuery),
    responses((status = 200, description = "The trial balance", body = TrialBalanceView)),
)]
async fn trial_balance(
    State(app): State<App>,
    caller: Caller,
    ApiQuery(query): ApiQuery<TrialQuery>,
) -> Result<Json<TrialBalanceView>, Problem> {
    let (tenant, now) = (caller.tenant(), caller.now(&app));
    let TrialQuery { detail, effective, known, known_at } = query;
    let as_of = Asked { effective, known, known_at }.check(now)?;
    let detail = match detail {
        None | Some(DetailWord::Role) => read::Detail::Role,
        Some(DetailWord::Account) => read::Detail::Account,
    };
    let found = app.db.read("trial_balance", tenant, |tx| {
        work(async move {
            let Some(as_of) = as_of else {
                let lines = read::trial_balance(tx, tenant, detail).await?;
                return Ok(TrialBalanceView::new(lines, None, now));
            };
            let horizon = horizon(tx, tenant, as_of, now).await?;
            let lines = read::trial_balance_as_of(tx, tenant, detail, &horizon).await?;
            let scope = ScopeView::from(&horizon);
            Ok::<_, BooksError>(TrialBalanceView::new(lines, Some(scope), now))
        })
    });
    Ok(Json(found.await?))
}
