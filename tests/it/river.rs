//! Deliveries that come together: they come to what they would have come to one by one, in as
//! few statements as one of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mizan::db::{Db, DbOptions, work};
use mizan::inbox::{Arrived, InboxError, Receipt, receive_many};
use mizan::payments::PaymentError;
use mizan::payments::ask::{Confirm, confirm};
use mizan::payments::create::{NewIntent, NewLine, create_intent};
use mizan::payments::gateway::Gateways;
use mizan_money::id::{DeliveryId, PaymentIntentId};
use mizan_money::{Currency, Money, Rate};
use mizan_providers::{CaptureMethod, Headers, ProviderName, webhook_reader};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use secrecy::SecretString;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::support::{Books, T0, Tap};
use crate::support_app::{CONNECTION, Setup, TestApp, WEBHOOK_SECRET, order, sign, stripe};

const AMOUNT: i64 = 10_500;

/// Payments that were sent to a gateway and of which nothing is known yet.
struct River {
    books: Books,
    db: Db,
    payments: Vec<PaymentIntentId>,
}

/// One event about the payment of this number: what is told, and under which id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Told {
    payment: usize,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Created,
    Succeeded,
    /// Without our reference.
    Anonymous,
    Failed,
    /// Another payment of the gateway that names ours.
    Stranger,
    RefundPending,
    RefundSucceeded,
    RefundFailed,
    /// Cannot be booked.
    RefundInDollars,
    Nonsense,
}

const ALL: [What; 10] = [
    What::Created,
    What::Succeeded,
    What::Anonymous,
    What::Failed,
    What::Stranger,
    What::RefundPending,
    What::RefundSucceeded,
    What::RefundFailed,
    What::RefundInDollars,
    What::Nonsense,
];

impl River {
    async fn new(payments: usize) -> River {
        let books = Books::new().await;
        let url = books.db.url();
        River::by(books, &url, payments).await
    }

    /// The same, speaking to the database by another way.
    async fn by(books: Books, url: &str, payments: usize) -> River {
        let db = Db::connect(url, &DbOptions::default()).await.unwrap();
        let setup = Setup { retries: 0, answer_within: Duration::from_secs(1) };
        let gateways = &Gateways::new([stripe(books.tenant, "http://127.0.0.1:9", setup)]);
        let tenant = books.tenant;
        let asked = &intent();
        let made = db.transaction("make", tenant, |tx| {
            work(async move {
                let mut made = Vec::new();
                for _ in 0..payments {
                    let id = create_intent(tx, tenant, T0, asked).await?.intent.id;
                    let how = Confirm { payment_method: Some("pm_1".into()), return_url: None };
                    confirm(tx, tenant, T0, gateways, id, &how).await?;
                    made.push(id);
                }
                Ok::<_, PaymentError>(made)
            })
        });
        let payments = made.await.unwrap();
        River { books, db, payments }
    }

    /// The gateway's ids of these payments are known.
    async fn know(&self, payments: impl IntoIterator<Item = usize>) {
        let mut owner = self.books.db.owner().await;
        for n in payments {
            sqlx::query("update payments.attempt set provider_ref = $1 where intent_id = $2")
                .bind(format!("pi_{n}"))
                .bind(self.payments[n].uuid())
                .execute(&mut owner)
                .await
                .unwrap();
        }
    }

    fn arrived(&self, told: Told) -> Arrived {
        let body = told.body(&self.payments[told.payment].to_string());
        let headers = Headers::new()
            .with("Stripe-Signature", sign(WEBHOOK_SECRET, T0.timestamp(), body.as_bytes()));
        let (reader, secrets) =
            (webhook_reader(ProviderName::Stripe), [SecretString::from(WEBHOOK_SECRET)]);
        let checked = mizan_webhooks::check(
            &*reader,
            secrets.as_slice().into(),
            &headers,
            body.as_bytes(),
            T0,
        )
        .unwrap();
        Arrived::new(checked, DeliveryId::generate(T0), CONNECTION)
    }

    /// Takes in what came together.
    async fn take(&self, told: &[Told]) -> Result<Vec<Receipt>, InboxError> {
        let arrived: Vec<Arrived> = told.iter().map(|told| self.arrived(*told)).collect();
        let (arrived, tenant) = (&arrived.iter().collect::<Vec<_>>(), self.books.tenant);
        self.db
            .transaction("receive", tenant, |tx| {
                work(async move { receive_many(tx, tenant, T0, arrived).await })
            })
            .await
    }

