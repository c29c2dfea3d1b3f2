//! Webhooks about payouts: a reason to ask at once, and nothing that is booked by itself.

use mizan::db::work;
use mizan::payouts::PayoutError;
use mizan::payouts::call::{Call, Stage};
use mizan::payouts::store;
use mizan_money::id::PayoutId;
use mizan_providers::ProviderName;
use serde_json::{Value, json};

use super::gateways::{fund_account, later, open, submitted_over, vendor};
use super::shop::{DAY, Shop};
use super::stripe;
use crate::gateways::Bazaar;
use crate::support_app::Reply;

/// A payout that waits for its gateway, with the gateway's own id of it.
struct Waiting {
    bazaar: Bazaar,
    shop: Shop,
    gateway: ProviderName,
    id: String,
    theirs: String,
}

impl Waiting {
    async fn over(gateway: ProviderName) -> Waiting {
        let (bazaar, shop) = open().await;
        let (account, amount) = match gateway {
            ProviderName::Razorpay => (fund_account(&bazaar, &shop).await, "1000.00 INR"),
            _ => ("onhold@shop.example".to_owned(), "10.00 USD"),
        };
        vendor(&shop, (gateway.as_str(), &account), amount).await;
        let currency = amount.split(' ').nth(1).unwrap();
        let sent = submitted_over(&shop, gateway.as_str(), currency).await;
        shop.app.tick().await;
        let theirs = bazaar.state(gateway).await["payouts"][0]["id"].as_str().unwrap().to_owned();
        let waiting = Waiting { bazaar, shop, gateway, id: sent.id().to_owned(), theirs };
        waiting.heard().await;
        assert_ne!(waiting.now().await.text("status"), "paid");
        waiting
    }

    async fn now(&self) -> Reply {
        self.shop.payout(&self.id).await
    }

    /// The gateway does something with it.
    async fn turn(&self, action: &str) {
        let path = format!("payouts/{}/{action}", self.theirs);
        assert_eq!(self.bazaar.control(self.gateway, &path, json!({})).await, 200);
    }

    /// The gateway's webhooks arrive, and what is due then happens; no time passes.
    async fn heard(&self) {
        assert!(self.bazaar.fake(self.gateway).deliver_due().await > 0);
        self.shop.app.tick().await;
    }
}

async fn is_asked_about_when_its_gateway_tells(gateway: ProviderName) {
    let it = Waiting::over(gateway).await;
    let before = it.shop.app.app.clock.now();
    it.turn("pay").await;
    it.shop.app.tick().await;
    assert_ne!(it.now().await.text("status"), "paid", "its turn has not come");
    it.heard().await;
    assert_eq!(it.now().await.says(), (200, "paid"), "{:#?}", it.now().await);
    it.turn("return").await;
    it.heard().await;
    assert_eq!(it.now().await.says(), (200, "returned"));
    assert_eq!(it.shop.app.app.clock.now(), before, "nobody waited");
    it.shop.app.prove_laws().await;
}

#[tokio::test]
async fn a_webhook_of_paypal_about_a_payout_is_a_reason_to_ask() {
    is_asked_about_when_its_gateway_tells(ProviderName::Paypal).await;
}

#[tokio::test]
async fn a_webhook_of_razorpayx_about_a_payout_is_a_reason_to_ask() {
    is_asked_about_when_its_gateway_tells(ProviderName::Razorpay).await;
}

/// How the deliveries stand whose kind begins so.
async fn deliveries(shop: &Shop, kind: &str) -> Value {
    let query = format!(
        "select coalesce(json_agg(d), '[]') from (
             select event_type, state, reason from webhooks.delivery
             where event_type like '{kind}%' order by received_at, event_type
         ) d"
    );
    shop.app.sql::<Value>(&query).await
}

async fn heard(shop: &Shop) {
    shop.app.sim.deliver_due().await;
    shop.app.tick().await;
}

