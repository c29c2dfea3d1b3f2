//! The routes of payees: bank details, checks, terms and blocks, of vendors and of affiliates.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use mizan_ledger::postings::Payee;
use mizan_money::id::{BlockId, KycId};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{BankAccountBody, KycBody, TermsBody};
use super::view::{BankAccountView, BlocksView, KycView, TermsView};
use super::{Nothing, desk, text};
use crate::app::App;
use crate::audit;
use crate::auth::Caller;
use crate::db::work;
use crate::http::{ApiJson, ApiPath, IdempotentJson, Problem, idempotent};
use crate::payouts::error::{PayoutError, invalid};
use crate::payouts::kyc::Kyc;
use crate::payouts::store;

/// Every route of payees.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(vendor_account_set, vendor_account_get))
        .routes(routes!(vendor_account_verify))
        .routes(routes!(vendor_kyc_add, vendor_kyc_get))
        .routes(routes!(vendor_terms_set, vendor_terms_get))
        .routes(routes!(vendor_block))
        .routes(routes!(vendor_blocks_lift))
        .routes(routes!(affiliate_account_set, affiliate_account_get))
        .routes(routes!(affiliate_account_verify))
        .routes(routes!(affiliate_kyc_add, affiliate_kyc_get))
        .routes(routes!(affiliate_terms_set, affiliate_terms_get))
        .routes(routes!(affiliate_block))
        .routes(routes!(affiliate_blocks_lift))
}

/// The payee of one of two fields; none where neither is named.
pub(super) fn one_of(
    vendor: Option<&str>,
    affiliate: Option<&str>,
) -> Result<Option<Payee>, PayoutError> {
    let (param, payee) = match (vendor, affiliate) {
        (Some(id), None) => ("vendor", Payee::Vendor(id.to_owned())),
        (None, Some(id)) => ("affiliate", Payee::Affiliate(id.to_owned())),
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            return Err(invalid("affiliate", "Name a `vendor` or an `affiliate`, not both."));
        }
    };
    let wrong = |error: mizan_ledger::AccountError| invalid(param, error.to_string());
    payee.available().map_err(wrong)?;
    Ok(Some(payee))
}

/// Why nothing is paid to a payee for now.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewPayoutBlock)]
struct BlockBody {
    /// For the payee to read, 1 to 500 characters.
    reason: String,
}

async fn account_set(
    app: App,
    caller: Caller,
    payee: Payee,
    body: BankAccountBody,
) -> Result<Json<BankAccountView>, Problem> {
    let details = &body.check()?;
    let (desk, payee, shown, doer) = (&desk(&app, &caller), &payee, &app, &caller.doer());
    let kept = app.db.transaction("set_bank_account", desk.tenant, |tx| {
        work(async move {
            let (tenant, mark) = (desk.tenant, (desk.now, desk.actor.as_str()));
            store::add_payee(tx, tenant, payee, desk.now).await?;
            store::lock_payee(tx, tenant, payee).await?;
            let newest = store::bank_account(tx, tenant, payee, None).await?;
            if let Some(newest) = newest.clone() {
                audit::was(tx, &BankAccountView::of(shown, payee, Some(newest))?).await?;
            }
            let same = newest.filter(|it| it.details == *details && it.blocked.is_none());
            if same.is_none() {
                store::new_bank_account(tx, tenant, payee, details, mark).await?;
            }
            let kept = store::bank_account(tx, tenant, payee, None).await?;
            let view = BankAccountView::of(shown, payee, kept)?;
            audit::note(tx, tenant, doer, &view, desk.now).await?;
            Ok::<_, Problem>(view)
        })
    });
    Ok(Json(kept.await?))
}

async fn account_get(
    app: App,
    caller: Caller,
    payee: Payee,
) -> Result<Json<BankAccountView>, Problem> {
    let (tenant, payee) = (caller.tenant(), &payee);
    let found = app.db.read("bank_account", tenant, |tx| {
        work(async move { store::bank_account(tx, tenant, payee, None).await })
    });
    Ok(Json(BankAccountView::of(&app, payee, found.await?)?))
}

async fn account_verify(
    app: App,
    caller: Caller,
    payee: Payee,
    request: IdempotentJson<Nothing>,
) -> Result<Response, Problem> {
    let (desk, payee, shown) = (&desk(&app, &caller), &payee, &app);
    idempotent(&app, &caller, &request.idempotency, "verify_bank_account", |tx| {
        work(async move {
            let (tenant, mark) = (desk.tenant, (desk.now, desk.actor.as_str()));
            store::lock_payee(tx, tenant, payee).await?;
            let newest = store::bank_account(tx, tenant, payee, None).await?;
            let newest = newest.ok_or_else(Problem::not_found)?;
            store::verify_bank_account(tx, tenant, payee, newest.version, mark).await?;
            let kept = store::bank_account(tx, tenant, payee, None).await?;
            Ok((StatusCode::OK, BankAccountView::of(shown, payee, kept)?))
        })
    })
    .await
}