    /// Takes in groups, one after the other; answers what became of each delivery.
    async fn take_all(&self, groups: &[&[Told]]) -> Vec<&'static str> {
        let mut became = Vec::new();
        for group in groups {
            became.extend(self.take(group).await.unwrap().into_iter().map(|r| r.status));
        }
        became
    }

    /// Everything that may differ if something went otherwise, by the payments' numbers.
    async fn picture(&self) -> Vec<String> {
        let number: BTreeMap<String, usize> =
            self.payments.iter().enumerate().map(|(n, id)| (id.to_string(), n)).collect();
        let mut owner = self.books.db.owner().await;
        let mut lines: Vec<String> = sqlx::query_as::<_, (String, String)>(
            "select 'pi_' || replace(i.id::text, '-', ''), concat_ws(' ', i.state, i.captured,
                 i.voided, i.refund_pending, i.refunded, i.unapplied, a.provider_ref, a.status,
                 a.captured, o.state, (select string_agg(concat_ws(' ', r.provider_ref, r.state,
                     r.amount), ', ' order by r.provider_ref) from payments.refund r
                     where r.intent_id = i.id))
             from payments.intent i
             join payments.attempt a on a.intent_id = i.id
             join payments.operation o on o.intent_id = i.id",
        )
        .fetch_all(&mut owner)
        .await
        .unwrap()
        .into_iter()
        .map(|(id, says)| format!("payment {:03} {says}", number[&id]))
        .collect();
        lines.sort();
        for counted in [
            "select dedupe_id || ' ' || state from webhooks.delivery order by dedupe_id",
            "select kind || ' ' || count(*) from outbox.event group by kind order by kind",
        ] {
            let more: Vec<String> =
                sqlx::query_scalar(AssertSqlSafe(counted)).fetch_all(&mut owner).await.unwrap();
            lines.extend(more);
        }
        lines.push(self.books.balances().await);
        lines
    }
}

fn intent() -> NewIntent {
    NewIntent {
        amount: Money::new(AMOUNT, Currency::parse("AED").unwrap()),
        capture_method: CaptureMethod::Automatic,
        lines: vec![NewLine {
            vendor: "V1".into(),
            description: None,
            amount: AMOUNT,
            tax: Rate::percent("5").unwrap(),
            commission: Rate::percent("10").unwrap(),
        }],
        payment_method: None,
        return_url: None,
        description: None,
        country: None,
        method: None,
        metadata: BTreeMap::new(),
    }
}

impl Told {
    fn body(self, id: &str) -> String {
        let Told { payment: n, what } = self;
        let payment = |theirs: &str, status: &str, taken: i64, metadata: Value| {
            json!({
                "id": theirs, "object": "payment_intent", "status": status, "amount": AMOUNT,
                "amount_received": taken, "amount_capturable": 0, "currency": "aed",
                "capture_method": "automatic", "metadata": metadata,
            })
        };
        let refund = |status: &str, currency: &str| {
            json!({
                "id": format!("re_{n}"), "object": "refund", "status": status, "amount": 500,
                "currency": currency, "payment_intent": format!("pi_{n}"), "metadata": {},
            })
        };
        let (theirs, ours) = (format!("pi_{n}"), json!({ "mizan_payment_intent": id }));
        let (kind, object) = match what {
            What::Created => ("created", payment(&theirs, "requires_confirmation", 0, ours)),
            What::Succeeded => ("succeeded", payment(&theirs, "succeeded", AMOUNT, ours)),
            What::Anonymous => ("succeeded", payment(&theirs, "succeeded", AMOUNT, json!({}))),
            What::Failed => {
                let mut failed = payment(&theirs, "requires_payment_method", 0, ours);
                failed["last_payment_error"] =
                    json!({ "type": "card_error", "code": "card_declined", "message": "No." });
                ("payment_failed", failed)
            }
            What::Stranger => {
                ("succeeded", payment(&format!("pi_{n}_more"), "succeeded", AMOUNT, ours))
            }
            What::RefundPending => ("created", refund("pending", "aed")),
            What::RefundSucceeded => ("updated", refund("succeeded", "aed")),
            What::RefundFailed => ("failed", refund("failed", "aed")),
            What::RefundInDollars => ("updated", refund("succeeded", "usd")),
            What::Nonsense => ("created", json!({ "object": "payment_intent" })),
        };
        let about = if object["object"] == "refund" { "refund" } else { "payment_intent" };
        let seconds = T0.timestamp() - 60 + what as i64;
        json!({
            "id": format!("evt_{n}_{what:?}"), "object": "event", "created": seconds,
            "livemode": false, "type": format!("{about}.{kind}"), "data": { "object": object },
        })
        .to_string()
    }
}

/// The same deliveries one by one and in groups that end at `ends`: no difference anywhere.
async fn compare(payments: usize, known: usize, told: &[Told], ends: &[usize]) {
    let (alone, together) = (River::new(payments).await, River::new(payments).await);
    for river in [&alone, &together] {
        river.know(0..known.min(payments)).await;
    }
    let singles: Vec<&[Told]> = told.chunks(1).collect();
    let mut groups = Vec::new();
    let (mut rest, mut at) = (told, 0);
    for end in ends.iter().filter(|end| **end < told.len()) {
        let (group, after) = rest.split_at(end.saturating_sub(at));
        groups.push(group);
        (rest, at) = (after, at.max(*end));
    }
    groups.push(rest);
    let one_by_one = alone.take_all(&singles).await;
    let grouped = together.take_all(&groups).await;
    assert_eq!(alone.picture().await, together.picture().await, "groups end at {ends:?}");
    assert_eq!(one_by_one, grouped);
}

