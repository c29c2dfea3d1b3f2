//! What must be true before money leaves: each gate with its reason, readable by the payee.

use chrono::{NaiveDate, TimeDelta};
use mizan_money::{Money, Timestamp};

use super::bank_account::{BankAccount, Number};
use super::kyc::{Kyc, KycStatus};

/// One gate of a payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// Its name, as stored.
    pub gate: &'static str,
    /// Whether it lets the payout through.
    pub passed: bool,
    /// Why, in words for the payee.
    pub reason: String,
}

/// Who approved how much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The key.
    pub by: String,
    /// Up to this, in minor units.
    pub up_to: i64,
}

/// What is known of a payee: what is looked at when money is reserved, and once more when it is
/// handed over.
#[derive(Debug, Clone)]
pub struct Known<'a> {
    /// The newest news of who the payee is.
    pub kyc: Option<&'a Kyc>,
    /// The bank details.
    pub account: Option<&'a BankAccount>,
    /// The reasons of blocks that are open.
    pub blocks: &'a [String],
    /// Over which rail it goes.
    pub rail: &'a str,
    /// The day in the tenant's time zone.
    pub today: NaiveDate,
}

/// What the gates look at.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// What is known of the payee, with its newest bank details.
    pub payee: Known<'a>,
    /// What is to be paid.
    pub amount: Money,
    /// What there is.
    pub available: Money,
    /// What the payee owes.
    pub debt: Money,
    /// From how much on it is paid.
    pub minimum: i64,
    /// Up to how much it is paid at once.
    pub limit: Option<i64>,
    /// Above which it needs a second person.
    pub approval_above: Option<i64>,
    /// Whether it has one.
    pub approval: Option<&'a Approval>,
    /// How long new bank details rest.
    pub cooling: TimeDelta,
    /// The time.
    pub now: Timestamp,
}

fn gate(gate: &'static str, (passed, reason): (bool, String)) -> Gate {
    Gate { gate, passed, reason }
}

/// Looks at every gate, in a fixed order.
pub fn look(facts: &Facts<'_>) -> Vec<Gate> {
    let payee = &facts.payee;
    vec![
        gate("kyc", kyc(payee)),
        gate("bank_details", bank_details(payee)),
        gate("cooling_time", cooling_time(facts)),
        gate("blocks", blocks(payee)),
        gate("debt", debt(facts)),
        gate("funds", funds(facts)),
        gate("minimum", minimum(facts)),
        gate("limit", limit(facts)),
        gate("approval", approval(facts)),
    ]
}

/// Why a payout whose money is reserved may not be handed over after all; none where it may.
pub fn held_back(payee: &Known<'_>) -> Option<String> {
    let gates = [kyc(payee), bank_details(payee), blocks(payee)];
    let closed: Vec<String> = gates.into_iter().filter(|it| !it.0).map(|it| it.1).collect();
    (!closed.is_empty()).then(|| closed.join(" "))
}

fn day(moment: Timestamp) -> String {
    moment.format("%Y-%m-%d %H:%M UTC").to_string()
}

fn kyc(facts: &Known<'_>) -> (bool, String) {
    let Some(kyc) = facts.kyc else {
        return (false, "Who you are has not been verified yet.".to_owned());
    };
    match kyc.on(facts.today) {
        KycStatus::Verified => (true, format!("Verified on {}.", day(kyc.occurred_at))),
        KycStatus::Pending => (false, "The verification is under way.".to_owned()),
        KycStatus::Rejected => (false, "The verification was refused.".to_owned()),
        KycStatus::Expired => match kyc.expired(facts.today) {
            Some(document) => {
                let last = document.expires_on.map(|it| it.to_string()).unwrap_or_default();
                (false, format!("The document {} was good until {last}.", document.kind))
            }
            None => (false, "The verification has expired.".to_owned()),
        },
    }
}

fn bank_details(facts: &Known<'_>) -> (bool, String) {
    let Some(account) = facts.account else {
        return (false, "There are no bank details.".to_owned());
    };
    let (country, last4) = (&account.details.country, account.details.number.last4());
    let shown = format!("{country} …{last4}");
    if let Number::Gateway { gateway, .. } = &account.details.number
        && gateway.as_str() != facts.rail
    {
        let rail = facts.rail;
        return (false, format!("The account is at {gateway}, and {rail} does not pay there."));
    }
    match (&account.blocked, account.verified_at) {
        (Some(reason), _) => (false, format!("New bank details are needed for {shown}: {reason}")),
        (None, Some(at)) => (true, format!("{shown} was verified on {}.", day(at))),
        (None, None) => (false, format!("{shown} has not been verified yet.")),
    }
}

fn cooling_time(facts: &Facts<'_>) -> (bool, String) {
    let Some(account) = facts.payee.account else {
        return (false, "It begins with the bank details.".to_owned());
    };
    match account.created_at.checked_add_signed(facts.cooling) {
        Some(ends) if ends <= facts.now => {
            (true, format!("The bank details have not changed since {}.", day(account.created_at)))
        }
        Some(ends) => (false, format!("The bank details are new: they rest until {}.", day(ends))),
        None => (false, "The bank details rest.".to_owned()),
    }
}

fn blocks(facts: &Known<'_>) -> (bool, String) {
    match facts.blocks {
        [] => (true, "Nothing is held back.".to_owned()),
        reasons => (false, format!("Payouts are held back: {}", reasons.join("; "))),
    }
}

fn debt(facts: &Facts<'_>) -> (bool, String) {
    match facts.debt.is_positive() {
        false => (true, "Nothing is owed.".to_owned()),
        true => (false, format!("{} are owed: they are netted first.", facts.debt)),
    }
}

