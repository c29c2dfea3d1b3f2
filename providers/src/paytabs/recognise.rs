//! Recordings as the operations they belong to: the request tells, else the answer.

use mizan_money::id::{CustomerId, OperationId, PaymentIntentId, RefundId};
use mizan_money::{Currency, Money};
use serde::Deserialize;

use crate::instrument::{
    ChargeSaved, KeepInstrument, Presence, RemoveInstrument, SaveInstrument, SavedInstrument,
    SyncInstrument,
};
use crate::model::{CaptureMethod, Confirmation, Finality, ProviderRef, RefundReason, VoidReason};
use crate::operation::{
    CapturePayment, CreatePayment, Operation, RefundPayment, SyncPayment, SyncRefund, VoidPayment,
};
use crate::paytabs::amount::from_wire_amount;
use crate::paytabs::echo::NOBODYS;
use crate::paytabs::request::{DELETE_TOKEN, QUERY, REQUEST};
use crate::paytabs::wire::{Scalar, Transaction};
use crate::provider::Recorded;
use crate::reference;

/// A reference that stands where none was recorded.
const NO_TRANSACTION: &str = "TST0000000000000";

/// What a request holds that tells its operation.
#[derive(Debug, Clone, Default, Deserialize)]
struct Asked {
    tran_type: Option<String>,
    tran_class: Option<String>,
    cart_id: Option<String>,
    cart_currency: Option<String>,
    cart_amount: Option<Scalar>,
    tran_ref: Option<String>,
    token: Option<String>,
    tokenise: Option<Scalar>,
}

/// A recording, read as far as it goes.
struct Seen {
    asked: Asked,
    told: Option<Transaction>,
    wanted: Option<Money>,
}

/// The operation of a recorded exchange. What a stranger recorded has references that name
/// nothing of ours: then the operation's ids are nobody's, and no reference is compared.
pub(super) fn recognise(it: &Recorded) -> Option<Operation> {
    let request = it.request.as_ref();
    let asked = request.map(|request| serde_json::from_str(&request.body));
    let path = request.map(|request| request.path.split('?').next().unwrap_or_default());
    let seen = Seen {
        asked: asked.and_then(Result::ok).unwrap_or_default(),
        told: first(&it.answer.body),
        wanted: it.wanted,
    };
    match path {
        Some(path) if path.ends_with(REQUEST) => {
            let kind = seen.asked.tran_type.clone().or(seen.told_kind())?;
            seen.write(&kind.to_ascii_lowercase())
        }
        Some(path) if path.ends_with(QUERY) && seen.asked.tran_ref.is_some() => seen.query(),
        Some(path) if path.ends_with(QUERY) => {
            let kind = seen.told_kind().unwrap_or_else(|| "sale".to_owned());
            Some(Operation::Find(Box::new(seen.write(&kind)?)))
        }
        Some(path) if path.ends_with(DELETE_TOKEN) => {
            let instrument = seen.instrument()?;
            Some(Operation::RemoveInstrument(RemoveInstrument { instrument }))
        }
        Some(_) => None,
        None => seen.by_name(&it.kind),
    }
}

/// The transaction of an answer, or the first of several.
fn first(body: &[u8]) -> Option<Transaction> {
    let one = serde_json::from_slice(body).ok();
    let list = || serde_json::from_slice::<Vec<Transaction>>(body).ok()?.into_iter().next();
    one.or_else(list)
}

impl Seen {
    /// A recording without its request: by the answer, else by what it was called.
    fn by_name(&self, name: &str) -> Option<Operation> {
        if name.contains("query") || name.contains("sync") {
            return self.query();
        }
        let called = match name {
            "capture" | "void" | "release" | "refund" => name.to_owned(),
            _ => "sale".to_owned(),
        };
        self.write(&self.told_kind().unwrap_or(called))
    }

    fn told_kind(&self) -> Option<String> {
        self.told.as_ref().map(Transaction::kind)
    }

    /// An operation that makes a transaction of a type.
    fn write(&self, kind: &str) -> Option<Operation> {
        Some(match kind {
            "sale" | "auth" | "payment request" => Operation::Create(self.create(kind)?),
            "capture" => Operation::Capture(CapturePayment {
                payment: self.payment()?,
                operation: self.operation()?,
                provider_ref: self.parent()?,
                charge_ref: None,
                authorised: self.wanted.unwrap_or(self.amount()?),
                captured_before: Money::zero(self.amount()?.currency()),
                amount: self.amount()?,
                finality: Finality::Final,
            }),
            "void" | "release" => Operation::Void(VoidPayment {
                payment: self.payment()?,
                operation: self.operation()?,
                provider_ref: self.parent()?,
                charge_ref: if kind == "release" { self.parent() } else { None },
                amount: self.amount()?,
                reason: VoidReason::RequestedByCustomer,
            }),
            "refund" => Operation::Refund(RefundPayment {
                payment: self.payment()?,
                refund: self.refund()?,
                operation: self.operation()?,
                provider_ref: self.parent()?,
                charge_ref: self.parent(),
                amount: self.amount()?,
                reason: RefundReason::Other,
                known_refunds: Vec::new(),
            }),
            "register" => Operation::SaveInstrument(SaveInstrument {
                operation: self.operation()?,
                keep: keep()?,
                currency: self.amount()?.currency(),
                payment_method: None,
                return_url: None,
            }),
            _ => return None,
        })
    }

