//! The books of a dispute, moved from where they stand to where the facts want them. Pure.

use mizan_ledger::postings::{
    DisputeLost, DisputeOpened, DisputeWon, Share, VendorFrozen, VendorUnfrozen,
};
use mizan_ledger::{AccountRef, Authority, PostingKey, Role, TransactionKind};
use mizan_money::id::AttemptId;
use mizan_money::{Money, Timestamp};

use super::facts::News;
use super::{Booked, Dispute, DisputeState, HELD, Held, Till, give_all};
use crate::payments::error::PaymentError;
use crate::payments::intent::Payment;
use crate::payments::line::Line;
use crate::payments::plan::Plan;
use crate::payments::split::{GivenBack, give_back};
use crate::vendors::WhoBears;

/// What is at hand while a dispute is booked.
pub(super) struct Hand<'a> {
    /// Balances as they are, with what this dispute has moved of them since.
    pub till: Till,
    /// When the facts were true.
    pub at: Timestamp,
    /// What is to be announced.
    pub news: News,
    /// How it ended by this word: announced last.
    pub end: Option<&'static str>,
    /// What is to be posted.
    pub plan: &'a mut Plan,
}

impl Payment {
    /// Moves the books of a dispute to where all that is known of it wants them.
    ///
    /// # Errors
    /// Amounts that do not fit; an entry that this transaction has still to write.
    pub(super) fn rebook_dispute(
        &mut self,
        n: usize,
        hand: &mut Hand<'_>,
    ) -> Result<(), PaymentError> {
        let dispute = &mut self.disputes[n];
        let (withdrawn, fee) = (dispute.withdrawn_by_now(), dispute.charged_by_now());
        let is_lost = dispute.state == DisputeState::Lost && withdrawn.is_positive();
        let moved = withdrawn != dispute.withdrawn;
        let fee_moved = fee.minor() != dispute.fee.minor();
        let wanted = match (withdrawn.is_positive(), is_lost) {
            (true, true) => Booked::Lost,
            (true, false) => Booked::Held,
            (false, _) => Booked::Nothing,
        };
        if !moved && !fee_moved && dispute.booked == wanted {
            return Ok(());
        }
        dispute.step += 1;
        // What was planned before in this transaction may change the balances that were read.
        if self.vendors_are_moving(hand.plan) {
            return Err(PaymentError::EntryAhead { dispute: self.disputes[n].id });
        }
        if self.disputes[n].booked == Booked::Lost && (wanted != Booked::Lost || moved) {
            self.reopen(n, hand)?;
        }
        if self.disputes[n].booked == Booked::Held && moved {
            self.unfreeze(n, hand)?;
        }
        if moved || fee_moved {
            self.move_funds(n, withdrawn, fee, hand)?;
        }
        if self.disputes[n].booked == Booked::Nothing && wanted != Booked::Nothing {
            self.take_disputed(n, hand)?;
            if wanted == Booked::Held {
                self.freeze(n, hand)?;
            }
        }
        if self.disputes[n].booked == Booked::Held && wanted == Booked::Lost {
            self.lose(n, hand)?;
        }
        match fee_moved {
            true => self.charge_fee_on(n, hand),
            false => Ok(()),
        }
    }

    fn vendors_are_moving(&self, plan: &Plan) -> bool {
        self.lines.iter().filter_map(|line| line.vendor.as_deref()).any(|it| plan.moves_vendor(it))
    }

    /// The gateway took money, or gave it back.
    fn move_funds(
        &mut self,
        n: usize,
        withdrawn: Money,
        fee: Money,
        hand: &mut Hand<'_>,
    ) -> Result<(), PaymentError> {
        let dispute = &mut self.disputes[n];
        let provider = dispute.provider.to_string();
        let amount = withdrawn.checked_sub(dispute.withdrawn)?;
        let more = Money::new(fee.minor() - dispute.fee.minor(), fee.currency());
        let (source, step) = (dispute.id.to_string(), dispute.step);
        let comes = amount.is_negative() || (amount.is_zero() && more.is_negative());
        let (kind, what, posting) = match comes {
            true => {
                let (amount, fee) = (amount.checked_neg()?, more.checked_neg()?);
                ("dispute.won", "reinstated", DisputeWon { provider, amount, fee }.posting()?)
            }
            false => {
                let posting = DisputeOpened { provider, amount, fee: more }.posting()?;
                ("dispute.opened", "withdrawn", posting)
            }
        };
        let key = dispute.key(step, what);
        (dispute.withdrawn, dispute.fee) = (withdrawn, fee);
        let entry = hand.plan.post(kind, key, source, hand.at, posting)?;
        hand.news.push(match (amount.is_zero(), comes) {
            (true, _) => ("dispute.updated", Some(entry)),
            (false, true) => ("dispute.funds_reinstated", Some(entry)),
            (false, false) => ("dispute.funds_withdrawn", Some(entry)),
        });
        Ok(())
    }

