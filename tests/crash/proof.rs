//! What must hold when the dust has settled.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use mizan::clock::Monotonic;
use mizan_money::Timestamp;
use serde_json::Value;
use tokio::task::JoinSet;

use super::caller::{Answer, Command};
use super::story::{PlainPromise, Promises, added_by};
use super::world::{WEBHOOK_SECRET, World, pace};

/// Everything that waits for its time, and until when.
const OPEN: &str = "
    select 'operation ' || id || ' ' || kind || ' ' || state, next_check_at
    from payments.operation where next_check_at is not null
    union all
    select 'refund ' || id || ' ' || state, null::timestamptz from payments.refund
    where state in ('requested', 'sent', 'pending')
    union all
    select 'fee of ' || id, sync_at from payments.attempt
             where sync_at is not null and status = 'captured'
    union all
    select 'delivery of ' || event_type || ' ' || state || ': ' || coalesce(reason, ''),
           next_attempt_at
    from webhooks.delivery where next_attempt_at is not null";
/// More often time need not pass until nothing is open: the longest ladder has nine steps.
const PASSES_MAX: u32 = 60;
/// How much time passes at once at most: gateways forget keys after a day.
const STRIDE: TimeDelta = TimeDelta::hours(6);
/// How many keys are asked again at once.
const AT_ONCE: usize = 8;

/// What the proof has seen.
#[derive(Default, Clone, Copy)]
pub struct Seen {
    pub keys_asked_again: usize,
    pub settled: i64,
    pub deliveries: usize,
    pub delivery_attempts: usize,
    pub transactions: i64,
    pub proofs: u32,
}

impl World {
    /// Lets time pass until nothing is open: here, at the gateway, or between the two.
    pub async fn settle(&self) {
        for _ in 0..PASSES_MAX {
            self.back().await;
            let Some(next) = self.quiet().await else { return };
            self.pass_until(next);
        }
        panic!("still open: {:#?}\n{}", self.open().await, self.logs());
    }

    /// Waits, for a moment, until nothing is due; answers when the next thing is.
    async fn quiet(&self) -> Option<Timestamp> {
        let (watch, mut pace) = (Monotonic::start(), pace());
        loop {
            self.caller.flush().await;
            let open = self.open().await;
            let (first, last) = (open.iter().filter_map(|row| row.1).min(), latest(&open));
            if open.is_empty() {
                return None;
            }
            // What is due and not taken up is taken up by the next start.
            let due = first.is_some_and(|first| first <= self.now());
            if !due || watch.elapsed().as_millis() >= 500 {
                return Some(last.unwrap_or(self.now()).min(self.now() + STRIDE));
            }
            pace.tick().await;
        }
    }

    async fn open(&self) -> Vec<(String, Option<Timestamp>)> {
        let mut open: Vec<(String, Option<Timestamp>)> =
            sqlx::query_as(OPEN).fetch_all(&mut self.owner().await).await.unwrap();
        for row in self.deliveries().await {
            let due = row["state"]["due"].as_str().or(row["state"]["until"].as_str());
            if let Some(due) = due {
                open.push((format!("webhook {}", row["type"]), Some(due.parse().unwrap())));
            }
        }
        open
    }

    async fn deliveries(&self) -> Vec<Value> {
        let mut queue = self.caller.at_gateway("/_sim/webhooks").await;
        match queue["stripe"].take() {
            Value::Array(rows) => rows,
            other => panic!("no queue: {other:#}"),
        }
    }

    /// Settles, and proves everything.
    pub async fn prove(&self, promises: &Promises, seen: &mut Seen) {
        self.settle().await;
        self.unheard_are_there_once_or_not_at_all(promises).await;
        seen.keys_asked_again = self.each_key_has_one_answer().await;
        self.plain_transactions_are_there(promises).await;
        self.payments_are_as_promised(promises).await;
        self.settle().await;
        self.gateway_and_books_agree(promises).await;
        let (code, said, why) = self.program.run(&["verify"], &self.database_url());
        assert_eq!(code, Some(0), "{said}\n{why}\n{}", self.logs());
        self.count(seen).await;
        super::say(&format!(
            "proved: {} commands, {} transactions, {} webhooks",
            seen.keys_asked_again, seen.transactions, seen.deliveries,
        ));
    }

    /// What was commanded and received, applied again into an empty database, gives the same books.
    pub async fn prove_that_the_books_can_be_written_again(&self) {
        let copy = self.empty_database("copy").await;
        let mut replay = self.program.command(&["webhooks", "replay", "--into", &copy]);
        replay.env("DATABASE_URL", self.database_url());
        let output = replay.env("MIZAN_STRIPE_WEBHOOK_SECRETS", WEBHOOK_SECRET).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (said, why) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{said}\n{why}");
        super::say(&format!("the books written again in an empty database:\n{said}"));
        let (code, said, why) = self.program.run(&["verify"], &copy);
        assert_eq!(code, Some(0), "{said}\n{why}");
    }

    async fn count(&self, seen: &mut Seen) {
        let mut owner = self.owner().await;
        let counts =
            "select (select count(*) from payments.operation where finished_at is not null),
                             (select count(*) from ledger.transaction)";
        (seen.settled, seen.transactions) =
            sqlx::query_as(counts).fetch_one(&mut owner).await.unwrap();
        let unsettled = "select count(*) from payments.operation where finished_at is null";
        let unsettled: i64 = sqlx::query_scalar(unsettled).fetch_one(&mut owner).await.unwrap();
        assert_eq!(unsettled, 0, "operations without an outcome");
        let rows = self.deliveries().await;
        assert!(rows.iter().all(|row| row["state"]["is"] == "delivered"));
        let tries = |row: &Value| row["attempts"].as_array().map_or(0, Vec::len);
        seen.deliveries = rows.len();
        seen.delivery_attempts = rows.iter().map(tries).sum();
        seen.proofs += 1;
    }

