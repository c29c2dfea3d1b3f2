//! The decision: every connection, in order, with what speaks for it or against it. Pure.

use mizan_money::{Money, Timestamp};
use mizan_providers::amount::rescale;
use mizan_providers::{CaptureMethod, Checkout, Provider, Support};
use serde::Serialize;

use super::breaker::Circuit;
use super::rule::{Others, Rule};

/// Whether the shop collected an instrument itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instrument {
    /// It has the gateway's token.
    Token,
    /// The customer chooses on the gateway's page.
    OnThePage,
}

/// The payment to be routed.
#[derive(Debug, Clone, Copy)]
pub struct Want<'a> {
    /// How much.
    pub amount: Money,
    /// Where the customer is, ISO 3166 alpha-2.
    pub country: Option<&'a str>,
    /// The kind of instrument.
    pub method: Option<&'a str>,
    /// When the money is taken.
    pub capture: CaptureMethod,
    /// Who collects the instrument.
    pub instrument: Instrument,
}

/// A connection that may be chosen.
#[derive(Clone, Copy)]
pub struct Candidate<'a> {
    /// Its name.
    pub connection: &'a str,
    /// Its gateway.
    pub provider: &'a dyn Provider,
    /// Whether it works; none where that is not known here.
    pub circuit: Option<Circuit>,
    /// Whether this payment was tried over it before.
    pub was_tried: bool,
}

/// What a connection is to a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is used.
    Chosen,
    /// It is used if those before it refuse.
    Next,
    /// It is not used.
    Out,
}

/// A connection with what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Considered {
    /// Its name.
    pub connection: String,
    /// Its gateway.
    pub provider: &'static str,
    /// What it is to the payment.
    pub verdict: Verdict,
    /// Why, in a word.
    pub reason: &'static str,
    /// Whether it works, where that is known.
    pub circuit: Option<Circuit>,
}

/// What routing came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The rule that decided: its id and name.
    pub rule: Option<(String, String)>,
    /// Every connection: the chosen one first, those that are out last.
    pub considered: Vec<Considered>,
}

impl Decision {
    /// The connection to use.
    pub fn chosen(&self) -> Option<&str> {
        let first = self.considered.first()?;
        (first.verdict == Verdict::Chosen).then_some(first.connection.as_str())
    }
}

/// Decides. Candidates come in the order of their names.
pub fn decide(
    want: &Want<'_>,
    rules: &[Rule],
    candidates: &[Candidate<'_>],
    now: Timestamp,
) -> Decision {
    let fitting = rules.iter().filter(|rule| rule.says.is_in_force(now) && rule.says.fits(want));
    let rule = fitting.max_by_key(|rule| (rule.says.priority, rule.created_at, rule.id));
    let named = rule.map_or(&[][..], |rule| rule.says.connections.as_slice());
    let place = |name: &str| named.iter().position(|it| it == name);

    let mut weighed: Vec<((bool, bool, usize), Considered)> = Vec::new();
    for (n, candidate) in candidates.iter().enumerate() {
        let place = place(candidate.connection);
        let left_out = place.is_none() && rule.is_some_and(|r| r.says.others == Others::LeftOut);
        let against = match against(want, candidate) {
            None if left_out => Some("left_out_by_rule"),
            found => found,
        };
        let broken = candidate.circuit == Some(Circuit::Open);
        let reason = against.unwrap_or(match place {
            _ if broken => "circuit_open",
            Some(_) => "named_by_rule",
            None => "no_rule_names_it",
        });
        let order = (against.is_some(), broken, place.unwrap_or(named.len() + n));
        let verdict = if against.is_some() { Verdict::Out } else { Verdict::Next };
        weighed.push((
            order,
            Considered {
                connection: candidate.connection.to_owned(),
                provider: candidate.provider.name().as_str(),
                verdict,
                reason,
                circuit: candidate.circuit,
            },
        ));
    }
    weighed.sort_by_key(|(order, _)| *order);
    let mut considered: Vec<Considered> = weighed.into_iter().map(|(_, one)| one).collect();
    if let Some(first) = considered.first_mut().filter(|one| one.verdict == Verdict::Next) {
        first.verdict = Verdict::Chosen;
    }
    let rule = rule.map(|rule| (rule.id.to_string(), rule.says.name.clone()));
    Decision { rule, considered }
}

/// Why a connection cannot take a payment at all.
fn against(want: &Want<'_>, candidate: &Candidate<'_>) -> Option<&'static str> {
    let can = candidate.provider.capabilities();
    let currency = want.amount.currency();
    let Some(theirs) = candidate.provider.exponent(currency) else {
        return Some("currency_not_taken");
    };
    if rescale(want.amount.minor(), currency.exponent(), theirs).is_err() {
        return Some("amount_not_representable");
    }
    if want.capture == CaptureMethod::Manual && can.manual_capture == Support::No {
        return Some("no_manual_capture");
    }
    match (can.checkout, want.instrument) {
        (Checkout::Token, Instrument::OnThePage) => return Some("needs_payment_method"),
        (Checkout::HostedPage, Instrument::Token) => return Some("takes_no_payment_method"),
        _ => {}
    }
    candidate.was_tried.then_some("tried_before")
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