    /// What of the withdrawn money is the order's, and by which parties it would be given up.
    ///
    /// What is beyond the order (a rate that moved, a payment that was refunded already, a second
    /// payment) no party of the order ever got or has given back before: it is the platform's
    /// cost, in `dispute_losses` once it is lost, and a person looks. Unapplied receipts stay as
    /// they are: they are owed to whoever paid, until a person decides.
    fn take_disputed(&mut self, n: usize, hand: &mut Hand<'_>) -> Result<(), PaymentError> {
        let dispute = &self.disputes[n];
        let (withdrawn, currency) = (dispute.withdrawn.minor(), self.intent.currency);
        let paid = self.attempt(dispute.attempt);
        let left = match paid.is_some_and(|attempt| attempt.captured.is_positive()) {
            true => self.left_at_the_gateway().minor().max(0),
            false => 0,
        };
        // What rounding to the gateway's step added is nobody's of the order.
        let step = self.rounded_by(dispute.attempt);
        let (taken, rounding) = match left > 0 && withdrawn - left == step {
            true => (left, step),
            false => (withdrawn.min(left), 0),
        };
        let beyond = Money::new(withdrawn - taken - rounding, currency);
        let (taken, rounding) = (Money::new(taken, currency), Money::new(rounding, currency));
        let all = match taken.is_positive() {
            true => give_back(&self.lines_left()?, taken, None)?,
            false => Vec::new(),
        };
        let lines = &self.lines;
        let liable = |given: &GivenBack| {
            lines.iter().any(|line| line.n == given.n && bears_losses(line) == WhoBears::Vendor)
        };
        let dispute = &mut self.disputes[n];
        if dispute.spread.is_empty() {
            dispute.spread = all.iter().map(|given| (given.n, given.paid.minor())).collect();
        }
        dispute.parts = all.into_iter().filter(liable).collect();
        (dispute.taken, dispute.rounding, dispute.booked) = (taken, rounding, Booked::Held);
        self.intent.disputed = self.intent.disputed.checked_add(taken)?;
        if beyond.is_positive() {
            let question = format!("{}: {beyond} is disputed beyond the order", dispute.id);
            self.ask_a_person(question, hand.plan);
        }
        Ok(())
    }

    /// What rounding to the gateway's step added to what an attempt took, in minor units.
    pub(super) fn rounded_by(&self, attempt: AttemptId) -> i64 {
        let whole = self.attempt(attempt).filter(|attempt| attempt.captured == attempt.charge);
        whole.map_or(0, |it| it.charge.minor() - self.intent.by_gateway().minor())
    }

