//! What a simulator is started with.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use mizan_money::Timestamp;

use crate::fault::FaultPlan;

/// Where the simulator reads the time.
pub type SimClock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The settings of one simulator.
///
/// Start from [`SimulatorConfig::new`] and change fields.
#[derive(Clone)]
pub struct SimulatorConfig {
    /// Folder of the journal files. `None`: everything is in memory and gone at the end.
    pub data_dir: Option<PathBuf>,
    /// What goes wrong, and when.
    pub faults: FaultPlan,
    /// The only source of time.
    pub clock: SimClock,
    /// The key that callers of the Stripe API must present.
    pub stripe_secret_key: String,
    /// The endpoint secret that signs webhooks.
    pub webhook_secret: String,
    /// Older endpoint secrets that are still active: each adds one more `v1` signature.
    pub older_webhook_secrets: Vec<String>,
    /// Where webhooks go. `None`: events are kept, nothing is sent until an endpoint is set.
    pub webhook_url: Option<String>,
    /// Base address of the hosted pages as a browser sees it. `None`: the loopback address.
    pub public_url: Option<String>,
    /// What the gateway charges for its work.
    pub fees: FeeSchedule,
    /// Seed of the object ids.
    pub seed: u64,
    /// How long the late outcomes take: pending and bouncing refunds, bank debits.
    pub late_outcome_after_s: u32,
}

impl SimulatorConfig {
    /// Settings for a simulator in memory, without faults and without a webhook endpoint.
    #[must_use]
    pub fn new(clock: SimClock) -> Self {
        Self {
            data_dir: None,
            faults: FaultPlan::default(),
            clock,
            stripe_secret_key: "sk_test_simulator".to_owned(),
            webhook_secret: "whsec_simulator".to_owned(),
            older_webhook_secrets: Vec::new(),
            webhook_url: None,
            public_url: None,
            fees: FeeSchedule::default(),
            seed: 1,
            late_outcome_after_s: 60,
        }
    }
}

impl fmt::Debug for SimulatorConfig {
    /// Leaves the keys and secrets out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatorConfig")
            .field("data_dir", &self.data_dir)
            .field("webhook_url", &self.webhook_url)
            .field("public_url", &self.public_url)
            .field("fees", &self.fees)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// The processing fee: a share of the captured amount, a fixed part, and tax on both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeSchedule {
    /// The share in basis points: 290 is 2.9 %.
    pub rate_bp: u32,
    /// The fixed part in hundredths of the currency's major unit: 100 is 1.00.
    pub fixed_hundredths: u32,
    /// Tax on the fee in basis points: 500 is 5 %.
    pub tax_bp: u32,
}

impl Default for FeeSchedule {
    /// 2.9 % and 1.00, and 5 % tax on the fee.
    fn default() -> Self {
        Self { rate_bp: 290, fixed_hundredths: 100, tax_bp: 500 }
    }
}
