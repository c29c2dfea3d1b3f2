//! The language: who can be paid, payouts, what becomes of them.

use crate::story::text::Form;

const NONE: &[Form] = &[];

pub const PAYOUTS: &[Form] = &[
    Form {
        head: "payee {who:party}",
        clauses: &["currency {currency:currency}", "iban {iban:name}", "by stripe"],
        children: NONE,
        says: "Does at once what a payee has to do before the first payout: a bank account (one \
               made up for the currency, AED if none is named), verified, and KYC verified. \
               `by stripe`, it is an account at Stripe, for payouts `by stripe`. Bank \
               details have to be some days old before they are paid to, so this stands at the \
               beginning of a story.",
        example: "payee vendor V1",
    },
    Form {
        head: "bank account of {who:party}",
        clauses: &[
            "holder {holder:text}",
            "iban {iban:name}",
            "account {account_number:name}",
            "routing {routing:name}",
            "bic {bic:name}",
            "country {country:name}",
            "currency {currency:currency}",
        ],
        children: NONE,
        says: "Where the payee is paid: an IBAN, or an account with its routing (IFSC, ABA, sort \
               code). Verifying it is a statement of its own.",
        example: "bank account of vendor V1 holder \"Oud House LLC\"\n  \
                  iban AE070331234567890123456 country AE currency AED",
    },
    Form {
        head: "verify bank account of {who:party}",
        clauses: &[],
        children: NONE,
        says: "The bank details are found to be the payee's.",
        example: "verify bank account of vendor V1",
    },
    Form {
        head: "kyc of {who:party} {status:pending|verified|rejected|expired}",
        clauses: &["occurred {occurred:date}"],
        children: &[Form {
            head: "document {kind:name} {reference:name} [expires {expires:date}]",
            clauses: &[],
            children: NONE,
            says: "A document that was seen.",
            example: "document passport P-77 expires 2028-01-31",
        }],
        says: "What is known of who the payee is. What occurred earlier than what is known \
               changes nothing.",
        example: "kyc of vendor V1 verified occurred 2026-01-15\n  \
                  document licence L-1 expires 2027-01-01",
    },
    Form {
        head: "payout terms of {who:party}",
        clauses: &[
            "schedule {schedule:manual|daily|weekly|monthly}",
            "weekday {weekday:name}",
            "day {day:whole}",
            "minimum {minimum:money}",
            "currency {currency:currency}",
            "by {rail:name}",
        ],
        children: NONE,
        says: "When the payee is paid by a run, from which amount on, and over which rail.",
        example: "payout terms of affiliate A1 schedule manual minimum 50.00 AED by bank",
    },
    Form {
        head: "block {who:party}",
        clauses: &["because {reason:text}"],
        children: NONE,
        says: "Nothing is paid out to them.",
        example: "block vendor V1 because \"court order\"",
    },
    Form {
        head: "lift block of {who:party}",
        clauses: &[],
        children: NONE,
        says: "They can be paid again.",
        example: "lift block of vendor V1",
    },
    Form {
        head: "payout {payout:name} to {who:party} [{amount:money}]",
        clauses: &[
            "currency {currency:currency}",
            "by {rail:name}",
            "in {pay_currency:currency} at {rate:decimal}",
            "source {rate_source:text}",
            "left open",
        ],
        children: NONE,
        says: "Pays what is available, or an amount of it (in AED if no currency is named). It is \
               created, approved by a second person where that is needed, and sent; `left open` \
               ends after its creation. One that a gate holds back is refused with \
               `payout_gated`. `in USD at 3.71` pays in another currency: 3.71 AED for 1 USD.",
        example: "payout P1 to vendor V1 3672.50 AED by wire in USD at 3.7100",
    },
    Form {
        head: "payout {payout:name} {outcome:paid|failed|returned}",
        clauses: &[
            "from {bank:name}",
            "because {reason_code:name}",
            "cost {cost:money}",
            "fee {fee:money}",
        ],
        children: NONE,
        says: "What became of it: paid from a bank account of ours (`aed_main` if none is named), \
               failed, or returned afterwards; what the bank took for it in another currency; \
               and its fee.",
        example: "payout P1 paid from aed_main cost 3640.00 AED fee 25.00 AED",
    },
    Form {
        head: "approve payout {payout:name}",
        clauses: &["by the maker"],
        children: NONE,
        says: "The second person approves; `by the maker`, the one who created it tries.",
        example: "approve payout P1",
    },
    Form {
        head: "submit payout {payout:name}",
        clauses: &[],
        children: NONE,
        says: "Sends it to its rail.",
        example: "submit payout P1",
    },
    Form {
        head: "cancel payout {payout:name}",
        clauses: &[],
        children: NONE,
        says: "Gives it up before it was sent.",
        example: "cancel payout P1",
    },
    Form {
        head: "retry payout {payout:name} as {again:name}",
        clauses: &["left open"],
        children: NONE,
        says: "Pays once more what failed or came back: a new payout.",
        example: "retry payout P1 as P2",
    },
    Form {
        head: "payout run {run:name}",
        clauses: &["on {on:date}"],
        children: &[Form {
            head: "payout {payout:name} to {who:party}",
            clauses: &["currency {currency:currency}"],
            children: NONE,
            says: "Names the payout that the run made for this payee. It must have made one.",
            example: "payout P1 to vendor V1",
        }],
        says: "Makes the payouts that are due by everybody's schedule.",
        example: "payout run R1 on 2026-03-20\n  payout P1 to vendor V1",
    },
    Form {
        head: "write off {vendor:name} {amount:money}",
        clauses: &["named {name:name}", "because {reason:text}", "left open"],
        children: NONE,
        says: "Gives up a vendor's debt: one person asks, another approves (`left open`: nobody \
               does yet).",
        example: "write off V1 189.00 AED because \"out of business\"",
    },
    Form {
        head: "approve write off {name:name}",
        clauses: &["by the maker"],
        children: NONE,
        says: "The second person approves; `by the maker`, the first one tries.",
        example: "approve write off W1",
    },
];
