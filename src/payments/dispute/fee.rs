//! The gateway's fee for a dispute, charged on to the vendors whose terms say so. Pure.

use std::collections::BTreeMap;

use mizan_ledger::postings::{DisputeFeeCharged, Share};
use mizan_ledger::{AccountRef, Role};
use mizan_money::{Money, allocate};

use super::books::Hand;
use crate::commissions::Deal;
use crate::payments::error::PaymentError;
use crate::payments::intent::Payment;
use crate::payments::split::{SplitError, charged_taxes, give_back};
use crate::vendors::WhoBears;

impl Payment {
    /// Charges vendors their parts of the fee as it is now, with the tax on them, or gives back
    /// what they were charged too much. A fee is spread over the lines by what is disputed of
    /// each.
    pub(super) fn charge_fee_on(
        &mut self,
        n: usize,
        hand: &mut Hand<'_>,
    ) -> Result<(), PaymentError> {
        self.spread_dispute(n)?;
        let wanted = self.fee_by_vendor(n)?;
        let dispute = &self.disputes[n];
        let currency = dispute.fee.currency();
        let (mut taken, mut given) = (Vec::new(), Vec::new());
        let vendors: Vec<&String> = dispute.charged.keys().chain(wanted.keys()).collect();
        let mut done: Vec<&String> = Vec::new();
        for vendor in vendors {
            let of = |by: &BTreeMap<String, i64>| by.get(vendor).copied().unwrap_or(0);
            let (before, now) = (of(&dispute.charged), of(&wanted));
            let Some(deal) = self.deal_of(vendor).filter(|_| !done.contains(&vendor)) else {
                continue;
            };
            done.push(vendor);
            let mut sum = Money::new(now - before, currency);
            given.push(Share {
                account: AccountRef::new(Role::DisputeFeeRecovery, &[])?,
                amount: sum,
            });
            let taxes = |minor| charged_taxes(deal, Money::new(minor, currency));
            for (old, new) in taxes(before)?.into_iter().zip(taxes(now)?) {
                let amount = new.amount.checked_sub(old.amount)?;
                sum = sum.checked_add(amount)?;
                given.push(Share { account: new.account, amount });
            }
            let account = AccountRef::new(Role::VendorPayable, &[vendor, "available"])?;
            taken.push(Share { account, amount: sum });
        }
        if taken.iter().all(|share| share.amount.is_zero()) {
            return Ok(());
        }
        let posting = DisputeFeeCharged { taken, given }.posting()?;
        let dispute = &mut self.disputes[n];
        dispute.charged = wanted;
        let (key, source) = (dispute.key(dispute.step, "charged"), dispute.id.to_string());
        let entry = hand.plan.post("dispute.fee_charged", key, source, hand.at, posting)?;
        hand.news.push(("dispute.updated", Some(entry)));
        Ok(())
    }

    /// A fee may be told when the money is back already: then nothing was spread so far.
    fn spread_dispute(&mut self, n: usize) -> Result<(), PaymentError> {
        let dispute = &self.disputes[n];
        let left = self.left_at_the_gateway().minor();
        let amount = Money::new(dispute.amount.minor().min(left), self.intent.currency);
        if !dispute.spread.is_empty() || !amount.is_positive() {
            return Ok(());
        }
        let all = give_back(&self.lines_left()?, amount, None)?;
        self.disputes[n].spread = all.iter().map(|given| (given.n, given.paid.minor())).collect();
        Ok(())
    }

    /// What each vendor bears of the fee as it is now.
    fn fee_by_vendor(&self, n: usize) -> Result<BTreeMap<String, i64>, PaymentError> {
        let dispute = &self.disputes[n];
        let mut by_vendor = BTreeMap::new();
        let weights: Vec<i64> = dispute.spread.iter().map(|(_, paid)| *paid).collect();
        if !dispute.fee.is_positive() || weights.iter().all(|paid| *paid == 0) {
            return Ok(by_vendor);
        }
        let parts = allocate(dispute.fee, &weights).map_err(SplitError::from)?;
        for ((line, _), part) in dispute.spread.iter().zip(parts) {
            let line = self.lines.iter().find(|it| it.n == *line);
            let Some((line, deal)) = line.and_then(|it| Some((it, it.deal.as_ref()?))) else {
                continue;
            };
            if let (WhoBears::Vendor, Some(vendor)) = (deal.terms.dispute_fee, &line.vendor) {
                *by_vendor.entry(vendor.clone()).or_insert(0) += part.minor();
            }
        }
        Ok(by_vendor)
    }

    fn deal_of(&self, vendor: &str) -> Option<&Deal> {
        let own = self.lines.iter().find(|line| line.vendor.as_deref() == Some(vendor));
        own.and_then(|line| line.deal.as_ref())
    }
}
