//! Stripe's transfers to connected accounts, and back.

use serde_json::{Value, json};

use crate::support::{Bed, Reply, Sink, read};

const PATH: &str = "/v1/transfers";
const ACCOUNT: &str = "acct_1PgafTB7WZ01zgkW";

/// A simulator with this much of its own money, and what it sends.
async fn open(amount: i64) -> (Bed, Sink) {
    let sink = Sink::start().await;
    let bed = Bed::with(|config| config.webhook_url = Some(sink.url.clone())).await;
    let body = json!({ "amount": amount, "currency": "AED" });
    let url = format!("{}/_sim/topup", bed.sim.url());
    let put_in = read(bed.client.post(url).json(&body)).await.unwrap();
    assert_eq!(put_in.body, json!({ "balance": amount, "currency": "aed" }));
    (bed, sink)
}

async fn send(bed: &Bed, amount: &str, more: &[(&str, &str)]) -> Reply {
    let mut form = vec![("amount", amount), ("currency", "aed"), ("destination", ACCOUNT)];
    form.extend(more);
    bed.post(PATH, &form).await
}

async fn back(bed: &Bed, id: &str, form: &[(&str, &str)]) -> Reply {
    bed.post(&format!("{PATH}/{id}/reversals"), form).await
}

async fn sums(bed: &Bed) -> (i64, i64) {
    assert!(bed.sim.imbalance().unwrap().is_empty());
    let totals = bed.state().await["totals"]["aed"].clone();
    (totals["transferred"].as_i64().unwrap(), totals["balance"].as_i64().unwrap())
}

fn refusal(reply: &Reply) -> (u16, &str, &str) {
    (reply.status, reply.code(), reply.body["error"]["param"].as_str().unwrap_or(""))
}

#[tokio::test]
async fn a_transfer_leaves_the_balance_and_comes_back_in_parts() {
    let (bed, sink) = open(10_000).await;
    let sent = send(&bed, "6000", &[("metadata[payout]", "P-1"), ("transfer_group", "G")]).await;
    assert_eq!((sent.status, &sent.body["reversed"]), (200, &json!(false)));
    assert_eq!(sums(&bed).await, (6_000, 4_000));
    let row = sent.body["balance_transaction"].as_str().unwrap();
    let row = bed.get(&format!("/v1/balance_transactions/{row}?expand[]=source")).await.body;
    assert_eq!(
        (&row["amount"], &row["type"], &row["reporting_category"], &row["source"]["id"]),
        (&json!(-6_000), &json!("transfer"), &json!("transfer"), &sent.body["id"])
    );

    let part = back(&bed, sent.id(), &[("amount", "1000"), ("expand[0]", "transfer")]).await;
    assert_eq!(
        (&part.body["amount"], &part.body["object"]),
        (&1_000.into(), &"transfer_reversal".into())
    );
    assert_eq!(part.body["transfer"]["amount_reversed"], 1_000);
    assert_eq!(part.body["transfer"]["reversed"], false);
    assert_eq!(back(&bed, sent.id(), &[]).await.body["amount"], 5_000, "all that is left");
    let now = bed.get(&format!("{PATH}/{}", sent.id())).await.body;
    assert_eq!((&now["amount_reversed"], &now["reversed"]), (&json!(6_000), &json!(true)));
    assert_eq!(now["reversals"]["data"].as_array().unwrap().len(), 2);
    assert_eq!(sums(&bed).await, (0, 10_000));

    bed.sim.deliver_due().await;
    assert_eq!(sink.kinds(), ["transfer.created", "transfer.reversed", "transfer.reversed"]);
    let told = sink.all()[2].event()["data"].clone();
    assert_eq!(told["previous_attributes"]["amount_reversed"], 1_000);
    assert_eq!(told["previous_attributes"]["reversed"], false);
    assert_eq!((&told["object"]["id"], &told["object"]["reversed"]), (&now["id"], &json!(true)));
    assert_eq!(told["object"]["metadata"]["payout"], "P-1");
}