async fn kyc_add(
    app: App,
    caller: Caller,
    payee: Payee,
    request: IdempotentJson<KycBody>,
) -> Result<Response, Problem> {
    let (desk, payee, body) = (&desk(&app, &caller), &payee, request.body);
    let kyc = &Kyc {
        id: KycId::generate(desk.now),
        status: body.status,
        occurred_at: body.check(desk.now)?,
        documents: body.documents,
        recorded_at: desk.now,
    };
    idempotent(&app, &caller, &request.idempotency, "add_kyc", |tx| {
        work(async move {
            store::add_payee(tx, desk.tenant, payee, desk.now).await?;
            store::add_kyc(tx, desk.tenant, payee, kyc, &desk.actor).await?;
            let today = store::day_of(tx, desk.tenant, desk.now).await?;
            let newest = store::kyc(tx, desk.tenant, payee).await?;
            Ok((StatusCode::CREATED, KycView::of(payee, newest, today)))
        })
    })
    .await
}

async fn kyc_get(app: App, caller: Caller, payee: Payee) -> Result<Json<KycView>, Problem> {
    let (desk, payee) = (&desk(&app, &caller), &payee);
    let found = app.db.read("kyc", desk.tenant, |tx| {
        work(async move {
            let today = store::day_of(tx, desk.tenant, desk.now).await?;
            let newest = store::kyc(tx, desk.tenant, payee).await?;
            Ok::<_, PayoutError>(KycView::of(payee, newest, today))
        })
    });
    Ok(Json(found.await?))
}

async fn terms_set(
    app: App,
    caller: Caller,
    payee: Payee,
    body: TermsBody,
) -> Result<Json<TermsView>, Problem> {
    let terms = &body.check()?;
    let (desk, payee, doer) = (&desk(&app, &caller), &payee, &caller.doer());
    let kept = app.db.transaction("set_payout_terms", desk.tenant, |tx| {
        work(async move {
            let mark = (desk.now, desk.actor.as_str());
            store::add_payee(tx, desk.tenant, payee, desk.now).await?;
            if let Some(before) = store::terms(tx, desk.tenant, payee).await? {
                audit::was(tx, &TermsView::of(payee, &before)).await?;
            }
            store::set_terms(tx, desk.tenant, payee, terms, mark).await?;
            let view = TermsView::of(payee, terms);
            audit::note(tx, desk.tenant, doer, &view, desk.now).await?;
            Ok::<_, Problem>(view)
        })
    });
    Ok(Json(kept.await?))
}

async fn terms_get(app: App, caller: Caller, payee: Payee) -> Result<Json<TermsView>, Problem> {
    let (tenant, payee) = (caller.tenant(), &payee);
    let found = app.db.read("payout_terms", tenant, |tx| {
        work(async move { store::terms(tx, tenant, payee).await })
    });
    Ok(Json(TermsView::of(payee, &found.await?.unwrap_or_default())))
}

async fn block(
    app: App,
    caller: Caller,
    payee: Payee,
    request: IdempotentJson<BlockBody>,
) -> Result<Response, Problem> {
    let (desk, payee) = (&desk(&app, &caller), &payee);
    let reason = &text("reason", &request.body.reason, 500)?;
    idempotent(&app, &caller, &request.idempotency, "block_payouts", |tx| {
        work(async move {
            let mark = (desk.now, desk.actor.as_str());
            store::add_payee(tx, desk.tenant, payee, desk.now).await?;
            store::lock_payee(tx, desk.tenant, payee).await?;
            let block = (BlockId::generate(desk.now), reason.as_str());
            store::add_block(tx, desk.tenant, payee, block, mark).await?;
            let open = store::blocks(tx, desk.tenant, payee).await?;
            Ok((StatusCode::CREATED, BlocksView::of(payee, open)))
        })
    })
    .await
}

async fn blocks_lift(
    app: App,
    caller: Caller,
    payee: Payee,
    request: IdempotentJson<Nothing>,
) -> Result<Response, Problem> {
    let (desk, payee) = (&desk(&app, &caller), &payee);
    idempotent(&app, &caller, &request.idempotency, "lift_payout_blocks", |tx| {
        work(async move {
            let mark = (desk.now, desk.actor.as_str());
            store::lock_payee(tx, desk.tenant, payee).await?;
            store::lift_blocks(tx, desk.tenant, payee, mark).await?;
            let open = store::blocks(tx, desk.tenant, payee).await?;
            Ok((StatusCode::OK, BlocksView::of(payee, open)))
        })
    })
    .await
}

