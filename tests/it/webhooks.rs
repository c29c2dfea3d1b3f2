//! Deliveries are kept once, with their bytes, and each of them comes to an end or is named.

use chrono::Duration;
use hmac::{Hmac, KeyInit, Mac};
use mizan_money::{DeliveryId, TenantId, Timestamp};
use mizan_providers::{Headers, ProviderName, webhook_reader};
use mizan_webhooks::{
    Cursor, Delivery, DeliveryState, Disposition, Filter, Kept, Listed, NewDelivery, Page,
    Standing, Summary, WebhookError, check, deliveries, delivery, dispose, due_parked, keep,
    law_deliveries,
};
use secrecy::SecretString;
use sha2::Sha256;
use sqlx::{Postgres, Transaction};

use crate::support::raw::{answer, attempt};
use crate::support::{Actor, T0, TestDb, after, lines, scope};

const SECRET: &str = "whsec_a_secret_of_tests";

/// A delivery as Stripe sends it, rightly signed.
struct Sent {
    headers: Headers,
    body: Vec<u8>,
}

impl Sent {
    /// The event `evt_<n>`, saying that `pi_<n>` was paid.
    fn event(n: u32) -> Sent {
        Sent::bytes(format!(
            r#"{{"id": "evt_{n}", "object": "event", "created": {}, "livemode": false,
            "type": "payment_intent.succeeded", "data": {{"object": {{
                "id": "pi_{n}", "object": "payment_intent", "status": "succeeded",
                "amount": 10500, "amount_received": 10500, "amount_capturable": 0,
                "currency": "aed", "capture_method": "automatic", "metadata": {{}}
            }}}}}}"#,
            T0.timestamp() - 10
        ))
    }

    fn bytes(body: impl Into<Vec<u8>>) -> Sent {
        let (body, seconds) = (body.into(), T0.timestamp());
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(format!("{seconds}.").as_bytes());
        mac.update(&body);
        let signature = hex::encode(mac.finalize().into_bytes());
        let headers = Headers::new()
            .with("Content-Type", "application/json; charset=utf-8")
            .with("Stripe-Signature", format!("t={seconds},v1={signature}"))
            .with("Authorization", "Bearer not-to-be-kept");
        Sent { headers, body }
    }

    fn kept_as(&self, id: DeliveryId) -> NewDelivery {
        let stripe = webhook_reader(ProviderName::Stripe);
        let secrets = [SecretString::from(SECRET)];
        let checked =
            check(&*stripe, secrets.as_slice().into(), &self.headers, &self.body, T0).unwrap();
        checked.delivery(id, "main")
    }

    fn kept(&self) -> NewDelivery {
        self.kept_as(DeliveryId::generate(T0))
    }
}

/// A database, and the tenant whose deliveries are kept in it.
struct Inbox {
    db: TestDb,
    tenant: TenantId,
}

impl Inbox {
    async fn new() -> Inbox {
        let db = TestDb::new().await;
        let tenant = db.tenant();
        Inbox { db, tenant }
    }

    async fn begin(&self) -> Transaction<'static, Postgres> {
        scope(self.db.service_pool(), self.tenant).await
    }

    /// Keeps and disposes in one transaction, as the service does.
    async fn take_in(&self, sent: &Sent, end: Option<Disposition>, now: Timestamp) -> Kept {
        let mut tx = self.begin().await;
        let kept = keep(&mut tx, self.tenant, &sent.kept(), now).await.unwrap();
        if let Some(end) = end.filter(|_| kept.is_open()) {
            dispose(&mut tx, self.tenant, kept.id(), &end, now).await.unwrap();
        }
        tx.commit().await.unwrap();
        kept
    }

    async fn dispose(&self, id: DeliveryId, end: &Disposition) -> Result<(), WebhookError> {
        let mut tx = self.begin().await;
        dispose(&mut tx, self.tenant, id, end, T0).await?;
        tx.commit().await.map_err(WebhookError::from)
    }

    async fn find(&self, id: DeliveryId) -> Delivery {
        delivery(&mut *self.begin().await, self.tenant, id).await.unwrap().unwrap()
    }

    async fn list(&self, filter: &Filter, limit: u16, cursor: Cursor) -> Listed<Summary> {
        let mut tx = self.begin().await;
        deliveries(&mut tx, self.tenant, filter, Page { limit, cursor }).await.unwrap()
    }

    async fn law(&self, now: Timestamp) -> (i64, Vec<String>) {
        let mut tx = self.begin().await;
        law_deliveries(&mut tx, self.tenant, None, now, Duration::days(3)).await.unwrap()
    }

    /// What the database answers to SQL that goes round the application.
    async fn tried(&self, actor: Actor, statements: &str) -> String {
        attempt(&self.db, actor, self.tenant, statements).await
    }
}

