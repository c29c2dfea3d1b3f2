//! The language: orders with their lines, payments, deliveries, refunds, disputes.

use crate::story::text::Form;

const NONE: &[Form] = &[];

/// The lines of an order.
const LINES: &[Form] = &[
    Form {
        head: "line {vendor:name} {amount:money}",
        clauses: &[
            "tax {tax:percent}",
            "commission {commission:percent}",
            "category {category:name}",
            "item {item:name}",
            "quantity {quantity:whole}",
            "called {description:text}",
        ],
        children: NONE,
        says: "Goods of a vendor. The amount is the line's price, whatever the quantity.",
        example: "line V1 525.00 AED tax 5% commission 10% category books",
    },
    Form {
        head: "shipping {amount:money}",
        clauses: &["tax {tax:percent}", "by {vendor:name}", "commission {commission:percent}"],
        children: NONE,
        says: "Shipping, sold by the platform unless a vendor is named.",
        example: "shipping 20.00 AED tax 5%",
    },
    Form {
        head: "tip {vendor:name} {amount:money}",
        clauses: &["tax {tax:percent}"],
        children: NONE,
        says: "A tip for a vendor, without commission.",
        example: "tip V1 5.00 AED",
    },
    Form {
        head: "plan {contract:name} {amount:money}",
        clauses: &["tax {tax:percent}", "called {description:text}"],
        children: NONE,
        says: "A plan that the platform sells in advance, under the contract's name.",
        example: "plan K1 1260.00 AED tax 5%",
    },
    Form {
        head: "top up {amount:money}",
        clauses: &[],
        children: NONE,
        says: "Money for the customer's cash wallet, where that is switched on.",
        example: "top up 100.00 AED",
    },
    Form {
        head: "bundle {amount:money} of {vendors:names}",
        clauses: &[
            "tax {tax:percent}",
            "commission {commission:percent}",
            "category {category:name}",
        ],
        children: NONE,
        says: "One price for goods of several vendors: a line for each, in equal parts by largest \
               remainder, the first ones larger.",
        example: "bundle 1000 JPY of V1, V2, V3 tax 10% commission 15%",
    },
    Form {
        head: "discount {amount:money} by {funded_by:platform|vendor}",
        clauses: &["on lines {lines:numbers}"],
        children: NONE,
        says: "A discount, spread over all goods or over the lines named (counted from 1), and \
               who pays for it.",
        example: "discount 20.00 AED by platform on lines 1, 2",
    },
    Form {
        head: "discount {percent:percent} by {funded_by:platform|vendor}",
        clauses: &["on lines {lines:numbers}"],
        children: NONE,
        says: "The same as a percentage.",
        example: "discount 10% by vendor",
    },
];

pub const ORDERS: &[Form] = &[
    Form {
        head: "order {order:name}",
        clauses: &[
            "customer {customer:name}",
            "in state {state:name}",
            "country {country:name}",
            "prices {prices:inclusive|exclusive}",
            "captured by hand",
            "wallet cash {wallet_cash:money}",
            "wallet promo {wallet_promo:money}",
            "affiliate {affiliate:name}",
            "affiliate code {code:name}",
            "pays {amount:money}",
        ],
        children: LINES,
        says: "A checkout: the order's lines, and what of it the wallet pays (held from now on). \
               Prices include tax unless they are exclusive. What the customer pays in all is \
               worked out from the lines; `pays` says it where that should be checked. An order \
               `captured by hand` is first authorised, then captured.",
        example: "order O1 customer C1 prices exclusive wallet cash 30.00 AED\n  \
                  line V1 100.00 AED tax 5% commission 10%\n  shipping 20.00 AED tax 5%\n  \
                  discount 10% by vendor on lines 1",
    },
    Form {
        head: "delivered {order:name}",
        clauses: &["lines {lines:numbers}"],
        children: NONE,
        says: "All of the order, or the lines named, are delivered.",
        example: "delivered O1 lines 1, 2",
    },
    Form {
        head: "returned {order:name}",
        clauses: &["lines {lines:numbers}"],
        children: NONE,
        says: "They came back. A refund is a statement of its own.",
        example: "returned O1 lines 2",
    },
    Form {
        head: "lost {order:name}",
        clauses: &["lines {lines:numbers}"],
        children: NONE,
        says: "They were lost on their way.",
        example: "lost O1",
    },
];

