//! A story on a stage: each statement through the interface, the gateways and the clock.
//!
//! | file | what it does |
//! |---|---|
//! | `api.rs` | calls of the interface and of the simulators' control planes |
//! | `time.rs` | time passes, and what is due happens |
//! | `rules.rs`, `orders.rs`, `pay.rs`, `payouts.rs`, `finance.rs` | the statements |
//! | `back.rs`, `disputes.rs` | those about money that goes back |
//! | `checks.rs` | balances and facts |
//!
//! After each statement the gateways deliver their webhooks and the service's jobs run, so that
//! a story reads as if everything happened at once.

mod api;
mod back;
mod checks;
mod disputes;
mod finance;
mod orders;
mod pay;
mod payouts;
mod rules;
mod time;

use std::collections::BTreeMap;
use std::path::Path;

use chrono::NaiveTime;
use mizan::auth::{CreateKey, Mode, Role};
use mizan::clock::Clock;
use mizan_simulator::FeeSchedule;
use serde_json::Value;

use self::disputes::Disputed;
use super::outcome::{Difference, Outcome, Trouble};
use super::text::{Statement, Story};
use crate::cli::end::Failure;
use crate::cli::service::{self, TENANT};
use crate::cli::signals::Ending;
use crate::stage::shop::Shop;
use crate::stage::{Address, Plan, Stage};

/// Why a statement came to nothing.
pub enum Stop {
    /// The service refused it, with the code of a problem.
    Refused { code: String, text: String },
    /// Anything else.
    Broken(String),
}

impl<E: Into<Failure>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Broken(error.into().to_string())
    }
}

/// What a statement comes to.
pub type Done = Result<(), Stop>;

/// A story at work.
pub struct Runner<'a> {
    stage: &'a Stage,
    maker: Shop,
    checker: Shop,
    http: reqwest::Client,
    /// What the service can do, from `/openapi.json`.
    description: Value,
    /// The ids of what the story gave a name.
    ids: BTreeMap<String, String>,
    /// The payment of each order, `pi_…`.
    orders: BTreeMap<String, String>,
    /// Where customers are.
    states: BTreeMap<String, String>,
    /// The gateway of each order, looked up ahead.
    gateways: BTreeMap<String, String>,
    /// What is known of each dispute.
    disputes: BTreeMap<String, Disputed>,
    /// Where the marketplace is.
    jurisdiction: String,
    /// Calls so far: each has a key of its own.
    calls: u32,
    /// The latest time of day at which anything happened.
    hand: NaiveTime,
    differences: Vec<Difference>,
    line: usize,
}

/// Runs a story on the empty database at `url`.
pub async fn play(story: &Story, url: &str, folder: &Path) -> Result<Outcome, Failure> {
    let mut ending = Ending::listen()?;
    let plan = Plan {
        clock: Clock::manual(time::beginning(story)),
        api: Address::Rather(0),
        simulator: Address::Rather(0),
        simulator_data: None,
        folder: folder.to_owned(),
        fees: FeeSchedule::NONE,
    };
    let stage = Stage::set(url, plan).await?;
    let told = tokio::select! {
        told = tell(story, &stage) => told,
        () = ending.wait() => Err("the story was interrupted".into()),
    };
    let struck = stage.strike().await;
    let outcome = told?;
    struck?;
    Ok(outcome)
}

async fn tell(story: &Story, stage: &Stage) -> Result<Outcome, Failure> {
    let mut runner = Runner::new(story, stage).await?;
    let mut trouble = None;
    for statement in &story.statements {
        if let Err(text) = runner.statement(statement).await {
            trouble = Some(Trouble { line: statement.line, text });
            break;
        }
    }
    let accounts = runner.accounts().await.map_err(|stop| stop.text())?;
    let mut differences = std::mem::take(&mut runner.differences);
    for difference in &mut differences {
        runner.add_lines(difference).await.map_err(|stop| stop.text())?;
    }
    Ok(Outcome { accounts, differences, trouble })
}