fn ignored() -> Disposition {
    Disposition::Ignored { reason: "a kind of event we do not use".to_owned() }
}

fn stale() -> Disposition {
    Disposition::Stale { reason: "the payment is captured since 09:00".to_owned() }
}

fn parked(attempts_before: u32) -> Disposition {
    Disposition::parked("the payment is unknown", attempts_before, T0)
}

#[tokio::test]
async fn a_delivery_is_kept_byte_for_byte_with_the_headers_that_prove_it() {
    let inbox = Inbox::new().await;
    let sent = Sent::event(1);
    let kept = inbox.take_in(&sent, Some(Disposition::Applied), T0).await;
    let found = inbox.find(kept.id()).await;
    assert_eq!(found.body, sent.body);
    assert_eq!(found.headers.get("authorization"), None);
    assert_eq!(found.headers.get("stripe-signature"), sent.headers.get("stripe-signature"));
    let summary = &found.summary;
    assert_eq!(
        (&*summary.dedupe_id, summary.event_type.as_deref(), summary.object_ref.as_deref()),
        ("evt_1", Some("payment_intent.succeeded"), Some("pi_1"))
    );
    assert_eq!((summary.signed_at, summary.received_at), (Some(T0), T0));
    assert_eq!(summary.occurred_at, Some(after(-10)));
    assert_eq!(summary.body_bytes as usize, sent.body.len());
    assert_eq!(summary.standing, Standing::Applied { finished_at: T0 });

    let stripe = webhook_reader(ProviderName::Stripe);
    let secrets = [SecretString::from(SECRET)];
    let again =
        check(&*stripe, secrets.as_slice().into(), &found.headers, &found.body, T0).unwrap();
    assert_eq!(again.verified().dedupe_id, "evt_1");
}

#[tokio::test]
async fn bytes_that_are_no_text_are_kept_as_they_are() {
    let inbox = Inbox::new().await;
    let sent = Sent::bytes([0_u8, 255, 0, 10, 13, 92]);
    let kept = inbox.take_in(&sent, Some(parked(0)), T0).await;
    let found = inbox.find(kept.id()).await;
    assert_eq!(found.body, sent.body);
    assert!(found.summary.dedupe_id.starts_with("sha256:"));
    assert_eq!((found.summary.event_type, found.summary.object_ref), (None, None));
}

#[tokio::test]
async fn a_body_of_a_mebibyte_is_kept() {
    let inbox = Inbox::new().await;
    let sent = Sent::bytes(vec![b'x'; 1024 * 1024]);
    let kept = inbox.take_in(&sent, Some(ignored()), T0).await;
    assert_eq!(inbox.find(kept.id()).await.body, sent.body);
}

#[tokio::test]
async fn a_repetition_finds_the_first_and_where_it_stands() {
    let inbox = Inbox::new().await;
    let first = inbox.take_in(&Sent::event(1), Some(Disposition::Applied), T0).await;
    let again = inbox.take_in(&Sent::event(1), Some(Disposition::Applied), after(5)).await;
    let known = Kept::Known { id: first.id(), state: DeliveryState::Applied, attempts: 1 };
    assert_eq!((first, again), (Kept::New(first.id()), known));
    assert!(!again.is_open());
    assert_eq!(inbox.find(first.id()).await.summary.received_at, T0);
}

