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
        clauses: &["gets {pays:money}", "held back by {gate:name}"],
        children: NONE,
        says: "A payout's status, its amount, what the payee gets where that is in another \
               currency, and a gate that is closed: `kyc`, `bank_details`, `cooling_time`, \
               `blocks`, `debt`, `funds`, `minimum`, `limit` or `approval`.",
        example: "expect payout P1 paid 3672.50 AED gets 989.89 USD",
    },
    Form {
        head: "expect line {line:whole} of {order:name}",
        clauses: &[
            "paid {captured:money}",
            "tax {tax:money}",
            "share {vendor_share:money}",
            "commission {commission:money} [+ {commission_vat:money} tax]",
            "refunded {refunded:money}",
        ],
        children: NONE,
        says: "How a line of an order (counted from 1) was split: what the customer paid for it \
               and the tax in that, the vendor's share, the platform's commission and the tax on \
               it, and what went back.",
        example: "expect line 1 of O1 paid 525.00 AED share 472.50 AED commission 50.00 AED + \
                  2.50 AED tax",
    },
    Form {
        head: "expect statement of {vendor:name} {currency:currency} from {from:date} to {to:date}",
        clauses: &[
            "opening {opening:money}",
            "sales {sales_gross:money}",
            "commission {commission:money} [+ {vat_on_commission:money} tax]",
            "refunds {refunds:money}",
            "paid out {paid_out:money}",
            "closing {closing:money}",
        ],
        children: NONE,
        says: "The figures of a vendor's statement, from the first day to the last, both with it.",
        example: "expect statement of V1 AED from 2026-03-01 to 2026-03-31 sales 525.00 AED\n  \
                  paid out 472.50 AED closing 0.00 AED",
    },
    Form {
        head: "expect gateway {gateway:stripe|razorpay|telr|paytabs|paypal} \
               {what:charged|refunded|disputed|fees|balance} {amount:money}",
        clauses: &[],
        children: NONE,
        says: "What the gateway's own books say, in all: what it charged, gave back, lost to \
               banks, kept, and still has.",
        example: "expect gateway stripe charged 12.350 KWD",
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
