//! Our operations in PayPal's words.

use serde_json::{Value, json};

use crate::error::BuildError;
use crate::http::{Auth, Body, Headers, HttpRequest, Method, Prior, Replay};
use crate::model::{CaptureMethod, Confirmation, Finality, IdempotencyKey, ProviderRef};
use crate::operation::{
    CapturePayment, ConfirmPayment, CreatePayment, Operation, RefundPayment, VoidPayment,
};
use crate::paypal::adapter::Access;
use crate::paypal::amount::to_wire_amount;
use crate::paypal::{dispute, payout, report, vault};
use crate::reference;

/// Where tokens are had.
const TOKEN_PATH: &str = "/v1/oauth2/token";
/// The header of a key.
const KEY_HEADER: &str = "PayPal-Request-Id";
/// Most characters of a key (orders/v2; the tightest that is documented).
const MAX_KEY_CHARS: usize = 108;
/// Most characters of an order's description.
const MAX_DESCRIPTION_CHARS: usize = 127;

/// Builds the request for an operation.
pub(super) fn build(
    access: &Access,
    op: &Operation,
    key: &IdempotencyKey,
) -> Result<HttpRequest, BuildError> {
    let to = Call { access, key: key.as_str() };
    match op {
        Operation::Create(it) => to.post("/v2/checkout/orders".to_owned(), &create(it)?),
        Operation::Confirm(it) => to.post(confirm(it)?, &json!({})),
        Operation::Capture(it) => to.post(
            format!("/v2/payments/authorizations/{}/capture", held(it.charge_ref.as_ref())?),
            &capture(it)?,
        ),
        Operation::Void(it) => to.post_empty(void(it)?),
        Operation::Refund(it) => {
            let capture = it.charge_ref.as_ref().ok_or(BuildError::Field {
                field: "charge_ref",
                problem: "no capture has been told yet: ask what became of the payment first",
            })?;
            to.post(format!("/v2/payments/captures/{capture}/refund"), &refund(it)?)
        }
        Operation::Sync(it) => Ok(to.get(order_path(&it.provider_ref), None)),
        Operation::SyncRefund(it) => {
            Ok(to.get(format!("/v2/payments/refunds/{}", it.provider_ref), None))
        }
        Operation::Find(sought) => match sought.as_ref() {
            Operation::Refund(it) => Ok(to.get(order_path(&it.provider_ref), None)),
            other => unsupported(other.kind().as_str()),
        },
        _ => beside(&to, op),
    }
}

/// Everything that is not about a payment.
fn beside(to: &Call<'_>, op: &Operation) -> Result<HttpRequest, BuildError> {
    match op {
        Operation::SaveInstrument(it) => {
            to.post("/v3/vault/setup-tokens".to_owned(), &vault::setup(it)?)
        }
        Operation::SyncInstrument(it) => {
            let setup = it.provider_ref.as_str();
            let to = Call { key: setup, ..*to };
            to.post("/v3/vault/payment-tokens".to_owned(), &vault::exchange(setup))
        }
        Operation::RemoveInstrument(it) => {
            let path = format!("/v3/vault/payment-tokens/{}", it.instrument.token);
            // Forgetting twice is forgetting.
            Ok(HttpRequest { replay: Replay::Keyed, ..to.request(Method::Delete, path) })
        }
        Operation::Payout(it) => to.post("/v1/payments/payouts".to_owned(), &payout::body(it)?),
        Operation::SyncPayout(it) => Ok(match payout::batch_id(&it.provider_ref) {
            Some(batch) => {
                let query = "page=1&page_size=1000&total_required=true".to_owned();
                to.get(format!("/v1/payments/payouts/{batch}"), Some(query))
            }
            None => to.get(format!("/v1/payments/payouts-item/{}", it.provider_ref), None),
        }),
        Operation::CancelPayout(it) => {
            if payout::batch_id(&it.provider_ref).is_some() {
                let problem = "the item is not known yet: ask what became of the payout first";
                return Err(BuildError::Field { field: "provider_ref", problem });
            }
            to.post_empty(format!("/v1/payments/payouts-item/{}/cancel", it.provider_ref))
        }
        Operation::SyncDispute(it) => Ok(to.get(dispute_path(&it.provider_ref), None)),
        Operation::ListDisputes(it) => {
            Ok(to.get("/v1/customer/disputes".to_owned(), Some(dispute::query(it)?)))
        }
        Operation::AcceptDispute(it) => {
            let path = format!("{}/accept-claim", dispute_path(&it.provider_ref));
            Ok(to.once(path, Body::Json(json!({"note": dispute::ACCEPTED}).to_string())))
        }
        Operation::ContestDispute(it) => {
            let path = format!("{}/provide-evidence", dispute_path(&it.provider_ref));
            Ok(to.once(path, dispute::evidence(it)?))
        }
        Operation::ListSettlement(it) => {
            Ok(to.get("/v1/reporting/transactions".to_owned(), Some(report::query(it)?)))
        }
        other => unsupported(other.kind().as_str()),
    }
}