#[tokio::test]
async fn the_same_event_by_another_connection_or_tenant_is_another_delivery() {
    let inbox = Inbox::new().await;
    let sent = Sent::event(1);
    inbox.take_in(&sent, Some(Disposition::Applied), T0).await;

    let stripe = webhook_reader(ProviderName::Stripe);
    let secrets = [SecretString::from(SECRET)];
    let checked =
        check(&*stripe, secrets.as_slice().into(), &sent.headers, &sent.body, T0).unwrap();
    let other_connection = checked.delivery(DeliveryId::generate(T0), "connect");
    let mut tx = inbox.begin().await;
    let kept = keep(&mut tx, inbox.tenant, &other_connection, T0).await.unwrap();
    assert_eq!(kept, Kept::New(other_connection.id()));

    let neighbour = inbox.db.other_tenant();
    let mut tx = scope(inbox.db.service_pool(), neighbour).await;
    let other_tenant = sent.kept();
    let kept = keep(&mut tx, neighbour, &other_tenant, T0).await.unwrap();
    assert_eq!(kept, Kept::New(other_tenant.id()));
}

#[tokio::test]
async fn a_rolled_back_delivery_leaves_nothing_and_can_be_kept_alone_and_parked() {
    let inbox = Inbox::new().await;
    let sent = Sent::event(1);
    let new = sent.kept();
    let mut tx = inbox.begin().await;
    keep(&mut tx, inbox.tenant, &new, T0).await.unwrap();
    tx.rollback().await.unwrap();
    let nothing = delivery(&mut *inbox.begin().await, inbox.tenant, new.id()).await.unwrap();
    assert_eq!(nothing, None);

    let mut tx = inbox.begin().await;
    let kept = keep(&mut tx, inbox.tenant, &new, T0).await.unwrap();
    let parked = Disposition::parked("the books refused it", kept.attempts(), T0);
    dispose(&mut tx, inbox.tenant, kept.id(), &parked, T0).await.unwrap();
    tx.commit().await.unwrap();
    let (reason, retry_at) = ("the books refused it".to_owned(), after(30));
    let found = inbox.find(new.id()).await;
    assert_eq!(found.summary.standing, Standing::Parked { reason, retry_at });
}

#[tokio::test]
async fn a_hundred_parallel_deliveries_of_one_event_have_one_effect() {
    let inbox = std::sync::Arc::new(Inbox::new().await);
    let deliveries = (0..100).map(|_| {
        let inbox = std::sync::Arc::clone(&inbox);
        tokio::spawn(
            async move { inbox.take_in(&Sent::event(1), Some(Disposition::Applied), T0).await },
        )
    });
    let mut new = 0;
    for delivery in deliveries.collect::<Vec<_>>() {
        match delivery.await.unwrap() {
            Kept::New(_) => new += 1,
            Kept::Known { state, attempts, .. } => {
                assert_eq!((state, attempts), (DeliveryState::Applied, 1));
            }
        }
    }
    assert_eq!(new, 1);
    assert_eq!(inbox.law(T0).await, (1, vec![]));
}

#[tokio::test]
async fn a_repetition_is_not_answered_before_the_first_has_committed() {
    let inbox = Inbox::new().await;
    let (first, second) = (Sent::event(1), Sent::event(1));
    let mut holding = inbox.begin().await;
    keep(&mut holding, inbox.tenant, &first.kept(), T0).await.unwrap();

    let mut waiting = inbox.begin().await;
    sqlx::raw_sql("set local lock_timeout = '50ms'").execute(&mut *waiting).await.unwrap();
    let refused = keep(&mut waiting, inbox.tenant, &second.kept(), T0).await.unwrap_err();
    let WebhookError::Database(sqlx::Error::Database(lock)) = refused else { panic!() };
    assert_eq!(lock.code().as_deref(), Some("55P03"));
    waiting.rollback().await.unwrap();

    let new = second.kept();
    let mut waiting = inbox.begin().await;
    let (kept, committed) =
        tokio::join!(keep(&mut waiting, inbox.tenant, &new, T0), holding.commit());
    committed.unwrap();
    assert!(matches!(kept.unwrap(), Kept::Known { state: DeliveryState::Received, .. }));
}

#[tokio::test]
async fn a_repetition_waits_for_the_first_and_takes_over_when_that_is_rolled_back() {
    let inbox = Inbox::new().await;
    let (first, second) = (Sent::event(1), Sent::event(1));
    let (one, two) = (first.kept(), second.kept());
    let mut holding = inbox.begin().await;
    keep(&mut holding, inbox.tenant, &one, T0).await.unwrap();
    let mut waiting = inbox.begin().await;
    let (kept, rolled_back) =
        tokio::join!(keep(&mut waiting, inbox.tenant, &two, T0), holding.rollback());
    rolled_back.unwrap();
    assert_eq!(kept.unwrap(), Kept::New(two.id()));
}

