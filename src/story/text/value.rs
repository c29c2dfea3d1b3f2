//! The values of a story: how each is written, and how it is read.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use mizan_ledger::chart::{CHART, Role};
use mizan_money::{Currency, Money, Timestamp, parse_amount};

use super::lexer::Token;

/// The longest name.
const NAME_MAX: usize = 80;

/// What can stand where a pattern has a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Name,
    Names,
    Zone,
    Text,
    Money,
    Percent,
    Decimal,
    Whole,
    Numbers,
    Date,
    Moment,
    Currency,
    Account,
    Party,
    /// One of these, with `|` between them.
    Words(&'static str),
}

/// A value that was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Word(String),
    Words(Vec<String>),
    Text(String),
    Money(Money),
    /// A percentage or a rate, as digits.
    Percent(String),
    Number(String),
    Whole(i64),
    Numbers(Vec<i64>),
    Date(NaiveDate),
    Moment(Timestamp),
    Account(Account),
    Party(Party),
    /// A clause that has no value.
    Flag,
}

/// A role of the chart with its dimensions. A wallet without its bucket is the sum of both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub role: Role,
    pub values: Vec<String>,
}

/// Who is paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    pub is_affiliate: bool,
    pub name: String,
}

/// What could stand where something else was read.
pub struct Miss {
    pub at: usize,
    pub could: String,
    pub reason: Option<String>,
}

impl Kind {
    /// The kind of this name; any other name is a choice of words.
    pub fn named(name: &'static str) -> Self {
        match name {
            "name" => Self::Name,
            "names" => Self::Names,
            "zone" => Self::Zone,
            "text" => Self::Text,
            "money" => Self::Money,
            "percent" => Self::Percent,
            "decimal" => Self::Decimal,
            "whole" => Self::Whole,
            "numbers" => Self::Numbers,
            "date" => Self::Date,
            "moment" => Self::Moment,
            "currency" => Self::Currency,
            "account" => Self::Account,
            "party" => Self::Party,
            words => Self::Words(words),
        }
    }

    /// How the reference writes it.
    pub fn shown(&self) -> String {
        match self {
            Self::Name => "NAME".to_owned(),
            Self::Names => "NAME, NAME".to_owned(),
            Self::Zone => "ZONE".to_owned(),
            Self::Text => "\"TEXT\"".to_owned(),
            Self::Money => "AMOUNT".to_owned(),
            Self::Percent => "PERCENT".to_owned(),
            Self::Decimal => "RATE".to_owned(),
            Self::Whole => "NUMBER".to_owned(),
            Self::Numbers => "NUMBER, NUMBER".to_owned(),
            Self::Date => "DATE".to_owned(),
            Self::Moment => "DATE TIME".to_owned(),
            Self::Currency => "CURRENCY".to_owned(),
            Self::Account => "ACCOUNT".to_owned(),
            Self::Party => "PARTY".to_owned(),
            Self::Words(words) => (*words).to_owned(),
        }
    }

    /// It in words, with an example.
    fn could(&self) -> String {
        let text = match self {
            Self::Name => "a name such as V1: letters, digits, `_`, `-` and `.`, at most 80",
            Self::Names => "names with commas between them, such as V1, V2",
            Self::Zone => "a time zone such as Asia/Dubai",
            Self::Text => "a text in quotes",
            Self::Money => "an amount in major units with its currency, such as 105.00 AED",
            Self::Percent => "a percentage such as 5% or 2.9%",
            Self::Decimal => "a rate such as 3.6725",
            Self::Whole => "a whole number",
            Self::Numbers => "whole numbers with commas between them, such as 1, 2",
            Self::Date => "a date such as 2026-03-02",
            Self::Moment => "a date and a time such as 2026-03-02 10:00",
            Self::Currency => "a currency such as AED",
            Self::Account => "an account such as vendor_payable V1 pending",
            Self::Party => "`vendor NAME` or `affiliate NAME`",
            Self::Words(words) => {
                let words: Vec<String> = words.split('|').map(|it| format!("`{it}`")).collect();
                return words.join(" or ");
            }
        };
        text.to_owned()
    }

