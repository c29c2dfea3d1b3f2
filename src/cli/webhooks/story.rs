//! The short story behind `mizan webhooks trigger`: a payment, a refund, a hold and a refusal, at
//! a simulated gateway and through its adapter.

use std::collections::BTreeMap;
use std::time::Duration;

use mizan::clock::Clock;
use mizan::payments::gateway::{Gateway, Repetition};
use mizan_money::id::{OperationId, PaymentIntentId, RefundId};
use mizan_money::{Currency, Money};
use mizan_providers::{
    CaptureMethod, Checkout, ConfirmPayment, Confirmation, CreatePayment, NextAction, Operation,
    PaymentAnswer, PaymentStatus, ProviderRef, RefundPayment, RefundReason, Support, SyncPayment,
    VoidPayment, VoidReason,
};
use mizan_simulator::Simulator;
use serde_json::json;

use crate::cli::end::Failure;

/// What is paid, in hundredths.
const AMOUNT: i64 = 10_500;

struct Stage<'a> {
    gateway: &'a Gateway,
    simulator: &'a Simulator,
    clock: &'a Clock,
    http: reqwest::Client,
}

struct Paid {
    create: CreatePayment,
    provider_ref: ProviderRef,
    charge_ref: Option<ProviderRef>,
    status: PaymentStatus,
}

/// Plays it, and lets everything be delivered.
pub async fn play(gateway: &Gateway, simulator: &Simulator, clock: &Clock) -> Result<(), Failure> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let stage = Stage { gateway, simulator, clock, http };
    let can = gateway.provider.capabilities();
    if let Some(paid) = stage.pay(CaptureMethod::Automatic, "paid").await? {
        stage.refund(&paid).await?;
        stage.dispute(&paid).await;
    }
    stage.pay(CaptureMethod::Automatic, "declined").await?;
    if can.manual_capture != Support::No
        && let Some(held) = stage.pay(CaptureMethod::Manual, "paid").await?
        && can.void != Support::No
    {
        stage.void(&held).await?;
    }
    // Late outcomes and settlements come by the clock.
    for _ in 0..4 {
        stage.deliver().await;
        clock.advance(Duration::from_secs(24 * 3_600))?;
    }
    stage.deliver().await;
    Ok(())
}

impl Stage<'_> {
    async fn deliver(&self) {
        self.simulator.deliver_due().await;
    }

    /// What the gateway says to an operation; nothing where it refuses.
    async fn ask(&self, op: &Operation) -> Result<Option<PaymentAnswer>, Failure> {
        let key = format!("mizan-{}", OperationId::generate(self.clock.now()));
        let request = self.gateway.build(op, &key)?;
        let (outcome, _) = self.gateway.call(op, request, Repetition::First).await;
        Ok(outcome.answer().and_then(|it| it.payment()).cloned())
    }

    fn create(&self, capture: CaptureMethod, outcome: &str) -> CreatePayment {
        let now = self.clock.now();
        let currency = ["AED", "USD", "INR"].into_iter().find_map(|code| {
            let currency = Currency::parse(code).ok()?;
            self.gateway.provider.exponent(currency).map(|_| currency)
        });
        let card = match outcome {
            "declined" => "pm_card_chargeDeclined",
            _ => "pm_card_visa",
        };
        let token = self.gateway.provider.capabilities().checkout == Checkout::Token;
        CreatePayment {
            payment: PaymentIntentId::generate(now),
            operation: OperationId::generate(now),
            amount: Money::new(AMOUNT, currency.unwrap_or(Currency::AED)),
            capture,
            payment_method: token.then(|| card.to_owned()),
            confirmation: Confirmation::Now,
            return_url: Some("https://shop.example/thanks".to_owned()),
            description: None,
            metadata: BTreeMap::new(),
            instrument: None,
            keep: None,
        }
    }

    async fn pay(&self, capture: CaptureMethod, outcome: &str) -> Result<Option<Paid>, Failure> {
        let create = self.create(capture, outcome);
        let Some(answer) = self.ask(&Operation::Create(create.clone())).await? else {
            return Ok(None);
        };
        let mut paid = Paid {
            create,
            provider_ref: answer.provider_ref,
            charge_ref: answer.charge_ref,
            status: answer.status,
        };
        if paid.status == PaymentStatus::RequiresAction {
            self.deliver().await;
            let path = format!("payments/{}/pay", paid.provider_ref);
            self.control(&path, &json!({ "outcome": outcome })).await;
            let told = self.ask(&sync(&paid)).await?;
            let agreed =
                told.as_ref().is_some_and(|it| it.next_action == Some(NextAction::Confirm));
            paid.learn(told);
            if agreed {
                let told = self.ask(&self.confirm(&paid)).await?;
                paid.learn(told);
            }
        }
        self.deliver().await;
        let done = [PaymentStatus::Captured, PaymentStatus::Authorised];
        Ok(done.contains(&paid.status).then_some(paid))
    }

    fn confirm(&self, paid: &Paid) -> Operation {
        Operation::Confirm(ConfirmPayment {
            payment: paid.create.payment,
            operation: OperationId::generate(self.clock.now()),
            provider_ref: paid.provider_ref.clone(),
            amount: paid.create.amount,
            capture: paid.create.capture,
            payment_method: None,
            return_url: None,
        })
    }

    async fn refund(&self, paid: &Paid) -> Result<(), Failure> {
        let now = self.clock.now();
        let amount = paid.create.amount;
        self.ask(&Operation::Refund(RefundPayment {
            payment: paid.create.payment,
            refund: RefundId::generate(now),
            operation: OperationId::generate(now),
            provider_ref: paid.provider_ref.clone(),
            charge_ref: paid.charge_ref.clone(),
            amount: Money::new(amount.minor() / 3, amount.currency()),
            reason: RefundReason::RequestedByCustomer,
            known_refunds: Vec::new(),
        }))
        .await?;
        self.deliver().await;
        Ok(())
    }

    async fn void(&self, held: &Paid) -> Result<(), Failure> {
        self.ask(&Operation::Void(VoidPayment {
            payment: held.create.payment,
            operation: OperationId::generate(self.clock.now()),
            provider_ref: held.provider_ref.clone(),
            charge_ref: held.charge_ref.clone(),
            amount: held.create.amount,
            reason: VoidReason::RequestedByCustomer,
        }))
        .await?;
        self.deliver().await;
        Ok(())
    }

    /// Where the gateway has disputes.
    async fn dispute(&self, paid: &Paid) {
        let payment = paid.charge_ref.as_ref().unwrap_or(&paid.provider_ref);
        self.control("disputes", &json!({ "payment": payment.as_str() })).await;
        self.deliver().await;
    }

    /// What somebody outside does; a simulator that has no such thing answers so, and that is all.
    async fn control(&self, path: &str, body: &serde_json::Value) {
        let url = format!("{}/_sim/{path}", self.simulator.url());
        let _done = self.http.post(url).json(body).send().await;
    }
}

impl Paid {
    fn learn(&mut self, told: Option<PaymentAnswer>) {
        let Some(told) = told else { return };
        self.status = told.status;
        self.charge_ref = told.charge_ref.or(self.charge_ref.take());
    }
}

fn sync(paid: &Paid) -> Operation {
    Operation::Sync(SyncPayment {
        payment: paid.create.payment,
        provider_ref: paid.provider_ref.clone(),
        charge_ref: paid.charge_ref.clone(),
        amount: paid.create.amount,
    })
}
