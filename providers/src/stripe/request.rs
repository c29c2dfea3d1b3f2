//! Our operations in Stripe's words, by async-stripe's builders.

use std::collections::HashMap;

use mizan_money::Currency;
use stripe_core::payment_intent::{
    CancelPaymentIntent, CancelPaymentIntentCancellationReason as CancelReason,
    CapturePaymentIntent, ConfirmPaymentIntent, CreatePaymentIntent,
    CreatePaymentIntentAutomaticPaymentMethods as AutomaticMethods,
    CreatePaymentIntentAutomaticPaymentMethodsAllowRedirects as AllowRedirects,
    CreatePaymentIntentOffSession, RetrievePaymentIntent,
};
use stripe_core::refund::{CreateRefund, CreateRefundReason, RetrieveRefund};
use stripe_shared::{
    PaymentIntentCaptureMethod as WireCapture, PaymentIntentSetupFutureUsage as WireUsage,
};

use crate::error::BuildError;
use crate::http::HttpRequest;
use crate::instrument::Presence;
use crate::model::{
    CaptureMethod, Confirmation, Finality, IdempotencyKey, RefundReason, VoidReason,
};
use crate::operation::{
    CapturePayment, ConfirmPayment, CreatePayment, Operation, RefundPayment, VoidPayment,
};
use crate::stripe::adapter::Access;
use crate::stripe::amount::to_wire_amount;
use crate::stripe::instrument::customer_of;
use crate::stripe::transport::{self, Call};
use crate::stripe::{dispute, instrument, payout, settlement, transfer};

/// Metadata key of our payment.
pub(super) const PAYMENT_KEY: &str = "mizan_payment_intent";
/// Metadata key of our operation.
pub(super) const OPERATION_KEY: &str = "mizan_operation";
/// Metadata key of our refund.
pub(super) const REFUND_KEY: &str = "mizan_refund";

/// Asked with every payment, so that the fee is known at once.
const EXPAND_PAYMENT: &str = "latest_charge.balance_transaction";
/// Asked with every refund, for the same.
const EXPAND_REFUND: &str = "balance_transaction";

/// Most pairs of metadata Stripe keeps; two of them are ours.
const MAX_METADATA: usize = 50 - 2;

/// Builds the request for an operation.
pub(super) fn build(
    access: &Access,
    op: &Operation,
    key: &IdempotencyKey,
) -> Result<HttpRequest, BuildError> {
    Ok(match op {
        Operation::Create(it) => transport::request(access, &create(it)?, key),
        Operation::Confirm(it) => transport::request(access, &confirm(it)?, key),
        Operation::Capture(it) => transport::request(access, &capture(it)?, key),
        Operation::Void(it) => transport::request(access, &void(it), key),
        Operation::Refund(it) => transport::request(access, &refund(it)?, key),
        Operation::Sync(it) => {
            let typed = RetrievePaymentIntent::new(it.provider_ref.as_str());
            transport::request(access, &typed.expand([EXPAND_PAYMENT.to_owned()]), key)
        }
        Operation::SyncRefund(it) => {
            let typed = RetrieveRefund::new(it.provider_ref.as_str());
            transport::request(access, &typed.expand([EXPAND_REFUND.to_owned()]), key)
        }
        other => return plain(other)?.request(access, key),
    })
}

/// What async-stripe is not built with.
fn plain(op: &Operation) -> Result<Call, BuildError> {
    if let Operation::ListSettlement(it) = op {
        return settlement::build(it);
    }
    for build in [instrument::build, payout::build, transfer::build, dispute::build] {
        if let Some(call) = build(op)? {
            return Ok(call);
        }
    }
    let what = op.kind().as_str();
    Err(BuildError::Unsupported { provider: "stripe", what })
}

fn create(it: &CreatePayment) -> Result<CreatePaymentIntent, BuildError> {
    let wire = to_wire_amount(it.amount)?;
    let mut typed = CreatePaymentIntent::new(wire.amount, currency(it.amount.currency()))
        .capture_method(match it.capture {
            CaptureMethod::Automatic => WireCapture::Automatic,
            CaptureMethod::Manual => WireCapture::Manual,
        })
        .metadata(metadata(it)?)
        .expand([EXPAND_PAYMENT.to_owned()]);
    if let Some(token) = &it.payment_method {
        typed = typed.payment_method(instrument(token)?);
    }
    if let Some(text) = &it.description {
        typed = typed.description(bounded("description", text, 1000)?);
    }
    typed = instruments(it, typed)?;
    if it.confirmation == Confirmation::Later {
        return Ok(typed);
    }
    if it.payment_method.is_none() && it.instrument.is_none() {
        return Err(BuildError::Field {
            field: "payment_method",
            problem: "a payment that is confirmed at once needs one",
        });
    }
    typed = typed.confirm(true);
    Ok(match &it.return_url {
        Some(url) => typed.return_url(web_address("return_url", url)?),
        // Without a way back Stripe must not choose an instrument that redirects.
        None => typed.automatic_payment_methods(AutomaticMethods {
            allow_redirects: Some(AllowRedirects::Never),
            enabled: true,
        }),
    })
}

