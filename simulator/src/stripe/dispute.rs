//! Disputes: opened, escalated, answered, decided, and the money that goes with each step.
//!
//! ```text
//! warning_needs_response -> warning_under_review -> warning_closed
//!        | escalate
//!        v
//! needs_response -> under_review -> won | lost        won -> needs_response (second round)
//! ```

use std::collections::BTreeMap;

use chrono::TimeDelta;
use mizan_money::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::amount::minor_per_major;
use super::state::{BalanceRow, Charge, Metadata};
use super::wire::dispute::view;
use super::wire::error::StripeError;
use super::wire::params::Params;
use super::wire::view::previous_attributes;
use super::work::Work;

/// What a dispute costs unless the caller says otherwise, in major units.
const FEE_MAJOR: i64 = 15;
/// How long evidence is taken.
const ANSWER_DAYS: i64 = 20;
/// Evidence that decides a dispute at once.
const DECISIVE: [(&str, &str); 2] = [("winning_evidence", "won"), ("losing_evidence", "lost")];

/// A dispute. The amount is in minor units of `currency`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dispute {
    pub id: String,
    pub created: Timestamp,
    pub charge: String,
    pub intent: String,
    pub amount: i64,
    pub currency: String,
    pub reason: String,
    /// Stripe's word.
    pub status: String,
    /// The lines of the balance that it made.
    pub rows: Vec<String>,
    pub due_by: Timestamp,
    pub evidence: BTreeMap<String, String>,
    pub submissions: u32,
    pub metadata: Metadata,
}

impl Dispute {
    /// Whether the bank has decided.
    pub fn is_closed(&self) -> bool {
        ["won", "lost", "warning_closed"].contains(&self.status.as_str())
    }

    fn is_inquiry(&self) -> bool {
        self.status.starts_with("warning")
    }
}

/// What somebody disputes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewDispute {
    /// The PaymentIntent or the charge.
    payment: String,
    /// May be more than the payment. Without it all that was captured.
    amount: Option<i64>,
    reason: Option<String>,
    fee: Option<i64>,
    #[serde(default)]
    inquiry: bool,
    /// The money is not taken yet.
    #[serde(default)]
    funds_later: bool,
}

/// What goes with a step.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// The fee of a withdrawal; what comes back of it, where money does.
    fee: Option<i64>,
}

/// Why a step cannot be taken.
#[derive(Debug)]
pub enum Refusal {
    /// There is no such payment or dispute.
    Missing,
    /// It stands elsewhere.
    State(String),
}

/// Opens a dispute.
///
/// # Errors
/// No captured charge of that name; an amount below one.
pub fn open(work: &mut Work<'_>, new: &NewDispute) -> Result<Value, Refusal> {
    let charge = find_charge(work, &new.payment).ok_or(Refusal::Missing)?;
    let amount = new.amount.unwrap_or(charge.amount_captured);
    if amount < 1 {
        return Err(Refusal::State("a dispute is of at least 1".to_owned()));
    }
    let status = if new.inquiry { "warning_needs_response" } else { "needs_response" };
    let mut dispute = Dispute {
        id: work.new_id("dp"),
        created: work.now,
        charge: charge.id,
        intent: charge.intent,
        amount,
        currency: charge.currency,
        reason: new.reason.clone().unwrap_or_else(|| "fraudulent".to_owned()),
        status: status.to_owned(),
        rows: Vec::new(),
        due_by: work.now + TimeDelta::days(ANSWER_DAYS),
        evidence: BTreeMap::new(),
        submissions: 0,
        metadata: Metadata::new(),
    };
    let takes = !new.inquiry && !new.funds_later;
    if takes {
        write_row(work, &mut dispute, Way::Out, new.fee);
    }
    work.put(dispute.clone());
    work.emit("charge.dispute.created", view(work.state, work.now, &dispute), None);
    if takes {
        tell(work, "charge.dispute.funds_withdrawn", &dispute);
    }
    Ok(view(work.state, work.now, &dispute))
}