fn unsupported<T>(what: &'static str) -> Result<T, BuildError> {
    Err(BuildError::Unsupported { provider: "paypal", what })
}

fn order_path(order: &ProviderRef) -> String {
    format!("/v2/checkout/orders/{order}")
}

fn dispute_path(dispute: &ProviderRef) -> String {
    format!("/v1/customer/disputes/{dispute}")
}

/// The authorisation that holds the money.
fn held(authorization: Option<&ProviderRef>) -> Result<&ProviderRef, BuildError> {
    authorization.ok_or(BuildError::Field {
        field: "charge_ref",
        problem: "no authorisation has been told yet: ask what became of the payment first",
    })
}

fn create(it: &CreatePayment) -> Result<Value, BuildError> {
    if it.confirmation == Confirmation::Later {
        return unsupported("a confirmation later: an order waits for the customer at once");
    }
    if it.payment_method.is_some() {
        let problem = "the customer chooses it at PayPal: leave it out";
        return Err(BuildError::Field { field: "payment_method", problem });
    }
    let intent = match it.capture {
        CaptureMethod::Automatic => "CAPTURE",
        CaptureMethod::Manual => "AUTHORIZE",
    };
    let mut unit = json!({
        "amount": to_wire_amount(it.amount)?,
        "custom_id": it.payment.to_string(),
        "invoice_id": reference::of_payment(it.payment, it.operation),
    });
    if let (Some(text), Some(fields)) = (&it.description, unit.as_object_mut()) {
        if text.chars().count() > MAX_DESCRIPTION_CHARS {
            let problem = "a description has at most 127 characters";
            return Err(BuildError::Field { field: "description", problem });
        }
        fields.insert("description".to_owned(), json!(text));
    }
    Ok(json!({
        "intent": intent,
        "purchase_units": [unit],
        "payment_source": {"paypal": wallet(it)?},
    }))
}

/// How it is paid: by a saved instrument at once, else by whatever the customer agrees to on
/// PayPal's page. Coming back and giving up lead to the same place: both are hints only.
fn wallet(it: &CreatePayment) -> Result<Value, BuildError> {
    if let Some(charge) = &it.instrument {
        if it.keep.is_some() {
            let problem = "a saved instrument is kept already: leave it out";
            return Err(BuildError::Field { field: "keep", problem });
        }
        return Ok(json!({"vault_id": charge.instrument.token}));
    }
    let back = it.return_url.as_deref().ok_or(BuildError::Field {
        field: "return_url",
        problem: "the customer agrees on PayPal's page and must come back from it",
    })?;
    let page = json!({
        "return_url": back,
        "cancel_url": back,
        "user_action": "PAY_NOW",
        "shipping_preference": "NO_SHIPPING",
    });
    Ok(match &it.keep {
        None => json!({"experience_context": page}),
        Some(keep) => json!({
            "experience_context": page,
            "attributes": {
                "customer": vault::customer(keep),
                "vault": {"store_in_vault": "ON_SUCCESS", "usage_type": "MERCHANT"},
            },
        }),
    })
}

