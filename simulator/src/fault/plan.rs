//! Rules, plans and what makes them refused.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{FaultKind, FaultPoint};

const RULES_MAX: usize = 200;
const CALL_DELAY_MAX: Duration = Duration::from_secs(300);

/// One rule of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// Where it strikes.
    pub on: FaultPoint,
    /// What goes wrong.
    pub kind: FaultKind,
    /// How often at most. Without it and without a probability: once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// Chance per matching call, 1 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability_percent: Option<u8>,
    /// The delay in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// The delay in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_s: Option<u64>,
    /// `clock_skew` only: how many seconds the time is ahead, below zero behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skew_s: Option<i64>,
    /// Webhooks only: the event type it is limited to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Metadata that the payment or refund must carry.
    #[serde(default, rename = "match", skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

impl FaultRule {
    /// A rule that strikes once.
    #[must_use]
    pub fn once(on: FaultPoint, kind: FaultKind) -> Self {
        Self {
            on,
            kind,
            times: None,
            probability_percent: None,
            delay_ms: None,
            delay_s: None,
            skew_s: None,
            event: None,
            metadata: BTreeMap::new(),
        }
    }

    pub(super) fn delay(&self) -> Option<Duration> {
        let seconds = self.delay_s.map(Duration::from_secs);
        seconds.or(self.delay_ms.map(Duration::from_millis))
    }

    fn check(&self, number: usize) -> Result<(), FaultPlanError> {
        let refuse = |what: String| Err(FaultPlanError::Rule { number, what });
        if !self.on.allows(self.kind) {
            let (kind, on) = (word(&self.kind), word(&self.on));
            return refuse(format!("`{kind}` cannot happen on `{on}`"));
        }
        if self.times == Some(0) {
            return refuse("`times` must be at least 1".to_owned());
        }
        if self.probability_percent.is_some_and(|percent| !(1..=100).contains(&percent)) {
            return refuse("`probability_percent` must be from 1 to 100".to_owned());
        }
        if self.delay_ms.is_some() && self.delay_s.is_some() {
            return refuse("`delay_ms` and `delay_s` exclude each other".to_owned());
        }
        if (self.kind == FaultKind::ClockSkew) != self.skew_s.is_some() {
            return refuse("`clock_skew` needs `skew_s`, and nothing else has it".to_owned());
        }
        if self.on != FaultPoint::Webhook && self.event.is_some() {
            return refuse("`event` is for webhooks only".to_owned());
        }
        self.check_delay().or_else(refuse)
    }

    /// Delays that are waited for in real time are short; the others are by the clock.
    fn check_delay(&self) -> Result<(), String> {
        use FaultKind as K;
        let needs = matches!(self.kind, K::Delay | K::Timeout | K::Down);
        if needs && self.delay().is_none() {
            return Err(format!("`{}` needs `delay_ms` or `delay_s`", word(&self.kind)));
        }
        let takes = needs
            || matches!(
                self.kind,
                K::Http429 | K::Reorder | K::LateFailure | K::BouncedRefund | K::ReturnedPayout
            );
        if !takes && self.delay().is_some() {
            return Err(format!("`{}` has no delay", word(&self.kind)));
        }
        let waits = self.on.is_call() && matches!(self.kind, K::Delay | K::Timeout);
        if waits && self.delay().is_some_and(|delay| delay > CALL_DELAY_MAX) {
            return Err("a delay of a call is at most 300 s".to_owned());
        }
        Ok(())
    }
}

/// The word for it in a plan.
fn word(value: &impl Serialize) -> String {
    let json = serde_json::to_value(value).unwrap_or_default();
    json.as_str().unwrap_or_default().to_owned()
}

/// A checked list of rules and the seed of the chances.
///
/// The first rule that fits and strikes is used up by one. In TOML:
///
/// ```toml
/// seed = 7
///
/// [[rules]]
/// on = "capture"
/// kind = "lost_answer"
/// match = { order_id = "A-1001" }
///
/// [[rules]]
/// on = "webhook"
/// kind = "reorder"
/// event = "payment_intent.succeeded"
/// times = 2
///
/// [[rules]]
/// on = "retrieve"
/// kind = "http_500"
/// probability_percent = 10
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PlanText")]
pub struct FaultPlan {
    pub(super) seed: u64,
    pub(super) rules: Vec<FaultRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanText {
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    rules: Vec<FaultRule>,
}

impl TryFrom<PlanText> for FaultPlan {
    type Error = FaultPlanError;

