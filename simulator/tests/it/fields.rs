//! Every field of Stripe's published objects is there.

use serde_json::Value;

use crate::support::{Bed, Sink};

fn sample(name: &str) -> Value {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/stripe");
    let text = std::fs::read_to_string(format!("{dir}/{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Walks the sample; where both sides have an object, ours must have all its fields.
fn check(path: &str, sample: &Value, ours: &Value) {
    let (Some(sample), Some(ours)) = (sample.as_object(), ours.as_object()) else {
        return;
    };
    for (field, value) in sample {
        let path = format!("{path}.{field}");
        let found = ours.get(field).unwrap_or_else(|| panic!("{path} is missing"));
        // What the caller attached is not part of the shape.
        if field != "metadata" {
            check(&path, value, found);
        }
    }
}

#[tokio::test]
async fn every_object_has_the_fields_of_the_published_samples() {
    let sink = Sink::start().await;
    let bed = Bed::with(|config| config.webhook_url = Some(sink.url.clone())).await;
    let held = bed.pay("25000", "pm_card_visa", "manual").await;
    let capture = format!("/v1/payment_intents/{}/capture", held.id());
    let paid = bed.post(&capture, &[("amount_to_capture", "18000")]).await.body;
    check("payment_intent", &sample("payment_intent.succeeded.partial_capture"), &paid);

    let refund = [("payment_intent", held.id())];
    let refund = bed.post("/v1/refunds", &refund).await;
    check("refund", &sample("refund.fixture"), &refund.body);
    let charge = refund.body["charge"].as_str().unwrap();
    let charge = bed.get(&format!("/v1/charges/{charge}?expand[]=balance_transaction")).await.body;
    check("charge", &sample("charge.fixture"), &charge);
    let row = &charge["balance_transaction"];
    check("balance_transaction", &sample("balance_transaction.fixture"), row);
    check("balance", &sample("balance.fixture"), &bed.get("/v1/balance").await.body);
    let customer = bed.post("/v1/customers", &[]).await.body;
    check("customer", &sample("customer.fixture"), &customer);
    let method = paid["payment_method"].as_str().unwrap();
    let method = bed.get(&format!("/v1/payment_methods/{method}")).await.body;
    check("payment_method", &sample("payment_method.fixture"), &method);

    let transfer = [
        ("amount", "2000"),
        ("currency", "aed"),
        ("destination", "acct_1PgafTB7WZ01zgkW"),
        ("source_transaction", charge["id"].as_str().unwrap()),
    ];
    let transfer = bed.post("/v1/transfers", &transfer).await;
    check("transfer", &sample("transfer.fixture"), &transfer.body);
    let path = format!("/v1/transfers/{}/reversals", transfer.id());
    let reversal = bed.post(&path, &[("amount", "500")]).await.body;
    check("transfer_reversal", &sample("transfer_reversal.fixture"), &reversal);

    bed.post(&format!("/v1/refunds/{}", refund.id()), &[("metadata[a]", "b")]).await;
    bed.sim.deliver_due().await;
    let mut events = sink.all().into_iter().filter(|event| event.kind() == "refund.updated");
    let event = events.next_back().unwrap().event();
    let mut expected = sample("webhook.refund.updated");
    expected["data"]["previous_attributes"] = Value::Null;
    expected["data"]["object"]["destination_details"] = Value::Null;
    check("event", &expected, &event);
    let mut events = sink.all().into_iter().filter(|event| event.kind() == "transfer.created");
    check("event", &sample("webhook.transfer.created"), &events.next().unwrap().event());
}

#[tokio::test]
async fn a_decline_has_the_fields_of_the_error_envelope() {
    let bed = Bed::new().await;
    let declined = bed.pay("5000", "pm_card_visa_chargeDeclinedInsufficientFunds", "manual").await;
    let mut expected = sample("error.402.card_declined");
    // An empty `param` says nothing; Stripe leaves the field out of real declines.
    expected["error"].as_object_mut().unwrap().remove("param");
    check("error", &expected, &declined.body);
}