fn told(payments: usize) -> impl Strategy<Value = Vec<Told>> {
    let one = (0..payments, proptest::sample::select(&ALL[..]));
    let one = one.prop_map(|(payment, what)| Told { payment, what });
    proptest::collection::vec(one, 1..40)
}

#[test]
fn however_deliveries_come_together_the_books_are_the_same() {
    let given = std::env::var("MIZAN_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(rand::random);
    println!("MIZAN_TEST_SEED={seed} runs the same deliveries again");
    let config = Config {
        cases: 12,
        max_shrink_iters: 60,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        ..Config::default()
    };
    let ends = proptest::collection::btree_set(0..40_usize, 0..6);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let run = TestRunner::new(config).run(&(told(4), 0..5_usize, ends), |(told, known, ends)| {
        let ends: Vec<usize> = ends.into_iter().collect();
        runtime.block_on(compare(4, known, &told, &ends));
        Ok(())
    });
    if let Err(failure) = run {
        panic!("{failure}\nMIZAN_TEST_SEED={seed}");
    }
}

/// An event that changes no state may bring the gateway's id, and with it another end of one that
/// was parked before.
#[tokio::test]
async fn a_repetition_is_tried_again_after_an_id_was_learned() {
    let of = |what| Told { payment: 0, what };
    let told = [of(What::RefundFailed), of(What::Created), of(What::RefundFailed)];
    compare(1, 0, &told, &[]).await;
    compare(1, 0, &told, &[1]).await;
    let failed = of(What::RefundFailed);
    compare(1, 0, &[failed, failed, of(What::Created), failed], &[]).await;
}

#[tokio::test]
async fn a_hundred_deliveries_of_fifty_payments_at_once_are_as_one_by_one() {
    let whats = [What::Succeeded, What::Created, What::RefundSucceeded, What::RefundPending];
    let of = |n: usize| Told { payment: n % 50, what: whats[(n / 50 + n) % whats.len()] };
    // Every second of the second half is one that came before.
    let told: Vec<Told> =
        (0..100).map(|n| of(if n > 50 && n % 2 == 0 { n - 50 } else { n })).collect();
    compare(50, 25, &told, &[]).await;
}

#[tokio::test]
async fn fifty_deliveries_take_no_more_statements_than_two() {
    let books = Books::new().await;
    let tap = Tap::on(&books.db.url());
    let river = River::by(books, &tap.url, 52).await;
    river.know(0..52).await;
    let succeeded = |n| Told { payment: n, what: What::Succeeded };
    let mut taken = Vec::new();
    for range in [0..2, 2..52] {
        tap.taken();
        let became = river.take(&range.map(succeeded).collect::<Vec<_>>()).await.unwrap();
        taken.push(tap.taken());
        assert!(became.iter().all(|receipt| receipt.status == "applied"), "{became:?}");
    }
    // The accounts are made by the first that needs them.
    println!("statements of a group of 2 and of 50: {taken:?}");
    assert!(taken[1] <= taken[0] && taken[1] <= 24, "{taken:?}");
}

#[tokio::test]
async fn a_delivery_that_cannot_be_booked_is_parked_and_leaves_the_others_alone() {
    let river = River::new(3).await;
    river.know(0..3).await;
    let told = |payment, what| Told { payment, what };
    let became = river
        .take_all(&[&[
            told(0, What::Succeeded),
            told(1, What::RefundInDollars),
            told(2, What::Nonsense),
            told(1, What::Succeeded),
            told(2, What::Succeeded),
        ]])
        .await;
    assert_eq!(became, ["applied", "parked", "parked", "applied", "applied"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_that_the_database_refuses_is_parked_and_leaves_its_group_alone() {
    let app = Arc::new(TestApp::new().await);
    app.sim.set_webhook_url(None);
    let mut told = Vec::new();
    for n in 0..6 {
        let id = app.create(order(&[("V1", 52_500 + n)])).await;
        app.faults("[[rules]]\non = \"create\"\nkind = \"lost_answer\"\n");
        assert_eq!(app.confirm(&id, "pm_card_visa").await.says(), (202, "processing"));
        told.push((id, app.event("payment_intent.succeeded").await));
    }
    app.execute(
        "create function public.impossible() returns trigger language plpgsql as $$
             begin
                 if new.captured = 52503 then
                     raise exception 'impossible' using errcode = 'check_violation',
                         constraint = 'of_this_test';
                 end if;
                 return new;
             end $$;
         create trigger impossible before update on payments.intent
             for each row execute function public.impossible()",
    )
    .await;
    let racing = told.iter().map(|(_, event)| {
        let (app, event) = (Arc::clone(&app), event.clone());
        tokio::spawn(async move { app.deliver_signed(&event).await.text("status").to_owned() })
    });
    let mut became = Vec::new();
    for one in racing.collect::<Vec<_>>() {
        became.push(one.await.unwrap());
    }
    assert_eq!(became, ["applied", "applied", "applied", "parked", "applied", "applied"]);
    app.execute("drop trigger impossible on payments.intent").await;
    app.advance(31);
    app.tick().await;
    for (id, _) in &told {
        assert_eq!(app.payment(id).await.text("status"), "succeeded");
    }
    app.end().await;
}
