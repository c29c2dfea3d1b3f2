//! The language: balances and facts that must hold, and what no other statement says.

use crate::story::text::Form;

const NONE: &[Form] = &[];

pub const CHECKS: &[Form] = &[
    Form {
        head: "balances",
        clauses: &["and nothing else"],
        children: &[
            Form {
                head: "{account:account} {amount:money} [{side:debit|credit}]",
                clauses: &[],
                children: NONE,
                says: "A balance now. It is on the account's normal side unless a side is named; \
                       a wallet without its bucket is the sum of both.",
                example: "gateway_clearing stripe 55.00 AED credit",
            },
            Form {
                head: "zero {account:account} {currency:currency}",
                clauses: &[],
                children: NONE,
                says: "An account that is exactly zero.",
                example: "zero deferred_commission AED",
            },
        ],
        says: "What the books show at this moment. With `and nothing else`, every account that is \
               not listed is zero. What does not hold is noted, and the story goes on.",
        example: "balances and nothing else\n  bank aed_main 35.46 AED\n  \
                  vat_output_payable AE 2.50 AED\n  zero gateway_clearing stripe AED",
    },
    Form {
        head: "expect order {order:name} {status:name}",
        clauses: &["captured {captured:money}", "refunded {refunded:money}", "fee {fee:money}"],
        children: NONE,
        says: "A payment's status and figures.",
        example: "expect order O1 succeeded captured 525.00 AED refunded 40.00 AED",
    },
    Form {
        head: "expect refund {refund:name} {status:name} [{amount:money}]",
        clauses: &[],
        children: NONE,
        says: "A refund's status and amount.",
        example: "expect refund R1 succeeded 40.00 AED",
    },
    Form {
        head: "expect dispute {dispute:name} {status:name} [{amount:money}]",
        clauses: &[],
        children: NONE,
        says: "A dispute's status and amount.",
        example: "expect dispute D1 lost 210.00 AED",
    },
    Form {
        head: "expect payout {payout:name} {status:name} [{amount:money}]",
        clauses: &["gets {pays:money}"],
        children: NONE,
        says: "A payout's status, its amount, and what the payee gets where that is in another \
               currency.",
        example: "expect payout P1 paid 3672.50 AED gets 989.89 USD",
    },
    Form {
        head: "expect vendor {vendor:name} {what:pending|available|reserve|held|debt} \
               {amount:money}",
        clauses: &[],
        children: NONE,
        says: "A part of what the service says of the vendor's balance.",
        example: "expect vendor V1 available 94.50 AED",
    },
    Form {
        head: "expect affiliate {affiliate:name} {what:pending|available|debt} {amount:money}",
        clauses: &[],
        children: NONE,
        says: "A part of what the service says of the affiliate's balance.",
        example: "expect affiliate A1 available 52.00 AED",
    },
    Form {
        head: "expect wallet {customer:name} \
               {what:cash|cash_held|promo|promo_held|pending_cashback} {amount:money}",
        clauses: &[],
        children: NONE,
        says: "A part of a customer's wallet: what can be spent, what a checkout holds, and \
               cashback that has not vested.",
        example: "expect wallet C1 promo 6.00 AED",
    },
    Form {
        head: "expect {path:text} {pointer:text} is {value:text}",
        clauses: &[],
        children: NONE,
        says: "Reads any address of the interface and compares one place of the answer, given as \
               a JSON pointer. `{O1}` in the address is the id of what the story calls O1.",
        example: "expect \"/v1/payment_intents/{O1}\" \"/attempts/0/fee\" is \"1623\"",
    },
];

pub const ANYTHING: &[Form] = &[Form {
    head: "call {method:GET|POST|PUT} {path:text}",
    clauses: &["body {body:text}", "named {name:name}", "by the checker"],
    children: NONE,
    says: "Calls any address of the interface with a JSON body, for what has no statement of its \
           own. `{O1}` in address and body is an id, as above; `named` keeps the answer's.",
    example: "call POST \"/v1/vendors/V1/blocks\" body '{\"reason\": \"audit\"}' named B1",
}];
