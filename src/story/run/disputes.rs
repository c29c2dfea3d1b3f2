//! Disputes: at the gateway's bank where the gateway tells of them, by hand where it does not.

use mizan_money::Money;
use mizan_providers::{Support, webhook_reader};
use serde_json::json;

use super::api::{Body, provider};
use super::back::at_gateway;
use super::{Done, Runner, Stop};
use crate::story::text::Statement;

/// How often a dispute that the service does not know yet is looked for.
const PATIENCE: u32 = 4;
/// How long it takes until it is worth looking, in seconds.
const PAUSE: i64 = 61;

/// A dispute of the story.
#[derive(Debug, Clone)]
pub struct Disputed {
    /// The payment, `pi_…`.
    order: String,
    gateway: String,
    /// The gateway's name of the payment.
    payment: String,
    /// The gateway's name of the dispute.
    there: String,
    amount: Option<Money>,
    reason: Option<String>,
    /// How often the bank has taken it up.
    rounds: u32,
}

/// How a gateway's disputes come to the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// It tells all of it, the fee and each step.
    Stripe,
    /// It tells that there is one and how it ended; the money goes with the loss.
    Told,
    /// It tells nothing: somebody enters it.
    ByHand,
}

fn way(gateway: &str) -> Result<Way, Stop> {
    let name = provider(gateway)?;
    Ok(match webhook_reader(name).capabilities().read_disputes {
        Support::No => Way::ByHand,
        _ if gateway == "stripe" => Way::Stripe,
        _ => Way::Told,
    })
}

fn cannot(text: impl Into<String>) -> Stop {
    Stop::Broken(text.into())
}