fn funds(facts: &Facts<'_>) -> (bool, String) {
    let (amount, available) = (facts.amount, facts.available);
    if !available.is_positive() {
        return (false, "Nothing is available.".to_owned());
    }
    match amount.minor() <= available.minor() {
        true => (true, format!("{available} are available.")),
        false => (false, format!("{available} are available, which is less than {amount}.")),
    }
}

fn minimum(facts: &Facts<'_>) -> (bool, String) {
    let minimum = Money::new(facts.minimum, facts.amount.currency());
    match facts.amount.minor() >= facts.minimum.max(1) {
        true if facts.minimum > 0 => (true, format!("It reaches the minimum of {minimum}.")),
        true => (true, "There is no minimum.".to_owned()),
        false => (false, format!("{} is below the minimum of {minimum}.", facts.amount)),
    }
}

fn limit(facts: &Facts<'_>) -> (bool, String) {
    let Some(limit) = facts.limit else { return (true, "There is no limit.".to_owned()) };
    let (shown, amount) = (Money::new(limit, facts.amount.currency()), facts.amount);
    match amount.minor() <= limit {
        true => (true, format!("It is within the limit of {shown}.")),
        false => (false, format!("{amount} is above the limit of {shown} for one payout.")),
    }
}

fn approval(facts: &Facts<'_>) -> (bool, String) {
    let above = facts.approval_above.filter(|above| facts.amount.minor() > *above);
    let Some(above) = above else { return (true, "No approval is needed.".to_owned()) };
    let shown = Money::new(above, facts.amount.currency());
    match facts.approval {
        Some(approval) if approval.up_to >= facts.amount.minor() => {
            (true, "A second person approved it.".to_owned())
        }
        Some(_) => (false, "It is more than what was approved.".to_owned()),
        None => (false, format!("Above {shown} a second person approves it.")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mizan_money::Currency;
    use mizan_money::id::KycId;

    use super::super::bank_account::Said;
    use super::super::kyc::Document;
    use super::*;

    fn closed(facts: &Facts<'_>) -> Vec<(&'static str, String)> {
        look(facts).into_iter().filter(|it| !it.passed).map(|it| (it.gate, it.reason)).collect()
    }

    /// Somebody whose licence is good until today.
    fn kyc(now: Timestamp) -> Kyc {
        let document = Document {
            kind: "trade_licence".into(),
            reference: "doc-1".into(),
            expires_on: Some(now.date_naive()),
        };
        Kyc {
            id: KycId::generate(now),
            status: KycStatus::Verified,
            occurred_at: now,
            documents: vec![document],
            recorded_at: now,
        }
    }

    /// An account that has rested for a day.
    fn account(now: Timestamp) -> BankAccount {
        let iban = Some("AE070331234567890123456");
        let said = Said { holder: "V", iban, country: "AE", currency: "AED", ..Said::default() };
        BankAccount {
            version: 1,
            details: said.check().unwrap(),
            created_at: now - TimeDelta::hours(24),
            verified_at: Some(now),
            blocked: None,
        }
    }

    #[test]
    fn each_gate_closes_for_its_own_reason() {
        let now: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        let aed = |minor| Money::new(minor, Currency::AED);
        let (kyc, account) = (kyc(now), account(now));
        let payee = Known {
            kyc: Some(&kyc),
            account: Some(&account),
            blocks: &[],
            rail: "bank",
            today: now.date_naive(),
        };
        let facts = Facts {
            payee: payee.clone(),
            amount: aed(5_000),
            available: aed(5_000),
            debt: aed(0),
            minimum: 5_000,
            limit: Some(5_000),
            approval_above: Some(5_000),
            approval: None,
            cooling: TimeDelta::hours(24),
            now,
        };
        let known = |payee| Facts { payee, ..facts.clone() };
        assert_eq!(closed(&facts), []);
        let names =
            |facts: &Facts<'_>| closed(facts).into_iter().map(|it| it.0).collect::<Vec<_>>();
        let tomorrow = now.date_naive().succ_opt().unwrap();
        assert_eq!(
            closed(&known(Known { today: tomorrow, ..payee.clone() })),
            [("kyc", "The document trade_licence was good until 2026-03-02.".to_owned())]
        );
        let blocked = BankAccount { blocked: Some("AC04".into()), ..account.clone() };
        assert_eq!(
            names(&known(Known { account: Some(&blocked), ..payee.clone() })),
            ["bank_details"]
        );
        let new = BankAccount { created_at: now, verified_at: None, ..account.clone() };
        let fresh = Known { account: Some(&new), ..payee.clone() };
        assert_eq!(names(&known(fresh.clone())), ["bank_details", "cooling_time"]);
        assert_eq!(held_back(&payee), None);
        assert!(held_back(&fresh).unwrap().contains("has not been verified"));
        let reasons = ["dispute".to_owned()];
        assert_eq!(names(&known(Known { blocks: &reasons, ..payee.clone() })), ["blocks"]);
        assert_eq!(names(&Facts { debt: aed(1), ..facts.clone() }), ["debt"]);
        let more = Facts { amount: aed(5_001), ..facts.clone() };
        assert_eq!(names(&more), ["funds", "limit", "approval"]);
        assert_eq!(names(&Facts { amount: aed(4_999), ..facts.clone() }), ["minimum"]);
        let approval = Approval { by: "key_2".into(), up_to: 5_001 };
        let more = Facts { available: aed(9_000), limit: None, ..more };
        assert_eq!(names(&Facts { approval: Some(&approval), ..more.clone() }), Vec::<&str>::new());
        let nothing = Known { kyc: None, account: None, ..payee.clone() };
        assert_eq!(names(&known(nothing)), ["kyc", "bank_details", "cooling_time"]);
    }
}
