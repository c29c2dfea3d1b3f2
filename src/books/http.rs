//! The routes that read accounts, balances, statements and the trial balance.

use axum::Json;
use axum::extract::State;
use mizan_ledger::{Role, read};
use mizan_money::{AccountId, TransactionId};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::BooksError;
use super::transaction_http;
use super::view::{AccountView, BalanceView, StatementLineView, TrialBalanceView};
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
    #[param(value_type = Option<String>)]
    starting_after: Option<AccountId>,
    /// Go back before this account.
    #[param(value_type = Option<String>)]
    ending_before: Option<AccountId>,
    /// Only those of this role of the chart, e.g. `vendor_payable`.
    role: Option<String>,
}

/// How fine a trial balance is.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TrialQuery {
    /// One line per role, or one per account; `role` if nothing is said.
    #[param(inline)]
    detail: Option<DetailWord>,
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
/// As it is now.
#[utoipa::path(
    get,
    path = "/v1/ledger/accounts/{id}/balance",
    operation_id = "retrieve_ledger_balance",
    tag = "ledger",
    params(("id" = AccountId, Path)),
    responses((status = 200, description = "The balance", body = BalanceView)),
)]
async fn balance(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<AccountId>,
) -> Result<Json<BalanceView>, Problem> {
    let found = find(&app, &caller, id).await?;
    Ok(Json(BalanceView::new(&found, app.clock.now())))
}

/// Read an account's statement
///
/// Its entries, newest first, with the balance after each. A page ends with a transaction: where
/// the one at the limit touches the account more than once, its further lines come with it.
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
/// Every balance that is not zero. In each currency the debits equal the credits. A figure is an
/// integer; only beyond 64 bits it is a text of its digits.
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
    let detail = match query.detail {
        None | Some(DetailWord::Role) => read::Detail::Role,
        Some(DetailWord::Account) => read::Detail::Account,
    };
    let tenant = caller.tenant();
    let found = app
        .db
        .read("trial_balance", tenant, |tx| {
            work(async move { Ok::<_, BooksError>(read::trial_balance(tx, tenant, detail).await?) })
        })
        .await?;
    Ok(Json(TrialBalanceView::new(found, app.clock.now())))
}
