//! The gateway behind a simulator: Stripe's own fake, or a bank that speaks a gateway's words.

use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::bank::Bank;
use crate::bank::wire::Wire;
use crate::config::{Gateway, SimulatorConfig};
use crate::error::SimulatorError;
use crate::fault::FaultEngine;
use crate::journal::Broken;
use crate::paypal::PayPal;
use crate::paytabs::PayTabs;
use crate::razorpay::Razorpay;
use crate::stripe::StripeGateway;
use crate::telr::Telr;

/// A gateway that answers.
#[derive(Clone)]
pub enum Running {
    /// Stripe.
    Stripe(Arc<StripeGateway>),
    /// Every other gateway, and its name.
    Bank(Arc<Bank>, Gateway),
}

/// Does the same on either kind of gateway.
macro_rules! on {
    ($running:expr, $gateway:ident => $act:expr) => {
        match $running {
            Running::Stripe($gateway) => $act,
            Running::Bank($gateway, _) => $act,
        }
    };
}

impl Running {
    /// Opens the gateway that the settings name.
    ///
    /// # Errors
    /// The journal cannot be used.
    pub fn open(
        config: &SimulatorConfig,
        public_url: String,
        faults: Arc<Mutex<FaultEngine>>,
        client: reqwest::Client,
    ) -> Result<Self, SimulatorError> {
        let wire: Box<dyn Wire> = match config.gateway {
            Gateway::Stripe => {
                let stripe = StripeGateway::open(config, public_url, faults, client)?;
                return Ok(Self::Stripe(Arc::new(stripe)));
            }
            Gateway::Razorpay => Box::new(Razorpay::new(config)),
            Gateway::Telr => Box::new(Telr::new(config)),
            Gateway::PayTabs => Box::new(PayTabs::new(config)),
            Gateway::PayPal => Box::new(PayPal::new(config, &public_url)),
        };
        let bank = Bank::open(wire, config, public_url, faults, client)?;
        Ok(Self::Bank(Arc::new(bank), config.gateway))
    }

    /// The gateway's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Stripe(_) => Gateway::Stripe.name(),
            Self::Bank(_, gateway) => gateway.name(),
        }
    }

    /// The API, the hosted pages and the gateway's own part of the control plane.
    pub fn router(&self) -> Router {
        match self {
            Self::Stripe(stripe) => stripe.router().fallback(nowhere),
            Self::Bank(bank, _) => bank.router(),
        }
    }

    /// Where webhooks go from now on, and which secrets sign them.
    pub fn set_endpoint(&self, url: Option<String>, secrets: Option<Vec<String>>) {
        on!(self, gateway => gateway.set_endpoint(url, secrets));
    }

    /// Sends every webhook that is due by now and returns how many attempts were made.
    pub async fn deliver_due(&self) -> usize {
        on!(self, gateway => gateway.deliver_due().await)
    }

    /// What the gateway keeps for the next capture that has no told fee yet.
    pub fn tell_fee(&self, fee: i64, tax: i64) {
        on!(self, gateway => gateway.tell_fee(fee, tax));
    }

    /// Queues an event once more. `None`: there is no such event.
    pub fn resend(&self, event_id: &str) -> Result<Option<()>, Broken> {
        on!(self, gateway => gateway.resend(event_id))
    }

    /// Everything that is there.
    pub fn snapshot(&self) -> Result<Value, Broken> {
        on!(self, gateway => gateway.snapshot())
    }

    /// All deliveries.
    pub fn deliveries(&self) -> Result<Value, Broken> {
        on!(self, gateway => gateway.deliveries())
    }

    /// What does not add up, currency by currency; empty: everything does.
    pub fn imbalance(&self) -> Result<Vec<String>, Broken> {
        match self {
            Self::Stripe(stripe) => stripe.imbalance(),
            Self::Bank(bank, _) => {
                let wrong = bank.imbalance()?;
                Ok(wrong.iter().map(|(code, totals)| format!("{code}: {totals:?}")).collect())
            }
        }
    }

    /// The root certificate that a receiver of the gateway's messages has to trust, in PEM.
    pub fn root_pem(&self) -> Option<&'static str> {
        match self {
            Self::Stripe(_) => None,
            Self::Bank(bank, _) => bank.root_pem(),
        }
    }

    /// Lets go of the journal.
    pub fn close(&self) {
        on!(self, gateway => gateway.close());
    }
}

async fn nowhere() -> (StatusCode, Json<Value>) {
    (StatusCode::NOT_FOUND, Json(json!({ "error": "there is nothing at this address" })))
}