#[tokio::test]
async fn a_repetition_of_a_parked_delivery_may_apply_it() {
    let inbox = Inbox::new().await;
    let first = inbox.take_in(&Sent::event(1), Some(parked(0)), T0).await;
    let again = inbox.take_in(&Sent::event(1), Some(Disposition::Applied), after(9)).await;
    let known = Kept::Known { id: first.id(), state: DeliveryState::Parked, attempts: 1 };
    assert_eq!(again, known);
    let summary = inbox.find(first.id()).await.summary;
    assert_eq!(summary.attempts, 2);
    assert_eq!(summary.standing, Standing::Applied { finished_at: after(9) });
}

#[tokio::test]
async fn a_known_delivery_is_locked_so_a_job_passes_it_over() {
    let inbox = Inbox::new().await;
    for n in [1, 2] {
        inbox.take_in(&Sent::event(n), Some(parked(0)), T0).await;
    }
    let repeated = Sent::event(1);
    let mut holding = inbox.begin().await;
    keep(&mut holding, inbox.tenant, &repeated.kept(), after(60)).await.unwrap();
    let mut job = inbox.begin().await;
    let due = due_parked(&mut job, inbox.tenant, after(60), 10).await.unwrap();
    assert_eq!(due.iter().map(|d| &*d.summary.dedupe_id).collect::<Vec<_>>(), ["evt_2"]);
    let mut other_job = inbox.begin().await;
    let due = due_parked(&mut other_job, inbox.tenant, after(60), 10).await.unwrap();
    assert!(due.is_empty());
}

#[tokio::test]
async fn parked_deliveries_come_back_when_their_time_has_come_the_longest_due_first() {
    let inbox = Inbox::new().await;
    for (n, seconds) in [(1, 40), (2, 20), (3, 30), (4, 90)] {
        let (reason, retry_at) = ("the payment is unknown".to_owned(), after(seconds));
        let end = Disposition::Parked { reason, retry_at };
        inbox.take_in(&Sent::event(n), Some(end), T0).await;
    }
    inbox.take_in(&Sent::event(5), Some(Disposition::Applied), T0).await;
    for (seconds, limit, expected) in [
        (19, 10, &[][..]),
        (20, 10, &["evt_2"][..]),
        (60, 10, &["evt_2", "evt_3", "evt_1"][..]),
        (60, 2, &["evt_2", "evt_3"][..]),
    ] {
        let mut tx = inbox.begin().await;
        let due = due_parked(&mut tx, inbox.tenant, after(seconds), limit).await.unwrap();
        let names: Vec<&str> = due.iter().map(|d| &*d.summary.dedupe_id).collect();
        assert_eq!(names, expected);
        assert!(due.iter().all(|d| !d.body.is_empty()));
        // Awaited, since a dropped transaction holds its locks a moment longer.
        tx.rollback().await.unwrap();
    }
}

#[tokio::test]
async fn an_end_is_final() {
    let inbox = Inbox::new().await;
    for (n, end) in [(1, Disposition::Applied), (2, ignored()), (3, stale())] {
        let id = inbox.take_in(&Sent::event(n), Some(end), T0).await.id();
        let before = inbox.find(id).await;
        for other in [Disposition::Applied, ignored(), stale(), parked(1)] {
            let refused = inbox.dispose(id, &other).await;
            assert!(matches!(refused, Err(WebhookError::NotOpen { id: named }) if named == id));
        }
        assert_eq!(inbox.find(id).await, before);
    }
    let unknown = inbox.dispose(DeliveryId::generate(T0), &Disposition::Applied).await;
    assert!(matches!(unknown, Err(WebhookError::NotOpen { .. })));
}

