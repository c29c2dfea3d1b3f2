//! What belongs to a payment: order, lines, attempts and what was asked, webhooks, refunds,
//! disputes, and what was booked.

use mizan_money::id::{AttemptId, DeliveryId, DisputeId, OperationId, PaymentIntentId, RefundId};
use mizan_money::{Currency, Money};
use sqlx::PgConnection;

use super::error::TraceError;
use super::graph::{Graph, Knot};
use super::journal;
use super::node::{Kind, Node};
use super::store::{self, DeliveryRow};
use crate::affiliates::AccrualId;
use crate::payments::line::{Delivery, Line};
use crate::payments::store::{intents_of_order, load};
use crate::payments::{Attempt, Intent, Payment, Refund};
use crate::wallets::LotId;

type Result<T> = std::result::Result<T, TraceError>;

/// The most parts of one kind that are told of a payment.
const PARTS_MAX: usize = 40;
/// The most exchanges.
const EXCHANGES_MAX: usize = 60;

/// Tells a payment with everything that belongs to it.
///
/// # Errors
/// The database.
pub(super) async fn tell(
    conn: &mut PgConnection,
    graph: &mut Graph,
    id: PaymentIntentId,
) -> Result<()> {
    let tenant = graph.tenant;
    let Some(payment) = load(conn, tenant, &[id]).await?.pop() else { return Ok(()) };
    tell_order(conn, graph, &payment.intent).await?;
    graph.add(intent_node(&payment.intent));
    let Payment { lines, mut attempts, mut refunds, .. } = payment;
    let mut lines = lines;
    graph.cut(&mut lines, PARTS_MAX);
    graph.cut(&mut attempts, PARTS_MAX);
    graph.cut(&mut refunds, PARTS_MAX);
    lines.iter().for_each(|line| graph.add(line_node(id, line)));
    attempts.iter().for_each(|attempt| graph.add(attempt_node(id, attempt)));
    for refund in &refunds {
        graph.add(refund_node(id, refund));
        if let Some(attempt) = refund.attempt {
            graph.link(attempt, refund.id, "goes back by this");
        }
        if let Some(bounced) = refund.repays {
            graph.link(bounced, refund.id, "bounced and is sent again by this");
        }
    }
    let mut named = references(&attempts, &refunds);
    tell_disputes(conn, graph, &payment.intent, &mut named).await?;
    tell_operations(conn, graph, &payment.intent).await?;
    let texts: Vec<String> = named.iter().map(|(name, _)| name.clone()).collect();
    let mut told = store::deliveries(conn, tenant, &[], &texts).await?;
    graph.cut(&mut told, PARTS_MAX);
    for delivery in &told {
        tell_told(graph, &id.to_string(), delivery, &named);
    }
    tell_booked(conn, graph, id, &attempts, &refunds).await
}

/// The names that a gateway has for the parts of a payment, with the parts.
fn references(attempts: &[Attempt], refunds: &[Refund]) -> Vec<(String, String)> {
    let mut named = Vec::new();
    for attempt in attempts {
        let both = [&attempt.provider_ref, &attempt.charge_ref];
        named.extend(both.into_iter().flatten().map(|it| (it.to_string(), attempt.id.to_string())));
    }
    let refunds = refunds.iter().filter_map(|it| Some((it.provider_ref.as_ref()?, it.id)));
    named.extend(refunds.map(|(name, id)| (name.to_string(), id.to_string())));
    named
}

/// The order, and what else was paid of it.
async fn tell_order(conn: &mut PgConnection, graph: &mut Graph, intent: &Intent) -> Result<()> {
    let Some(order) = &intent.order else { return Ok(()) };
    let id = format!("order:{order}");
    let says = match &intent.customer {
        Some(customer) => format!("the shop's order of customer {customer}"),
        None => "the shop's order".to_owned(),
    };
    graph.add(Node::new(Kind::Order, &id, Some(intent.created_at)).says(says));
    graph.not_later(&id, intent.created_at);
    for other in intents_of_order(conn, graph.tenant, order).await? {
        graph.visit(Knot::Payment(other));
    }
    Ok(())
}

