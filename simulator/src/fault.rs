//! Faults as data: which call goes wrong, how, and how often.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

const RULES_MAX: usize = 200;
const API_DELAY_MAX: Duration = Duration::from_secs(300);

/// Where a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultPoint {
    /// A payment is created, with or without its confirmation.
    Create,
    /// A payment is confirmed on its own.
    Confirm,
    /// An authorised payment is captured.
    Capture,
    /// A refund is created.
    Refund,
    /// A payment is cancelled.
    Cancel,
    /// One payment, charge or refund is read.
    Retrieve,
    /// An event is sent.
    Webhook,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The work is done and kept, then the connection ends without an answer.
    LostAnswer,
    /// The work is done and kept, the answer is withheld for the delay, then the connection ends.
    Timeout,
    /// Answer 500, nothing is done and nothing is kept for the idempotency key.
    #[serde(rename = "http_500")]
    Http500,
    /// The work is done, the answer is 500, and that 500 is what the idempotency key replays.
    #[serde(rename = "http_500_after")]
    Http500After,
    /// Status 200 with an error envelope inside; nothing is done.
    #[serde(rename = "error_in_200")]
    ErrorIn200,
    /// The amounts in the answer or event are 100 minor units too high; the kept ones are right.
    WrongAmount,
    /// A call starts late by real time; an event becomes due late by the simulator's clock.
    Delay,
    /// An event is delivered twice.
    Duplicate,
    /// An event is held back until a later one was delivered, or until the delay has passed.
    Reorder,
}

impl FaultPoint {
    /// Whether this kind means something at this point.
    fn allows(self, kind: FaultKind) -> bool {
        use FaultKind as K;
        match kind {
            K::Duplicate | K::Reorder => self == Self::Webhook,
            K::Delay | K::WrongAmount => true,
            K::LostAnswer | K::Timeout | K::Http500 | K::Http500After | K::ErrorIn200 => {
                self != Self::Webhook
            }
        }
    }
}

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
            event: None,
            metadata: BTreeMap::new(),
        }
    }

    fn delay(&self) -> Option<Duration> {
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
        if matches!(self.kind, FaultKind::Delay | FaultKind::Timeout) && self.delay().is_none() {
            let kind = word(&self.kind);
            return refuse(format!("`{kind}` needs `delay_ms` or `delay_s`"));
        }
        let on_api = self.on != FaultPoint::Webhook;
        if on_api && self.delay().is_some_and(|delay| delay > API_DELAY_MAX) {
            return refuse("a delay of a call is at most 300 s".to_owned());
        }
        if on_api && self.event.is_some() {
            return refuse("`event` is for webhooks only".to_owned());
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
    seed: u64,
    rules: Vec<FaultRule>,
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

/// A fault that strikes now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// How long it takes, where that matters.
    pub delay: Option<Duration>,
}

/// A plan at work: what is left of each rule, and the chances.
#[derive(Debug)]
pub struct FaultEngine {
    rules: Vec<(FaultRule, Option<u32>)>,
    chances: StdRng,
}

impl FaultEngine {
    /// Starts a plan from its first rule and its seed.
    pub fn new(plan: &FaultPlan) -> Self {
        let rules = plan.rules.iter().map(|rule| {
            let unlimited = rule.times.is_none() && rule.probability_percent.is_some();
            let left = if unlimited { None } else { Some(rule.times.unwrap_or(1)) };
            (rule.clone(), left)
        });
        Self { rules: rules.collect(), chances: StdRng::seed_from_u64(plan.seed) }
    }

    /// The first rule that strikes, if any; it is used up by one.
    pub fn draw(
        &mut self,
        on: FaultPoint,
        event: Option<&str>,
        metadata: &BTreeMap<String, String>,
    ) -> Option<Fault> {
        for (rule, left) in &mut self.rules {
            let fits = rule.on == on
                && *left != Some(0)
                && (rule.event.is_none() || rule.event.as_deref() == event)
                && rule.metadata.iter().all(|(key, value)| metadata.get(key) == Some(value));
            if !fits {
                continue;
            }
            let chance = rule.probability_percent.unwrap_or(100);
            if self.chances.random_range(0..100_u8) >= chance {
                continue;
            }
            *left = left.map(|left| left.saturating_sub(1));
            return Some(Fault { kind: rule.kind, delay: rule.delay() });
        }
        None
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
    fn a_rule_strikes_as_often_as_it_says_and_only_where_the_metadata_fits() {
        let plan = FaultPlan::from_toml(
            "[[rules]]\non = \"capture\"\nkind = \"lost_answer\"\ntimes = 2\nmatch = { a = \"1\" }",
        );
        let mut engine = FaultEngine::new(&plan.unwrap());
        let fits = BTreeMap::from([("a".to_owned(), "1".to_owned())]);
        assert_eq!(engine.draw(FaultPoint::Capture, None, &BTreeMap::new()), None);
        assert_eq!(engine.draw(FaultPoint::Cancel, None, &fits), None);
        assert!(engine.draw(FaultPoint::Capture, None, &fits).is_some());
        assert!(engine.draw(FaultPoint::Capture, None, &fits).is_some());
        assert_eq!(engine.draw(FaultPoint::Capture, None, &fits), None);
    }

    #[test]
    fn the_same_seed_gives_the_same_chances() {
        let text = "seed = 7\n[[rules]]\non = \"retrieve\"\nkind = \"http_500\"\n\
                    probability_percent = 40\n";
        let plan = FaultPlan::from_toml(text).unwrap();
        let run = || {
            let mut engine = FaultEngine::new(&plan);
            let draws = (0..200).map(|_| engine.draw(FaultPoint::Retrieve, None, &BTreeMap::new()));
            draws.map(|fault| fault.is_some()).collect::<Vec<_>>()
        };
        assert_eq!(run(), run());
        let struck = run().into_iter().filter(|struck| *struck).count();
        assert!((50..110).contains(&struck), "{struck} of 200");
    }
}
