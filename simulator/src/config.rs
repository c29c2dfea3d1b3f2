//! What a simulator is started with.

use std::collections::VecDeque;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use mizan_money::Timestamp;

use crate::fault::FaultPlan;

/// Where the simulator reads the time.
pub type SimClock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A gateway that can be simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gateway {
    /// stripe.com
    Stripe,
    /// razorpay.com
    Razorpay,
    /// telr.com
    Telr,
    /// paytabs.com
    PayTabs,
    /// paypal.com
    PayPal,
}

impl Gateway {
    /// All of them, in the order in which they take ports.
    pub const ALL: [Self; 5] =
        [Self::Stripe, Self::Razorpay, Self::Telr, Self::PayTabs, Self::PayPal];

    /// The name in addresses, files and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stripe => "stripe",
            Self::Razorpay => "razorpay",
            Self::Telr => "telr",
            Self::PayTabs => "paytabs",
            Self::PayPal => "paypal",
        }
    }

    /// The name as people write it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Stripe => "Stripe",
            Self::Razorpay => "Razorpay",
            Self::Telr => "Telr",
            Self::PayTabs => "PayTabs",
            Self::PayPal => "PayPal",
        }
    }

    /// The gateway of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|gateway| gateway.name() == name)
    }
}

impl fmt::Display for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What callers of Razorpay must present.
#[derive(Clone)]
pub struct RazorpayKeys {
    /// The user name of HTTP Basic.
    pub key_id: String,
    /// The password of HTTP Basic; it also signs what checkout gives to the shop.
    pub key_secret: String,
    /// The number of the RazorpayX account that payouts are made from.
    pub account_number: String,
}

impl fmt::Debug for RazorpayKeys {
    /// Leaves the secret out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RazorpayKeys").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

impl Default for RazorpayKeys {
    fn default() -> Self {
        Self {
            key_id: "rzp_test_simulator".to_owned(),
            key_secret: "rzp_secret_simulator".to_owned(),
            account_number: "7878780080316316".to_owned(),
        }
    }
}

/// What callers of Telr must present.
#[derive(Clone)]
pub struct TelrKeys {
    /// The store's number.
    pub store: String,
    /// The key of the hosted page; it also signs the callbacks of orders.
    pub auth_key: String,
    /// The key of the remote API.
    pub remote_key: String,
    /// The user name of HTTP Basic at the Service and accounts APIs.
    pub merchant: String,
    /// The password of HTTP Basic there.
    pub api_key: String,
    /// The account that payouts are made from.
    pub account: String,
}

impl fmt::Debug for TelrKeys {
    /// Leaves the keys out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelrKeys").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Default for TelrKeys {
    fn default() -> Self {
        Self {
            store: "1234".to_owned(),
            auth_key: "telr_auth_simulator".to_owned(),
            remote_key: "telr_remote_simulator".to_owned(),
            merchant: "5678".to_owned(),
            api_key: "telr_api_simulator".to_owned(),
            account: "9012".to_owned(),
        }
    }
}

/// What callers of PayTabs must present, beside the server key.
///
/// The server key is [`SimulatorConfig::webhook_secret`]: PayTabs signs with the key that callers
/// present, and takes the older ones too.
#[derive(Clone, Debug)]
pub struct PayTabsKeys {
    /// The profile that every body names.
    pub profile_id: u64,
    /// The key of browsers; messages carry it, and it opens nothing.
    pub client_key: String,
}

impl Default for PayTabsKeys {
    fn default() -> Self {
        Self { profile_id: 100_200, client_key: "CSIMUL-ATOR00-PAYTAB-SKEY01".to_owned() }
    }
}

/// What callers of PayPal must present to get an access token.
#[derive(Clone)]
pub struct PayPalKeys {
    /// The user name of HTTP Basic.
    pub client_id: String,
    /// The password of HTTP Basic.
    pub client_secret: String,
}

impl fmt::Debug for PayPalKeys {
    /// Leaves the secret out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PayPalKeys").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl Default for PayPalKeys {
    fn default() -> Self {
        Self {
            client_id: "paypal_client_simulator".to_owned(),
            client_secret: "paypal_secret_simulator".to_owned(),
        }
    }
}

/// The settings of one simulator.
///
/// Start from [`SimulatorConfig::for_gateway`] and change fields.
#[derive(Clone)]
pub struct SimulatorConfig {
    /// Which gateway it is.
    pub gateway: Gateway,
    /// Folder of the journal files. `None`: everything is in memory and gone at the end.
    pub data_dir: Option<PathBuf>,
    /// What goes wrong, and when.
    pub faults: FaultPlan,
    /// The only source of time.
    pub clock: SimClock,
    /// The key that callers of the Stripe API must present.
    pub stripe_secret_key: String,
    /// What callers of Razorpay must present.
    pub razorpay: RazorpayKeys,
    /// What callers of Telr must present.
    pub telr: TelrKeys,
    /// What callers of PayPal must present.
    pub paypal: PayPalKeys,
    /// What callers of PayTabs must present, beside the server key.
    pub paytabs: PayTabsKeys,
    /// The endpoint secret that signs webhooks; at PayTabs also the server key.
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
    /// How long the late outcomes take: pending and bouncing refunds, bank debits, payouts.
    pub late_outcome_after_s: u32,
    /// How long after a capture it is settled to the shop's bank. `None`: only when the control
    /// plane says so. Stripe's fake does not settle.
    pub settle_after_s: Option<u32>,
    /// What the account has for payouts before anything happened, in minor units of each
    /// currency. Stripe's fake has no payouts.
    pub payout_float: i64,
}

impl SimulatorConfig {
    /// Settings for a fake Stripe in memory, without faults and without a webhook endpoint.
    #[must_use]
    pub fn new(clock: SimClock) -> Self {
        Self::for_gateway(Gateway::Stripe, clock)
    }