pub const PAYMENTS: &[Form] = &[
    Form {
        head: "pay {order:name} by {gateway:stripe|razorpay|telr|paytabs|paypal}",
        clauses: &["with {instrument:name}", "fee {fee:money} [+ {fee_tax:money} tax]"],
        children: NONE,
        says: "The customer pays at a gateway, and the money is captured. `with` is `card` (if \
               nothing is said), `declined`, `insufficient_funds`, `three_d_secure`, `abandoned`, \
               at Stripe also `bank_debit`, `slow_refund` (refunds stay pending for a while), \
               `bounced_refund` (refunds succeed and fail later) or a token such as \
               `pm_card_amex`. `fee` is what the gateway keeps for it; without, it keeps nothing.",
        example: "pay O1 by stripe with three_d_secure fee 16.23 AED + 0.81 AED tax",
    },
    Form {
        head: "pay {order:name} from the wallet",
        clauses: &[],
        children: NONE,
        says: "The wallet pays all of it; no gateway takes part.",
        example: "pay O1 from the wallet",
    },
    Form {
        head: "authorise {order:name} by {gateway:stripe|razorpay|telr|paytabs|paypal}",
        clauses: &["with {instrument:name}"],
        children: NONE,
        says: "The same for an order that is captured by hand: the money is held.",
        example: "authorise O1 by stripe",
    },
    Form {
        head: "capture {order:name} [{amount:money}]",
        clauses: &["fee {fee:money} [+ {fee_tax:money} tax]"],
        children: NONE,
        says: "Takes what was authorised, or a part of it; the rest is given back.",
        example: "capture O1 210.00 AED fee 7.09 AED + 0.35 AED tax",
    },
    Form {
        head: "cancel {order:name}",
        clauses: &["because {reason:text}"],
        children: NONE,
        says: "Gives the checkout up: what was held at the gateway and in the wallet is free.",
        example: "cancel O1 because \"out of stock\"",
    },
    Form {
        head: "sync {order:name}",
        clauses: &[],
        children: NONE,
        says: "Asks the gateway what it knows of the payment.",
        example: "sync O1",
    },
    Form {
        head: "repeat webhooks of {gateway:stripe|razorpay|telr|paytabs|paypal}",
        clauses: &[],
        children: NONE,
        says: "The gateway delivers every webhook so far once more. Nothing may come of it.",
        example: "repeat webhooks of stripe",
    },
    Form {
        head: "trouble at {gateway:stripe|razorpay|telr|paytabs|paypal} on {on:name} {kind:name}",
        clauses: &["event {event:name}", "times {times:whole}", "delay {delay_s:whole} seconds"],
        children: NONE,
        says: "Something will go wrong there, as the simulator's README lists it: `create \
               lost_answer`, `webhook duplicate`, `webhook reorder`, `refund bounced_refund`.",
        example: "trouble at stripe on webhook duplicate event payment_intent.succeeded",
    },
];

pub const BACK: &[Form] = &[
    Form {
        head: "refund {order:name} [{amount:money}]",
        clauses: &[
            "named {refund:name}",
            "to {to:source|wallet}",
            "because {reason:requested_by_customer|duplicate|fraudulent|other}",
            "left pending",
        ],
        children: &[Form {
            head: "line {line:whole} [{amount:money}]",
            clauses: &[],
            children: NONE,
            says: "A line of the order (counted from 1), all of it or an amount.",
            example: "line 2 10.00 AED",
        }],
        says: "Refunds everything, an amount or lines, to where the money came from or to the \
               wallet. It must succeed unless it is `left pending` (because the gateway needs \
               time) or refused.",
        example: "refund O1 40.00 AED named R1 because other",
    },
    Form {
        head: "bounce {refund:name}",
        clauses: &[],
        children: NONE,
        says: "A refund that the gateway had confirmed fails after all. Not at Stripe: there the \
               card decides it, see `bounced_refund`.",
        example: "bounce R1",
    },
    Form {
        head: "dispute {dispute:name} of {order:name} [{amount:money}]",
        clauses: &["fee {fee:money}", "because {reason:name}", "as inquiry", "funds later"],
        children: NONE,
        says: "The customer's bank takes the payment back, all of it unless an amount is named \
               (which may be more than the payment), and the gateway keeps a fee. An inquiry moves \
               no money; `funds later` opens it before the money is taken. Razorpay and PayPal \
               take the money when the dispute is lost, and tell no fee: it is booked by a \
               journal, and no vendor is charged with it. Telr and PayTabs tell nothing: the \
               dispute is entered by hand, as are its end and its fees. Stripe and PayPal ask \
               first, PayPal for every reason but `fraudulent`; only at Stripe the amount may \
               be more than was paid.",
        example: "dispute D1 of O1 210.00 AED fee 55.00 AED because fraudulent",
    },
    Form {
        head: "dispute {dispute:name} funds withdrawn",
        clauses: &["fee {fee:money}"],
        children: NONE,
        says: "The money of a dispute that was opened with `funds later` is taken. Not at \
               Razorpay and PayPal, where it goes with the loss.",
        example: "dispute D1 funds withdrawn fee 55.00 AED",
    },
    Form {
        head: "dispute {dispute:name} {outcome:won|lost|closed}",
        clauses: &["fee returned {fee:money}"],
        children: NONE,
        says: "The gateway tells how it ended: `won` gives the money back, and with `fee returned` \
               the fee; what came to nothing is `closed`, at Stripe an inquiry only. PayPal calls \
               a claim that the customer gave up won.",
        example: "dispute D1 won fee returned 55.00 AED",
    },
    Form {
        head: "dispute {dispute:name} second round",
        clauses: &["fee {fee:money}"],
        children: NONE,
        says: "The bank is not content with a dispute that was won: the money is taken once more. \
               At the other gateways than Stripe that is a dispute of its own about the same \
               amount, which has the name from then on.",
        example: "dispute D1 second round fee 55.00 AED",
    },
    Form {
        head: "dispute {dispute:name} escalated",
        clauses: &["fee {fee:money}"],
        children: NONE,
        says: "An inquiry becomes a dispute: now the money is taken. At Stripe only.",
        example: "dispute D1 escalated fee 55.00 AED",
    },
    Form {
        head: "accept dispute {dispute:name}",
        clauses: &[],
        children: NONE,
        says: "The marketplace gives in: the dispute is lost.",
        example: "accept dispute D1",
    },
    Form {
        head: "evidence for dispute {dispute:name} {evidence:text}",
        clauses: &[],
        children: NONE,
        says: "The marketplace answers. At Telr and PayTabs by mail, and a copy is kept.",
        example: "evidence for dispute D1 \"signed by the customer on 3 March\"",
    },
];