fn intent_node(intent: &Intent) -> Node {
    let mut says = format!("{} {}", intent.amount, intent.state.as_str());
    let parts = [
        ("captured", intent.captured),
        ("refunded", intent.refunded),
        ("to be refunded", intent.refund_pending),
        ("kept back of refunds", intent.withheld),
        ("disputed", intent.disputed),
        ("lost in disputes", intent.lost),
        ("taken beyond the order", intent.unapplied),
        ("by wallet, cash", intent.wallet.cash),
        ("by wallet, promo", intent.wallet.promo),
    ];
    for (word, amount) in parts.into_iter().filter(|(_, amount)| !amount.is_zero()) {
        says.push_str(&format!("; {amount} {word}"));
    }
    if let Some(attribution) = &intent.attribution {
        says.push_str(&format!("; sent by affiliate {}", attribution.affiliate));
    }
    if let Some(reason) = &intent.review_reason {
        says.push_str(&format!("; in review: {reason}"));
    }
    let node = Node::new(Kind::Payment, intent.id, Some(intent.created_at)).says(says);
    let node = node.state(intent.state.as_str()).amount(intent.amount);
    match &intent.order {
        Some(order) => node.of(format!("order:{order}")),
        None => node,
    }
}

fn line_node(payment: PaymentIntentId, line: &Line) -> Node {
    let whose = match &line.vendor {
        Some(vendor) => format!("vendor {vendor}"),
        None => "the platform".to_owned(),
    };
    let mut says = format!("line {}, {}: {}", line.n, whose, line.captured);
    let share: i64 = line
        .parts
        .iter()
        .filter(|part| part.component.is_vendors())
        .map(|part| part.amount.minor())
        .sum();
    if share != 0 {
        let share = Money::new(share, line.captured.currency());
        says.push_str(&format!(", {share} of it the vendor's"));
    }
    if !line.refunded.is_zero() {
        says.push_str(&format!(", {} went back", line.refunded));
    }
    let day = |at: mizan_money::Timestamp| at.format("%Y-%m-%d").to_string();
    match (line.delivery, line.delivered_at) {
        (Some(Delivery::Delivered) | None, Some(at)) => {
            says.push_str(&format!("; delivered {}", day(at)));
        }
        (Some(delivery), _) => says.push_str(&format!("; {}", delivery.as_str())),
        (None, None) => {}
    }
    match (line.released_at, line.release_at) {
        (Some(at), _) => says.push_str(&format!("; available since {}", day(at))),
        (None, Some(at)) => says.push_str(&format!("; available from {}", day(at))),
        (None, None) => {}
    }
    let state = line.delivery.map(Delivery::as_str);
    let node = Node::new(Kind::Line, format!("{payment}:{}", line.n), None).of(payment);
    let node = node.says(says).amount(line.captured);
    match state {
        Some(state) => node.state(state),
        None => node,
    }
}

fn attempt_node(payment: PaymentIntentId, attempt: &Attempt) -> Node {
    let Attempt { provider, connection, status, charge, .. } = attempt;
    let mut says = format!("{charge} over {connection} ({provider}): {}", status.as_str());
    if let Some(reference) = &attempt.provider_ref {
        says.push_str(&format!("; there {reference}"));
    }
    if let Some(charge) = &attempt.charge_ref {
        says.push_str(&format!(", charge {charge}"));
    }
    if let Some(fee) = &attempt.fee {
        says.push_str(&format!("; fee {} and tax {} as {}", fee.fee, fee.tax, fee.reference));
    }
    Node::new(Kind::Attempt, attempt.id, Some(attempt.created_at))
        .of(payment)
        .says(says)
        .state(status.as_str())
        .amount(*charge)
        .reference(attempt.provider_ref.as_ref().map(ToString::to_string))
}

