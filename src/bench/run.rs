//! The rounds, in order: what is prepared, measured, proved and thrown away.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mizan::clock::{Clock, Monotonic};
use mizan::db::private_cluster::PrivateCluster;

use super::closed_loop::{Measured, Window};
use super::decay::decay;
use super::place::{Books, Place};
use super::post::{self, Crowd, Until, Way};
use super::row::{Figures, Rounds, Row};
use super::service::{Commits, Service};
use super::transfers::{Accounts, Pattern};
use super::webhooks::{self, Bank};
use super::yardstick::Yardstick;
use super::{http, report, store};
use crate::cli::end::Failure;
use crate::cli::output;
use crate::cli::service::TENANT;

/// What is measured, and how long.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The rows.
    pub rows: Vec<Row>,
    /// How long each row is measured in each round.
    pub time: Duration,
    /// How many rounds.
    pub rounds: u32,
    /// The scale of pgbench's tables.
    pub scale: u32,
    /// How many accounts the transfers go between.
    pub accounts: u32,
    /// How many payments are prepared for each round of webhooks.
    pub payments: u32,
    /// How many transfers the decay is measured over.
    pub decay_transfers: u32,
}

/// A benchmark under way.
struct Bench<'a> {
    plan: &'a Plan,
    place: Place<'a>,
    accounts: Arc<Accounts>,
    clock: Clock,
    watch: Monotonic,
    rounds: Rounds,
}

/// Runs the plan on a server; files go to `folder`.
///
/// # Errors
/// Anything that was not answered as it should be, and books that are wrong.
pub async fn run(plan: &Plan, cluster: &PrivateCluster, folder: &Path) -> Result<Outcome, Failure> {
    let mut bench = Bench {
        plan,
        place: Place::new(cluster, folder),
        accounts: Accounts::name(plan.accounts)?,
        clock: Clock::system(),
        watch: Monotonic::start(),
        rounds: Rounds::default(),
    };
    bench.show_settings().await?;
    let yardstick = bench.yardstick().await?;
    for round in 1..=plan.rounds {
        bench.rounds.begin();
        bench.round(round, yardstick.as_ref()).await?;
    }
    bench.decay().await?;
    Ok(Outcome { rounds: bench.rounds })
}

/// What a benchmark came to.
pub struct Outcome {
    rounds: Rounds,
}

impl Outcome {
    /// For people.
    pub fn table(&self) -> String {
        report::table(&self.rounds)
    }

    /// For programs: an object per row.
    pub fn lines(&self) -> impl serde::Serialize {
        self.rounds.lines().into_iter().map(|(_, line)| line).collect::<Vec<_>>()
    }
}