/// A route under a payee, without a key: the same again changes nothing.
macro_rules! route {
    ($method:ident $name:ident $run:ident $field:ident $path:literal, $doc:literal,
     $body:ty => $view:ty) => {
        #[doc = $doc]
        #[utoipa::path($method, path = $path, operation_id = stringify!($name), tag = "payouts",
                            params(("payee" = String, Path, description = "Your own id")),
                            request_body = $body,
                            responses((status = 200, description = "As it stands", body = $view)))]
        async fn $name(
            State(app): State<App>,
            caller: Caller,
            ApiPath(id): ApiPath<String>,
            ApiJson(body): ApiJson<$body>,
        ) -> Result<Json<$view>, Problem> {
            $run(app, caller, $field(&id)?, body).await
        }
    };
    ($method:ident $name:ident $run:ident $field:ident $path:literal, $doc:literal, $view:ty) => {
        #[doc = $doc]
        #[utoipa::path($method, path = $path, operation_id = stringify!($name), tag = "payouts",
                            params(("payee" = String, Path, description = "Your own id")),
                            responses((status = 200, description = "As it stands", body = $view)))]
        async fn $name(
            State(app): State<App>,
            caller: Caller,
            ApiPath(id): ApiPath<String>,
        ) -> Result<Json<$view>, Problem> {
            $run(app, caller, $field(&id)?).await
        }
    };
}

/// A route under a payee that adds something, under a key.
macro_rules! adding {
    ($name:ident $run:ident $field:ident $path:literal $status:literal, $doc:literal,
     $body:ty => $view:ty) => {
        #[doc = $doc]
        #[utoipa::path(post, path = $path, operation_id = stringify!($name), tag = "payouts",
                    params(
                        ("payee" = String, Path, description = "Your own id"),
                        ("Idempotency-Key" = String, Header, description = "New for each"),
                    ),
                    request_body = $body,
                    responses((status = $status, description = "As it stands", body = $view)))]
        async fn $name(
            State(app): State<App>,
            caller: Caller,
            ApiPath(id): ApiPath<String>,
            request: IdempotentJson<$body>,
        ) -> Result<Response, Problem> {
            $run(app, caller, $field(&id)?, request).await
        }
    };
}

fn vendor(id: &str) -> Result<Payee, PayoutError> {
    one_of(Some(id), None)?.ok_or_else(|| invalid("vendor", "Name a vendor."))
}

fn affiliate(id: &str) -> Result<Payee, PayoutError> {
    one_of(None, Some(id))?.ok_or_else(|| invalid("affiliate", "Name an affiliate."))
}

route!(put vendor_account_set account_set vendor "/v1/vendors/{payee}/bank_account",
    "Set a vendor's bank account", BankAccountBody => BankAccountView);
route!(get vendor_account_get account_get vendor "/v1/vendors/{payee}/bank_account",
    "Retrieve a vendor's bank account", BankAccountView);
adding!(vendor_account_verify account_verify vendor "/v1/vendors/{payee}/bank_account/verify" 200,
    "Mark a vendor's bank account as verified", Nothing => BankAccountView);
adding!(vendor_kyc_add kyc_add vendor "/v1/vendors/{payee}/kyc" 201,
    "Tell who a vendor is", KycBody => KycView);
route!(get vendor_kyc_get kyc_get vendor "/v1/vendors/{payee}/kyc",
    "Retrieve who a vendor is", KycView);
route!(put vendor_terms_set terms_set vendor "/v1/vendors/{payee}/payout_terms",
    "Set a vendor's payout terms", TermsBody => TermsView);
route!(get vendor_terms_get terms_get vendor "/v1/vendors/{payee}/payout_terms",
    "Retrieve a vendor's payout terms", TermsView);
adding!(vendor_block block vendor "/v1/vendors/{payee}/blocks" 201,
    "Hold a vendor's payouts back", BlockBody => BlocksView);
adding!(vendor_blocks_lift blocks_lift vendor "/v1/vendors/{payee}/blocks/lift" 200,
    "Hold a vendor's payouts back no longer", Nothing => BlocksView);
route!(put affiliate_account_set account_set affiliate "/v1/affiliates/{payee}/bank_account",
    "Set an affiliate's bank account", BankAccountBody => BankAccountView);
route!(get affiliate_account_get account_get affiliate "/v1/affiliates/{payee}/bank_account",
    "Retrieve an affiliate's bank account", BankAccountView);
adding!(affiliate_account_verify account_verify affiliate
    "/v1/affiliates/{payee}/bank_account/verify" 200,
    "Mark an affiliate's bank account as verified", Nothing => BankAccountView);
adding!(affiliate_kyc_add kyc_add affiliate "/v1/affiliates/{payee}/kyc" 201,
    "Tell who an affiliate is", KycBody => KycView);
route!(get affiliate_kyc_get kyc_get affiliate "/v1/affiliates/{payee}/kyc",
    "Retrieve who an affiliate is", KycView);
route!(put affiliate_terms_set terms_set affiliate "/v1/affiliates/{payee}/payout_terms",
    "Set an affiliate's payout terms", TermsBody => TermsView);
route!(get affiliate_terms_get terms_get affiliate "/v1/affiliates/{payee}/payout_terms",
    "Retrieve an affiliate's payout terms", TermsView);
adding!(affiliate_block block affiliate "/v1/affiliates/{payee}/blocks" 201,
    "Hold an affiliate's payouts back", BlockBody => BlocksView);
adding!(affiliate_blocks_lift blocks_lift affiliate "/v1/affiliates/{payee}/blocks/lift" 200,
    "Hold an affiliate's payouts back no longer", Nothing => BlocksView);
