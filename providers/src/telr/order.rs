//! Orders as `check` tells them: a payment, or the saving of a card.

use crate::instrument::{InstrumentAnswer, InstrumentStatus, SyncInstrument};
use crate::model::{PaymentStatus, ProviderRef};
use crate::operation::SyncPayment;
use crate::outcome::{Answer, Outcome, PaymentAnswer, Subject, UnknownReason};
use crate::reference;
use crate::telr::answer::{Reading, done, redirect, unexpected};
use crate::telr::wire::{Order, Text, Transaction};
use crate::telr::{echo, facts, status};

/// The try beside an order: its type in small letters, its letter, and its own number.
struct Tried {
    kind: String,
    letter: String,
    reference: Option<ProviderRef>,
}

impl Tried {
    fn of(it: &Transaction) -> Self {
        let text = |it: &Option<Text>| Text::said(it.as_ref()).unwrap_or_default().to_owned();
        Self {
            kind: text(&it.kind).to_ascii_lowercase(),
            letter: text(&it.status),
            reference: facts::transaction(&text(&it.reference)),
        }
    }

    fn is_accepted(&self) -> bool {
        self.letter == "A"
    }
}

/// An order as the payment it stands for.
pub(super) fn payment(
    reading: Reading<'_>,
    asked: &SyncPayment,
    text: &str,
) -> Result<Outcome, UnknownReason> {
    let it = match reading.envelope(text, "check")? {
        Ok(it) => it,
        Err(refused) => return Ok(refused),
    };
    let order = it.order.ok_or_else(|| reading.unreadable("it has no order"))?;
    let mut facts = told(reading, &order)?;
    let tried = order.transaction.as_ref().map(Tried::of);
    if let Some(tried) = tried.as_ref().filter(|_| facts.status == PaymentStatus::Captured) {
        facts.charge_ref = taken(reading, asked, tried)?;
    }
    let cart = Text::said(order.cartid.as_ref());
    let compared = echo::same_ref(&asked.provider_ref, &facts.provider_ref)
        .and_then(|()| echo::test(reading.test, Text::said(order.test.as_ref())))
        .and_then(|()| echo::same_cart(reading.op, cart))
        .and_then(|()| echo::same_money("amount", asked.amount, facts.amount));
    let subject = Subject::Payment(Box::new(facts));
    Ok(echo::judge(compared, Answer { subject, request_id: it.trace.map(|it| it.0) }, false))
}

/// The transaction that a refund of a paid order names.
///
/// An order does not say how much of a hold was taken. Where the hold was known and the capture is
/// not, nobody may guess: [`crate::Operation::Find`] tells of our own, a person of others.
fn taken(
    reading: Reading<'_>,
    asked: &SyncPayment,
    tried: &Tried,
) -> Result<Option<ProviderRef>, UnknownReason> {
    let (known, told) = (asked.charge_ref.as_ref(), tried.reference.as_ref());
    let is_hold = match tried.kind.as_str() {
        "auth" => true,
        "capture" => false,
        _ => return Ok(told.filter(|_| tried.kind == "sale").cloned()),
    };
    match known {
        Some(_) if is_hold == (known == told) => {
            Err(reading.unreadable("a hold was taken, and the order does not say how much of it"))
        }
        Some(capture) => Ok(Some(capture.clone())),
        None => Ok(told.cloned()),
    }
}

/// An order's own facts.
fn told(reading: Reading<'_>, it: &Order) -> Result<PaymentAnswer, UnknownReason> {
    let code = it.status.as_ref().and_then(|status| Text::said(status.code.as_ref()));
    let code = code.ok_or_else(|| reading.unreadable("it has no status"))?;
    let tried = it.transaction.as_ref().map(Tried::of);
    let beside = tried.as_ref().map(|it| (it.kind.as_str(), it.letter.as_str()));
    let state = status::order(code, beside);
    if state == PaymentStatus::Unknown {
        let (kind, letter) = beside.unwrap_or_default();
        return Err(unexpected(reading.op, state, format!("{code} {kind} {letter}").trim()));
    }
    let amount = reading.money(it.amount.as_ref(), it.currency.as_ref())?;
    let mut facts = facts::payment(reading.id(it.reference.as_ref())?, state, amount);
    facts.reference = Text::said(it.cartid.as_ref()).and_then(reference::payment);
    facts.next_action =
        redirect(it.url.as_ref()).filter(|_| state == PaymentStatus::RequiresAction);
    facts.cancellation_reason = match code {
        "-1" => Some("expired".to_owned()),
        "-2" => Some("payer_cancelled".to_owned()),
        "-4" => Some("replaced".to_owned()),
        _ => None,
    };
    let holds_money = matches!(state, PaymentStatus::Authorised | PaymentStatus::Captured);
    if let Some(tried) = tried.filter(|tried| holds_money && tried.is_accepted()) {
        let first = matches!(tried.kind.as_str(), "sale" | "auth");
        facts.instrument = tried.reference.clone().filter(|_| first).map(facts::saved);
        facts.charge_ref = tried.reference.filter(|_| first);
    }
    if state == PaymentStatus::Failed {
        facts.last_error = Some(decline(it));
    }
    Ok(facts)
}