    fn try_from(text: PlanText) -> Result<Self, FaultPlanError> {
        Self::new(text.seed, text.rules)
    }
}

impl FaultPlan {
    /// A plan from rules.
    ///
    /// # Errors
    /// A rule that cannot mean anything, by its number.
    pub fn new(seed: u64, rules: Vec<FaultRule>) -> Result<Self, FaultPlanError> {
        if rules.len() > RULES_MAX {
            return Err(FaultPlanError::TooMany { count: rules.len() });
        }
        for (index, rule) in rules.iter().enumerate() {
            rule.check(index + 1)?;
        }
        Ok(Self { seed, rules })
    }

    /// Reads a plan in TOML: `seed = 7` and `[[rules]]` tables.
    ///
    /// # Errors
    /// An unknown field or kind, or a rule that cannot mean anything; the text names it.
    pub fn from_toml(text: &str) -> Result<Self, FaultPlanError> {
        toml::from_str(text).map_err(|refusal| FaultPlanError::unreadable(&refusal))
    }

    /// Reads a plan in JSON: `{"seed":7,"rules":[..]}`.
    ///
    /// # Errors
    /// As [`FaultPlan::from_toml`].
    pub fn from_json(text: &str) -> Result<Self, FaultPlanError> {
        serde_json::from_str(text).map_err(|refusal| FaultPlanError::unreadable(&refusal))
    }
}

/// Why a fault plan is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultPlanError {
    /// Not TOML or JSON of the right shape.
    #[error("the fault plan cannot be read: {what}")]
    Unreadable {
        /// What the reader found, with the place.
        what: String,
    },
    /// A rule that cannot mean anything.
    #[error("rule {number} of the fault plan: {what}")]
    Rule {
        /// The rule, counted from one.
        number: usize,
        /// What is wrong with it.
        what: String,
    },
    /// More rules than a plan may have.
    #[error("the fault plan has {count} rules, at most {RULES_MAX} are allowed")]
    TooMany {
        /// How many there were.
        count: usize,
    },
}

impl FaultPlanError {
    fn unreadable(refusal: &impl fmt::Display) -> Self {
        Self::Unreadable { what: refusal.to_string() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        FaultPlan::from_toml(text).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_field_or_kind_is_refused_by_name() {
        let field = refusal("[[rules]]\non = \"capture\"\nkind = \"delay\"\nfoo = 1\n");
        assert!(field.contains("foo"), "{field}");
        let kind = refusal("[[rules]]\non = \"capture\"\nkind = \"explode\"\n");
        assert!(kind.contains("explode"), "{kind}");
        let top = refusal("colour = 1\n");
        assert!(top.contains("colour"), "{top}");
    }

    #[test]
    fn a_rule_that_cannot_mean_anything_is_refused_by_number() {
        let text = "[[rules]]\non = \"capture\"\nkind = \"reorder\"\n";
        let refused = "rule 1 of the fault plan: `reorder` cannot happen on `capture`";
        assert!(refusal(text).contains(refused), "{}", refusal(text));
        let text = "[[rules]]\non = \"capture\"\nkind = \"timeout\"\n";
        assert!(refusal(text).contains("delay_ms"));
    }

    #[test]
    fn combinations_that_mean_nothing_are_refused_with_the_words_of_the_rule() {
        let cases = [
            ("capture", "kind = \"fee_drift\"", "`fee_drift` cannot happen on `capture`"),
            ("webhook", "kind = \"http_429\"", "`http_429` cannot happen on `webhook`"),
            ("settlement", "kind = \"lost_answer\"", "cannot happen on `settlement`"),
            ("refund", "kind = \"returned_payout\"", "cannot happen on `refund`"),
            ("payout", "kind = \"late_failure\"", "cannot happen on `payout`"),
            ("webhook", "kind = \"clock_skew\"", "`clock_skew` needs `skew_s`"),
            ("webhook", "kind = \"duplicate\"\nskew_s = 1", "nothing else has it"),
            ("create", "kind = \"down\"", "`down` needs `delay_ms` or `delay_s`"),
            ("create", "kind = \"html\"\ndelay_s = 1", "`html` has no delay"),
            ("create", "kind = \"html\"\nevent = \"x\"", "`event` is for webhooks only"),
            ("refund", "kind = \"html\"\ntimes = 0", "`times` must be at least 1"),
        ];
        for (on, rest, expected) in cases {
            let text = format!("[[rules]]\non = \"{on}\"\n{rest}\n");
            let refused = refusal(&text);
            assert!(refused.contains("rule 1 of the fault plan: "), "{refused}");
            assert!(refused.contains(expected), "{text}: {refused}");
        }
    }
}