fn confirm(it: &ConfirmPayment) -> Result<String, BuildError> {
    if it.payment_method.is_some() {
        let problem = "the customer chose it at PayPal: leave it out";
        return Err(BuildError::Field { field: "payment_method", problem });
    }
    let action = match it.capture {
        CaptureMethod::Automatic => "capture",
        CaptureMethod::Manual => "authorize",
    };
    Ok(format!("{}/{action}", order_path(&it.provider_ref)))
}

/// One capture ends a hold. PayPal could make more, but a refund names a capture, and of a payment
/// only one is known here.
fn capture(it: &CapturePayment) -> Result<Value, BuildError> {
    if it.finality == Finality::More || !it.captured_before.is_zero() {
        return unsupported("a hold taken in several parts: one capture, and the rest goes back");
    }
    let more = it.amount.try_cmp(it.authorised).ok();
    if more.is_none_or(std::cmp::Ordering::is_gt) {
        let problem = "more than is held cannot be captured";
        return Err(BuildError::Field { field: "amount", problem });
    }
    Ok(json!({
        "amount": to_wire_amount(it.amount)?,
        "invoice_id": reference::of_payment(it.payment, it.operation),
        "final_capture": true,
    }))
}

fn void(it: &VoidPayment) -> Result<String, BuildError> {
    let Some(authorization) = &it.charge_ref else {
        return unsupported(
            "a void of an order that holds nothing: it takes no money without our call and lapses",
        );
    };
    Ok(format!("/v2/payments/authorizations/{authorization}/void"))
}

fn refund(it: &RefundPayment) -> Result<Value, BuildError> {
    Ok(json!({
        "amount": to_wire_amount(it.amount)?,
        "custom_id": it.refund.to_string(),
        "invoice_id": reference::of_refund(it.refund, it.operation),
    }))
}

/// Who asks, and the key of the asking.
#[derive(Clone, Copy)]
struct Call<'a> {
    access: &'a Access,
    key: &'a str,
}

impl Call<'_> {
    /// A write with a key and the wish to be told everything.
    fn post(&self, path: String, body: &Value) -> Result<HttpRequest, BuildError> {
        let it = self.post_empty(path)?;
        let headers = it.headers.with("Prefer", "return=representation");
        Ok(HttpRequest { headers, body: Body::Json(body.to_string()), ..it })
    }

    /// A write with a key and nothing to say. PayPal wants the type of the body all the same.
    fn post_empty(&self, path: String) -> Result<HttpRequest, BuildError> {
        if self.key.len() > MAX_KEY_CHARS {
            let problem = "PayPal keeps keys of at most 108 characters";
            return Err(BuildError::Field { field: "idempotency_key", problem });
        }
        let headers = Headers::new().with(KEY_HEADER, self.key);
        let body = Body::Json("{}".to_owned());
        let request = self.request(Method::Post, path);
        Ok(HttpRequest { headers, body, replay: Replay::Keyed, ..request })
    }

    /// A write that PayPal knows no key for.
    fn once(&self, path: String, body: Body) -> HttpRequest {
        HttpRequest { body, replay: Replay::Once, ..self.request(Method::Post, path) }
    }

    fn get(&self, path: String, query: Option<String>) -> HttpRequest {
        HttpRequest { query, ..self.request(Method::Get, path) }
    }

    fn request(&self, method: Method, path: String) -> HttpRequest {
        HttpRequest {
            method,
            path,
            query: None,
            headers: Headers::new(),
            auth: Auth::ClientCredentials {
                path: TOKEN_PATH,
                user: self.access.client_id.clone(),
                password: self.access.client_secret.clone(),
            },
            body: Body::Empty,
            replay: Replay::Query,
            prior: Prior::None,
            retry_header: None,
        }
    }
}
