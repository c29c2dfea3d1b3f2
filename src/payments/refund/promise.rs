//! A refund is promised: each party gives back its part, and the buyer is owed the amount. Pure.

use mizan_ledger::postings::{RefundRequested, Share};
use mizan_ledger::{AccountRef, Role};
use mizan_money::{Money, allocate};

use crate::payments::error::PaymentError;
use crate::payments::intent::{Payment, Refund, RefundState};
use crate::payments::plan::{Plan, Policy, RefundTenders};
use crate::payments::refund::requested_key;
use crate::payments::split::{Wanted, give_back};
use crate::payments::wallet_part::WalletState;

/// How a refund goes back.
#[derive(Debug, Clone, Copy)]
pub enum Way<'a> {
    /// As we ask for it.
    Ours {
        /// Only these lines.
        lines: Option<&'a [Wanted]>,
        /// Into the wallet, also what the gateway had taken.
        to_wallet: bool,
        /// The step in which the gateway takes amounts.
        step: i64,
    },
    /// It was made at the gateway: the charge is what it says.
    Theirs,
    /// As it was promised before; all of it is known.
    Again,
}

impl Payment {
    /// What can still go back over the gateway, before rounding.
    pub fn left_at_the_gateway(&self) -> Money {
        let wallet = match self.intent.wallet.state {
            WalletState::Spent => {
                let it = &self.intent.wallet;
                it.cash.minor() - it.cash_back.minor() + it.promo.minor() - it.promo_back.minor()
            }
            _ => 0,
        };
        Money::new(self.intent.refundable_minor() - wallet, self.intent.currency)
    }

    /// Promises a refund: each party gives back its part, and the buyer is owed the amount.
    ///
    /// # Errors
    /// More than is left; amounts that do not fit.
    pub fn promise_refund(
        &mut self,
        mut refund: Refund,
        way: Way<'_>,
        policy: &Policy,
        plan: &mut Plan,
    ) -> Result<(), PaymentError> {
        if let Some(bounced) = self.owed_again(refund.amount) {
            // The parties have given this money back already: only the way to the buyer is new.
            refund.repays = Some(bounced.id);
            refund.parts = bounced.parts.clone();
            refund.charge = bounced.charge;
            if let Way::Ours { to_wallet: true, .. } = way {
                refund.charge = Money::zero(self.intent.currency);
                refund.to_cash = refund.amount;
            }
            self.announce_refund("refund.requested", &refund, None, plan);
            self.refunds.push(refund);
            return Ok(());
        }
        if refund.amount.minor() > self.intent.refundable_minor() {
            return Err(PaymentError::TooMuch {
                payment: self.intent.id,
                action: "refund",
                asked: refund.amount,
                left: Money::new(self.intent.refundable_minor(), self.intent.currency),
            });
        }
        if !matches!(way, Way::Again) {
            let wanted = match way {
                Way::Ours { lines, .. } => lines,
                Way::Theirs | Way::Again => None,
            };
            refund.parts = give_back(&self.lines_left()?, refund.amount, wanted)?;
            self.spread(&mut refund, way, policy.refund_tenders)?;
        }
        let posting = self.promise(&refund)?;
        let (key, source) = (requested_key(refund.id), refund.id.to_string());
        let entry = plan.post("refund.requested", key, source, plan.now(), posting.posting()?)?;
        self.count_refund(&refund, 1)?;
        self.announce_refund("refund.requested", &refund, Some(entry), plan);
        self.refunds.push(refund);
        Ok(())
    }

    /// Over which tenders it goes: what the gateway had taken, and what the wallet had paid.
    fn spread(
        &self,
        refund: &mut Refund,
        way: Way<'_>,
        policy: RefundTenders,
    ) -> Result<(), PaymentError> {
        let (wallet, owed) = (&self.intent.wallet, refund.owed());
        let spent = wallet.state == WalletState::Spent;
        let left = |paid: Money, back: Money| if spent { paid.minor() - back.minor() } else { 0 };
        let tenders = [
            self.left_at_the_gateway().minor() - refund.withheld.minor(),
            left(wallet.cash, wallet.cash_back),
            left(wallet.promo, wallet.promo_back),
        ];
        let [gateway, cash, promo] = match way {
            Way::Theirs | Way::Again => [owed.minor(), 0, 0],
            Way::Ours { .. } => share_out(owed, tenders, policy)?,
        };
        let money = |minor| Money::new(minor, owed.currency());
        refund.cash_part = money(cash);
        refund.to_promo = money(promo);
        refund.to_cash = money(cash);
        match way {
            Way::Theirs | Way::Again => {}
            Way::Ours { to_wallet: true, .. } => {
                refund.to_cash = money(cash + gateway);
                refund.charge = money(0);
            }
            Way::Ours { step, .. } => {
                let all = gateway == tenders[0];
                refund.charge = money(self.charge_for(refund, gateway, all, step));
            }
        }
        Ok(())
    }