#[tokio::test]
async fn a_transfer_that_was_taken_back_is_returned_as_soon_as_stripe_tells() {
    let shop = stripe::shop(stripe::ACCOUNT, 10_000).await;
    let id = stripe::paid(&shop).await;
    heard(&shop).await;
    let booked = shop.app.journal().await;
    stripe::take_back(&shop, &id, &[]).await;
    shop.app.sim.deliver_due().await;
    assert_eq!(shop.payout(&id).await.says(), (200, "paid"), "only the gateway's answer is booked");
    assert_eq!(shop.app.journal().await, booked);
    let told = deliveries(&shop, "transfer.").await;
    let hint = "a hint: the gateway is asked what is so";
    assert_eq!(
        told,
        json!([
            { "event_type": "transfer.created", "state": "ignored", "reason": hint },
            { "event_type": "transfer.reversed", "state": "ignored", "reason": hint },
        ])
    );
    shop.app.tick().await;
    assert_eq!(shop.payout(&id).await.says(), (200, "returned"));
    shop.app.prove().await;
}

#[tokio::test]
async fn a_webhook_finds_a_payout_whose_answer_was_lost() {
    let shop = stripe::shop(stripe::ACCOUNT, 10_000).await;
    shop.app.faults("[[rules]]\non = \"transfer\"\nkind = \"lost_answer\"\n");
    let sent = submitted_over(&shop, "stripe", "AED").await;
    shop.app.tick().await;
    assert_eq!(shop.payout(sent.id()).await.body["provider_ref"], Value::Null);
    heard(&shop).await;
    assert_eq!(shop.payout(sent.id()).await.says(), (200, "paid"), "it carries our name");
    let listed = shop.app.ask_gateway("/v1/transfers").await;
    assert_eq!(listed.body["data"].as_array().unwrap().len(), 1);
    shop.app.prove().await;
}

#[tokio::test]
async fn webhooks_that_come_twice_or_late_change_nothing() {
    let shop = stripe::shop(stripe::ACCOUNT, 10_000).await;
    let id = stripe::paid(&shop).await;
    stripe::take_back(&shop, &id, &[]).await;
    let created = shop.app.event("transfer.created").await;
    let reversed = shop.app.event("transfer.reversed").await;
    for body in [&reversed, &reversed, &created, &reversed, &created] {
        assert_eq!(shop.app.deliver_signed(body).await.status, 200);
        shop.app.tick().await;
        assert_eq!(shop.payout(&id).await.says(), (200, "returned"));
    }
    let booked = shop.app.sql::<i64>("select count(*) from ledger.transaction").await;
    assert_eq!(booked, 4, "earned, reserved, paid, returned\n{}", shop.app.journal().await);
    shop.app.prove().await;
}

#[tokio::test]
async fn what_is_told_of_a_transfer_that_is_not_ours_is_ignored() {
    let shop = stripe::shop(stripe::ACCOUNT, 10_000).await;
    let id = stripe::paid(&shop).await;
    heard(&shop).await;
    let asked = shop.app.wire.count();
    let url = format!("{}/_sim/topup", shop.app.sim.url());
    let body = json!({ "amount": 500, "currency": "AED" });
    shop.app.client.post(url).json(&body).send().await.unwrap();
    let stranger = PayoutId::generate(shop.app.app.clock.now());
    for ours in ["", "nonsense", &stranger.to_string(), &stranger.to_string().replace("po_", "tr_")]
    {
        let mut form = vec![("amount", "100"), ("currency", "aed")];
        form.push(("destination", stripe::ACCOUNT));
        form.push(("metadata[mizan_transfer]", ours));
        let made = shop.app.at_gateway("/v1/transfers", &form).await;
        assert_eq!(made.status, 200, "{made:#?}");
    }
    heard(&shop).await;
    let told = deliveries(&shop, "transfer.").await;
    let told = told.as_array().unwrap();
    let strange = "a payout that was not made through here";
    assert_eq!(told.iter().filter(|it| it["reason"] == strange).count(), 4, "{told:#?}");
    assert_eq!(shop.app.wire.count(), asked, "nobody was asked");
    assert_eq!(shop.payout(&id).await.says(), (200, "paid"));
}

