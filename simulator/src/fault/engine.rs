//! A plan at work.

use std::collections::BTreeMap;
use std::time::Duration;

use mizan_money::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::plan::FaultRule;
use super::{FaultKind, FaultPlan, FaultPoint};

/// A fault that strikes now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// How long it takes, where that matters.
    pub delay: Option<Duration>,
    /// How many seconds a clock is ahead, below zero behind.
    pub skew_s: i64,
}

/// A plan at work: what is left of each rule, and the chances.
#[derive(Debug)]
pub struct FaultEngine {
    rules: Vec<(FaultRule, Option<u32>)>,
    chances: StdRng,
    down_until: Option<Timestamp>,
}

impl FaultEngine {
    /// Starts a plan from its first rule and its seed.
    pub fn new(plan: &FaultPlan) -> Self {
        let rules = plan.rules.iter().map(|rule| {
            let unlimited = rule.times.is_none() && rule.probability_percent.is_some();
            let left = if unlimited { None } else { Some(rule.times.unwrap_or(1)) };
            (rule.clone(), left)
        });
        let chances = StdRng::seed_from_u64(plan.seed);
        Self { rules: rules.collect(), chances, down_until: None }
    }

    /// From now on nothing is answered but 503.
    pub fn go_down(&mut self, until: Timestamp) {
        self.down_until = Some(until);
    }

    /// Whether everything is down.
    pub fn is_down(&self, now: Timestamp) -> bool {
        self.down_until.is_some_and(|until| now < until)
    }

    /// The first rule that strikes, if any; it is used up by one.
    pub fn draw(
        &mut self,
        on: FaultPoint,
        event: Option<&str>,
        metadata: &BTreeMap<String, String>,
    ) -> Option<Fault> {
        self.draw_where(on, event, metadata, |_| true)
    }

    /// As [`FaultEngine::draw`], among the rules whose kind can strike here.
    pub fn draw_where(
        &mut self,
        on: FaultPoint,
        event: Option<&str>,
        metadata: &BTreeMap<String, String>,
        can_strike: impl Fn(FaultKind) -> bool,
    ) -> Option<Fault> {
        for (rule, left) in &mut self.rules {
            let fits = rule.on == on
                && can_strike(rule.kind)
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
            let skew_s = rule.skew_s.unwrap_or(0);
            return Some(Fault { kind: rule.kind, delay: rule.delay(), skew_s });
        }
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

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