fn refund_node(payment: PaymentIntentId, refund: &Refund) -> Node {
    let mut says = format!("{} {}", refund.amount, refund.state.as_str());
    if refund.origin == "gateway" {
        says.push_str("; made at the gateway");
    }
    if let Some(reference) = &refund.provider_ref {
        says.push_str(&format!("; there {reference}"));
    }
    let parts = [("to the cash purse", refund.to_cash), ("to the promo purse", refund.to_promo)];
    for (word, amount) in parts.into_iter().filter(|(_, amount)| !amount.is_zero()) {
        says.push_str(&format!("; {amount} {word}"));
    }
    if !refund.withheld.is_zero() {
        says.push_str(&format!("; {} kept back", refund.withheld));
    }
    if let Some(reason) = &refund.failure_reason {
        says.push_str(&format!("; failed: {reason}"));
    }
    Node::new(Kind::Refund, refund.id, Some(refund.created_at))
        .of(payment)
        .says(says)
        .state(refund.state.as_str())
        .amount(refund.amount)
        .reference(refund.provider_ref.as_ref().map(ToString::to_string))
}

async fn tell_disputes(
    conn: &mut PgConnection,
    graph: &mut Graph,
    intent: &Intent,
    named: &mut Vec<(String, String)>,
) -> Result<()> {
    let mut found = store::disputes(conn, graph.tenant, intent.id).await?;
    graph.cut(&mut found, PARTS_MAX);
    for dispute in found {
        let id = DisputeId::from_uuid(dispute.id);
        let money = |minor| Money::new(minor, intent.currency);
        let mut says = format!("{} {}", money(dispute.amount), dispute.state.replace('_', " "));
        says.push_str(&format!("; there {}", dispute.provider_ref));
        if dispute.withdrawn != 0 {
            let withdrawn = money(dispute.withdrawn);
            says.push_str(&format!("; withdrawn {withdrawn}, {} in the books", dispute.booked));
        }
        if let Ok(currency) = Currency::parse(&dispute.fee_currency)
            && dispute.fee != 0
        {
            says.push_str(&format!("; fee {}", Money::new(dispute.fee, currency)));
        }
        if let Some(reason) = &dispute.reason {
            says.push_str(&format!("; reason {reason}"));
        }
        named.push((dispute.provider_ref.clone(), id.to_string()));
        graph.link(AttemptId::from_uuid(dispute.attempt_id), id, "is disputed by this");
        let node = Node::new(Kind::Dispute, id, Some(dispute.created_at)).of(intent.id).says(says);
        let node = node.state(dispute.state).amount(money(dispute.amount));
        graph.add(node.reference(Some(dispute.provider_ref)));
    }
    Ok(())
}

/// What was asked of gateways, and how each question ended; never what was said.
async fn tell_operations(
    conn: &mut PgConnection,
    graph: &mut Graph,
    intent: &Intent,
) -> Result<()> {
    let mut found = store::operations(conn, graph.tenant, intent.id).await?;
    graph.cut(&mut found, PARTS_MAX);
    for row in &found {
        let mut says = format!("{}: {}", row.kind, row.state.replace('_', " "));
        if let Some(minor) = row.amount {
            says.push_str(&format!("; {}", Money::new(minor, intent.currency)));
        }
        if let Some(code) = &row.code {
            says.push_str(&format!("; {code}"));
        }
        if let Some(end) = row.finished_at.filter(|end| *end != row.created_at) {
            says.push_str(&format!("; ended {}", end.format("%Y-%m-%d %H:%M:%S")));
        }
        let owner = match row.refund_id {
            Some(refund) => RefundId::from_uuid(refund).to_string(),
            None => AttemptId::from_uuid(row.attempt_id).to_string(),
        };
        let id = OperationId::from_uuid(row.id);
        let node = Node::new(Kind::Operation, id, Some(row.created_at)).of(owner).says(says);
        graph.add(node.state(row.state.as_str()));
    }
    let ids: Vec<_> = found.iter().map(|row| row.id).collect();
    let mut said = store::exchanges(conn, graph.tenant, &ids).await?;
    graph.cut(&mut said, EXCHANGES_MAX);
    for row in said {
        let operation = OperationId::from_uuid(row.operation_id);
        let status = row.status.map_or("no answer".to_owned(), |it| format!("answered {it}"));
        let (method, path) = (row.method.unwrap_or_default(), row.path.unwrap_or_default());
        let mut says = format!("{method} {path}: {status}");
        if row.tries > 1 {
            says.push_str(&format!(" at the {}th time", row.tries));
        }
        let id = format!("{operation}:{}", row.n);
        let mut node = Node::new(Kind::Exchange, id, Some(row.created_at)).of(operation);
        node.sha256 = row.fingerprint;
        graph.add(node.says(says));
    }
    Ok(())
}