#[tokio::test]
async fn a_list_goes_from_the_newest_to_the_oldest_page_by_page() {
    let inbox = Inbox::new().await;
    for n in 1..=7 {
        let end = if n % 3 == 0 { stale() } else { Disposition::Applied };
        inbox.take_in(&Sent::event(n), Some(end), after(i64::from(n))).await;
    }
    let names = |listed: &Listed<Summary>| {
        let names: Vec<&str> = listed.data.iter().map(|s| &*s.dedupe_id).collect();
        (names.join(" "), listed.has_more)
    };
    let all = Filter::default();
    let first = inbox.list(&all, 3, Cursor::Start).await;
    assert_eq!(names(&first), ("evt_7 evt_6 evt_5".to_owned(), true));
    let second = inbox.list(&all, 3, Cursor::After(first.data[2].id)).await;
    assert_eq!(names(&second), ("evt_4 evt_3 evt_2".to_owned(), true));
    let third = inbox.list(&all, 3, Cursor::After(second.data[2].id)).await;
    assert_eq!(names(&third), ("evt_1".to_owned(), false));
    let back = inbox.list(&all, 3, Cursor::Before(second.data[2].id)).await;
    assert_eq!(names(&back), ("evt_5 evt_4 evt_3".to_owned(), true));

    let stale = Filter { state: Some(DeliveryState::Stale), object_ref: None };
    let listed = inbox.list(&stale, 10, Cursor::Start).await;
    assert_eq!(names(&listed), ("evt_6 evt_3".to_owned(), false));
    let applied = Filter { state: Some(DeliveryState::Applied), object_ref: None };
    let listed = inbox.list(&applied, 2, Cursor::After(second.data[0].id)).await;
    assert_eq!(names(&listed), ("evt_2 evt_1".to_owned(), false));
    let about = Filter { state: None, object_ref: Some("pi_5".to_owned()) };
    let listed = inbox.list(&about, 10, Cursor::Start).await;
    assert_eq!(names(&listed), ("evt_5".to_owned(), false));
}

#[tokio::test]
async fn the_law_holds_while_each_delivery_has_its_end_or_its_time() {
    let inbox = Inbox::new().await;
    assert_eq!(inbox.law(T0).await, (0, vec![]));
    let ends = [Disposition::Applied, ignored(), stale(), parked(0)];
    for (n, end) in (1..).zip(ends) {
        inbox.take_in(&Sent::event(n), Some(end), T0).await;
    }
    assert_eq!(inbox.law(T0).await, (4, vec![]));
    assert_eq!(inbox.law(T0 + Duration::days(3) - Duration::seconds(1)).await, (4, vec![]));
}

#[tokio::test]
async fn the_law_names_what_was_forgotten() {
    let inbox = Inbox::new().await;
    let old = inbox.take_in(&Sent::event(1), Some(parked(0)), T0).await.id();
    let open = inbox.take_in(&Sent::event(2), None, T0).await.id();
    let (checked, broken) = inbox.law(T0 + Duration::days(3)).await;
    assert_eq!(checked, 2);
    assert_eq!(
        broken,
        [
            format!("delivery {old} is parked since 2026-03-02T09:00:00Z: the payment is unknown"),
            format!("delivery {open} was received and nothing became of it"),
        ]
    );
    for n in 3..30 {
        inbox.take_in(&Sent::event(n), None, T0).await;
    }
    assert_eq!(inbox.law(T0).await.1.len(), 20);
}

/// One delivery that is parked, one that is applied, and what the database says to attacks.
async fn evidence() -> Inbox {
    let inbox = Inbox::new().await;
    inbox.take_in(&Sent::event(1), Some(parked(0)), T0).await;
    inbox.take_in(&Sent::event(2), Some(Disposition::Applied), T0).await;
    inbox
}

#[tokio::test]
async fn what_was_received_can_never_be_changed_or_removed() {
    let inbox = evidence().await;
    let mut told = String::new();
    for change in [
        "update webhooks.delivery set body = ''",
        "update webhooks.delivery set headers = '[]'",
        "update webhooks.delivery set dedupe_id = 'evt_9', attempts = attempts + 1",
        "update webhooks.delivery set received_at = now()",
        "delete from webhooks.delivery",
        "truncate webhooks.delivery",
    ] {
        let service = inbox.tried(Actor::Service, change).await;
        let owner = inbox.tried(Actor::Owner, change).await;
        told.push_str(&format!("{service} | {owner}\n"));
    }
    let refused = "42501 permission denied for table delivery | 42501 delivery_is_evidence\n";
    assert_eq!(told, refused.repeat(6));
}