    /// How often the journal holds each plain transaction.
    async fn sources(&self) -> BTreeMap<String, i64> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "select source, count(*) from ledger.transaction where kind like 'vendor.%' group by 1",
        )
        .fetch_all(&mut self.owner().await)
        .await
        .unwrap();
        rows.into_iter().collect()
    }

    /// What nobody heard an answer to happened once or not at all; asked again, it has an answer,
    /// and is promised like everything else from then on.
    async fn unheard_are_there_once_or_not_at_all(&self, promises: &Promises) {
        let unheard = std::mem::take(&mut *promises.unheard.lock().unwrap());
        let before = self.sources().await;
        for command in unheard {
            let times = before.get(&command.key).copied().unwrap_or(0);
            assert!(times <= 1, "{} is there {times} times", command.key);
            let (account, added) = added_by(&command);
            let source = command.key.clone();
            let answer = self.caller.insist(command).await;
            assert!(
                times == 0 || answer.status == 201,
                "it happened, and the key says {answer:#?}"
            );
            let added = (answer.status == 201).then_some(added);
            promises.plain.lock().unwrap().push(PlainPromise { source, account, added });
        }
    }

    /// Every key that has its last word says the same again, byte for byte.
    async fn each_key_has_one_answer(&self) -> usize {
        let kept = self.caller.kept();
        let count = kept.len();
        let mut asking: JoinSet<()> = JoinSet::new();
        for (command, answer) in kept {
            while asking.len() >= AT_ONCE {
                asking.join_next().await.unwrap().unwrap();
            }
            let caller = Arc::clone(&self.caller);
            asking.spawn(async move {
                let again = caller.last_word(&command).await;
                says_the_same(&command, &answer, &again);
            });
        }
        while let Some(asked) = asking.join_next().await {
            asked.unwrap();
        }
        count
    }

    /// What was acknowledged is in the journal once, what was refused is not, nothing else is,
    /// and the accounts hold the sum.
    async fn plain_transactions_are_there(&self, promises: &Promises) {
        let mut there = self.sources().await;
        let mut sums: BTreeMap<String, i64> = BTreeMap::new();
        for promise in promises.plain.lock().unwrap().iter() {
            let times = there.remove(&promise.source).unwrap_or(0);
            assert_eq!(times, i64::from(promise.added.is_some()), "{promise:?}");
            let sum = sums.entry(promise.account.clone()).or_default();
            *sum += promise.added.unwrap_or(0);
        }
        assert!(there.is_empty(), "nobody asked for {there:?}");
        let trial = self.trial_balance().await;
        for (account, sum) in sums {
            assert_eq!(-trial.get(&account).copied().unwrap_or(0), sum, "{account}");
        }
    }

    /// Debits less credits by account, in AED: the only currency of the campaign.
    async fn trial_balance(&self) -> BTreeMap<String, i64> {
        let (code, said, why) =
            self.program.run(&["ledger", "trial-balance", "--json"], &self.database_url());
        assert_eq!(code, Some(0), "{why}");
        let lines: Vec<Value> = serde_json::from_str(&said).unwrap();
        let minor = |value: &Value| value.as_str().unwrap().parse::<i64>().unwrap();
        let path = |line: &Value| line["account"].as_str().unwrap().to_owned();
        lines.iter().map(|l| (path(l), minor(&l["debit"]) - minor(&l["credit"]))).collect()
    }

    async fn payments_are_as_promised(&self, promises: &Promises) {
        let promised = promises.payments.lock().unwrap().clone();
        for promise in promised {
            let payment = self.caller.read(&format!("/v1/payment_intents/{}", promise.id)).await;
            let amount = |field: &str| payment[field].as_i64().unwrap();
            let is = (payment["status"].as_str().unwrap(), amount("amount_captured"));
            assert_eq!(is, (promise.status, promise.captured), "{payment:#}");
            assert_eq!(amount("amount_refunded"), promise.refunded, "{payment:#}");
        }
    }

    /// The gateway took each payment's money once, and owes us what the books say it owes us.
    async fn gateway_and_books_agree(&self, promises: &Promises) {
        let state = self.caller.at_gateway("/_sim/state").await;
        let totals = &state["stripe"]["totals"]["aed"];
        let sum = |name: &str| totals[name].as_i64().unwrap_or(0);
        let rest = sum("charged") - sum("refunded") - sum("fees");
        assert_eq!(rest, sum("balance"), "the gateway itself does not add up");
        let trial = self.trial_balance().await;
        let owed = trial.get("gateway_clearing:stripe").copied().unwrap_or(0);
        assert_eq!(owed, rest, "the books say {owed}, the gateway {rest}");
        let charges = state["stripe"]["charges"].as_array().unwrap();
        let taken = |charge: &&Value| charge["amount_captured"].as_i64() > Some(0);
        let promised = promises.payments.lock().unwrap();
        let paid = promised.iter().filter(|payment| payment.captured > 0).count();
        assert_eq!(charges.iter().filter(taken).count(), paid, "a charge too many, or too few");
    }
}

/// When the last of them is due.
fn latest(open: &[(String, Option<Timestamp>)]) -> Option<Timestamp> {
    open.iter().filter_map(|row| row.1).max()
}

fn says_the_same(command: &Command, answer: &Answer, again: &Answer) {
    assert_eq!(again.status, answer.status, "{command:#?}: {answer:#?} and then {again:#?}");
    let (first, then) = (&answer.text, &again.text);
    assert!(first == then, "{command:#?}\nfirst: {first}\nthen:  {then}");
}
