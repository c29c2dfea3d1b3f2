//! What the service tells about itself in figures, as Prometheus reads them at `/metrics`.
//!
//! | metric | labels | says |
//! |---|---|---|
//! | `mizan_verify_last_success_timestamp_seconds` | tenant, mode | when every law last held |
//! | `mizan_verify_broken_laws` | tenant, mode | how many laws the newest proof found broken |
//! | `mizan_verify_checked_rows` | tenant, mode | how much it checked, over all laws |
//! | `mizan_verify_duration_seconds` | tenant, mode | how long it took |
//! | `mizan_lane_group_items` | lane | how many items shared one commit |
//! | `mizan_lane_waiting_items` | lane | how many wait for the next one |
//! | `mizan_gateway_calls_total` | connection, outcome | how calls to gateways ended |
//! | `mizan_gateway_circuit` | connection | 0 closed, 1 half open, 2 open |
//!
//! A tenant is its number and nothing else, so the figures can be read without a key.

use std::fmt;
use std::sync::Arc;

use mizan_ledger::verify::{Marks, Mode};
use mizan_money::TenantId;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::verify::Proof;

/// Seconds with their fractions.
type Seconds = Gauge<f64, std::sync::atomic::AtomicU64>;

/// The bounds of the buckets in which groups are counted by their size.
const GROUP_SIZES: [f64; 11] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProofLabels {
    tenant: i32,
    mode: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LaneLabels {
    lane: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    connection: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ConnectionLabels {
    connection: String,
}

/// All figures. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    last_success: Family<ProofLabels, Gauge>,
    broken_laws: Family<ProofLabels, Gauge>,
    checked_rows: Family<ProofLabels, Gauge>,
    duration: Family<ProofLabels, Seconds>,
    group_items: Family<LaneLabels, Histogram, fn() -> Histogram>,
    waiting_items: Family<LaneLabels, Gauge>,
    gateway_calls: Family<CallLabels, Counter>,
    gateway_circuit: Family<ConnectionLabels, Gauge>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Figures that say nothing yet.
    #[must_use]
    pub fn new() -> Self {
        let last_success = Family::<ProofLabels, Gauge>::default();
        let broken_laws = Family::<ProofLabels, Gauge>::default();
        let checked_rows = Family::<ProofLabels, Gauge>::default();
        let duration = Family::<ProofLabels, Seconds>::default();
        let histogram: fn() -> Histogram = || Histogram::new(GROUP_SIZES);
        let group_items = Family::new_with_constructor(histogram);
        let waiting_items = Family::<LaneLabels, Gauge>::default();

        let mut registry = Registry::with_prefix("mizan");
        registry.register(
            "verify_last_success_timestamp_seconds",
            "When the books were last proved and every law held",
            last_success.clone(),
        );
        registry.register(
            "verify_broken_laws",
            "Laws that the newest proof found broken",
            broken_laws.clone(),
        );
        registry.register(
            "verify_checked_rows",
            "What the newest proof checked, over all laws",
            checked_rows.clone(),
        );
        registry.register(
            "verify_duration_seconds",
            "How long the newest proof took",
            duration.clone(),
        );
        registry.register("lane_group_items", "Items that shared one commit", group_items.clone());
        registry.register(
            "lane_waiting_items",
            "Items that wait for the next commit",
            waiting_items.clone(),
        );
        let gateway_calls = Family::<CallLabels, Counter>::default();
        let gateway_circuit = Family::<ConnectionLabels, Gauge>::default();
        let (calls, circuit) = (gateway_calls.clone(), gateway_circuit.clone());
        registry.register("gateway_calls", "How calls to gateways ended", calls);
        registry.register("gateway_circuit", "0 closed, 1 half open, 2 open", circuit);
        let registry = Arc::new(registry);
        Self {
            registry,
            last_success,
            broken_laws,
            checked_rows,
            duration,
            group_items,
            waiting_items,
            gateway_calls,
            gateway_circuit,
        }
    }

    /// What a proof came to.
    pub fn proved(&self, proof: &Proof) {
        let labels = labels(proof.tenant, proof.mode);
        let broken = proof.laws.iter().filter(|law| !law.holds()).count();
        let broken = i64::try_from(broken).unwrap_or(i64::MAX);
        self.broken_laws.get_or_create(&labels).set(broken);
        self.checked_rows.get_or_create(&labels).set(proof.checked());
        self.duration.get_or_create(&labels).set(proof.took.as_secs_f64());
    }

    /// What the newest stored proofs say: other processes, and this one before its start, have
    /// proved the books as well.
    pub fn marked(&self, tenant: TenantId, marks: &Marks) {
        let newest = marks.newest.filter(|mark| mark.mode == Mode::Incremental);
        for mark in [newest, marks.newest_full].into_iter().flatten() {
            let seconds = mark.proved_at.timestamp();
            self.last_success.get_or_create(&labels(tenant, mark.mode)).set(seconds);
        }
    }

    /// So many items of a lane shared one commit.
    pub fn grouped(&self, lane: &'static str, items: usize) {
        let items = u32::try_from(items).unwrap_or(u32::MAX);
        self.group_items.get_or_create(&LaneLabels { lane }).observe(f64::from(items));
    }

    /// So many more items of a lane wait.
    pub fn waits(&self, lane: &'static str, items: usize) {
        let items = i64::try_from(items).unwrap_or(i64::MAX);
        self.waiting_items.get_or_create(&LaneLabels { lane }).inc_by(items);
    }

    /// So many of them wait no more.
    pub fn waits_no_more(&self, lane: &'static str, items: usize) {
        let items = i64::try_from(items).unwrap_or(i64::MAX);
        self.waiting_items.get_or_create(&LaneLabels { lane }).dec_by(items);
    }

    /// A gateway was called: how it ended, and how its circuit stands since.
    pub fn called(&self, connection: &str, outcome: &'static str, circuit: i64) {
        let connection = connection.to_owned();
        let of = CallLabels { connection: connection.clone(), outcome };
        self.gateway_calls.get_or_create(&of).inc();
        self.gateway_circuit.get_or_create(&ConnectionLabels { connection }).set(circuit);
    }

    /// All figures as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a text does not fail.
        let _written = encode(&mut text, &self.registry);
        text
    }
}

fn labels(tenant: TenantId, mode: Mode) -> ProofLabels {
    ProofLabels { tenant: tenant.0, mode: mode.name() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mizan_ledger::verify::Law;

    use super::*;

    #[test]
    fn a_proof_is_told_in_figures_by_tenant_and_mode() {
        let metrics = Metrics::new();
        let law = |broken: &[&str]| {
            let told = (40, broken.iter().map(|row| (*row).to_owned()).collect());
            Law::tried("a law", "rows", told, Duration::ZERO)
        };
        metrics.proved(&Proof {
            tenant: TenantId(3),
            mode: Mode::Incremental,
            since: None,
            position: 9,
            laws: vec![law(&[]), law(&["transaction 7"])],
            took: Duration::from_millis(1_250),
        });
        metrics.grouped("post", 3);
        metrics.waits("post", 9);
        metrics.waits_no_more("post", 2);
        let text = metrics.text();
        for line in [
            "mizan_verify_broken_laws{tenant=\"3\",mode=\"incremental\"} 1",
            "mizan_verify_checked_rows{tenant=\"3\",mode=\"incremental\"} 80",
            "mizan_verify_duration_seconds{tenant=\"3\",mode=\"incremental\"} 1.25",
            "mizan_lane_group_items_bucket{le=\"4.0\",lane=\"post\"} 1",
            "mizan_lane_waiting_items{lane=\"post\"} 7",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