impl Bench<'_> {
    fn wants(&self, row: Row) -> bool {
        self.plan.rows.contains(&row)
    }

    fn wants_any(&self, rows: &[Row]) -> bool {
        rows.iter().any(|row| self.wants(*row))
    }

    fn window(&self) -> Window {
        Window::of(self.plan.time)
    }

    fn tell(&self, text: &str) {
        output::warn(&format!("{:>4} s  {text}", self.watch.elapsed().as_secs()));
    }

    fn keep(&mut self, row: Row, figures: Figures) {
        let name = row.name();
        if let Some(pace) = figures.pace {
            let memory = figures.memory_mb.map(|mb| format!(", {mb:.0} MB")).unwrap_or_default();
            let (per_s, p50, p99) = (pace.per_s, pace.p50_ms, pace.p99_ms);
            self.tell(&format!(
                "{name:<16} {per_s:>8.0} /s, p50 {p50:.2} ms, p99 {p99:.2} ms{memory}"
            ));
        }
        self.rounds.keep(row, figures);
    }

    async fn show_settings(&self) -> Result<(), Failure> {
        let settings = store::settings(&mut self.place.owner().await?).await?;
        let settings: Vec<String> =
            settings.into_iter().map(|(name, value)| format!("{name} = {value}")).collect();
        self.tell(&format!("the server: {}", settings.join(", ")));
        Ok(())
    }

    async fn yardstick(&self) -> Result<Option<Yardstick>, Failure> {
        if !self.wants_any(&[Row::Tpcb1, Row::Tpcb32]) {
            return Ok(None);
        }
        let yardstick = Yardstick::prepare(&self.place, self.plan.scale).await?;
        self.tell(&format!("pgbench's tables are filled, scale {}", self.plan.scale));
        Ok(Some(yardstick))
    }

    async fn round(&mut self, round: u32, yardstick: Option<&Yardstick>) -> Result<(), Failure> {
        self.tell(&format!("round {round} of {}", self.plan.rounds));
        for (row, clients) in [(Row::Tpcb1, 1), (Row::Tpcb32, 32)] {
            if let (true, Some(yardstick)) = (self.wants(row), yardstick) {
                let warm_up = self.window().warm_up();
                let pace = yardstick.run(clients, warm_up, self.plan.time).await?;
                self.keep(row, pace.into());
            }
        }
        self.posting(round).await?;
        self.serving(round).await
    }

    /// The rows within this process, on books of their own.
    async fn posting(&mut self, round: u32) -> Result<(), Failure> {
        let crowd = |callers, pattern, way| Crowd { callers, pattern, way };
        let crowds = [
            (Row::SingleCommit, crowd(post::CONNECTIONS, Pattern::Spread, Way::Alone)),
            (Row::Post1, crowd(1, Pattern::Spread, Way::Lane)),
            (Row::Post8, crowd(8, Pattern::Spread, Way::Lane)),
            (Row::Post64Spread, crowd(64, Pattern::Spread, Way::Lane)),
            (Row::Post512Spread, crowd(512, Pattern::Spread, Way::Lane)),
            (Row::Post512Hot, crowd(512, Pattern::Hot, Way::Lane)),
        ];
        if !self.wants_any(&crowds.map(|(row, _)| row)) {
            return Ok(());
        }
        let mut books = self.filled(&format!("posting_{round}"), post::CONNECTIONS).await?;
        for (row, crowd) in crowds.into_iter().filter(|(row, _)| self.plan.rows.contains(row)) {
            let until = Until::Closed(self.window());
            let mut posted = post::post(&mut books, &self.accounts, crowd, until).await?;
            // Later rounds run in a process that has been other things meanwhile.
            posted.figures.memory_mb = posted.figures.memory_mb.filter(|_| round == 1);
            if row != Row::Post512Spread {
                posted.figures.bytes_per_transfer = None;
            } else {
                let bytes = posted.figures.bytes_per_transfer.unwrap_or_default();
                let outbox = posted.outbox_bytes;
                self.tell(&format!("on disk per transfer: {bytes:.0} bytes, outbox {outbox:.0}"));
            }
            self.keep(row, posted.figures);
        }
        self.prove(books).await
    }

    /// The rows that go through the service as a process.
    async fn serving(&mut self, round: u32) -> Result<(), Failure> {
        if !self.wants_any(&[Row::Http64, Row::Webhooks64, Row::OwnTime]) {
            return Ok(());
        }
        let mut books = self.filled(&format!("serving_{round}"), 0).await?;
        let bank = Bank::open(&self.clock).await?;
        let events = self.payments(&books, &bank).await?;
        store::settle(books.owner()).await?;
        let folder = self.place.folder().to_owned();
        let service = Service::start(&books, &bank.gateway, Commits::Durable, &folder).await?;
        let (accounts, now) = (Arc::clone(&self.accounts), self.clock.now());
        if self.wants(Row::Http64) {
            let measured = http::transfers(&service, &accounts, self.window(), now).await?;
            self.keep(Row::Http64, served(&service, &measured));
        }
        if self.wants(Row::Webhooks64) {
            let window = self.window();
            let measured = webhooks::deliver(&service, &events, window, &self.clock).await?;
            let (paid, booked) = store::paid(books.owner(), TENANT.0).await?;
            let told = i64::try_from(measured.calls)?;
            if (paid, booked) != (told, told) {
                return Err(format!(
                    "{told} payments were confirmed, {paid} are paid, {booked} are booked"
                )
                .into());
            }
            self.keep(Row::Webhooks64, served(&service, &measured));
        }
        if self.wants(Row::OwnTime) {
            let measured = http::own_time(&service, &accounts, self.window(), now).await?;
            self.keep(Row::OwnTime, served(&service, &measured));
        }
        service.stop().await?;
        bank.close().await;
        self.prove(books).await
    }

    /// Payments that only the gateway knows to have succeeded. Their commits may be hasty:
    /// nothing of this is measured.
    async fn payments(&self, books: &Books, bank: &Bank) -> Result<Vec<String>, Failure> {
        if !self.wants(Row::Webhooks64) {
            return Ok(Vec::new());
        }
        let payments = usize::try_from(self.plan.payments)?;
        let folder = self.place.folder();
        let service = Service::start(books, &bank.gateway, Commits::Hasty, folder).await?;
        let events = webhooks::prepare(&service, bank, payments).await?;
        service.stop().await?;
        self.tell(&format!("{payments} payments are prepared"));
        Ok(events)
    }

    async fn decay(&mut self) -> Result<(), Failure> {
        if !self.wants(Row::Decay2m) {
            return Ok(());
        }
        let mut books = self.filled("decay", 0).await?;
        let figures = decay(&mut books, &self.accounts, self.plan.decay_transfers).await?;
        self.keep(Row::Decay2m, figures);
        self.prove(books).await
    }

    async fn filled(&self, name: &str, connections: u32) -> Result<Books, Failure> {
        let mut books = self.place.books(name, connections).await?;
        self.accounts.fill(&books).await?;
        store::settle(books.owner()).await?;
        Ok(books)
    }

    async fn prove(&self, books: Books) -> Result<(), Failure> {
        self.place.finish(books).await?;
        self.tell("the books are proved");
        Ok(())
    }
}

fn served(service: &Service, measured: &Measured) -> Figures {
    Figures { memory_mb: service.peak_mb(), ..Figures::from(measured.pace) }
}
