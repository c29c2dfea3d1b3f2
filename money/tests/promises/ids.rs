//! Typed ids: their text, their order and what is refused.

use std::collections::BTreeSet;
use std::thread;

use chrono::{DateTime, TimeDelta};
use mizan_money::{
    AccountId, ApiKeyId, AttemptId, ConnectionId, CustomerId, DeliveryId, DisputeId, EventId,
    IdError, IdFault, OperationId, PaymentIntentId, PayoutId, RefundId, RequestId, TenantId,
    Timestamp, TransactionId, VendorId, typed_id,
};
use proptest::prelude::*;
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

typed_id! {
    /// A kind of id that another crate declares.
    struct InvoiceId("inv");
}

fn moment() -> Timestamp {
    DateTime::from_timestamp(1_790_000_000, 123_456_789).unwrap()
}

const UUID: Uuid = Uuid::from_u128(0x0197_b3c1_d2e4_7f5a_8b9c_0d1e_2f3a_4b5c);
const TEXT: &str = "pi_0197b3c1d2e47f5a8b9c0d1e2f3a4b5c";

#[test]
fn an_id_is_written_as_its_prefix_and_32_lower_case_digits() {
    let id = PaymentIntentId::from_uuid(UUID);
    assert_eq!(id.to_string(), TEXT);
    assert_eq!(format!("{id:?}"), TEXT);
    assert_eq!(id.uuid(), UUID);
    assert_eq!(TEXT.parse(), Ok(id));
    assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{TEXT}\""));
    assert_eq!(serde_json::from_str::<PaymentIntentId>(&format!("\"{TEXT}\"")).unwrap(), id);
}

#[test]
fn each_kind_has_its_own_prefix() {
    let prefixes = [
        PaymentIntentId::PREFIX,
        AttemptId::PREFIX,
        OperationId::PREFIX,
        RefundId::PREFIX,
        DisputeId::PREFIX,
        PayoutId::PREFIX,
        VendorId::PREFIX,
        CustomerId::PREFIX,
        TransactionId::PREFIX,
        AccountId::PREFIX,
        EventId::PREFIX,
        DeliveryId::PREFIX,
        ApiKeyId::PREFIX,
        RequestId::PREFIX,
        ConnectionId::PREFIX,
    ];
    assert_eq!(prefixes.join(" "), "pi att op re dp po ven cus txn acct evt whd key req conn");
}

#[test]
fn an_id_of_another_kind_or_shape_is_refused() {
    let digits = &TEXT[3..];
    let faults = [
        (String::new(), IdFault::Prefix),
        (digits.to_owned(), IdFault::Prefix),
        (format!("re_{digits}"), IdFault::Prefix),
        (format!("pi{digits}"), IdFault::Prefix),
        (format!("PI_{digits}"), IdFault::Prefix),
        (format!(" {TEXT}"), IdFault::Prefix),
        ("pi_".to_owned(), IdFault::Length(0)),
        (format!("{TEXT}0"), IdFault::Length(33)),
        (format!("{TEXT}\n"), IdFault::Length(33)),
        (TEXT[..34].to_owned(), IdFault::Length(31)),
        (format!("pi_{UUID}"), IdFault::Length(36)),
        (format!("pi_{}", digits.to_uppercase()), IdFault::Digits),
        (format!("pi_{}g", &digits[1..]), IdFault::Digits),
        (format!("pi_{}é", &digits[2..]), IdFault::Digits),
    ];
    for (text, found) in faults {
        let error = text.parse::<PaymentIntentId>().unwrap_err();
        assert_eq!(error, IdError { expected: "pi", found }, "{text:?}");
    }
    assert!(serde_json::from_str::<PaymentIntentId>("7").is_err());
    assert!(serde_json::from_str::<PaymentIntentId>(&format!("\"re_{digits}\"")).is_err());
}

#[test]
fn a_refusal_names_the_expected_kind_and_never_repeats_the_text() {
    assert_eq!(
        "sk_live_secret".parse::<RefundId>().unwrap_err().to_string(),
        "expected an id such as \"re_\" with 32 lower-case hexadecimal digits: \
         it starts differently"
    );
}

/// The only test here that uses a moment this late: ids never go back behind an earlier one.
#[test]
fn an_id_carries_the_moment_it_was_made_for() {
    let later = moment() + TimeDelta::days(3650);
    let uuid = EventId::generate(later).uuid();

    assert_eq!(uuid.get_version_num(), 7);
    let (seconds, nanos) = uuid.get_timestamp().unwrap().to_unix();
    assert_eq!(i64::try_from(seconds).unwrap(), later.timestamp());
    assert_eq!(nanos, later.timestamp_subsec_millis() * 1_000_000);
}

#[test]
fn ids_sort_by_creation_even_when_the_clock_stands_still_or_steps_back() {
    let moments = (0..2000).map(|step| moment() - TimeDelta::milliseconds(step / 500));
    let ids: Vec<_> = moments.map(TransactionId::generate).collect();
    let texts: Vec<_> = ids.iter().map(TransactionId::to_string).collect();

    assert!(ids.is_sorted_by(|earlier, later| earlier < later));
    assert!(texts.is_sorted_by(|earlier, later| earlier < later));
}

#[test]
fn ids_made_by_many_threads_are_all_different() {
    let workers: Vec<_> = (0..8)
        .map(|_| {
            thread::spawn(|| -> Vec<_> {
                (0..1000).map(|_| RequestId::generate(moment())).collect()
            })
        })
        .collect();
    let ids: BTreeSet<_> = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
    assert_eq!(ids.len(), 8000);
}

#[test]
fn a_moment_before_the_epoch_still_makes_an_id() {
    let id = InvoiceId::generate(DateTime::from_timestamp(-1, 0).unwrap());
    assert_eq!(id.to_string().parse(), Ok(id));
}

#[test]
fn the_schema_of_an_id_is_a_string_with_its_pattern() {
    let schema = serde_json::to_value(InvoiceId::schema()).unwrap();
    assert_eq!(schema["type"], "string");
    assert_eq!(schema["pattern"], "^inv_[0-9a-f]{32}$");
    assert_eq!(InvoiceId::name(), "InvoiceId");
}

#[test]
fn a_tenant_is_a_plain_number() {
    assert_eq!(TenantId(7).to_string(), "7");
    assert_eq!(serde_json::to_string(&TenantId(7)).unwrap(), "7");
}

proptest! {
    #[test]
    fn every_id_is_read_back_from_its_text(bits in any::<u128>()) {
        let id = InvoiceId::from_uuid(Uuid::from_u128(bits));
        prop_assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn one_id_has_one_text(text in "(pi_|re_|)[0-9a-fA-F]{30,34}") {
        if let Ok(id) = text.parse::<PaymentIntentId>() {
            prop_assert_eq!(id.to_string(), text);
        }
    }
}
