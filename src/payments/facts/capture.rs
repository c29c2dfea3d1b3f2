//! Money that was taken: booked to the order if it is still open for it, to unapplied receipts if
//! not. Pure.

use mizan_ledger::postings::{PaymentCaptured, ReceiptUnapplied, Share};
use mizan_ledger::{AccountRef, Role};
use mizan_money::{Money, Timestamp};
use mizan_providers::{CaptureMethod, PaymentAnswer};

use crate::commissions::{Deal, Whose};
use crate::payments::error::PaymentError;
use crate::payments::intent::{Intent, IntentState, Payment};
use crate::payments::line::Line;
use crate::payments::plan::{Plan, Policy};
use crate::payments::split::{Order, Overcharge, split_capture};
use crate::payments::view;
use crate::payments::wallet_part::WalletState;
use crate::vendors::ReleaseAfter;

/// What holds for each line at a time.
pub fn deals_of(lines: &[Line], intent: &Intent, policy: &Policy, at: Timestamp) -> Vec<Deal> {
    let deal = |line: &Line| {
        let whose = Whose {
            vendor: line.vendor.as_deref(),
            category: line.category.as_deref(),
            percent: line.commission,
            customer_state: intent.customer_state.as_deref(),
            currency: intent.currency,
        };
        policy.book.deal(whose, at)
    };
    lines.iter().map(deal).collect()
}

impl Payment {
    /// Money was taken. It is booked first; what it means for the order comes after.
    pub(super) fn capture(
        &mut self,
        n: usize,
        fact: &PaymentAnswer,
        at: Timestamp,
        policy: &Policy,
        plan: &mut Plan,
    ) -> Result<(), PaymentError> {
        let closed = matches!(
            self.intent.state,
            IntentState::Cancelled | IntentState::Expired | IntentState::Reversed
        );
        let same_currency = fact.captured.currency() == self.intent.currency;
        let expected = if closed || !self.intent.captured.is_zero() || !same_currency {
            Money::zero(fact.captured.currency())
        } else {
            let charge = self.attempts[n].charge;
            Money::new(fact.captured.minor().min(charge.minor()), self.intent.currency)
        };
        let beyond = fact.captured.checked_sub(expected)?;
        // Asked first, so that nobody is told of a success that is none.
        let question = self.question_capture(n, fact, closed, beyond);
        if let Some(question) = &question {
            let attempt = self.attempts[n].id;
            self.intent.send_to_review(format!("{question} ({attempt})"));
        }
        if expected.is_positive() {
            self.book_capture(n, expected, at, policy, plan)?;
        }
        if beyond.is_positive() {
            self.book_unapplied(n, beyond, at, plan)?;
        }
        self.intent.next_action = None;
        if question.is_some() {
            let id = self.intent.id.to_string();
            plan.announce("payment.review", id, None, view::event_payload(self));
        }
        Ok(())
    }

    /// Books what was taken with the wallet's part, each to whom it belongs.
    fn book_capture(
        &mut self,
        n: usize,
        taken: Money,
        at: Timestamp,
        policy: &Policy,
        plan: &mut Plan,
    ) -> Result<(), PaymentError> {
        let attempt = &self.attempts[n];
        // What rounding added or left is nobody's: the order is paid by what it asks for.
        let value = match taken == attempt.charge {
            true => self.intent.by_gateway(),
            false => taken,
        };
        let account = AccountRef::new(Role::GatewayClearing, &[attempt.provider.as_str()])?;
        let paid = vec![Share { account, amount: taken }];
        let account = AccountRef::new(Role::RoundingDifference, &[])?;
        let residue = Share { account, amount: taken.checked_sub(value)? };
        let key = format!("{}:captured", attempt.id);
        self.attempts[n].captured = taken;
        self.book_payment((key, at), value, (paid, residue), policy, plan)
    }

    /// Books an order that the wallet alone pays: no gateway has a part in it.
    ///
    /// # Errors
    /// Amounts that do not fit.
    pub fn capture_by_wallet(
        &mut self,
        policy: &Policy,
        plan: &mut Plan,
    ) -> Result<(), PaymentError> {
        let nothing = Money::zero(self.intent.currency);
        let account = AccountRef::new(Role::RoundingDifference, &[])?;
        let (key, residue) =
            (format!("{}:captured", self.intent.id), Share { account, amount: nothing });
        let now = plan.now();
        self.book_payment((key, now), nothing, (Vec::new(), residue), policy, plan)
    }