impl<'a> Runner<'a> {
    async fn new(story: &Story, stage: &'a Stage) -> Result<Self, Failure> {
        let maker = Shop::open(&stage.url, stage.key.key.secret())?;
        let (db, clock) = (&stage.app.db, &stage.app.clock);
        let checker = CreateKey::new("checker", Mode::Test, Role::Finance);
        let second = service::make_key(db, clock, TENANT, &checker).await?;
        let checker = Shop::open(&stage.url, second.key.secret())?;
        let description = maker.get("/openapi.json").await?.body;
        let mut runner = Self {
            stage,
            maker,
            checker,
            http: reqwest::Client::builder().no_proxy().build()?,
            description,
            ids: BTreeMap::new(),
            orders: BTreeMap::new(),
            states: BTreeMap::new(),
            gateways: pay::gateways(story),
            disputes: BTreeMap::new(),
            jurisdiction: "AE".to_owned(),
            calls: 0,
            hand: clock.now().time(),
            differences: Vec::new(),
            line: 0,
        };
        runner.route_by_kind().await.map_err(|stop| stop.text())?;
        Ok(runner)
    }

    /// Runs a statement and what follows from it; the error ends the story.
    async fn statement(&mut self, it: &Statement) -> Result<(), String> {
        self.line = it.line;
        let done = self.act(it).await;
        let refusal = match (done, &it.refused) {
            (Ok(()), None) => None,
            (Err(Stop::Refused { code, .. }), Some(expected)) if code == *expected => None,
            (Err(Stop::Refused { code, text }), Some(expected)) => {
                Some(format!("it was refused with {code} instead of {expected}: {text}"))
            }
            (Ok(()), Some(expected)) => {
                let what = format!("`{}` is refused", it.form.verb());
                self.differences.push(Difference::fact(it.line, &what, expected, "done"));
                None
            }
            (Err(stop), _) => Some(stop.text()),
        };
        if let Some(text) = refusal {
            return Err(text);
        }
        if !it.form.verb().starts_with("expect") && it.form.verb() != "balances" {
            self.settle().await.map_err(|stop| stop.text())?;
        }
        Ok(())
    }

    async fn act(&mut self, it: &Statement) -> Done {
        let verb = it.form.verb();
        match verb.as_str() {
            "story" => Ok(()),
            "on" | "at" | "advance" => self.time(&verb, it).await,
            "order" | "delivered" | "returned" | "lost" => self.order(&verb, it).await,
            "pay by"
            | "pay from the wallet"
            | "authorise by"
            | "capture"
            | "cancel"
            | "sync"
            | "repeat webhooks of"
            | "trouble at on" => self.payment(&verb, it).await,
            "refund"
            | "bounce"
            | "dispute of"
            | "dispute"
            | "dispute escalated"
            | "dispute funds withdrawn"
            | "dispute second round"
            | "accept dispute"
            | "evidence for dispute" => self.back(&verb, it).await,
            "balances" => self.balances(it).await,
            verb if verb.starts_with("expect") => self.expect(verb, it).await,
            "call" => self.any_call(it).await,
            verb if finance::VERBS.contains(&verb) => self.finance(verb, it).await,
            verb if payouts::VERBS.contains(&verb) => self.payouts(verb, it).await,
            verb => self.rules(verb, it).await,
        }
    }

    /// The id of what the story calls so.
    fn id(&self, name: &str) -> Result<String, Stop> {
        let id = self.ids.get(name).cloned();
        id.ok_or_else(|| Stop::Broken(format!("nothing above this line is named {name}")))
    }

    fn known_order(&self, name: &str) -> Result<String, Stop> {
        let order = self.orders.get(name).cloned();
        order.ok_or_else(|| Stop::Broken(format!("there is no order {name} above this line")))
    }
}

impl Stop {
    /// For people.
    pub fn text(self) -> String {
        match self {
            Self::Refused { code, text } => format!("refused with {code}: {text}"),
            Self::Broken(text) => text,
        }
    }
}
