//! Wallets on a real database: what a checkout holds, what the jobs do, and every race.

mod flow;
mod property;
pub mod races;
mod routes;

use std::sync::Arc;
use std::time::Duration;

use mizan::app::App;
use mizan::clock::Clock;
use mizan::config::Config;
use mizan::db::{Db, DbOptions};
use mizan::payments::PaymentError;
use mizan::payments::plan::Plan;
use mizan::wallets::{
    self, ClawBack, Delivered, DeliveredLine, Lot, NewGrant, NewHold, Ran, RefundOfOrder,
};
use mizan_money::id::{PaymentIntentId, RefundId};
use mizan_money::{Currency, Money, Timestamp};
use serde_json::json;
use sqlx::{AssertSqlSafe, Postgres, Transaction};

use crate::support::{Books, T0, fact, scope};

/// The customer of every test.
pub const C: &str = "C1";

/// Minor units of dirhams.
pub fn minor(minor: i64) -> Money {
    Money::new(minor, Currency::AED)
}

/// A tenant with wallets, its clock set by hand; the core's part is played by the tests.
#[derive(Clone)]
pub struct Shop {
    pub books: Arc<Books>,
    pub app: App,
}

/// A use case's transaction with what it plans.
pub struct Step {
    pub tx: Transaction<'static, Postgres>,
    pub plan: Plan,
}

impl Shop {
    pub async fn open() -> Shop {
        let books = Arc::new(Books::new().await);
        let db = Db::connect(&books.db.url(), &DbOptions::default()).await.unwrap();
        let config = Config::from_parts(None, []).unwrap();
        Shop { books, app: App::new(db, Clock::manual(T0), Arc::new(config)) }
    }

    pub fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    /// A payment nobody has heard of.
    pub fn payment(&self) -> PaymentIntentId {
        PaymentIntentId::generate(self.now())
    }

    pub fn wait_days(&self, days: u64) {
        self.app.clock.advance(Duration::from_secs(days * 86_400)).unwrap();
    }

    pub async fn begin(&self) -> Step {
        let tx = scope(self.books.db.service_pool(), self.books.tenant).await;
        Step { tx, plan: Plan::new(self.now(), "tests") }
    }

    /// Posts, announces and commits.
    pub async fn end(&self, mut step: Step) -> Result<(), PaymentError> {
        let tenant = self.books.tenant;
        let posted = step.plan.post_all(&mut step.tx, tenant).await?;
        step.plan.announce_all(&mut step.tx, tenant, &posted).await?;
        step.tx.commit().await.map_err(Into::into)
    }

    /// Books what the core would.
    pub async fn book(&self, key: &str, page: &str) {
        let mut step = self.begin().await;
        plan_page(&mut step.plan, key, page);
        self.end(step).await.unwrap();
    }

    /// Cash for the customer.
    pub async fn top_up(&self, amount: &str) {
        let page = format!(
            "dr bank:main {amount} AED; cr customer_wallet:{C}:cash:spendable {amount} AED"
        );
        self.book(&format!("top_up:{}", self.payment()), &page).await;
    }

    pub fn asked(&self, amount: i64, days: Option<i64>) -> NewGrant {
        NewGrant {
            customer: C.into(),
            amount: minor(amount),
            expires_at: days.map(|days| self.now() + chrono::Duration::days(days)),
            reason: "sorry".into(),
            by: "tests".into(),
        }
    }

    pub async fn grant(&self, amount: i64, days: Option<i64>) -> Lot {
        let mut step = self.begin().await;
        let (tenant, asked) = (self.books.tenant, self.asked(amount, days));
        let lot = wallets::grant_goodwill(&mut step.tx, tenant, self.now(), &asked).await;
        step.tx.commit().await.unwrap();
        lot.unwrap()
    }

    pub async fn hold(
        &self,
        payment: PaymentIntentId,
        cash: i64,
        promo: i64,
    ) -> Result<(), PaymentError> {
        let mut step = self.begin().await;
        let (cash, promo) = (minor(cash), minor(promo));
        let Step { tx, plan } = &mut step;
        let asked = NewHold { payment, customer: C, cash, promo };
        wallets::hold(tx, self.books.tenant, &asked, plan).await?;
        self.end(step).await
    }

