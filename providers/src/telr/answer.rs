//! Telr's answers as outcomes: read, compared with what was asked, and only then believed.

use mizan_money::Money;

use crate::http::{HttpAnswer, Prior};
use crate::model::{NextAction, PaymentStatus, ProviderRef, RefundStatus};
use crate::operation::{CreatePayment, Operation};
use crate::outcome::{Answer, Outcome, PaymentAnswer, Subject, UnknownReason};
use crate::reference;
use crate::telr::amount::from_wire;
use crate::telr::echo::{self, Difference};
use crate::telr::request::is_transaction;
use crate::telr::wire::{self, Envelope, Remote, RestOrder, Text};
use crate::telr::{facts, order, refusal, search, settlement, status};

/// An answer with what it takes to judge it.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    /// Whether the connection makes test transactions, where that is known.
    pub(super) test: Option<bool>,
    /// What was asked.
    pub(super) op: &'a Operation,
    /// What came.
    pub(super) answer: &'a HttpAnswer,
}

/// Reads any answer to any operation.
pub(super) fn parse(reading: Reading<'_>) -> Outcome {
    let status = reading.answer.status;
    match status {
        200..=299 => success(reading).unwrap_or_else(|why| Outcome::Unknown(why.into())),
        300..=399 => Outcome::Unknown(UnknownReason::Redirect { status }.into()),
        400..=599 => refusal::read(reading.op, reading.answer),
        _ => Outcome::Unknown(reading.unreadable("no such status is documented").into()),
    }
}

fn success(reading: Reading<'_>) -> Result<Outcome, UnknownReason> {
    let text = std::str::from_utf8(&reading.answer.body)
        .map_err(|_| reading.unreadable("it is no text"))?;
    match reading.op {
        Operation::Create(it) if it.instrument.is_none() => created(reading, it, text),
        Operation::Create(_)
        | Operation::Capture(_)
        | Operation::Void(_)
        | Operation::Refund(_) => remote(reading, text),
        Operation::Sync(it) if is_transaction(&it.provider_ref) => {
            search::payment(reading, it, text)
        }
        Operation::Sync(it) => order::payment(reading, it, text),
        Operation::SyncRefund(it) => search::refund(reading, it, text),
        Operation::Find(sought) => search::find(reading, sought, text),
        Operation::SaveInstrument(_) => order::saving(reading, text),
        Operation::SyncInstrument(it) => order::saved(reading, it, text),
        Operation::ListSettlement(it) => settlement::parse(it, text)
            .map(|page| done(Subject::Settlement(Box::new(page)), None))
            .map_err(|problem| reading.unreadable(problem)),
        _ => Err(reading.unreadable("Telr is never asked for this")),
    }
}

pub(super) fn done(subject: Subject, request_id: Option<String>) -> Outcome {
    Outcome::Done(Answer { subject, request_id })
}

impl Reading<'_> {
    pub(super) fn unreadable(&self, problem: impl ToString) -> UnknownReason {
        UnknownReason::Unreadable { status: self.answer.status, problem: problem.to_string() }
    }

    /// The JSON of `order.json` for this method, or the refusal it holds.
    pub(super) fn envelope(
        &self,
        text: &str,
        method: &str,
    ) -> Result<Result<Envelope, Outcome>, UnknownReason> {
        let it: Envelope =
            serde_json::from_str(text).map_err(|_| self.unreadable("it is no answer in JSON"))?;
        if let Some(error) = &it.error {
            return Ok(Err(refusal::inside(self.op, self.answer, error)));
        }
        if it.method.as_deref().is_some_and(|said| said != method) {
            return Err(self.unreadable("it answers another method"));
        }
        Ok(Ok(it))
    }

    pub(super) fn id(&self, text: Option<&Text>) -> Result<ProviderRef, UnknownReason> {
        let text = Text::said(text).ok_or_else(|| self.unreadable("it has no reference"))?;
        ProviderRef::parse(text).map_err(|_| self.unreadable("its reference is no id"))
    }

    pub(super) fn money(
        &self,
        amount: Option<&Text>,
        currency: Option<&Text>,
    ) -> Result<Money, UnknownReason> {
        let amount = Text::said(amount).ok_or_else(|| self.unreadable("it has no amount"))?;
        let currency = Text::said(currency).unwrap_or_default();
        from_wire(amount, currency).map_err(|error| self.unreadable(error))
    }
}