/// Why an order was declined.
fn decline(it: &Order) -> crate::outcome::Decline {
    let tried = it.transaction.as_ref();
    let text = |it: Option<&Text>| Text::said(it).unwrap_or_default().to_owned();
    let code = text(tried.and_then(|it| it.code.as_ref()));
    let mut decline = facts::decline(&code, &text(tried.and_then(|it| it.message.as_ref())), false);
    decline.provider_ref = ProviderRef::parse(text(it.reference.as_ref())).ok();
    decline.charge_ref = facts::transaction(&text(tried.and_then(|it| it.reference.as_ref())));
    decline
}

/// The page on which a card is saved.
pub(super) fn saving(reading: Reading<'_>, text: &str) -> Result<Outcome, UnknownReason> {
    let it = match reading.envelope(text, "create")? {
        Ok(it) => it,
        Err(refused) => return Ok(refused),
    };
    let order = it.order.ok_or_else(|| reading.unreadable("it has no order"))?;
    let next = redirect(order.url.as_ref());
    let facts = InstrumentAnswer {
        provider_ref: reading.id(order.reference.as_ref())?,
        status: InstrumentStatus::RequiresAction,
        next_action: Some(next.ok_or_else(|| reading.unreadable("it has no page"))?),
        instrument: None,
        last_error: None,
    };
    Ok(done(Subject::Instrument(Box::new(facts)), it.trace.map(|it| it.0)))
}

/// What became of the saving of a card: the transaction that checked it is what is charged later.
pub(super) fn saved(
    reading: Reading<'_>,
    asked: &SyncInstrument,
    text: &str,
) -> Result<Outcome, UnknownReason> {
    let it = match reading.envelope(text, "check")? {
        Ok(it) => it,
        Err(refused) => return Ok(refused),
    };
    let order = it.order.ok_or_else(|| reading.unreadable("it has no order"))?;
    let code = order.status.as_ref().and_then(|status| Text::said(status.code.as_ref()));
    let code = code.ok_or_else(|| reading.unreadable("it has no status"))?;
    let tried = order.transaction.as_ref().map(Tried::of);
    let checked = tried.filter(|tried| tried.kind == "verify");
    let letter = checked.as_ref().map_or("", |tried| tried.letter.as_str());
    let state = match (code, letter) {
        ("1", _) => InstrumentStatus::RequiresAction,
        ("2" | "3", "A") => InstrumentStatus::Active,
        ("2" | "3", "H" | "P") | ("4", _) => InstrumentStatus::Processing,
        ("-1" | "-2" | "-3" | "-4", _) => InstrumentStatus::Failed,
        _ => {
            let word = facts::word(format!("{code} {letter}").trim());
            return Err(UnknownReason::UnknownStatus { word });
        }
    };
    let active = state == InstrumentStatus::Active;
    let token = checked.and_then(|tried| tried.reference).filter(|_| active);
    if active && token.is_none() {
        return Err(reading.unreadable("a checked card has no transaction"));
    }
    let provider_ref = reading.id(order.reference.as_ref())?;
    let compared = echo::same_ref(&asked.provider_ref, &provider_ref)
        .and_then(|()| echo::test(reading.test, Text::said(order.test.as_ref())));
    let facts = InstrumentAnswer {
        provider_ref,
        status: state,
        next_action: redirect(order.url.as_ref())
            .filter(|_| state == InstrumentStatus::RequiresAction),
        instrument: token.map(facts::saved),
        last_error: (state == InstrumentStatus::Failed).then(|| decline(&order)),
    };
    let subject = Subject::Instrument(Box::new(facts));
    Ok(echo::judge(compared, Answer { subject, request_id: it.trace.map(|it| it.0) }, false))
}