/// A webhook as a part of what it speaks of.
pub(super) fn tell_told(
    graph: &mut Graph,
    owner: &str,
    delivery: &DeliveryRow,
    named: &[(String, String)],
) {
    let id = DeliveryId::from_uuid(delivery.id);
    graph.add(delivery_node(delivery).of(owner));
    let of = named.iter().find(|(name, _)| Some(name) == delivery.object_ref.as_ref());
    if let Some((name, part)) = of {
        graph.link(id, part, format!("speaks of {name}"));
    }
}

fn delivery_node(delivery: &DeliveryRow) -> Node {
    let kind = delivery.event_type.as_deref().unwrap_or("a webhook without a type");
    let mut says = format!("{kind} {} over {}", delivery.dedupe_id, delivery.connection);
    says.push_str(&format!(" ({}): {}", delivery.provider, delivery.state));
    if let Some(reason) = &delivery.reason {
        says.push_str(&format!(", {reason}"));
    }
    says.push_str(&format!("; {} bytes", delivery.bytes));
    let id = DeliveryId::from_uuid(delivery.id);
    let mut node = Node::new(Kind::Delivery, id, Some(delivery.received_at)).says(says);
    node.sha256 = Some(delivery.sha256.clone());
    node.state(delivery.state.as_str()).reference(delivery.object_ref.clone())
}

/// A webhook that was asked about and speaks of nothing that was told.
///
/// # Errors
/// The database.
pub(super) async fn tell_delivery(
    conn: &mut PgConnection,
    graph: &mut Graph,
    id: DeliveryId,
) -> Result<()> {
    for delivery in store::deliveries(conn, graph.tenant, &[id], &[]).await? {
        graph.add(delivery_node(&delivery));
    }
    Ok(())
}

/// What was booked for a payment, its attempts, its refunds and disputes, and for what it earned
/// customers and affiliates.
async fn tell_booked(
    conn: &mut PgConnection,
    graph: &mut Graph,
    id: PaymentIntentId,
    attempts: &[Attempt],
    refunds: &[Refund],
) -> Result<()> {
    let tenant = graph.tenant;
    let mut ids = vec![(PaymentIntentId::PREFIX, id.uuid())];
    ids.extend(attempts.iter().map(|it| (AttemptId::PREFIX, it.id.uuid())));
    ids.extend(refunds.iter().map(|it| (RefundId::PREFIX, it.id.uuid())));
    let disputes = store::disputes(conn, tenant, id).await?;
    ids.extend(disputes.iter().map(|it| (DisputeId::PREFIX, it.id)));
    for (is_lot, side) in store::sides(conn, tenant, id).await? {
        ids.push((if is_lot { LotId::PREFIX } else { AccrualId::PREFIX }, side));
    }
    let posted = store::posted(conn, tenant, &ids).await?;
    let own = format!("{id}:");
    for (key, transaction) in &posted {
        // A line's own: `pi_…:2:released`.
        let step = key.strip_prefix(&own).and_then(|step| step.split(':').next());
        let line = step.filter(|n| n.parse::<i16>().is_ok());
        if let Some(line) = line {
            graph.link(format!("{id}:{line}"), transaction, "is booked by this");
        }
    }
    let transactions = posted.into_iter().map(|(_, transaction)| transaction).collect();
    journal::tell(conn, graph, Some(&id.to_string()), transactions).await?;
    Ok(())
}
