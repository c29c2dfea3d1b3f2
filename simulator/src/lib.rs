//! Stateful fakes of payment gateways that speak their real wire formats over loopback HTTP.
//!
//! The simulator is the test bed of the product: adapters talk to it as they would talk to the
//! gateway, buyers can click its hosted pages, and it signs and sends its own webhooks. It shares
//! no wire code with the adapters, so a mistake cannot agree with itself.
//!
//! What it promises:
//!
//! - Every change is in the journal file before the answer leaves, when a data folder is given.
//! - Time is the clock that was passed in: what expires, retries, bounces or settles does so by it.
//! - Faults are data ([`FaultPlan`]), drawn from a seeded generator, the same on every run.
//! - Money adds up in every currency, at every moment: [`Simulator::imbalance`].
//!
//! One [`Simulator`] is one [`Gateway`] on a port of its own. Parts shared by all gateways:
//! [`FaultPlan`], the journal, the webhook queue, the control plane under `/_sim/`. Stripe's fake
//! stands alone in `stripe`; the others are folders of words for one core, `bank`, which keeps the
//! money and knows no wire. The README says how to add one.

// Stripe's objects have more fields than the default lets one `json!` hold.
#![recursion_limit = "256"]

mod bank;
mod config;
mod connection;
mod control;
mod error;
mod fault;
mod journal;
mod paypal;
mod paytabs;
mod razorpay;
mod running;
mod secret;
mod simulator;
mod stripe;
mod table;
mod telr;
mod webhook;

pub use config::{
    FeeSchedule, Gateway, PayPalKeys, PayTabsKeys, RazorpayKeys, SimClock, SimulatorConfig,
    TelrKeys,
};
pub use error::SimulatorError;
pub use fault::{FaultKind, FaultPlan, FaultPlanError, FaultPoint, FaultRule};
pub use simulator::Simulator;
