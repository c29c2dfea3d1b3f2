//! The language: time, the marketplace, its people, its rules, wallets.

use crate::story::text::Form;

const NONE: &[Form] = &[];

pub const TIME: &[Form] = &[
    Form {
        head: "story {title:text}",
        clauses: &[],
        children: NONE,
        says: "The title. It is the first statement of every story.",
        example: "story \"S01 One vendor, from the order to the payout\"",
    },
    Form {
        head: "on {date:date}",
        clauses: &[],
        children: NONE,
        says: "Goes on to a later day. Each `on` begins a little later in the day than anything \
               that happened before, so that what is due 14 days after a delivery has become due \
               on the fourteenth day after it. It may name the day on which the story is.",
        example: "on 2026-03-02",
    },
    Form {
        head: "at {moment:moment}",
        clauses: &[],
        children: NONE,
        says: "Goes on to a moment (UTC), where the time of day matters.",
        example: "at 2026-03-02 18:30",
    },
    Form {
        head: "advance {count:whole} {unit:days|day|hours|hour|minutes|minute|seconds|second}",
        clauses: &[],
        children: NONE,
        says: "Lets time pass.",
        example: "advance 14 days",
    },
];

pub const RULES: &[Form] = &[
    Form {
        head: "marketplace",
        clauses: &[
            "in {jurisdiction:name}",
            "vat {vat:percent}",
            "time zone {time_zone:zone}",
            "refunds {refund_tenders:pro_rata|gateway_first|wallet_first}",
            "expired credit {expired_credit:income|expense_reversal}",
            "wallet top up {wallet_top_up:on|off}",
        ],
        children: NONE,
        says: "Changes the settings that it names: where the marketplace is and the VAT on its \
               commission, its time zone, to which tenders a refund goes, where expired promo \
               credit goes, and whether customers may put money into their wallets. A new \
               marketplace is in AE with 5 % VAT.",
        example: "marketplace in KW vat 0% refunds gateway_first",
    },
    Form {
        head: "tax {jurisdiction:name} {regime:vat|gst|none} [{percent:percent}]",
        clauses: &[
            "home {home_state:name}",
            "tcs {tcs:percent}",
            "tds {tds:percent}",
            "section {tds_section:name}",
            "from {valid_from:date}",
            "until {valid_until:date}",
        ],
        children: NONE,
        says: "The tax on what the platform itself sells to vendors of a jurisdiction (its \
               commission), and what it has to keep back from them. `tcs` is the rate in all: \
               0.5% is 0.25 % CGST and 0.25 % SGST. `home` is the platform's state.",
        example: "tax IN gst 18% home KA tcs 0.5% tds 0.1% section ecommerce",
    },
    Form {
        head: "commission {percent:percent}",
        clauses: &[
            "named {name:text}",
            "of the {base:net|gross} price",
            "vendor {vendor:name}",
            "category {category:name}",
            "tier {tier:name}",
            "plus {fixed:money}",
            "at least {min:money}",
            "at most {max:money}",
            "from {valid_from:date}",
            "until {valid_until:date}",
        ],
        children: NONE,
        says: "A rule of commission, of the price before tax unless it says `gross`. The most \
               exact rule of the day counts; a percentage on an order's line beats all rules.",
        example: "commission 12% category books tier gold plus 1.00 AED at most 50.00 AED",
    },
    Form {
        head: "vendor {vendor:name}",
        clauses: &[
            "as {supply_role:disclosed_agent|undisclosed_agent|principal}",
            "in {jurisdiction:name}",
            "state {state:name}",
            "tax id {tax_id_type:ae_trn|sa_vat|in_gst} {tax_id:name}",
            "tier {tier:name}",
            "released {days:whole} days after {after:delivery|capture}",
            "reserve {reserve:percent} for {reserve_days:whole} days",
            "no reserve",
            "disputes borne by {dispute_liability:vendor|platform}",
            "dispute fees borne by {dispute_fee:vendor|platform}",
            "commission on refunds {refund_commission:returned|kept}",
            "from {valid_from:date}",
        ],
        children: NONE,
        says: "A new version of the vendor's terms. Unless they are named: disclosed agent, the \
               marketplace's jurisdiction, released 14 days after delivery, no reserve, disputes \
               borne by the vendor, their fees by the platform, commission returned with a \
               refund. `vendor default` is everybody without terms of their own. A vendor with \
               the default terms needs no statement.",
        example: "vendor V2 state MH tier gold released 7 days after delivery\n  \
                  reserve 10% for 90 days disputes borne by platform",
    },
    Form {
        head: "customer {customer:name} in state {state:name}",
        clauses: &[],
        children: NONE,
        says: "Where a customer's orders are supplied, for GST. A customer needs no other \
               statement: naming one in an order is enough.",
        example: "customer C1 in state KA",
    },
    Form {
        head: "rate 1 {base:currency} = {rate:decimal} {quote:currency}",
        clauses: &["source {source:text}"],
        children: NONE,
        says: "Records an exchange rate as of now.",
        example: "rate 1 USD = 3.6725 AED source \"central bank\"",
    },
];

pub const WALLETS: &[Form] = &[
    Form {
        head: "cashback {percent:percent} of {basis:paid|price}",
        clauses: &[
            "named {name:name}",
            "at most {cap:money}",
            "minimum {min_amount:money}",
            "first order",
            "!vesting after {vest_days:whole} days",
            "!expiring after {expiry_days:whole} days",
            "from {valid_from:date}",
            "until {valid_until:date}",
        ],
        children: NONE,
        says: "A rule of cashback: of what was paid by card or of the price, vesting so many days \
               after delivery and expiring so many days after that.",
        example: "cashback 5% of paid named spring at most 50.00 AED\n  \
                  vesting after 14 days expiring after 90 days",
    },
    Form {
        head: "end cashback {name:name}",
        clauses: &[],
        children: NONE,
        says: "Ends the rule of that name.",
        example: "end cashback spring",
    },
    Form {
        head: "give {amount:money} to {customer:name}",
        clauses: &["expiring on {expires:date}", "because {reason:text}"],
        children: NONE,
        says: "Gives promo credit as goodwill.",
        example: "give 20.00 AED to C1 expiring on 2026-06-30 because \"late parcel\"",
    },
    Form {
        head: "affiliate {affiliate:name} {percent:percent}",
        clauses: &[
            "named {name:text}",
            "funded by {funded_by:platform|vendor}",
            "window {window_days:whole} days",
            "released {release_days:whole} days after delivery",
        ],
        children: &[Form {
            head: "code {code:name}",
            clauses: &[],
            children: NONE,
            says: "A code that leads to this affiliate.",
            example: "code SARA8",
        }],
        says: "An affiliate and the commission on the price before tax. Unless they are named: \
               funded by the platform, a window of 30 days, released 14 days after delivery.",
        example: "affiliate A1 8% funded by platform window 30 days\n  code SARA8",
    },
    Form {
        head: "click {code:name}",
        clauses: &["visitor {visitor:name}", "customer {customer:name}"],
        children: NONE,
        says: "Somebody follows an affiliate's link.",
        example: "click SARA8 customer C1",
    },
];