    pub async fn release(&self, payment: PaymentIntentId) -> bool {
        let mut step = self.begin().await;
        let Step { tx, plan } = &mut step;
        let released = wallets::release(tx, self.books.tenant, payment, plan).await;
        self.end(step).await.unwrap();
        released.unwrap()
    }

    /// A capture of what was held.
    pub async fn spend(&self, payment: PaymentIntentId) -> Result<(), PaymentError> {
        let mut step = self.begin().await;
        let tenant = self.books.tenant;
        let held = wallets::hold_of(&mut step.tx, tenant, payment).await?.unwrap();
        wallets::spend(&mut step.tx, tenant, payment).await?;
        let (cash, promo) = (held.cash, held.promo);
        let total = cash.checked_add(promo).unwrap();
        let page = format!(
            "dr customer_wallet:{C}:cash:held {cash}
             dr customer_wallet:{C}:promo:held {promo}
             cr vendor_payable:V1:pending {total}"
        );
        plan_page(&mut step.plan, &format!("{payment}:capture"), &page);
        self.end(step).await
    }

    /// The promo part of a refund.
    pub async fn give_back(
        &self,
        refund: RefundId,
        payment: PaymentIntentId,
        promo: i64,
    ) -> Result<(), PaymentError> {
        let mut step = self.begin().await;
        let (tenant, now, promo) = (self.books.tenant, self.now(), minor(promo));
        wallets::give_back(&mut step.tx, tenant, now, refund, payment, promo).await?;
        let page = format!(
            "dr vendor_payable:V1:pending {promo}
             cr customer_wallet:{C}:promo:spendable {promo}"
        );
        plan_page(&mut step.plan, &format!("{refund}:promo"), &page);
        self.end(step).await
    }

    /// A refund of the order that earned cashback, from which anything may be withheld.
    pub async fn claw_back(
        &self,
        payment: PaymentIntentId,
        refunded: i64,
        before: i64,
    ) -> ClawBack {
        self.claw_back_for(RefundId::generate(self.now()), payment, refunded, before).await
    }

    pub async fn claw_back_for(
        &self,
        refund: RefundId,
        payment: PaymentIntentId,
        refunded: i64,
        before: i64,
    ) -> ClawBack {
        let mut step = self.begin().await;
        let of = RefundOfOrder {
            refund,
            payment,
            refunded: minor(refunded),
            refundable_before: minor(before),
            withhold_at_most: minor(refunded),
        };
        let Step { tx, plan } = &mut step;
        let taken = wallets::claw_back(tx, self.books.tenant, &of, plan).await.unwrap();
        self.end(step).await.unwrap();
        taken
    }

    /// That refund came to nothing.
    pub async fn undo_claw_back(&self, refund: RefundId) {
        let mut step = self.begin().await;
        let Step { tx, plan } = &mut step;
        wallets::undo_claw_back(tx, self.books.tenant, refund, plan).await.unwrap();
        self.end(step).await.unwrap();
    }

    /// A delivery of these lines, each `(number, minor units)`, of an order of so much in all.
    pub async fn deliver(&self, order: &Order, lines: &[(i16, i64)]) -> Option<Lot> {
        let mut step = self.begin().await;
        let line = |(n, price): &(i16, i64)| DeliveredLine {
            n: *n,
            paid_by_gateway: minor(*price),
            price: minor(*price),
        };
        let delivered = Delivered {
            payment: order.payment,
            order: order.name.clone(),
            customer: C.into(),
            currency: Currency::AED,
            ordered_at: order.at,
            paid_by_gateway: minor(order.price),
            price: minor(order.price),
            lines: lines.iter().map(line).collect(),
        };
        let (tenant, at) = (self.books.tenant, self.now());
        let Step { tx, plan } = &mut step;
        let lot = wallets::grant_cashback(tx, tenant, at, &delivered, plan).await;
        self.end(step).await.unwrap();
        lot.unwrap()
    }