/// `withdraw`, `escalate`, `second_round`, `close`, `win` or `lose`.
///
/// # Errors
/// There is none, or it stands elsewhere.
pub fn step(work: &mut Work<'_>, id: &str, action: &str, with: &With) -> Result<Value, Refusal> {
    let mut dispute = work.state.disputes.get(id).cloned().ok_or(Refusal::Missing)?;
    let before = view(work.state, work.now, &dispute);
    let (status, way) = match (action, dispute.status.as_str()) {
        ("withdraw", _) if dispute.rows.is_empty() && !dispute.is_inquiry() => ("", Some(Way::Out)),
        ("escalate", _) if dispute.is_inquiry() => ("needs_response", Some(Way::Out)),
        ("second_round", "won") => ("needs_response", Some(Way::Out)),
        ("close", _) if dispute.is_inquiry() && !dispute.is_closed() => ("warning_closed", None),
        ("win" | "lose", _) if dispute.is_closed() || dispute.is_inquiry() => {
            return Err(Refusal::State(format!("the dispute is {}", dispute.status)));
        }
        ("win", _) => ("won", has_money(work, &dispute).then_some(Way::Back)),
        ("lose", _) => ("lost", (!has_money(work, &dispute)).then_some(Way::Out)),
        (_, status) => return Err(Refusal::State(format!("the dispute is {status}"))),
    };
    turn(work, &mut dispute, status, way, with.fee);
    let changes = previous_attributes(&before, &view(work.state, work.now, &dispute));
    if !status.is_empty() && !dispute.is_closed() {
        work.emit("charge.dispute.updated", view(work.state, work.now, &dispute), Some(changes));
    }
    tell_money(work, &dispute, way);
    if dispute.is_closed() {
        tell(work, "charge.dispute.closed", &dispute);
    }
    Ok(view(work.state, work.now, &dispute))
}

/// `POST /v1/disputes/{id}/close`: it is lost.
///
/// # Errors
/// There is none, or it is decided.
pub fn accept(work: &mut Work<'_>, id: &str, params: Params) -> Result<Value, StripeError> {
    params.finish()?;
    let mut dispute = find_open(work, id)?;
    let inquiry = dispute.is_inquiry();
    let way = (!inquiry && !has_money(work, &dispute)).then_some(Way::Out);
    turn(work, &mut dispute, if inquiry { "warning_closed" } else { "lost" }, way, None);
    tell_money(work, &dispute, way);
    tell(work, "charge.dispute.closed", &dispute);
    Ok(view(work.state, work.now, &dispute))
}

/// `POST /v1/disputes/{id}`: evidence, staged or submitted.
///
/// # Errors
/// There is none, it is decided, or evidence was submitted before.
pub fn update(work: &mut Work<'_>, id: &str, mut params: Params) -> Result<Value, StripeError> {
    let submit = params.flag("submit")?.unwrap_or(false);
    let evidence = params.anything("evidence");
    let metadata = params.anything("metadata");
    params.finish()?;
    let mut dispute = find_open(work, id)?;
    if dispute.submissions > 0 {
        let message = "Evidence for this dispute was submitted before.";
        return Err(StripeError::state("dispute_evidence_submitted", message));
    }
    let before = view(work.state, work.now, &dispute);
    for (name, text) in texts(evidence) {
        dispute.evidence.insert(name, text);
    }
    dispute.metadata.extend(texts(metadata));
    if submit {
        dispute.submissions += 1;
        let inquiry = dispute.is_inquiry();
        dispute.status = if inquiry { "warning_under_review" } else { "under_review" }.to_owned();
    }
    work.put(dispute.clone());
    let changes = previous_attributes(&before, &view(work.state, work.now, &dispute));
    work.emit("charge.dispute.updated", view(work.state, work.now, &dispute), Some(changes));
    let answer = view(work.state, work.now, &dispute);
    decide_at_once(work, dispute, submit);
    Ok(answer)
}