    /// Moves the vendors' parts to where nothing is paid out of, as far as they are there.
    fn freeze(&mut self, n: usize, hand: &mut Hand<'_>) -> Result<(), PaymentError> {
        let (mut taken, mut held, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        for given in &self.disputes[n].parts {
            let Some(line) = self.lines.iter().find(|line| line.n == given.n) else { continue };
            for share in line.taken(given)?.into_iter().filter(is_vendors) {
                let amount = hand.till.take(&share.account, share.amount);
                if amount.is_zero() {
                    continue;
                }
                let vendor = line.vendor.clone().unwrap_or_default();
                let account = AccountRef::new(Role::VendorPayable, &[&vendor, HELD])?;
                let from = line.bucket().to_owned();
                taken.push(Share { account: share.account, amount });
                held.push(Share { account, amount });
                kept.push(Held { n: line.n, vendor, from, amount });
            }
        }
        let dispute = &mut self.disputes[n];
        dispute.held = kept;
        if taken.is_empty() {
            return Ok(());
        }
        let (key, source) = (dispute.key(dispute.step, "frozen"), dispute.id.to_string());
        let posting = VendorFrozen { taken, held }.posting()?;
        let entry = hand.plan.post("vendor.frozen", key, source, hand.at, posting)?;
        hand.news.push(("dispute.updated", Some(entry)));
        Ok(())
    }

    /// The money came back: what was held is free, in the bucket in which its line is by now.
    fn unfreeze(&mut self, n: usize, hand: &mut Hand<'_>) -> Result<(), PaymentError> {
        let dispute = &mut self.disputes[n];
        let (mut held, mut given) = (Vec::new(), Vec::new());
        for it in std::mem::take(&mut dispute.held) {
            let line = self.lines.iter().find(|line| line.n == it.n);
            let bucket = line.map_or_else(|| it.from.clone(), |line| line.bucket().to_owned());
            let account =
                |bucket: &str| AccountRef::new(Role::VendorPayable, &[&it.vendor, bucket]);
            hand.till.put(&account(&bucket)?, it.amount);
            held.push(Share { account: account(HELD)?, amount: it.amount });
            given.push(Share { account: account(&bucket)?, amount: it.amount });
        }
        self.intent.disputed = self.intent.disputed.checked_sub(dispute.taken)?;
        let zero = Money::zero(self.intent.currency);
        (dispute.taken, dispute.rounding, dispute.booked) = (zero, zero, Booked::Nothing);
        dispute.parts = Vec::new();
        if held.is_empty() {
            return Ok(());
        }
        let (key, source) = (dispute.key(dispute.step, "unfrozen"), dispute.id.to_string());
        let posting = VendorUnfrozen { held, given }.posting()?;
        let entry = hand.plan.post("vendor.unfrozen", key, source, hand.at, posting)?;
        hand.news.push(("dispute.updated", Some(entry)));
        Ok(())
    }

    /// It is lost: the parties that are liable give up their parts, the platform bears the rest.
    fn lose(&mut self, n: usize, hand: &mut Hand<'_>) -> Result<(), PaymentError> {
        let dispute = &self.disputes[n];
        let posting = DisputeLost {
            provider: dispute.provider.to_string(),
            amount: dispute.withdrawn,
            borne: self.borne(dispute)?,
        };
        let parts = dispute.parts.clone();
        let dispute = &mut self.disputes[n];
        (dispute.lost_step, dispute.booked) = (dispute.step, Booked::Lost);
        let (key, source, taken) = (dispute.loss_key(), dispute.id.to_string(), dispute.taken);
        give_all(&mut self.lines, &parts, 1)?;
        self.intent.disputed = self.intent.disputed.checked_sub(taken)?;
        self.intent.lost = self.intent.lost.checked_add(taken)?;
        let posting = posting.posting()?;
        let entry = hand.plan.post("dispute.lost", key, source, hand.at, posting)?;
        // A loss that was told before its money went is announced already.
        let kind = hand.end.take().unwrap_or("dispute.updated");
        hand.news.push((kind, Some(entry)));
        Ok(())
    }

    /// Who bears a loss: vendors out of what is held, then out of what they have.
    fn borne(&self, dispute: &Dispute) -> Result<Vec<Share>, PaymentError> {
        let currency = self.intent.currency;
        let mut borne = Vec::new();
        for given in &dispute.parts {
            let Some(line) = self.lines.iter().find(|line| line.n == given.n) else { continue };
            let of_line = dispute.held.iter().filter(|held| held.n == line.n);
            let mut held = Money::sum(currency, of_line.map(|held| held.amount))?;
            for share in line.taken(given)? {
                let from_held = match is_vendors(&share) {
                    true => Money::new(held.minor().min(share.amount.minor()), currency),
                    false => Money::zero(currency),
                };
                held = held.checked_sub(from_held)?;
                let vendor = line.vendor.as_deref().unwrap_or_default();
                let rest = share.amount.checked_sub(from_held)?;
                if from_held.is_positive() {
                    let account = AccountRef::new(Role::VendorPayable, &[vendor, HELD])?;
                    borne.push(Share { account, amount: from_held });
                }
                borne.push(Share { account: share.account, amount: rest });
            }
            let coupon = given.coupon.checked_neg()?;
            let account = AccountRef::new(Role::PromotionsExpense, &[])?;
            borne.push(Share { account, amount: coupon });
        }
        let given_up = Money::sum(currency, dispute.parts.iter().map(|given| given.paid))?;
        let rest = dispute.withdrawn.checked_sub(given_up)?.checked_sub(dispute.rounding)?;
        let own = |role, amount| -> Result<Share, PaymentError> {
            Ok(Share { account: AccountRef::new(role, &[])?, amount })
        };
        borne.push(own(Role::DisputeLosses, rest)?);
        borne.push(own(Role::RoundingDifference, dispute.rounding)?);
        Ok(borne)
    }

    /// The loss does not stand: its entry is taken back leg by leg, a debt as a debt.
    fn reopen(&mut self, n: usize, hand: &mut Hand<'_>) -> Result<(), PaymentError> {
        let dispute = &self.disputes[n];
        let ahead = PaymentError::EntryAhead { dispute: dispute.id };
        let loss = hand.till.loss(dispute.id).ok_or(ahead)?.clone();
        let key = PostingKey::new(dispute.key(dispute.step, "reopened"))?;
        let (kind, actor) = (TransactionKind::new("dispute.reopened")?, hand.plan.actor().into());
        let entry = hand.plan.add(loss.reversal(key, kind, Authority::Fact, hand.at, actor)?);
        hand.news.push(("dispute.updated", Some(entry)));
        let (parts, taken) = (dispute.parts.clone(), dispute.taken);
        give_all(&mut self.lines, &parts, -1)?;
        self.intent.lost = self.intent.lost.checked_sub(taken)?;
        self.intent.disputed = self.intent.disputed.checked_add(taken)?;
        self.disputes[n].booked = Booked::Held;
        Ok(())
    }
}

/// Who bears what is lost of a line.
fn bears_losses(line: &Line) -> WhoBears {
    line.deal.as_ref().map_or(WhoBears::Vendor, |deal| deal.terms.dispute_liability)
}

fn is_vendors(share: &Share) -> bool {
    share.account.role() == Role::VendorPayable
}
