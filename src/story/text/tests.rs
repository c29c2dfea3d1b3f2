//! The language as a whole: its forms, its errors, and that what is written is read back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;

use chrono::{NaiveDate, TimeDelta};
use mizan_ledger::chart::CHART;
use mizan_money::{Currency, Money, Timestamp};
use proptest::prelude::*;
use proptest::sample::select;

use super::pattern::{Part, first_word, parts};
use super::value::{Account, Kind, Party, Value};
use super::{Form, Statement, Story, parse};
use crate::story::forms;

fn read(text: &str) -> Story {
    parse(text, forms::all()).unwrap_or_else(|error| panic!("{error}\nin\n{text}"))
}

fn refusal(text: &str) -> String {
    parse(text, forms::all()).unwrap_err().to_string()
}

#[test]
fn every_example_of_the_reference_is_read_and_is_its_own_form() {
    for form in forms::all() {
        let story = read(form.example);
        let statement = &story.statements[0];
        assert_eq!(statement.form.head, form.head, "{}", form.example);
        assert_eq!(read(&story.to_string()), story, "{story}");
        for child in form.children {
            let under = form.example.lines().next().unwrap();
            let story = read(&format!("{under}\n  {}", child.example));
            assert_eq!(story.statements[0].children[0].form.head, child.head);
        }
    }
}

#[test]
fn every_story_of_the_repository_is_read_and_written_back_the_same() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stories");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let story = read(&std::fs::read_to_string(&path).unwrap());
        assert_eq!(story.statements[0].form.verb(), "story", "{}", path.display());
        assert_eq!(read(&story.to_string()), story, "{}", path.display());
        count += 1;
    }
    assert!(count >= 17, "{count}");
}

#[test]
fn a_line_below_a_statement_is_a_child_or_goes_on_with_it_and_never_both() {
    for form in forms::all() {
        let children: BTreeSet<_> = form.children.iter().map(|it| first_word(it.head)).collect();
        for clause in form.clauses {
            let first = first_word(clause);
            assert!(first.is_some(), "{clause} begins with a value");
            assert!(!children.contains(&first), "{clause} of {}", form.head);
        }
    }
}

#[test]
fn an_error_names_the_place_what_was_read_and_what_could_stand_there() {
    assert_eq!(
        refusal("story \"A\"\npay O1 by strype\n"),
        "line 2, column 11: read `strype`\ndid you mean `stripe`?\nhere could stand:\n  \
         `stripe` or `razorpay` or `telr` or `paytabs` or `paypal`"
    );
    assert_eq!(
        refusal("refund O1 40.001 AED"),
        "line 1, column 11: read `40.001`: AED has 2 decimals, the amount has 3\n\
         here could stand:\n  an amount in major units with its currency, such as 105.00 AED\n  \
         `named NAME`\n  `to source|wallet`\n  \
         `because requested_by_customer|duplicate|fraudulent|other`\n  `left pending`\n  \
         `refused: PROBLEM`"
    );
    assert_eq!(
        refusal("balances\n  vendor_payable V1 frozen 1.00 AED"),
        "line 2, column 21: read `frozen`\nhere could stand:\n  \
         `pending` or `available` or `reserve` or `held`"
    );
    assert_eq!(
        refusal("cashback 5% of paid vesting after 14 days"),
        "line 1, column 42: the statement ends here\nhere could stand:\n  \
         `expiring after NUMBER days`"
    );
    assert!(refusal("deliverd O1").starts_with(
        "line 1, column 1: read `deliverd`\ndid you mean `delivered`?\nhere could stand:"
    ));
    assert!(
        refusal("order O1\n  lien V1 5.00 AED")
            .starts_with("line 2, column 3: read `lien`\ndid you mean `line`?")
    );
    assert_eq!(
        refusal("order O1\n  tip V1 5.00 AED taxx 5%"),
        "line 2, column 19: read `taxx`\ndid you mean `tax`?\nhere could stand:\n  \
         `tax PERCENT`"
    );
    assert!(
        refusal("balances\n  vendor_payble V1 pending 1.00 AED")
            .starts_with("line 2, column 3: read `vendor_payble`\ndid you mean `vendor_payable`?")
    );
    assert!(refusal("refund O1 refused: Not").contains("the code of a problem"));
    assert!(refusal("  line V1 5.00 AED").contains("there is none"));
    assert!(refusal("story \"A").contains("the quote is not closed"));
    assert!(refusal("on\t2026-03-02").contains("column 3: read `a tab`"));
}

#[test]
fn clauses_come_in_any_order_and_may_stand_below() {
    let one = read("vendor V1 tier gold in IN");
    assert_eq!(one, read("vendor V1\n  in IN\n  tier gold\n"));
    assert!(refusal("vendor V1 tier gold tier gold").contains("read `tier`"));
}