    fn book_payment(
        &mut self,
        (key, at): (String, Timestamp),
        by_gateway: Money,
        (mut paid, residue): (Vec<Share>, Share),
        policy: &Policy,
        plan: &mut Plan,
    ) -> Result<(), PaymentError> {
        let intent = &self.intent;
        let captured = by_gateway.checked_add(intent.wallet.paying()?)?;
        let deals = deals_of(&self.lines, intent, policy, at);
        let order = Order {
            customer: intent.customer.as_deref(),
            attribution: intent.attribution.as_ref(),
        };
        split_capture(&mut self.lines, &deals, captured, order, Overcharge::Cut)?;
        for line in &mut self.lines {
            line.count_days(ReleaseAfter::Capture, at);
        }
        paid.extend(self.wallets_shares()?);
        let coupons = Money::sum(intent.currency, self.lines.iter().map(|line| line.coupon))?;
        paid.push(Share {
            account: AccountRef::new(Role::PromotionsExpense, &[])?,
            amount: coupons,
        });
        let parts = self.lines.iter().flat_map(|line| &line.parts);
        let mut shares: Vec<Share> = parts
            .map(|part| Share { account: part.account.clone(), amount: part.amount })
            .collect();
        shares.push(residue);
        let posting = PaymentCaptured { paid, shares }.posting()?;
        let source = self.intent.id.to_string();
        let entry = plan.post("payment.captured", key, source.clone(), at, posting)?;
        if self.intent.wallet.state == WalletState::Held {
            self.intent.wallet.state = WalletState::Spent;
        }
        self.intent.authorised = self.intent.amount;
        self.intent.captured = captured;
        self.intent.voided = self.intent.amount.checked_sub(captured)?;
        self.intent.last_error = None;
        self.intent.cancellation_reason = None;
        let event = match self.intent.state {
            IntentState::Review => "payment.captured",
            _ => "payment.completed",
        };
        if self.intent.state != IntentState::Review {
            self.intent.state = IntentState::Succeeded;
        }
        plan.announce(event, source, Some(entry), view::event_payload(self));
        Ok(())
    }

    /// The wallet's part of a capture, out of what is held for it.
    fn wallets_shares(&self) -> Result<Vec<Share>, PaymentError> {
        let wallet = &self.intent.wallet;
        let Some(customer) = &self.intent.customer else { return Ok(Vec::new()) };
        if wallet.state != WalletState::Held {
            return Ok(Vec::new());
        }
        let share = |kind, amount| -> Result<Share, PaymentError> {
            let account = AccountRef::new(Role::CustomerWallet, &[customer, kind, "held"])?;
            Ok(Share { account, amount })
        };
        Ok(vec![share("cash", wallet.cash)?, share("promo", wallet.promo)?])
    }

    fn book_unapplied(
        &mut self,
        n: usize,
        amount: Money,
        at: Timestamp,
        plan: &mut Plan,
    ) -> Result<(), PaymentError> {
        let attempt = &self.attempts[n];
        let posting =
            ReceiptUnapplied { provider: attempt.provider.to_string(), amount }.posting()?;
        let (key, source) = (format!("{}:unapplied", attempt.id), self.intent.id.to_string());
        let entry = plan.post("receipt.unapplied", key, source.clone(), at, posting)?;
        if amount.currency() == self.intent.currency {
            self.intent.unapplied = self.intent.unapplied.checked_add(amount)?;
        }
        plan.announce("payment.unapplied", source, Some(entry), view::event_payload(self));
        Ok(())
    }

    /// What a person must look at, where the money taken is not the money asked for.
    fn question_capture(
        &self,
        n: usize,
        fact: &PaymentAnswer,
        closed: bool,
        beyond: Money,
    ) -> Option<String> {
        let (taken, asked) = (fact.captured, self.attempts[n].charge);
        let automatic = self.intent.capture_method == CaptureMethod::Automatic;
        if closed {
            Some(format!("{taken} was taken after the payment was {}", self.intent.state.as_str()))
        } else if beyond.is_positive() {
            Some(format!("{beyond} was taken beyond what was asked ({asked})"))
        } else if (fact.amount != asked && (automatic || fact.amount != taken))
            || (automatic && taken != asked)
        {
            Some(format!("{taken} was taken, asked was {asked}"))
        } else {
            None
        }
    }
}