    fn create(&self, kind: &str) -> Option<CreatePayment> {
        let presence = match self.asked.tran_class.as_deref() {
            Some("recurring") => Presence::OffSession,
            _ => Presence::OnSession,
        };
        let charge = |instrument| ChargeSaved { instrument, presence };
        Some(CreatePayment {
            payment: self.payment()?,
            operation: self.operation()?,
            amount: self.wanted.unwrap_or(self.amount()?),
            capture: match kind {
                "auth" => CaptureMethod::Manual,
                _ => CaptureMethod::Automatic,
            },
            payment_method: None,
            confirmation: Confirmation::Now,
            return_url: None,
            description: None,
            metadata: std::collections::BTreeMap::new(),
            instrument: self.instrument().map(charge),
            keep: if self.asked.tokenise.is_some() { keep() } else { None },
        })
    }

    /// A question about the one transaction that it names.
    fn query(&self) -> Option<Operation> {
        let told = self.told.as_ref().map(|it| it.tran_ref.as_str());
        let provider_ref = reference_or_none(self.asked.tran_ref.as_deref().or(told))?;
        Some(match self.told_kind().as_deref() {
            Some("refund") => Operation::SyncRefund(SyncRefund {
                refund: self.refund()?,
                provider_ref,
                payment_ref: self.parent()?,
                charge_ref: None,
                amount: self.wanted.unwrap_or(self.amount()?),
            }),
            Some("register") => Operation::SyncInstrument(SyncInstrument { provider_ref }),
            Some("capture") => Operation::Sync(SyncPayment {
                payment: self.payment()?,
                charge_ref: Some(provider_ref),
                provider_ref: self.parent()?,
                amount: self.wanted.unwrap_or(self.amount()?),
            }),
            _ => Operation::Sync(SyncPayment {
                payment: self.payment()?,
                provider_ref,
                charge_ref: None,
                amount: self.wanted.unwrap_or(self.amount()?),
            }),
        })
    }

    /// What was asked for, else what the answer tells, else one made up.
    fn amount(&self) -> Option<Money> {
        let asked = self.asked.cart_amount.as_ref().zip(self.asked.cart_currency.as_ref());
        let told = || self.told.as_ref().map(|it| (&it.cart_amount, &it.cart_currency));
        match asked.or_else(told) {
            Some((amount, code)) => from_wire_amount(&amount.0, code).ok(),
            None => Some(self.wanted.unwrap_or(Money::new(100, Currency::AED))),
        }
    }

    /// What a follow-up follows.
    fn parent(&self) -> Option<ProviderRef> {
        let told = self.told.as_ref().and_then(Transaction::previous);
        reference_or_none(self.asked.tran_ref.as_deref().or(told))
    }

    /// The saved instrument of a request, with what first proved it.
    fn instrument(&self) -> Option<SavedInstrument> {
        let first = self.asked.tran_ref.as_deref();
        Some(SavedInstrument {
            token: ProviderRef::parse(self.asked.token.as_deref()?).ok()?,
            customer: None,
            first_charge: first.and_then(|text| ProviderRef::parse(text).ok()),
        })
    }

    fn cart(&self) -> &str {
        let told = self.told.as_ref().map(|it| it.cart_id.as_str());
        self.asked.cart_id.as_deref().or(told).unwrap_or_default()
    }

    fn payment(&self) -> Option<PaymentIntentId> {
        reference::payment(self.cart()).or_else(|| format!("pi_{NOBODYS}").parse().ok())
    }

    fn refund(&self) -> Option<RefundId> {
        reference::refund(self.cart()).or_else(|| format!("re_{NOBODYS}").parse().ok())
    }

    /// The operation that a reference of ours names by its end.
    fn operation(&self) -> Option<OperationId> {
        let cart = self.cart();
        let tail = cart.rsplit_once('-').map_or("", |(_, tail)| tail);
        let padded = format!("op_{tail:0>32}");
        cart.parse().or_else(|_| padded.parse()).or_else(|_| format!("op_{NOBODYS}").parse()).ok()
    }
}

fn reference_or_none(text: Option<&str>) -> Option<ProviderRef> {
    ProviderRef::parse(text.unwrap_or(NO_TRANSACTION)).ok()
}

fn keep() -> Option<KeepInstrument> {
    let customer: CustomerId = format!("cus_{NOBODYS}").parse().ok()?;
    Some(KeepInstrument { customer, customer_ref: None })
}