    /// Reads one from `at` on; answers it and where to go on.
    pub fn read(&self, tokens: &[Token], at: usize) -> Result<(Value, usize), Miss> {
        let read = Reader { kind: self, tokens };
        match self {
            Self::Name => read.plain(at, is_name).map(|text| (Value::Word(text), at + 1)),
            Self::Zone => read.plain(at, is_zone).map(|text| (Value::Word(text), at + 1)),
            Self::Words(words) => {
                let known = |text: &str| words.split('|').any(|word| word == text);
                read.plain(at, known).map(|text| (Value::Word(text), at + 1))
            }
            Self::Text => match tokens.get(at) {
                Some(token) if token.quoted => Ok((Value::Text(token.text.clone()), at + 1)),
                _ => Err(read.miss(at, None)),
            },
            Self::Names => {
                let (names, end) = read.list(at, |text| is_name(text).then(|| text.to_owned()))?;
                Ok((Value::Words(names), end))
            }
            Self::Numbers => {
                let (numbers, end) = read.list(at, whole)?;
                Ok((Value::Numbers(numbers), end))
            }
            Self::Whole => {
                let text = read.plain(at, |text| whole(text).is_some())?;
                Ok((Value::Whole(whole(&text).unwrap_or_default()), at + 1))
            }
            Self::Percent => {
                let number = |text: &str| text.strip_suffix('%').is_some_and(is_decimal);
                let text = read.plain(at, number)?;
                Ok((Value::Percent(text.trim_end_matches('%').to_owned()), at + 1))
            }
            Self::Decimal => read.plain(at, is_decimal).map(|it| (Value::Number(it), at + 1)),
            Self::Currency => {
                let text = read.plain(at, |text| Currency::parse(text).is_ok())?;
                Ok((Value::Word(text), at + 1))
            }
            Self::Date => read.date(at).map(|date| (Value::Date(date), at + 1)),
            Self::Moment => read.moment(at),
            Self::Money => read.money(at),
            Self::Account => read.account(at),
            Self::Party => read.party(at),
        }
    }
}

struct Reader<'a> {
    kind: &'a Kind,
    tokens: &'a [Token],
}

impl Reader<'_> {
    fn miss(&self, at: usize, reason: Option<String>) -> Miss {
        Miss { at, could: self.kind.could(), reason }
    }

    fn text(&self, at: usize) -> Option<&str> {
        self.tokens.get(at).filter(|token| !token.quoted).map(|token| token.text.as_str())
    }

    fn plain(&self, at: usize, fits: impl Fn(&str) -> bool) -> Result<String, Miss> {
        let found = self.text(at).filter(|text| fits(text));
        found.map(str::to_owned).ok_or_else(|| self.miss(at, None))
    }

    fn list<T>(
        &self,
        at: usize,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<(Vec<T>, usize), Miss> {
        let (mut list, mut at) = (Vec::new(), at);
        loop {
            let item = self.text(at).and_then(&read).ok_or_else(|| self.miss(at, None))?;
            list.push(item);
            at += 1;
            if self.text(at) != Some(",") {
                return Ok((list, at));
            }
            at += 1;
        }
    }

    fn date(&self, at: usize) -> Result<NaiveDate, Miss> {
        let read = |text: &str| {
            let full = text.len() == 10;
            NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| full)
        };
        self.text(at).and_then(read).ok_or_else(|| self.miss(at, None))
    }

    fn moment(&self, at: usize) -> Result<(Value, usize), Miss> {
        let date = self.date(at)?;
        let read = |text: &str| {
            let text = format!("{date} {text}");
            let forms = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"];
            forms.into_iter().find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok())
        };
        let time = self.text(at + 1).and_then(read).ok_or_else(|| self.miss(at + 1, None))?;
        Ok((Value::Moment(DateTime::from_naive_utc_and_offset(time, chrono::Utc)), at + 2))
    }

    fn money(&self, at: usize) -> Result<(Value, usize), Miss> {
        let figure = self.plain(at, |text| {
            text.starts_with(|c: char| c.is_ascii_digit())
                && text.chars().all(|c| c.is_ascii_digit() || c == '.')
        })?;
        let code = self.text(at + 1).and_then(|code| Currency::parse(code).ok());
        let currency =
            code.ok_or_else(|| Miss { at: at + 1, could: Kind::Currency.could(), reason: None })?;
        let money = parse_amount(&figure, currency);
        let money = money.map_err(|error| self.miss(at, Some(error.to_string())))?;
        Ok((Value::Money(money), at + 2))
    }

    fn account(&self, at: usize) -> Result<(Value, usize), Miss> {
        let role = self.text(at).and_then(Role::parse).ok_or_else(|| {
            let roles: Vec<String> = CHART.iter().map(|line| format!("`{}`", line.name)).collect();
            let could = format!("an account: {}", roles.join(", "));
            Miss { at, could, reason: None }
        })?;
        let (mut values, mut next) = (Vec::new(), at + 1);
        for dimension in role.line().dimensions {
            let fits = |text: &&str| match dimension.words {
                [] => is_name(text),
                words => words.contains(text),
            };
            match self.text(next).filter(fits) {
                Some(text) => values.push(text.to_owned()),
                None if is_optional(role, dimension.name) => break,
                None => {
                    let could = match dimension.words {
                        [] => format!("the {} of {}", dimension.name, role.line().name),
                        words => Kind::words(words),
                    };
                    return Err(Miss { at: next, could, reason: None });
                }
            }
            next += 1;
        }
        Ok((Value::Account(Account { role, values }), next))
    }

    fn party(&self, at: usize) -> Result<(Value, usize), Miss> {
        let is_affiliate = match self.text(at) {
            Some("vendor") => false,
            Some("affiliate") => true,
            _ => return Err(self.miss(at, None)),
        };
        let name = self.text(at + 1).filter(|text| is_name(text));
        let name =
            name.ok_or_else(|| Miss { at: at + 1, could: Kind::Name.could(), reason: None })?;
        Ok((Value::Party(Party { is_affiliate, name: name.to_owned() }), at + 2))
    }
}