#[tokio::test]
async fn a_delivery_goes_forward_and_says_why_it_had_no_effect() {
    let inbox = evidence().await;
    let set = |columns: &str, id: u32| {
        format!("update webhooks.delivery set {columns} where dedupe_id = 'evt_{id}'")
    };
    let counted = "attempts = attempts + 1, next_attempt_at = null, finished_at = now()";
    let mut told = String::new();
    for change in [
        set(&format!("state = 'applied', reason = null, {counted}"), 1),
        set(&format!("state = 'applied', reason = null, {counted}"), 2),
        set("state = 'applied', reason = null, next_attempt_at = null, finished_at = now()", 1),
        set("next_attempt_at = now()", 1),
        set("attempts = 0", 1),
        set(&format!("state = 'ignored', reason = null, {counted}"), 1),
        set(&format!("state = 'ignored', reason = '', {counted}"), 1),
        set(&format!("state = 'parked', {counted}"), 1),
        set(&format!("state = 'lost', {counted}"), 1),
        set("state = 'received', reason = null, next_attempt_at = null, attempts = 2", 1),
    ] {
        told.push_str(&inbox.tried(Actor::Service, &change).await);
        told.push('\n');
    }
    assert_eq!(
        told,
        lines(
            "stands
            23000 delivery_goes_forward
            23000 delivery_goes_forward
            23000 delivery_goes_forward
            23000 delivery_goes_forward
            23514 delivery_reason_matches_state
            23514 delivery_reason_bounds
            23514 delivery_end_matches_state
            23514 delivery_end_matches_state
            23514 delivery_attempts_are_counted"
        )
    );
}

#[tokio::test]
async fn a_delivery_cannot_be_written_as_finished_or_past_its_bounds() {
    let inbox = evidence().await;
    let insert = |columns: &str, body: &str, headers: &str, values: &str| {
        format!(
            "insert into webhooks.delivery (tenant_id, id, connection, provider, dedupe_id, body,
                headers, received_at{columns})
             values (1, gen_random_uuid(), 'main', 'stripe', 'evt_9', {body}, {headers}, now()
                {values})"
        )
    };
    let mut told = String::new();
    for write in [
        insert("", "'x'", "'[]'", ""),
        insert(", state", "'x'", "'[]'", ", 'applied'"),
        insert("", "convert_to(repeat('x', 1048577), 'UTF8')", "'[]'", ""),
        insert("", "'x'", "'{}'", ""),
        insert("", "'x'", "'[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]'", ""),
    ] {
        told.push_str(&inbox.tried(Actor::Service, &write).await);
        told.push('\n');
    }
    assert_eq!(
        told,
        lines(
            "stands
            42501 permission denied for table delivery
            23514 delivery_body_bounds
            23514 delivery_headers_bounds
            23514 delivery_headers_bounds"
        )
    );
}

#[tokio::test]
async fn nobody_sees_or_touches_the_deliveries_of_another_tenant() {
    let inbox = evidence().await;
    let mine = inbox.list(&Filter::default(), 1, Cursor::Start).await.data[0].id;
    let neighbour = inbox.db.other_tenant();
    let mut tx = scope(inbox.db.service_pool(), neighbour).await;
    // Even one who names the other's number is shown nothing.
    for tenant in [inbox.tenant, neighbour] {
        assert!(delivery(&mut tx, tenant, mine).await.unwrap().is_none());
        assert!(due_parked(&mut tx, tenant, after(99), 10).await.unwrap().is_empty());
        let law = law_deliveries(&mut tx, tenant, None, T0, Duration::days(3)).await.unwrap();
        assert_eq!(law, (0, vec![]));
        let ended = dispose(&mut tx, tenant, mine, &Disposition::Applied, T0).await;
        assert!(matches!(ended, Err(WebhookError::NotOpen { .. })));
    }
    let sent = Sent::event(7);
    assert!(keep(&mut tx, inbox.tenant, &sent.kept(), T0).await.is_err());

    let mut nobody = inbox.db.connect(Actor::Service, neighbour).await;
    sqlx::raw_sql("reset mizan.tenant").execute(&mut nobody).await.unwrap();
    let seen = answer(&mut nobody, "select from webhooks.delivery").await;
    assert_eq!(seen, "touches nothing");
}