#[tokio::test]
async fn what_comes_back_after_weeks_is_asked_about_once_more_and_answered_in_the_end() {
    let shop = stripe::shop(stripe::ACCOUNT, 10_000).await;
    let id = stripe::paid(&shop).await;
    for _ in 0..16 {
        later(&shop, DAY).await;
    }
    let asked = shop.app.wire.count();
    later(&shop, 2 * DAY).await;
    assert_eq!(shop.app.wire.count(), asked, "nobody asks about it any more");
    stripe::take_back(&shop, &id, &[]).await;
    shop.app.faults("[[rules]]\non = \"retrieve\"\nkind = \"http_500\"\n");
    heard(&shop).await;
    assert_eq!(shop.payout(&id).await.says(), (200, "paid"), "there was no answer");
    later(&shop, 31).await;
    assert_eq!(shop.payout(&id).await.says(), (200, "returned"));
    let asked = shop.app.wire.count();
    later(&shop, 2 * DAY).await;
    assert_eq!(shop.app.wire.count(), asked, "that was all");
    shop.app.prove().await;
}

/// A question of its own, as the statements see it.
struct Question<'a> {
    shop: &'a Shop,
    payout: PayoutId,
}

impl Question<'_> {
    async fn hint(&self) {
        let (now, of) = (self.shop.app.app.clock.now(), self.shop.app.books.tenant);
        let payouts = [self.payout];
        let payouts = &payouts[..];
        let done = self.shop.app.app.db.transaction("test", of, |tx| {
            work(async move { store::hint_calls(tx, of, payouts, now).await })
        });
        done.await.unwrap();
    }

    /// Reads it, changes it, and writes it as asked or as answered.
    async fn write(&self, begins: bool, change: fn(&mut Call)) {
        let (now, of) = (self.shop.app.app.clock.now(), self.shop.app.books.tenant);
        let payout = self.payout;
        let done = self.shop.app.app.db.transaction("test", of, |tx| {
            work(async move {
                let mut call = store::call(tx, of, payout).await?.unwrap();
                call.next_check_at = Some(now + chrono::Duration::seconds(60));
                change(&mut call);
                match begins {
                    true => store::begin_call(tx, of, &call).await,
                    false => store::end_call(tx, of, &call, now).await,
                }
            })
        });
        done.await.unwrap();
    }

    async fn is_due(&self) -> bool {
        let (now, of) = (self.shop.app.app.clock.now(), self.shop.app.books.tenant);
        let due = self.shop.app.app.db.transaction("test", of, |tx| {
            work(async move {
                let due = store::lock_due_calls(tx, of, now, 10).await?;
                Ok::<_, PayoutError>(!due.is_empty())
            })
        });
        due.await.unwrap()
    }
}

#[tokio::test]
async fn a_hint_during_a_question_has_it_asked_again_after_its_answer_and_never_beside_it() {
    let shop = stripe::shop(stripe::ACCOUNT, 10_000).await;
    let sent = submitted_over(&shop, "stripe", "AED").await;
    let it = Question { shop: &shop, payout: sent.id().parse().unwrap() };
    assert!(it.is_due().await);
    let sends = |call: &mut Call| {
        (call.stage, call.sent_at) = (Stage::Sent, call.next_check_at);
    };
    it.write(true, sends).await;
    it.hint().await;
    assert!(!it.is_due().await, "somebody asks at this moment");
    it.write(false, |_| ()).await;
    assert!(it.is_due().await, "the answer may be older than the hint");
    it.write(true, |_| ()).await;
    it.write(false, |_| ()).await;
    assert!(!it.is_due().await, "without a hint its turn comes later");
    it.hint().await;
    assert!(it.is_due().await);

    it.write(true, |_| ()).await;
    it.hint().await;
    let ends = |call: &mut Call| (call.stage, call.next_check_at) = (Stage::Over, None);
    it.write(false, ends).await;
    it.hint().await;
    assert!(!it.is_due().await, "what has no name there would be a new question");
    shop.app.advance(120);
    assert!(!it.is_due().await);
}