/// Where the customer is sent.
pub(super) fn redirect(url: Option<&Text>) -> Option<NextAction> {
    let url = Text::said(url).filter(|url| crate::telr::settings::is_address(url))?;
    Some(NextAction::Redirect { url: url.to_owned() })
}

/// A page that was made. It echoes nothing but its own id and address; the newer interface's
/// answer is read too.
fn created(
    reading: Reading<'_>,
    asked: &CreatePayment,
    text: &str,
) -> Result<Outcome, UnknownReason> {
    if let Ok(it) = serde_json::from_str::<RestOrder>(text) {
        return rest(reading, asked, &it);
    }
    let it = match reading.envelope(text, "create")? {
        Ok(it) => it,
        Err(refused) => return Ok(refused),
    };
    let made = it.order.ok_or_else(|| reading.unreadable("it has no order"))?;
    let next = redirect(made.url.as_ref());
    let mut facts = facts::payment(
        reading.id(made.reference.as_ref())?,
        PaymentStatus::RequiresAction,
        asked.amount,
    );
    facts.next_action = Some(next.ok_or_else(|| reading.unreadable("it has no page"))?);
    facts.reference = Some(asked.payment);
    Ok(done(Subject::Payment(Box::new(facts)), it.trace.map(|it| it.0)))
}

fn rest(
    reading: Reading<'_>,
    asked: &CreatePayment,
    it: &RestOrder,
) -> Result<Outcome, UnknownReason> {
    let status = status::rest(&it.status.0);
    if status != PaymentStatus::RequiresAction {
        return Err(unexpected(reading.op, status, &it.status.0));
    }
    let told = it.amount.as_ref();
    let amount = reading.money(told.map(|it| &it.value), told.map(|it| &it.currency))?;
    let mut facts = facts::payment(reading.id(Some(&it.reference))?, status, amount);
    let link = it.links.as_ref().and_then(|links| links.auth.as_ref());
    let next = redirect(link.map(|link| &link.href));
    facts.next_action = Some(next.ok_or_else(|| reading.unreadable("it has no page"))?);
    let cart = Text::said(it.cart.as_ref());
    facts.reference = cart.and_then(reference::payment);
    let compared = echo::same_cart(reading.op, cart)
        .and_then(|()| echo::same_money("amount", asked.amount, amount));
    let subject = Subject::Payment(Box::new(facts));
    Ok(echo::judge(compared, Answer { subject, request_id: None }, false))
}

/// A state that cannot follow, or a word nobody knows.
pub(super) fn unexpected(op: &Operation, status: PaymentStatus, word: &str) -> UnknownReason {
    if status == PaymentStatus::Unknown {
        return UnknownReason::UnknownStatus { word: facts::word(word) };
    }
    UnknownReason::UnexpectedStatus { operation: op.kind().as_str(), status: status.as_str() }
}

/// An answer of the remote interface, in any of its formats.
fn remote(reading: Reading<'_>, text: &str) -> Result<Outcome, UnknownReason> {
    if let Ok(Envelope { error: Some(error), .. }) = serde_json::from_str(text) {
        return Ok(refusal::inside(reading.op, reading.answer, &error));
    }
    let it = wire::remote(text).map_err(|problem| reading.unreadable(problem))?;
    settle(reading, reading.op, &it)
}