    /// Settings for a gateway in memory, without faults and without a webhook endpoint.
    #[must_use]
    pub fn for_gateway(gateway: Gateway, clock: SimClock) -> Self {
        let webhook_secret = match gateway {
            Gateway::Stripe => "whsec_simulator".to_owned(),
            Gateway::PayTabs => "SIMULATOR1-PAYTABSKEY-0000000001".to_owned(),
            Gateway::PayPal => "5GP028458E2496506".to_owned(),
            other => format!("{other}_webhook_simulator"),
        };
        Self {
            gateway,
            data_dir: None,
            faults: FaultPlan::default(),
            clock,
            stripe_secret_key: "sk_test_simulator".to_owned(),
            razorpay: RazorpayKeys::default(),
            telr: TelrKeys::default(),
            paytabs: PayTabsKeys::default(),
            paypal: PayPalKeys::default(),
            webhook_secret,
            older_webhook_secrets: Vec::new(),
            webhook_url: None,
            public_url: None,
            fees: FeeSchedule::default(),
            seed: 1,
            late_outcome_after_s: 60,
            settle_after_s: Some(2 * 24 * 3600),
            payout_float: 1_000_000_000,
        }
    }
}

impl fmt::Debug for SimulatorConfig {
    /// Leaves the keys and secrets out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatorConfig")
            .field("gateway", &self.gateway)
            .field("data_dir", &self.data_dir)
            .field("webhook_url", &self.webhook_url)
            .field("public_url", &self.public_url)
            .field("fees", &self.fees)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// What a gateway charges: its schedule, unless a test said what it keeps for the next captures.
#[derive(Debug, Default)]
pub struct Fees {
    schedule: FeeSchedule,
    /// Fee and tax of the captures to come, the next one first.
    told: Mutex<VecDeque<(i64, i64)>>,
}

impl Fees {
    /// What this schedule says.
    #[must_use]
    pub fn new(schedule: FeeSchedule) -> Self {
        Self { schedule, told: Mutex::default() }
    }

    /// The next capture without a told fee has this one, in minor units.
    pub fn tell(&self, fee: i64, tax: i64) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).push_back((fee, tax));
    }

    /// What was told for this capture, if anything.
    pub fn take(&self) -> Option<(i64, i64)> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// What the schedule says.
    #[must_use]
    pub fn schedule(&self) -> FeeSchedule {
        self.schedule
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

impl FeeSchedule {
    /// A gateway that works for nothing.
    pub const NONE: Self = Self { rate_bp: 0, fixed_hundredths: 0, tax_bp: 0 };

    /// The fee and the tax on it for an amount in minor units, of a currency that has
    /// `per_major` of them.
    ///
    /// The fee is rounded half up, the tax is cut: 525.00 at 2.9 % + 1.00 and 5 % is 16.23
    /// and 0.81.
    #[must_use]
    pub fn fee(self, amount: i64, per_major: i64) -> (i64, i64) {
        let share = (i128::from(amount) * i128::from(self.rate_bp) + 5_000) / 10_000;
        let fixed = i128::from(self.fixed_hundredths) * i128::from(per_major) / 100;
        let fee = share + fixed;
        let tax = fee * i128::from(self.tax_bp) / 10_000;
        (i64::try_from(fee).unwrap_or(i64::MAX), i64::try_from(tax).unwrap_or(i64::MAX))
    }
}

impl Default for FeeSchedule {
    /// 2.9 % and 1.00, and 5 % tax on the fee.
    fn default() -> Self {
        Self { rate_bp: 290, fixed_hundredths: 100, tax_bp: 500 }
    }
}
