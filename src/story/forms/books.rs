//! The language: settlements, banks, journals by maker and checker, exchange.

use crate::story::text::Form;

const NONE: &[Form] = &[];

/// The entries of a journal.
const ENTRIES: &[Form] = &[
    Form {
        head: "debit {account:account} {amount:money}",
        clauses: &[],
        children: NONE,
        says: "An entry on the left.",
        example: "debit bank aed_main 30.00 AED",
    },
    Form {
        head: "credit {account:account} {amount:money}",
        clauses: &[],
        children: NONE,
        says: "An entry on the right.",
        example: "credit customer_wallet C1 cash 30.00 AED",
    },
];

pub const BOOKS: &[Form] = &[
    Form {
        head: "opening",
        clauses: &["named {name:name}", "because {reason:text}", "dated {date:date}", "left open"],
        children: ENTRIES,
        says: "Opening balances: a journal that one person makes and another approves.",
        example: "opening\n  debit  bank aed_main 30.00 AED\n  \
                  credit customer_wallet C1 cash 30.00 AED",
    },
    Form {
        head: "journal {kind:correction|import|remittance|other}",
        clauses: &[
            "named {name:name}",
            "because {reason:text}",
            "dated {date:date}",
            "corrects {corrects:name}",
            "left open",
        ],
        children: ENTRIES,
        says: "A journal by hand: one person makes it, another approves (`left open`: nobody does \
               yet). It balances in every currency.",
        example: "journal correction because \"unknown receipt was Telr's\"\n  \
                  debit  suspense bank 77.00 AED\n  credit gateway_clearing telr 77.00 AED",
    },
    Form {
        head: "approve journal {name:name}",
        clauses: &["by the maker"],
        children: NONE,
        says: "The second person approves; `by the maker`, the one who made it tries.",
        example: "approve journal J1",
    },
    Form {
        head: "reject journal {name:name}",
        clauses: &["because {reason:text}"],
        children: NONE,
        says: "The second person rejects it: nothing is posted.",
        example: "reject journal J1",
    },
    Form {
        head: "settlement {gateway:stripe|razorpay|telr|paytabs|paypal} {amount:money}",
        clauses: &[
            "into {bank:name}",
            "reported",
            "received",
            "received as {arrived:money}",
            "reference {reference:name}",
        ],
        children: NONE,
        says: "What leaves a gateway for our bank account (named after the currency, `aed_main`, \
               if none is named). In one step; or first `reported` by the gateway, and `received` \
               when the bank shows it. `received as` is what arrived: the bank kept the rest.",
        example: "settlement stripe 605.51 AED received as 603.51 AED into aed_main",
    },
    Form {
        head: "gateway fee {gateway:stripe|razorpay|telr|paytabs|paypal} {fee:money} \
               [+ {fee_tax:money} tax]",
        clauses: &["because {reason:text}"],
        children: NONE,
        says: "A fee that the gateway told with its settlement or by invoice, entered by hand.",
        example: "gateway fee telr 4.90 AED + 0.25 AED tax",
    },
    Form {
        head: "bank {bank:name} {direction:gets|pays} {amount:money} for {account:account}",
        clauses: &["because {reason:text}"],
        children: NONE,
        says: "A line of the bank's statement that nothing else explains: money that came or \
               went, and the account it is put to.",
        example: "bank aed_main gets 77.00 AED for suspense bank",
    },
    Form {
        head: "remit {account:account} {amount:money} from {bank:name}",
        clauses: &["reference {reference:name}"],
        children: NONE,
        says: "Pays a tax that was kept back or collected.",
        example: "remit tds_payable ecommerce 10.00 INR from inr_main",
    },
    Form {
        head: "revalue {currency:currency} into {into:currency} on {on:date} [at {rate:decimal}]",
        clauses: &[],
        children: NONE,
        says: "Revalues what we have and owe in a currency at the end of a period, at the stored \
               rate of that day unless one is named.",
        example: "revalue USD into AED on 2026-03-31 at 3.6800",
    },
    Form {
        head: "post {kind:name}",
        clauses: &["named {name:name}", "as fact", "dated {date:date}"],
        children: ENTRIES,
        says: "A plain transaction of the ledger, as `POST /v1/ledger/transactions` takes it. `as \
               fact` is booked whatever the balances are.",
        example: "post order.adjusted\n  debit  inventory 10.00 AED\n  \
                  credit bank aed_main 10.00 AED",
    },
    Form {
        head: "reverse {name:name}",
        clauses: &[],
        children: NONE,
        says: "Takes back a plain transaction that was posted under this name.",
        example: "reverse T1",
    },
    Form {
        head: "close through {date:date}",
        clauses: &[],
        children: NONE,
        says: "Closes all days up to this one.",
        example: "close through 2026-03-31",
    },
];