/// What a transaction means for the operation that made it.
pub(super) fn settle(
    reading: Reading<'_>,
    op: &Operation,
    it: &Remote,
) -> Result<Outcome, UnknownReason> {
    let pending = match it.status.as_str() {
        "A" => false,
        "H" | "P" => true,
        letter @ ("D" | "E" | "C" | "X") => {
            // A search found this very transaction: no earlier attempt is left in doubt.
            let searched = matches!(reading.op, Operation::Find(_));
            let prior = if searched { Prior::None } else { reading.answer.prior };
            let answer = HttpAnswer { prior, ..reading.answer.clone() };
            return Ok(refusal::coded(op, &answer, letter, &it.code, &it.message));
        }
        word => return Err(UnknownReason::UnknownStatus { word: facts::word(word) }),
    };
    let made = facts::transaction(&it.reference)
        .filter(is_transaction)
        .ok_or_else(|| reading.unreadable("no transaction was made"))?;
    let (subject, kinds, asked) = subject(op, made, pending)
        .ok_or_else(|| reading.unreadable("Telr is never asked for this"))?;
    let compared = compare(reading, op, it, kinds, asked)?;
    let answer = Answer { subject, request_id: it.trace.clone() };
    Ok(echo::judge(compared, answer, pending))
}

fn compare(
    reading: Reading<'_>,
    op: &Operation,
    it: &Remote,
    kinds: &[&str],
    asked: Money,
) -> Result<Result<(), Difference>, UnknownReason> {
    let told = it.amount.as_ref().map(|(amount, currency)| from_wire(amount, currency));
    let told = told.transpose().map_err(|error| reading.unreadable(error))?;
    let kind = it.kind.as_deref().map(str::to_ascii_lowercase);
    Ok(echo::test(reading.test, it.test.as_deref())
        .and_then(|()| match kind {
            Some(kind) if !kinds.contains(&kind.as_str()) => {
                Err(("type", kinds.join(" or "), facts::word(&kind)))
            }
            _ => Ok(()),
        })
        .and_then(|()| echo::same_cart(op, it.cart.as_deref()))
        .and_then(|()| told.map_or(Ok(()), |told| echo::same_money("amount", asked, told))))
}

/// What a transaction that was accepted makes of its payment, the types it may have, and the
/// amount it must be about.
fn subject(
    op: &Operation,
    made: ProviderRef,
    pending: bool,
) -> Option<(Subject, &'static [&'static str], Money)> {
    let state = |it| if pending { PaymentStatus::Processing } else { it };
    let subject = |it: PaymentAnswer| Subject::Payment(Box::new(it));
    match op {
        Operation::Create(it) => {
            let (kind, full): (&[&str], _) = match it.capture {
                crate::model::CaptureMethod::Automatic => (&["sale"], PaymentStatus::Captured),
                crate::model::CaptureMethod::Manual => (&["auth"], PaymentStatus::Authorised),
            };
            let mut facts = facts::payment(made.clone(), state(full), it.amount);
            facts.charge_ref = Some(made);
            facts.instrument = it.instrument.as_ref().map(|saved| saved.instrument.clone());
            facts.reference = Some(it.payment);
            Some((subject(facts), kind, it.amount))
        }
        Operation::Capture(it) => {
            let status = state(PaymentStatus::Captured);
            let mut facts = facts::payment(it.provider_ref.clone(), status, it.authorised);
            facts.captured = if pending { Money::zero(it.amount.currency()) } else { it.amount };
            // A refund names the capture from now on, not the hold.
            facts.charge_ref = (!pending).then_some(made);
            facts.reference = Some(it.payment);
            Some((subject(facts), &["capture"], it.amount))
        }
        Operation::Void(it) => {
            let status = state(PaymentStatus::Cancelled);
            let mut facts = facts::payment(it.provider_ref.clone(), status, it.amount);
            // Nothing is left to act on; the number of the release is kept in its place.
            facts.charge_ref = (!pending).then_some(made);
            facts.cancellation_reason = (!pending).then(|| "released".to_owned());
            facts.reference = Some(it.payment);
            Some((subject(facts), &["release", "void"], it.amount))
        }
        Operation::Refund(it) => {
            let status = if pending { RefundStatus::Pending } else { RefundStatus::Succeeded };
            let mut facts = facts::refund(made, status, it.amount);
            facts.payment_ref = Some(it.provider_ref.clone());
            facts.charge_ref.clone_from(&it.charge_ref);
            facts.reference = Some(it.refund);
            facts.payment_reference = Some(it.payment);
            Some((Subject::Refund(Box::new(facts)), &["refund"], it.amount))
        }
        _ => None,
    }
}