impl Runner<'_> {
    pub async fn dispute(&mut self, verb: &str, it: &Statement) -> Done {
        match verb {
            "dispute of" => self.open_dispute(it).await,
            "accept dispute" => {
                let id = self.id(it.name("dispute"))?;
                self.post(&format!("/v1/disputes/{id}/accept"), Body::default()).await.map(drop)
            }
            "evidence for dispute" => self.answer(it).await,
            "dispute escalated" => self.decide(it, "escalate").await,
            "dispute funds withdrawn" => self.decide(it, "withdraw").await,
            "dispute second round" => self.second_round(it).await,
            _ => match it.name("outcome") {
                "won" => self.decide(it, "win").await,
                "closed" => self.decide(it, "close").await,
                _ => self.decide(it, "lose").await,
            },
        }
    }

    fn disputed(&self, it: &Statement) -> Result<Disputed, Stop> {
        let name = it.name("dispute");
        let known = self.disputes.get(name).cloned();
        known.ok_or_else(|| cannot(format!("there is no dispute {name} above this line")))
    }

    async fn answer(&mut self, it: &Statement) -> Done {
        let (id, text) = (self.id(it.name("dispute"))?, it.name("evidence"));
        let evidence = match self.disputed(it)?.gateway.as_str() {
            "stripe" => json!({ "uncategorized_text": text }),
            "paypal" => json!({ "notes": text }),
            "razorpay" => json!({ "summary": text, "shipping_proof": "doc_story" }),
            _ => json!({ "letter": text }),
        };
        let body = Body::default().set("evidence", evidence);
        self.post(&format!("/v1/disputes/{id}/evidence"), body).await.map(drop)
    }

    async fn open_dispute(&mut self, it: &Statement) -> Done {
        let order = self.known_order(it.name("order"))?;
        let intent = self.get(&format!("/v1/payment_intents/{order}")).await?;
        let (gateway, payment) = at_gateway(&intent)?;
        let (amount, there) = (it.money("amount"), it.name("dispute").to_owned());
        let captured = intent["amount_captured"].as_i64().unwrap_or_default();
        if let (Way::Told, Some(asked)) = (way(&gateway)?, amount)
            && asked.minor() > captured
        {
            let all = Money::new(captured, asked.currency());
            let text = format!("{gateway} takes back no more than was paid: {asked} of {all}");
            return Err(cannot(text));
        }
        let reason = it.word("reason").map(str::to_owned);
        let disputed = Disputed { order, gateway, payment, there, amount, reason, rounds: 1 };
        self.take_up(it, disputed).await
    }

    /// Opens a dispute at its gateway, or enters it.
    async fn take_up(&mut self, it: &Statement, disputed: Disputed) -> Done {
        match way(&disputed.gateway)? {
            Way::Stripe => self.open_at_stripe(it, disputed).await,
            Way::Told => self.open_at_the_bank(it, disputed).await,
            Way::ByHand => self.enter(it, disputed).await,
        }
    }

    async fn open_at_stripe(&mut self, it: &Statement, disputed: Disputed) -> Done {
        let mut asked = disputed.asked().fields(it, &["fee"]);
        for (clause, field) in [("as inquiry", "inquiry"), ("funds later", "funds_later")] {
            if it.has(clause) {
                asked = asked.set(field, true);
            }
        }
        self.open_and_find(it, disputed, asked).await
    }

    /// The money goes when it is lost, whether the story says so or not; a fee is never told.
    async fn open_at_the_bank(&mut self, it: &Statement, mut disputed: Disputed) -> Done {
        let gateway = disputed.gateway.clone();
        if it.has("as inquiry") {
            match (gateway.as_str(), disputed.reason.as_deref()) {
                ("paypal", Some("fraudulent")) => {
                    let text = "paypal asks nothing first where a payment was `fraudulent`: name \
                                another reason, or leave out `as inquiry`";
                    return Err(cannot(text));
                }
                ("paypal", None) => {
                    disputed.reason = Some("MERCHANDISE_OR_SERVICE_NOT_RECEIVED".to_owned());
                }
                ("paypal", Some(_)) => {}
                _ => return Err(no_inquiry(&gateway)),
            }
        }
        let asked = disputed.asked();
        self.open_and_find(it, disputed, asked).await?;
        match it.money("fee") {
            Some(fee) => self.dispute_fee_by_journal(&gateway, fee, false).await,
            None => Ok(()),
        }
    }

    async fn open_and_find(&mut self, it: &Statement, mut disputed: Disputed, asked: Body) -> Done {
        let name = it.name("dispute");
        let (gateway, asked) = (disputed.gateway.clone(), asked.value());
        let opened = self.at_gateway(&gateway, "/_sim/disputes", asked).await;
        let opened =
            opened.map_err(|_| cannot(format!("{gateway} opens no dispute {name} like this")))?;
        opened["id"].as_str().unwrap_or_default().clone_into(&mut disputed.there);
        self.what_is_due().await?;
        let path = format!("/v1/disputes?limit=100&payment_intent={}", disputed.order);
        for _ in 0..PATIENCE {
            let listed = self.get(&path).await?;
            let mut all = listed["data"].as_array().into_iter().flatten();
            if let Some(ours) = all.find(|ours| ours["provider_ref"] == disputed.there.as_str()) {
                self.disputes.insert(name.to_owned(), disputed);
                return self.keep(name, ours);
            }
            self.wait(PAUSE).await?;
        }
        Err(cannot(format!("{gateway} did not tell of dispute {name}")))
    }

    async fn enter(&mut self, it: &Statement, disputed: Disputed) -> Done {
        if it.has("as inquiry") {
            return Err(no_inquiry(&disputed.gateway));
        }
        let funds = it.has("funds later").then_some("later");
        let body = Body::default()
            .set("payment_intent", disputed.order.as_str())
            .set("provider_dispute", disputed.there.as_str())
            .maybe("amount", disputed.amount.map(Money::minor))
            .maybe("reason", disputed.reason.as_deref())
            .maybe("funds", funds)
            .fields(it, &["fee"]);
        let entered = self.post("/v1/disputes", body).await?;
        self.disputes.insert(it.name("dispute").to_owned(), disputed);
        self.keep(it.name("dispute"), &entered)
    }

    /// Another round is a dispute of its own, but at Stripe.
    async fn second_round(&mut self, it: &Statement) -> Done {
        let mut disputed = self.disputed(it)?;
        if way(&disputed.gateway)? == Way::Stripe {
            return self.decide(it, "second_round").await;
        }
        let (name, status) = (it.name("dispute"), self.status_of(it).await?);
        if status != "won" {
            let text = format!("a second round follows a dispute that was won: {name} is {status}");
            return Err(cannot(text));
        }
        disputed.rounds += 1;
        disputed.there = format!("{name}-{}", disputed.rounds);
        self.take_up(it, disputed).await
    }

    async fn status_of(&mut self, it: &Statement) -> Result<String, Stop> {
        let dispute = self.get(&format!("/v1/disputes/{}", self.id(it.name("dispute"))?)).await?;
        Ok(dispute["status"].as_str().unwrap_or_default().to_owned())
    }

    async fn decide(&mut self, it: &Statement, action: &str) -> Done {
        let disputed = self.disputed(it)?;
        let gateway = disputed.gateway.as_str();
        let way = way(gateway)?;
        match (way, action) {
            (Way::Told, "withdraw") => {
                let text = format!("{gateway} takes disputed money when the dispute is lost");
                return Err(cannot(text));
            }
            (Way::Told | Way::ByHand, "escalate") => return Err(no_inquiry(gateway)),
            (Way::ByHand, _) => return self.enter_outcome(it, action).await,
            _ => {}
        }
        let path = format!("/_sim/disputes/{}/{action}", disputed.there);
        let body = match way {
            Way::Stripe => Body::default().fields(it, &["fee"]).value(),
            _ => json!({}),
        };
        if self.at_gateway(gateway, &path, body).await.is_err() {
            let (name, status) = (it.name("dispute"), self.status_of(it).await?);
            let what = action.replace('_', " ");
            return Err(cannot(format!("{gateway} cannot {what} {name}, which is {status}")));
        }
        match it.money("fee") {
            Some(fee) if way == Way::Told => self.dispute_fee_by_journal(gateway, fee, true).await,
            _ => Ok(()),
        }
    }

    async fn enter_outcome(&mut self, it: &Statement, action: &str) -> Done {
        let (outcome, fee) = match action {
            "withdraw" => ("withdrawn", "fee"),
            "win" => ("won", "fee_returned"),
            "close" => ("closed", "fee_returned"),
            _ => ("lost", "fee_returned"),
        };
        let body =
            Body::default().set("outcome", outcome).maybe(fee, it.money("fee").map(Money::minor));
        let path = format!("/v1/disputes/{}/outcome", self.id(it.name("dispute"))?);
        self.post(&path, body).await.map(drop)
    }
}

fn no_inquiry(gateway: &str) -> Stop {
    cannot(format!("{gateway} tells of a dispute when it is one, and of nothing before that"))
}

impl Disputed {
    /// What the simulator is asked for.
    fn asked(&self) -> Body {
        Body::default()
            .set("payment", self.payment.as_str())
            .maybe("amount", self.amount.map(Money::minor))
            .maybe("reason", self.reason.as_deref())
    }
}