    /// What the gateway is asked to send for its part: rounded to what it takes, and for the
    /// last of it, whatever is left of what it took.
    fn charge_for(&self, refund: &Refund, part: i64, all: bool, step: i64) -> i64 {
        let taken = refund.attempt.and_then(|id| self.attempt(id));
        let taken = taken.map_or(part, |attempt| attempt.captured.minor());
        let sent: i64 = self
            .refunds
            .iter()
            .filter(|other| other.state != RefundState::Failed && other.repays.is_none())
            .filter(|other| !other.is_beyond())
            .map(|other| other.charge.minor())
            .sum();
        // What was kept back stays at the gateway, which is ours.
        let left = taken - sent - self.intent.withheld.minor() - refund.withheld.minor();
        if all && self.intent.disputed.is_zero() && self.intent.lost.is_zero() {
            return left;
        }
        (((part + step / 2) / step) * step).clamp(step.min(part), left)
    }

    /// Who gives, and who is owed.
    fn promise(&self, refund: &Refund) -> Result<RefundRequested, PaymentError> {
        let mut taken = Vec::new();
        let mut coupons = Money::zero(self.intent.currency);
        for given in &refund.parts {
            let Some(line) = self.lines.iter().find(|line| line.n == given.n) else { continue };
            taken.extend(line.taken(given)?);
            coupons = coupons.checked_add(given.coupon)?;
        }
        let given = vec![
            Share { account: AccountRef::new(Role::RefundsPayable, &[])?, amount: refund.owed() },
            Share { account: AccountRef::new(Role::PromotionsExpense, &[])?, amount: coupons },
            Share {
                account: AccountRef::new(Role::CashbackExpense, &[])?,
                amount: refund.withheld,
            },
        ];
        Ok(RefundRequested { taken, given })
    }

    /// Counts a promised refund, or with -1 forgets one that came to nothing.
    ///
    /// # Errors
    /// Amounts that do not fit.
    pub(in crate::payments) fn count_refund(
        &mut self,
        refund: &Refund,
        sign: i64,
    ) -> Result<(), PaymentError> {
        for given in &refund.parts {
            if let Some(line) = self.lines.iter_mut().find(|line| line.n == given.n) {
                line.give(given, sign)?;
            }
        }
        let intent = &mut self.intent;
        let add = |to: &mut Money, amount: Money| -> Result<(), PaymentError> {
            *to = to.checked_add(amount.checked_mul(sign)?)?;
            Ok(())
        };
        add(&mut intent.refund_pending, refund.owed())?;
        add(&mut intent.withheld, refund.withheld)?;
        add(&mut intent.wallet.cash_back, refund.cash_part)?;
        add(&mut intent.wallet.promo_back, refund.to_promo)
    }
}

/// An amount over the gateway, the cash and the promo credit that are left, by policy.
fn share_out(owed: Money, left: [i64; 3], policy: RefundTenders) -> Result<[i64; 3], PaymentError> {
    let left = left.map(|it| it.max(0));
    if owed.is_zero() {
        return Ok([0; 3]);
    }
    let order: [usize; 3] = match policy {
        RefundTenders::ProRata => {
            let parts = allocate(owed, &left).map_err(crate::payments::split::SplitError::from)?;
            let minor = |n: usize| parts.get(n).map_or(0, |part| part.minor());
            return Ok([minor(0), minor(1), minor(2)]);
        }
        RefundTenders::GatewayFirst => [0, 1, 2],
        RefundTenders::WalletFirst => [2, 1, 0],
    };
    let (mut rest, mut shares) = (owed.minor(), [0; 3]);
    for tender in order {
        shares[tender] = rest.min(left[tender]);
        rest -= shares[tender];
    }
    Ok(shares)
}