/// Test evidence decides by itself, as in Stripe's test mode.
fn decide_at_once(work: &mut Work<'_>, mut dispute: Dispute, submit: bool) {
    let text = dispute.evidence.get("uncategorized_text").map(String::as_str);
    let told = DECISIVE.iter().find(|(word, _)| text == Some(*word));
    let Some((_, end)) = told.filter(|_| submit && !dispute.is_inquiry()) else { return };
    let way = match (*end, has_money(work, &dispute)) {
        ("won", true) => Some(Way::Back),
        ("lost", false) => Some(Way::Out),
        _ => None,
    };
    turn(work, &mut dispute, end, way, None);
    tell_money(work, &dispute, way);
    tell(work, "charge.dispute.closed", &dispute);
}

fn texts(object: Option<Value>) -> Vec<(String, String)> {
    let pairs = object.as_ref().and_then(Value::as_object).into_iter().flatten();
    let text = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
    pairs.filter_map(text).collect()
}

fn find_open(work: &Work<'_>, id: &str) -> Result<Dispute, StripeError> {
    let found = work.state.disputes.get(id).cloned();
    let dispute = found.ok_or_else(|| StripeError::missing(404, "dispute", id, "id"))?;
    match dispute.is_closed() {
        true => Err(StripeError::state("dispute_closed", "This dispute is already closed.")),
        false => Ok(dispute),
    }
}

fn find_charge(work: &Work<'_>, name: &str) -> Option<Charge> {
    let of_intent = work.state.intents.get(name).and_then(|it| it.latest_charge.as_deref());
    let charge = work.state.charges.get(of_intent.unwrap_or(name))?;
    charge.captured.then(|| charge.clone())
}

/// Which way the money goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Out,
    Back,
}

fn turn(
    work: &mut Work<'_>,
    dispute: &mut Dispute,
    status: &str,
    way: Option<Way>,
    fee: Option<i64>,
) {
    if !status.is_empty() {
        status.clone_into(&mut dispute.status);
    }
    if status == "needs_response" {
        dispute.submissions = 0;
        dispute.due_by = work.now + TimeDelta::days(ANSWER_DAYS);
    }
    if let Some(way) = way {
        write_row(work, dispute, way, fee);
    }
    work.put(dispute.clone());
}

fn tell(work: &mut Work<'_>, kind: &str, dispute: &Dispute) {
    work.emit(kind, view(work.state, work.now, dispute), None);
}

fn tell_money(work: &mut Work<'_>, dispute: &Dispute, way: Option<Way>) {
    match way {
        Some(Way::Out) => tell(work, "charge.dispute.funds_withdrawn", dispute),
        Some(Way::Back) => tell(work, "charge.dispute.funds_reinstated", dispute),
        None => {}
    }
}

/// Whether the bank has the money now.
pub fn has_money(work: &Work<'_>, dispute: &Dispute) -> bool {
    let rows = dispute.rows.iter().filter_map(|id| work.state.rows.get(id));
    rows.map(|row| row.amount).sum::<i64>() < 0
}

/// Writes the line of a withdrawal with its fee, or of money that comes back.
fn write_row(work: &mut Work<'_>, dispute: &mut Dispute, way: Way, fee: Option<i64>) {
    let usual = FEE_MAJOR * minor_per_major(&dispute.currency);
    let (amount, fee, category, what) = match way {
        Way::Out => (-dispute.amount, fee.unwrap_or(usual), "dispute", "withdrawal"),
        Way::Back => (dispute.amount, -fee.unwrap_or(0), "dispute_reversal", "reversal"),
    };
    let row = BalanceRow {
        id: work.new_id("txn"),
        created: work.now,
        available_on: work.now,
        amount,
        processing_fee: fee,
        tax: 0,
        currency: dispute.currency.clone(),
        kind: "adjustment".to_owned(),
        category: category.to_owned(),
        source: dispute.id.clone(),
        description: Some(json!(format!("Chargeback {what} for {}", dispute.charge))),
    };
    dispute.rows.push(row.id.clone());
    work.put(row);
}