fn value(kind: &Kind) -> BoxedStrategy<Value> {
    let name = || "[A-Za-z0-9_.-]{1,12}";
    let currency = || select(vec![Currency::AED, Currency::KWD, Currency::JPY]);
    let account = || {
        (select(CHART.iter().collect::<Vec<_>>()), name()).prop_map(|(line, name)| {
            let value = |it: &mizan_ledger::chart::Dimension| {
                it.words.first().map_or(name.clone(), |word| (*word).to_owned())
            };
            Account { role: line.role, values: line.dimensions.iter().map(value).collect() }
        })
    };
    let day = || {
        (0..3_000_i64)
            .prop_map(|days| NaiveDate::from_ymd_opt(2024, 1, 1).unwrap() + TimeDelta::days(days))
    };
    match kind {
        Kind::Name | Kind::Zone => name().prop_map(Value::Word).boxed(),
        Kind::Names => prop::collection::vec(name(), 1..4).prop_map(Value::Words).boxed(),
        Kind::Text => "[ -~é]{0,20}".prop_map(Value::Text).boxed(),
        Kind::Money => (0..1_000_000_000_i64, currency())
            .prop_map(|(minor, currency)| Value::Money(Money::new(minor, currency)))
            .boxed(),
        Kind::Percent => "[1-9][0-9]?(\\.[0-9]{1,3})?".prop_map(Value::Percent).boxed(),
        Kind::Decimal => "[1-9][0-9]?(\\.[0-9]{1,6})?".prop_map(Value::Number).boxed(),
        Kind::Whole => (0..400_i64).prop_map(Value::Whole).boxed(),
        Kind::Numbers => prop::collection::vec(0..100_i64, 1..4).prop_map(Value::Numbers).boxed(),
        Kind::Date => day().prop_map(Value::Date).boxed(),
        Kind::Moment => (0..2_000_000_000_i64)
            .prop_map(|seconds| Value::Moment(Timestamp::from_timestamp(seconds, 0).unwrap()))
            .boxed(),
        Kind::Currency => currency().prop_map(|it| Value::Word(it.code().to_owned())).boxed(),
        Kind::Account => account().prop_map(Value::Account).boxed(),
        Kind::Party => (any::<bool>(), name())
            .prop_map(|(is_affiliate, name)| Value::Party(Party { is_affiliate, name }))
            .boxed(),
        Kind::Words(words) => {
            let words: Vec<String> = words.split('|').map(str::to_owned).collect();
            select(words).prop_map(Value::Word).boxed()
        }
    }
}

type Given = Vec<(&'static str, Value)>;

fn fields(parts: &[Part]) -> BoxedStrategy<Given> {
    let mut all: BoxedStrategy<Given> = Just(Given::new()).boxed();
    for part in parts {
        let next: BoxedStrategy<Given> = match part {
            Part::Word(_) => continue,
            Part::Field(name, kind) => {
                let name = *name;
                value(kind).prop_map(move |value| vec![(name, value)]).boxed()
            }
            Part::Maybe(group) => maybe(fields(group)),
        };
        all = joined(all, next);
    }
    all
}

fn maybe(all: BoxedStrategy<Given>) -> BoxedStrategy<Given> {
    prop_oneof![Just(Given::new()), all].boxed()
}

fn joined(left: BoxedStrategy<Given>, right: BoxedStrategy<Given>) -> BoxedStrategy<Given> {
    let join = |(mut left, mut right): (Given, Given)| {
        left.append(&mut right);
        left
    };
    (left, right).prop_map(join).boxed()
}

fn statement(form: &'static Form, is_child: bool) -> BoxedStrategy<Statement> {
    let mut all = fields(&parts(form.head));
    for clause in form.clauses {
        let pattern = clause.trim_start_matches('!');
        let given = match pattern.contains('{') {
            true => fields(&parts(pattern)),
            false => Just(vec![(pattern, Value::Flag)]).boxed(),
        };
        all = joined(all, if clause.starts_with('!') { given } else { maybe(given) });
    }
    let child = |form| statement(form, true);
    let children = match form.children {
        [] => Just(Vec::new()).boxed(),
        forms => {
            let any = select(forms.iter().collect::<Vec<_>>()).prop_flat_map(child);
            prop::collection::vec(any, 0..4).boxed()
        }
    };
    let problem = prop::option::of("[a-z]{1,9}(_[a-z]{1,9})?");
    let comments = prop::collection::vec("[a-zA-Z]{0,4}( [a-z#\"]{1,9})?", 0..2);
    (all, children, problem, comments)
        .prop_map(move |(fields, children, refused, comments)| Statement {
            line: 1,
            comments: comments.into_iter().map(|it| it.trim().to_owned()).collect(),
            form,
            fields,
            refused: refused.filter(|_| !is_child),
            children,
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(
        statements in prop::collection::vec(
            select(forms::all().iter().collect::<Vec<_>>())
                .prop_flat_map(|form| statement(form, false)),
            1..6,
        )
    ) {
        let story = Story { statements, tail: Vec::new() };
        let written = story.to_string();
        let read = parse(&written, forms::all())
            .map_err(|error| TestCaseError::fail(format!("{error}\nin\n{written}")))?;
        prop_assert_eq!(read, story, "{}", written);
    }
}
