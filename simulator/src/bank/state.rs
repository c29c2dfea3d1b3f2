//! Everything that is remembered, by kind, with the ways to find it.

use std::collections::{BTreeSet, HashMap};

use mizan_money::{Currency, Timestamp};

use super::book::Row;
use super::cash::{Dispute, Payout, Reversal, Settlement, Transfer};
use super::record::{
    Capture, Document, Event, Line, Order, Payment, Record, Refund, StoredAnswer, Token,
};
use crate::table::Table;
use crate::webhook::Delivery;

/// The state of one account at one gateway.
#[derive(Debug, Default)]
pub struct State {
    pub counter: u64,
    pub orders: Table<Order>,
    pub payments: Table<Payment>,
    pub captures: Table<Capture>,
    pub refunds: Table<Refund>,
    pub tokens: Table<Token>,
    pub payouts: Table<Payout>,
    pub transfers: Table<Transfer>,
    pub reversals: Table<Reversal>,
    pub disputes: Table<Dispute>,
    pub settlements: Table<Settlement>,
    pub rows: Table<Row>,
    pub documents: Table<Document>,
    pub events: Table<Event>,
    pub answers: Table<StoredAnswer>,
    pub deliveries: Table<Delivery>,
    pub open_deliveries: BTreeSet<String>,
    /// What may happen by itself, by time; whoever takes one out checks the record again.
    pub agenda: BTreeSet<(Timestamp, String)>,
    /// Ids of captures, refunds and so on, by the id of what they belong to.
    children: HashMap<String, Vec<String>>,
    /// Ids of orders by the shop's reference.
    references: HashMap<String, Vec<String>>,
}

impl State {
    /// Takes one record in, new or changed.
    pub fn apply(&mut self, record: Record) {
        match record {
            Record::Order(order) => {
                if self.orders.get(&order.id).is_none() {
                    let of = self.references.entry(order.reference.clone()).or_default();
                    of.push(order.id.clone());
                }
                let expires = order.expires_at.filter(|_| order.state.can_expire());
                self.agenda.extend(expires.map(|at| (at, order.id.clone())));
                self.orders.put(*order);
            }
            Record::Payment(payment) => {
                self.adopt(self.payments.get(&payment.id).is_none(), &payment.order, &payment.id);
                self.agenda.extend(payment.plan.iter().map(|step| (step.at, payment.id.clone())));
                self.payments.put(*payment);
            }
            Record::Capture(capture) => {
                let is_new = self.captures.get(&capture.id).is_none();
                self.adopt(is_new, &capture.payment, &capture.id);
                self.captures.put(*capture);
            }
            Record::Refund(refund) => {
                self.adopt(self.refunds.get(&refund.id).is_none(), &refund.payment, &refund.id);
                self.agenda.extend(refund.plan.iter().map(|step| (step.at, refund.id.clone())));
                self.refunds.put(*refund);
            }
            Record::Payout(payout) => {
                self.agenda.extend(payout.plan.iter().map(|step| (step.at, payout.id.clone())));
                self.payouts.put(*payout);
            }
            Record::Transfer(transfer) => {
                if let Some(payment) = &transfer.payment {
                    let is_new = self.transfers.get(&transfer.id).is_none();
                    self.adopt(is_new, payment, &transfer.id);
                }
                self.transfers.put(*transfer);
            }
            Record::Row(row) => {
                if row.settlement.is_none() {
                    self.agenda.insert((row.available_on, row.id.clone()));
                }
                self.rows.put(*row);
            }
            Record::Delivery(delivery) => self.apply_delivery(*delivery),
            Record::Token(token) => self.tokens.put(*token),
            Record::Reversal(reversal) => self.reversals.put(*reversal),
            Record::Dispute(dispute) => self.disputes.put(*dispute),
            Record::Settlement(settlement) => self.settlements.put(*settlement),
            Record::Document(document) => self.documents.put(*document),
            Record::Event(event) => self.events.put(*event),
            Record::StoredAnswer(answer) => self.answers.put(*answer),
        }
    }

    fn apply_delivery(&mut self, delivery: Delivery) {
        if delivery.is_open() {
            self.open_deliveries.insert(delivery.id.clone());
        } else {
            self.open_deliveries.remove(&delivery.id);
        }
        self.deliveries.put(delivery);
    }

    fn adopt(&mut self, is_new: bool, parent: &str, child: &str) {
        if is_new {
            self.children.entry(parent.to_owned()).or_default().push(child.to_owned());
        }
    }

    /// Takes one line of the journal in.
    pub fn replay(&mut self, line: Line) {
        self.counter = self.counter.max(line.counter);
        for record in line.records {
            self.apply(record);
        }
    }

    fn children<'a>(&'a self, parent: &str) -> impl DoubleEndedIterator<Item = &'a String> {
        self.children.get(parent).into_iter().flatten()
    }

    /// The attempts of an order, oldest first.
    pub fn payments_of(&self, order: &str) -> impl DoubleEndedIterator<Item = &Payment> {
        self.children(order).filter_map(|id| self.payments.get(id))
    }

    /// The captures of a payment, oldest first.
    pub fn captures_of(&self, payment: &str) -> impl DoubleEndedIterator<Item = &Capture> {
        self.children(payment).filter_map(|id| self.captures.get(id))
    }

    /// The refunds of a payment, oldest first.
    pub fn refunds_of(&self, payment: &str) -> impl DoubleEndedIterator<Item = &Refund> {
        self.children(payment).filter_map(|id| self.refunds.get(id))
    }

    /// The transfers made from a payment, oldest first.
    pub fn transfers_of(&self, payment: &str) -> impl DoubleEndedIterator<Item = &Transfer> {
        self.children(payment).filter_map(|id| self.transfers.get(id))
    }

    /// The orders with this reference of the shop, oldest first.
    pub fn orders_for(&self, reference: &str) -> impl DoubleEndedIterator<Item = &Order> {
        let ids = self.references.get(reference).into_iter().flatten();
        ids.filter_map(|id| self.orders.get(id))
    }

    /// The currency in which a payment is settled; `None` before its first capture.
    pub fn base_currency(&self, payment: &str) -> Option<Currency> {
        self.captures_of(payment).next().map(|capture| capture.base_currency)
    }

    /// The order that an order id, a payment id, a capture id or the shop's reference names.
    pub fn order(&self, name: &str) -> Option<&Order> {
        let by_payment = || self.payment_by_id(name).and_then(|it| self.orders.get(&it.order));
        let found = self.orders.get(name).or_else(by_payment);
        found.or_else(|| self.orders_for(name).next_back())
    }

    /// The payment that a payment id, a capture id, an order id or the shop's reference names:
    /// of several the newest that holds or took money, else the newest.
    pub fn payment(&self, name: &str) -> Option<&Payment> {
        self.payment_by_id(name).or_else(|| {
            let order = self.order(name)?;
            let paid = |payment: &&Payment| payment.captured > 0 || payment.on_hold() > 0;
            let best = self.payments_of(&order.id).rev().find(paid);
            best.or_else(|| self.payments_of(&order.id).next_back())
        })
    }

    fn payment_by_id(&self, id: &str) -> Option<&Payment> {
        let by_capture = || self.captures.get(id).and_then(|it| self.payments.get(&it.payment));
        self.payments.get(id).or_else(by_capture)
    }
}