    pub fn order(&self, name: &str, price: i64) -> Order {
        Order { payment: self.payment(), name: name.into(), price, at: self.now() }
    }

    pub async fn run_due(&self) -> Ran {
        wallets::run_due(&self.app, self.books.tenant).await.unwrap()
    }

    /// A cashback rule, as a row.
    pub async fn rule(&self, columns: &str, values: &str) {
        let statement = format!(
            "insert into wallets.cashback_rule (tenant_id, id, name, first_order, valid_from,
                 created_at, created_by, {columns})
             values ({}, gen_random_uuid(), 'rule', false, '2026-01-01', '2026-01-01', 'tests',
                 {values})",
            self.books.tenant
        );
        self.execute(&statement).await;
    }

    pub async fn execute(&self, statement: &str) {
        let statement = AssertSqlSafe(statement.to_owned());
        sqlx::raw_sql(statement).execute(&mut self.books.db.owner().await).await.unwrap();
    }

    /// The one number of a query, as the owner sees it.
    pub async fn sql(&self, query: &str) -> i64 {
        let query = AssertSqlSafe(query.to_owned());
        sqlx::query_scalar(query).fetch_one(&mut self.books.db.owner().await).await.unwrap()
    }

    /// The balance of an account in dirhams, in minor units.
    pub async fn balance(&self, path: &str) -> i64 {
        let page = self.books.balances().await;
        let line = page.lines().find_map(|line| line.strip_prefix(&format!("{path} ")));
        let amount = line.map(|rest| rest.strip_suffix(" AED").unwrap());
        let amount = amount.map(|amount| crate::support::aed(amount).minor());
        amount.unwrap_or(0)
    }

    /// The lots are what the accounts say, and every law of the ledger holds.
    pub async fn prove(&self) {
        let differences: Vec<String> = sqlx::query_scalar(
            "with said as (
                 select customer, currency::text,
                     sum(amount - held - spent - expired - clawed)
                         filter (where state = 'pending') as pending,
                     sum(amount - held - spent - expired - clawed)
                         filter (where state = 'vested') as spendable,
                     sum(held) as held
                 from wallets.lot group by 1, 2
             ), lots as (
                 select 'cashback_liability:' || customer as path, currency, pending as net
                 from said
                 union all
                 select 'customer_wallet:' || customer || ':promo:spendable', currency, spendable
                 from said
                 union all
                 select 'customer_wallet:' || customer || ':promo:held', currency, held from said
             ), accounts as (
                 select a.path, a.currency::text, b.credits - b.debits as net
                 from ledger.account a
                 join ledger.balance b on b.tenant_id = a.tenant_id and b.account_id = a.id
                 where a.path like 'cashback_liability:%'
                     or a.path like 'customer_wallet:%:promo:%'
             )
             select path || ': lots ' || coalesce(l.net, 0) || ', account ' || coalesce(a.net, 0)
             from lots l full join accounts a using (path, currency)
             where coalesce(l.net, 0) <> coalesce(a.net, 0)",
        )
        .fetch_all(&mut self.books.db.owner().await)
        .await
        .unwrap();
        assert!(differences.is_empty(), "{differences:#?}");
        for (_, laws) in mizan::verify::verify(&self.app.db, &self.app.clock).await.unwrap() {
            for law in laws {
                assert!(law.holds(), "{}: {:#?}", law.name, law.broken);
            }
        }
    }
}

/// An order that may earn cashback.
pub struct Order {
    pub payment: PaymentIntentId,
    pub name: String,
    pub price: i64,
    pub at: Timestamp,
}

fn plan_page(plan: &mut Plan, key: &str, page: &str) {
    let mut page: String =
        page.split(['\n', ';']).map(|line| format!("{}\n", line.trim())).collect();
    page = page.lines().filter(|line| !line.contains(" 0.00 ")).map(|l| format!("{l}\n")).collect();
    let mut transaction = fact(key, &page);
    transaction.effective_at = plan.now();
    let entry = plan.add(transaction);
    plan.announce("test.moved", key.to_owned(), Some(entry), json!({}));
}