impl Kind {
    fn words(words: &[&str]) -> String {
        let words: Vec<String> = words.iter().map(|it| format!("`{it}`")).collect();
        words.join(" or ")
    }
}

/// A wallet's bucket may be left out.
fn is_optional(role: Role, dimension: &str) -> bool {
    role == Role::CustomerWallet && dimension == "bucket"
}

fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (1..=NAME_MAX).contains(&text.len()) && text.chars().all(plain)
}

fn is_zone(text: &str) -> bool {
    text.split('/').all(is_name)
}

fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.split_once('.') {
        Some((whole, rest)) => digits(whole) && digits(rest),
        None => digits(text),
    }
}

fn whole(text: &str) -> Option<i64> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number <= 1_000_000_000)
}

impl Account {
    /// The ledger's way to write it; a wallet without a bucket is its spendable part.
    pub fn path(&self) -> String {
        let mut path = self.role.line().name.to_owned();
        for value in &self.values {
            path.push(':');
            path.push_str(value);
        }
        if self.values.len() < self.role.line().dimensions.len() {
            path.push_str(":spendable");
        }
        path
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.role.line().name)?;
        self.values.iter().try_for_each(|value| write!(f, " {value}"))
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_affiliate { "affiliate" } else { "vendor" };
        write!(f, "{kind} {}", self.name)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(text) | Self::Number(text) => f.write_str(text),
            Self::Words(words) => f.write_str(&words.join(", ")),
            Self::Text(text) => f.write_str(&quote(text)),
            Self::Money(money) => write!(f, "{} {}", money.major_string(), money.currency()),
            Self::Percent(text) => write!(f, "{text}%"),
            Self::Whole(number) => write!(f, "{number}"),
            Self::Numbers(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
                f.write_str(&numbers.join(", "))
            }
            Self::Date(date) => write!(f, "{date}"),
            Self::Moment(moment) => write!(f, "{}", moment.format("%Y-%m-%d %H:%M:%S")),
            Self::Account(account) => account.fmt(f),
            Self::Party(party) => party.fmt(f),
            Self::Flag => Ok(()),
        }
    }
}

fn quote(text: &str) -> String {
    let mark = if text.contains('"') && !text.contains('\'') { '\'' } else { '"' };
    let mut quoted = String::from(mark);
    for c in text.chars() {
        if c == mark || c == '\\' {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push(mark);
    quoted
}