/// The saved instrument that is charged, or the customer an instrument is kept for. It is kept for
/// charges with the customer away too, so that the bank is asked for that now.
fn instruments(
    it: &CreatePayment,
    mut typed: CreatePaymentIntent,
) -> Result<CreatePaymentIntent, BuildError> {
    let refuse = |problem| Err(BuildError::Field { field: "instrument", problem });
    if let Some(saved) = &it.instrument {
        if it.payment_method.is_some() || it.keep.is_some() {
            return refuse("it is saved already: no payment method and no keeping beside it");
        }
        let Some(customer) = &saved.instrument.customer else {
            return refuse("Stripe charges a saved instrument with its customer only");
        };
        typed = typed
            .customer(customer.as_str())
            .payment_method(self::instrument(saved.instrument.token.as_str())?);
        match (saved.presence, it.confirmation) {
            (Presence::OnSession, _) => {}
            (Presence::OffSession, Confirmation::Now) => {
                typed = typed.off_session(CreatePaymentIntentOffSession::Bool(true))
            }
            (Presence::OffSession, Confirmation::Later) => {
                return refuse("with the customer away it is charged at once");
            }
        }
    }
    Ok(match &it.keep {
        Some(keep) => {
            typed.customer(customer_of(keep)?.as_str()).setup_future_usage(WireUsage::OffSession)
        }
        None => typed,
    })
}

fn confirm(it: &ConfirmPayment) -> Result<ConfirmPaymentIntent, BuildError> {
    let mut typed =
        ConfirmPaymentIntent::new(it.provider_ref.as_str()).expand([EXPAND_PAYMENT.to_owned()]);
    if let Some(token) = &it.payment_method {
        typed = typed.payment_method(instrument(token)?);
    }
    if let Some(url) = &it.return_url {
        typed = typed.return_url(web_address("return_url", url)?);
    }
    Ok(typed)
}

fn capture(it: &CapturePayment) -> Result<CapturePaymentIntent, BuildError> {
    let too_much = BuildError::Field {
        field: "amount",
        problem: "with what was captured before it is more than was authorised",
    };
    let taken = it.captured_before.checked_add(it.amount).map_err(|_| too_much.clone())?;
    if taken.try_cmp(it.authorised).map_or(true, std::cmp::Ordering::is_gt) {
        return Err(too_much);
    }
    let typed = CapturePaymentIntent::new(it.provider_ref.as_str())
        .amount_to_capture(to_wire_amount(it.amount)?.amount)
        .expand([EXPAND_PAYMENT.to_owned()]);
    Ok(match it.finality {
        Finality::Final => typed,
        Finality::More => typed.final_capture(false),
    })
}

fn void(it: &VoidPayment) -> CancelPaymentIntent {
    CancelPaymentIntent::new(it.provider_ref.as_str()).cancellation_reason(match it.reason {
        VoidReason::RequestedByCustomer => CancelReason::RequestedByCustomer,
        VoidReason::Duplicate => CancelReason::Duplicate,
        VoidReason::Fraudulent => CancelReason::Fraudulent,
        VoidReason::Abandoned => CancelReason::Abandoned,
    })
}

fn refund(it: &RefundPayment) -> Result<CreateRefund, BuildError> {
    let ours = [
        (PAYMENT_KEY, it.payment.to_string()),
        (REFUND_KEY, it.refund.to_string()),
        (OPERATION_KEY, it.operation.to_string()),
    ];
    let pairs: HashMap<String, String> =
        ours.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let typed = CreateRefund::new()
        .payment_intent(it.provider_ref.as_str())
        .amount(to_wire_amount(it.amount)?.amount)
        .metadata(pairs)
        .expand([EXPAND_REFUND.to_owned()]);
    Ok(match it.reason {
        RefundReason::RequestedByCustomer => typed.reason(CreateRefundReason::RequestedByCustomer),
        RefundReason::Duplicate => typed.reason(CreateRefundReason::Duplicate),
        RefundReason::Fraudulent => typed.reason(CreateRefundReason::Fraudulent),
        RefundReason::Other => typed,
    })
}

/// The currency as async-stripe has it; one it does not know goes out by its code.
fn currency(currency: Currency) -> stripe_types::Currency {
    let code = currency.code().to_ascii_lowercase();
    code.parse().unwrap_or(stripe_types::Currency::Unknown(code))
}

fn metadata(it: &CreatePayment) -> Result<HashMap<String, String>, BuildError> {
    let refuse = |problem| Err(BuildError::Field { field: "metadata", problem });
    if it.metadata.len() > MAX_METADATA {
        return refuse("Stripe keeps 50 pairs, two of them are ours");
    }
    let long = |(key, value): (&String, &String)| {
        key.is_empty() || key.chars().count() > 40 || value.chars().count() > 500
    };
    if it.metadata.iter().any(long) {
        return refuse("a key has 1 to 40 characters and a value at most 500");
    }
    if it.metadata.keys().any(|key| key.contains(['[', ']'])) {
        return refuse("a key has no square brackets");
    }
    let mut pairs: HashMap<String, String> =
        it.metadata.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    pairs.insert(PAYMENT_KEY.to_owned(), it.payment.to_string());
    pairs.insert(OPERATION_KEY.to_owned(), it.operation.to_string());
    Ok(pairs)
}

/// A token, and never digits that could be a card's number: those must not pass through here.
pub(super) fn instrument(token: &str) -> Result<&str, BuildError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    let named = token.bytes().any(|b| b.is_ascii_alphabetic());
    if token.len() > 255 || !named || !token.bytes().all(plain) {
        return Err(BuildError::Field {
            field: "payment_method",
            problem: "a token such as pm_… is needed, never a card number",
        });
    }
    Ok(token)
}

/// An address a browser may be sent to.
pub(super) fn web_address<'a>(field: &'static str, url: &'a str) -> Result<&'a str, BuildError> {
    let web = reqwest::Url::parse(url)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if !web || url.len() > 2048 {
        let problem = "an absolute http or https address of at most 2048 characters is needed";
        return Err(BuildError::Field { field, problem });
    }
    Ok(url)
}

fn bounded<'a>(field: &'static str, text: &'a str, most: usize) -> Result<&'a str, BuildError> {
    if text.chars().count() > most {
        return Err(BuildError::Field { field, problem: "at most 1000 characters" });
    }
    Ok(text)
}