#[tokio::test]
async fn only_what_is_available_can_be_sent() {
    let (bed, _sink) = open(1_000).await;
    bed.pay("20000", "pm_card_visa", "automatic").await;
    let refused = send(&bed, "1001", &[]).await;
    assert_eq!(refusal(&refused), (400, "balance_insufficient", ""));
    assert_eq!(refused.body["error"]["type"], "invalid_request_error");
    assert_eq!(send(&bed, "1000", &[]).await.status, 200);
    bed.clock.advance(2 * 86_400);
    assert_eq!(send(&bed, "19000", &[]).await.status, 200, "the payment's money is there by now");
    let form = [("amount", "1"), ("currency", "usd"), ("destination", ACCOUNT)];
    assert_eq!(bed.post(PATH, &form).await.code(), "balance_insufficient");
}

#[tokio::test]
async fn a_charge_can_be_shared_out_at_once_up_to_its_amount() {
    let (bed, _sink) = open(0).await;
    let paid = bed.pay("20000", "pm_card_visa", "automatic").await;
    let charge = paid.body["latest_charge"].as_str().unwrap();
    let of = [("source_transaction", charge)];
    let sent = send(&bed, "15000", &of).await;
    assert_eq!(sent.body["transfer_group"], format!("group_{}", paid.id()));
    let much = send(&bed, "5001", &of).await;
    assert_eq!(refusal(&much), (400, "", "amount"));
    back(&bed, sent.id(), &[("amount", "1")]).await;
    assert_eq!(send(&bed, "5001", &of).await.status, 200, "what came back can be sent again");
    let row = sent.body["balance_transaction"].as_str().unwrap();
    let row = bed.get(&format!("/v1/balance_transactions/{row}")).await.body;
    assert_eq!(row["status"], "pending", "it waits for the charge");
    let (transferred, _) = sums(&bed).await;
    assert_eq!(transferred, 20_000);

    let form = [("amount", "1"), ("currency", "usd"), ("destination", ACCOUNT), of[0]];
    assert_eq!(refusal(&bed.post(PATH, &form).await), (400, "parameter_invalid", of[0].0));
    let unknown = send(&bed, "1", &[("source_transaction", "ch_none")]).await;
    assert_eq!(refusal(&unknown), (400, "resource_missing", "source_transaction"));
    let held = bed.pay("20000", "pm_card_visa", "manual").await;
    let charge = held.body["latest_charge"].as_str().unwrap();
    let early = send(&bed, "1", &[("source_transaction", charge)]).await;
    assert_eq!(early.code(), "resource_missing", "nothing was captured");
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_by_name() {
    let (bed, sink) = open(10_000).await;
    for account in ["acct_none", "acct_0000000000000000", "ba_1PgafTB7WZ01zgkW"] {
        let form = [("amount", "100"), ("currency", "aed"), ("destination", account)];
        let refused = bed.post(PATH, &form).await;
        assert_eq!(refusal(&refused), (400, "resource_missing", "destination"), "{account}");
        assert_eq!(refused.body["error"]["message"], format!("No such destination: '{account}'"));
    }
    let zero = send(&bed, "0", &[]).await;
    assert_eq!(refusal(&zero), (400, "parameter_invalid_integer", "amount"));
    let both = [("source_type", "card"), ("source_transaction", "ch_1")];
    let code = "transfer_source_balance_parameters_mismatch";
    assert_eq!(send(&bed, "1", &both).await.code(), code);
    let fine = [("amount", "1001"), ("currency", "kwd"), ("destination", ACCOUNT)];
    assert_eq!(bed.post(PATH, &fine).await.code(), "parameter_invalid_integer");
    let without = bed.post(PATH, &[("amount", "1"), ("currency", "aed")]).await;
    assert_eq!(refusal(&without), (400, "parameter_missing", "destination"));

    let sent = send(&bed, "500", &[]).await;
    assert_eq!(back(&bed, sent.id(), &[("amount", "501")]).await.body["error"]["param"], "amount");
    assert_eq!(back(&bed, sent.id(), &[("amount", "0")]).await.status, 400);
    assert_eq!(back(&bed, sent.id(), &[]).await.status, 200);
    assert_eq!(back(&bed, sent.id(), &[]).await.status, 400, "nothing is left");
    assert_eq!(refusal(&back(&bed, "tr_none", &[]).await), (404, "resource_missing", "id"));
    assert_eq!(bed.get(&format!("{PATH}/tr_none")).await.status, 404);
    assert_eq!(sums(&bed).await, (0, 10_000));
    bed.sim.deliver_due().await;
    assert_eq!(sink.kinds(), ["transfer.created", "transfer.reversed"]);
}

#[tokio::test]
async fn transfers_are_listed_by_account_and_by_group() {
    let (bed, _sink) = open(10_000).await;
    let other = "acct_1zzzzzzzzzzzzzzz";
    let mut ids = Vec::new();
    for (account, group) in [(ACCOUNT, "A"), (other, "A"), (ACCOUNT, "B"), (ACCOUNT, "A")] {
        let form = [("amount", "100"), ("currency", "aed"), ("destination", account)];
        let form = [&form[..], &[("transfer_group", group)]].concat();
        ids.push(bed.post(PATH, &form).await.id().to_owned());
    }
    let listed = async |query: String| {
        let page = bed.get(&format!("{PATH}?{query}")).await.body;
        let ids = page["data"].as_array().unwrap().iter().map(|it| it["id"].clone());
        (ids.collect::<Vec<Value>>(), page["has_more"] == true)
    };
    let of = |which: &[usize]| which.iter().map(|n| json!(ids[*n])).collect::<Vec<Value>>();
    assert_eq!(listed(format!("destination={ACCOUNT}")).await, (of(&[3, 2, 0]), false));
    assert_eq!(listed("transfer_group=A&limit=2".to_owned()).await, (of(&[3, 1]), true));
    let next = format!("transfer_group=A&limit=2&starting_after={}", ids[1]);
    assert_eq!(listed(next).await, (of(&[0]), false));
}

#[tokio::test]
async fn a_changed_note_is_told_and_moves_nothing() {
    let (bed, sink) = open(10_000).await;
    let sent = send(&bed, "500", &[("metadata[a]", "1")]).await;
    let path = format!("{PATH}/{}", sent.id());
    assert_eq!(bed.post(&path, &[("metadata[a]", "2")]).await.body["metadata"]["a"], "2");
    bed.post(&path, &[("metadata[a]", "2")]).await;
    bed.sim.deliver_due().await;
    assert_eq!(sink.kinds(), ["transfer.created", "transfer.updated"]);
    let previous = &sink.all()[1].event()["data"]["previous_attributes"];
    assert_eq!(*previous, json!({ "metadata": { "a": "1" } }));
    assert_eq!(bed.post(&path, &[("amount", "2")]).await.code(), "parameter_unknown");
    assert_eq!(sums(&bed).await, (500, 9_500));
}

#[tokio::test]
async fn a_lost_answer_is_replayed_by_its_key_and_a_refusal_too() {
    let (bed, _sink) = open(1_000).await;
    bed.faults("[[rules]]\non = \"transfer\"\nkind = \"lost_answer\"\nmatch = { p = \"1\" }");
    let mut form = vec![("amount", "600"), ("currency", "aed"), ("destination", ACCOUNT)];
    form.push(("metadata[p]", "1"));
    assert!(bed.try_post(PATH, &form, Some("k")).await.is_err(), "the connection ends");
    assert_eq!(sums(&bed).await, (600, 400));
    let again = bed.try_post(PATH, &form, Some("k")).await.unwrap();
    assert_eq!((again.status, again.header("Idempotent-Replayed")), (200, Some("true")));
    assert_eq!(bed.try_post(PATH, &form, Some("k2")).await.unwrap().code(), "balance_insufficient");
    back(&bed, again.id(), &[]).await;
    let again = bed.try_post(PATH, &form, Some("k2")).await.unwrap();
    assert_eq!(again.code(), "balance_insufficient", "what was refused stays so under its key");
    assert_eq!(sums(&bed).await, (0, 1_000));
}

#[tokio::test]
async fn transfers_survive_a_drop_without_stop() {
    let dir = crate::support::folder("transfers");
    let open = || Bed::with(|config| config.data_dir = Some(dir.clone()));
    let bed = open().await;
    let paid = bed.pay("20000", "pm_card_bypassPending", "automatic").await;
    let sent = send(&bed, "500", &[]).await;
    back(&bed, sent.id(), &[("amount", "200")]).await;
    let before = bed.state().await;
    drop(bed);
    let bed = open().await;
    assert_eq!(bed.state().await, before);
    assert_eq!(bed.get(&format!("{PATH}/{}", sent.id())).await.body["amount_reversed"], 200);
    assert_eq!(bed.get(&format!("/v1/payment_intents/{}", paid.id())).await.status, 200);
}
