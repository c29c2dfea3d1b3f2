//! What must be true: balances of the books, and facts of the interface.

use mizan_money::{Currency, Money};
use serde_json::Value;

use super::api::day;
use super::{Done, Runner, Stop};
use crate::story::outcome::{AccountLine, Difference, Entry};
use crate::story::text::{Account, Statement};

impl Runner<'_> {
    /// Every account with its balance, debit positive.
    pub async fn accounts(&self) -> Result<Vec<AccountLine>, Stop> {
        let rows = self.all("/v1/ledger/accounts").await?;
        Ok(rows.iter().filter_map(AccountLine::read).collect())
    }

    pub async fn balances(&mut self, it: &Statement) -> Done {
        let accounts = self.accounts().await?;
        let mut listed = Vec::new();
        for child in &it.children {
            let Some(account) = child.account("account") else { continue };
            let expected = match (child.money("amount"), child.word("currency")) {
                (Some(amount), _) => signed(account, amount, child.word("side")),
                (None, Some(code)) => Money::zero(Currency::parse(code)?),
                (None, None) => continue,
            };
            let of = |line: &&AccountLine| line.is(account, expected.currency());
            let found: i64 = accounts.iter().filter(of).map(|line| line.minor).sum();
            listed.extend(accounts.iter().filter(of).map(|line| line.id.clone()));
            if found != expected.minor() {
                self.differences.push(Difference::balance(child.line, account, expected, found));
            }
        }
        if it.has("and nothing else") {
            for line in accounts.iter().filter(|line| line.minor != 0 && !listed.contains(&line.id))
            {
                self.differences.push(Difference::unlisted(it.line, line));
            }
        }
        Ok(())
    }

    pub async fn expect(&mut self, verb: &str, it: &Statement) -> Done {
        match verb {
            "expect order" => {
                let order = self.known_order(it.name("order"))?;
                let path = format!("/v1/payment_intents/{order}");
                let intent = self.get(&path).await?;
                self.status(it, &intent);
                self.amount(it, "captured", &intent["amount_captured"]);
                self.amount(it, "refunded", &intent["amount_refunded"]);
                let attempts = intent["attempts"].as_array().into_iter().flatten();
                let fee: i64 = attempts.filter_map(|attempt| attempt["fee"].as_i64()).sum();
                self.amount(it, "fee", &fee.into());
            }
            "expect refund" => self.thing(it, "refund", "refunds").await?,
            "expect dispute" => self.thing(it, "dispute", "disputes").await?,
            "expect payout" => self.thing(it, "payout", "payouts").await?,
            "expect line of" => self.line_split(it).await?,
            "expect statement of from to" => self.statement_of_vendor(it).await?,
            "expect gateway" => self.gateways_books(it).await?,
            "expect vendor" => {
                let path = format!("/v1/vendors/{}/balance", it.name("vendor"));
                let balance = self.get(&path).await?;
                self.part(it, &balance);
            }
            "expect affiliate" => {
                let path = format!("/v1/affiliates/{}", it.name("affiliate"));
                let balance = self.get(&path).await?;
                self.part(it, &balance);
            }
            "expect wallet" => {
                let path = format!("/v1/customers/{}/wallet", it.name("customer"));
                let wallet = self.get(&path).await?;
                self.part(it, &wallet);
            }
            _ => {
                let answer = self.get(&self.with_ids(it.name("path"))).await?;
                let found = answer.pointer(it.name("pointer")).cloned().unwrap_or_default();
                let found = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
                let what = format!("{} {}", it.name("path"), it.name("pointer"));
                self.fact(it, &what, it.name("value"), &found);
            }
        }
        Ok(())
    }

    async fn thing(&mut self, it: &Statement, name: &str, list: &str) -> Done {
        let path = format!("/v1/{list}/{}", self.id(it.name(name))?);
        let thing = self.get(&path).await?;
        self.status(it, &thing);
        self.amount(it, "amount", &thing["amount"]);
        self.amount(it, "pays", &thing["pay_amount"]);
        if let Some(gate) = it.word("gate") {
            let gates = thing["gates"].as_array().into_iter().flatten();
            let closed = gates.filter(|gate| gate["passed"] == false);
            let closed: Vec<&str> = closed.filter_map(|gate| gate["gate"].as_str()).collect();
            if !closed.contains(&gate) {
                self.fact(it, "is held back by", gate, &closed.join(", "));
            }
        }
        Ok(())
    }

    async fn line_split(&mut self, it: &Statement) -> Done {
        let order = self.known_order(it.name("order"))?;
        let intent = self.get(&format!("/v1/payment_intents/{order}")).await?;
        let lines = intent["lines"].as_array().cloned().unwrap_or_default();
        let number = it.whole("line").unwrap_or_default();
        let line = lines.into_iter().find(|line| line["line"] == number);
        let line = line.ok_or_else(|| Stop::Broken(format!("there is no line {number}")))?;
        for field in ["captured", "tax", "vendor_share", "commission", "commission_vat", "refunded"]
        {
            self.amount(it, field, &line[field]);
        }
        Ok(())
    }

    async fn statement_of_vendor(&mut self, it: &Statement) -> Done {
        let date = |field| day(it, field).map(|date| date.to_string()).unwrap_or_default();
        let (vendor, currency) = (it.name("vendor"), it.name("currency"));
        let (from, to) = (date("from"), date("to"));
        let path =
            format!("/v1/vendors/{vendor}/statements?from={from}&to={to}&currency={currency}");
        let statement = self.get(&path).await?;
        for (field, _) in &it.fields {
            self.amount(it, field, &statement[*field]);
        }
        Ok(())
    }

    async fn gateways_books(&mut self, it: &Statement) -> Done {
        let Some(expected) = it.money("amount") else { return Ok(()) };
        let (gateway, code) = (it.name("gateway"), expected.currency().code());
        let url = format!("{}/_sim/state", self.simulator(gateway)?);
        let state: Value = self.http.get(url).send().await?.json().await?;
        let totals = &state[gateway]["totals"];
        let own = [code, &code.to_lowercase()].into_iter().find_map(|code| totals.get(code));
        let minor = own.map_or(Some(0), |own| own[it.name("what")].as_i64());
        let found = minor.map(|minor| Money::new(minor, expected.currency()));
        self.same(it, it.name("what"), expected, found);
        Ok(())
    }

    fn status(&mut self, it: &Statement, thing: &Value) {
        let found = thing["status"].as_str().unwrap_or("without a status");
        self.fact(it, "status", it.name("status"), found);
    }

    fn amount(&mut self, it: &Statement, field: &str, found: &Value) {
        let Some(expected) = it.money(field) else { return };
        let found = found.as_i64().map(|minor| Money::new(minor, expected.currency()));
        self.same(it, field, expected, found);
    }

    /// A figure of the row of its currency, wherever the answer has it.
    fn part(&mut self, it: &Statement, answer: &Value) {
        let Some(expected) = it.money("amount") else { return };
        let code = expected.currency().code();
        let row = row_of(answer, code).unwrap_or(answer);
        let figure = &row[it.name("what")];
        let minor = figure.as_i64().or_else(|| figure[code].as_i64());
        // What the service has never heard of is nothing.
        let minor = minor.or_else(|| row_of(answer, code).is_none().then_some(0));
        let found = minor.map(|minor| Money::new(minor, expected.currency()));
        self.same(it, it.name("what"), expected, found);
    }

    fn same(&mut self, it: &Statement, what: &str, expected: Money, found: Option<Money>) {
        let found = found.map_or_else(|| "nothing".to_owned(), |found| found.to_string());
        self.fact(it, what, &expected.to_string(), &found);
    }

    fn fact(&mut self, it: &Statement, what: &str, expected: &str, found: &str) {
        if expected != found {
            let what = format!("{} {what}", it.form.verb());
            self.differences.push(Difference::fact(it.line, &what, expected, found));
        }
    }

    /// The entries of the accounts in which a difference lies.
    pub async fn add_lines(&self, difference: &mut Difference) -> Done {
        let mut accounts = self.accounts().await?;
        accounts.retain(|line| difference.is_of(line));
        for line in accounts {
            let path = format!("/v1/ledger/accounts/{}/statement?limit=100", line.id);
            let page = self.get(&path).await?;
            let rows = page["data"].as_array().into_iter().flatten();
            difference.entries.extend(rows.filter_map(Entry::read));
        }
        difference.entries.sort_by_key(|entry| entry.position);
        Ok(())
    }
}

/// The object of a list whose currency is this.
fn row_of<'a>(answer: &'a Value, code: &str) -> Option<&'a Value> {
    if answer["currency"] == code {
        return Some(answer);
    }
    match answer {
        Value::Array(rows) => rows.iter().find_map(|row| row_of(row, code)),
        Value::Object(fields) => fields.values().find_map(|value| row_of(value, code)),
        _ => None,
    }
}

/// Debit positive; on the account's normal side unless another is named.
fn signed(account: &Account, amount: Money, side: Option<&str>) -> Money {
    let normal = account.role.line().class.normal_side();
    let is_debit = side.map_or(normal == mizan_ledger::Side::Debit, |side| side == "debit");
    let minor = if is_debit { amount.minor() } else { -amount.minor() };
    Money::new(minor, amount.currency())
}
