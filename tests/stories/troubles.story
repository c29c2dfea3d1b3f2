story "Declined, given up, captured in part, and gateways that stumble"
on 2026-03-02
order O1
  line V1 105.00 AED tax 5% commission 10%
# The first card is declined, the second one pays. Nothing was booked before.
pay O1 by stripe with insufficient_funds refused: payment_declined
balances and nothing else
pay O1 by stripe
expect order O1 succeeded captured 105.00 AED

# A hold is money of nobody: it is booked when it is captured, and only what is.
order O2 captured by hand
  line V1 315.00 AED tax 5% commission 10%
authorise O2 by stripe
expect order O2 requires_capture captured 0.00 AED
capture O2 210.00 AED fee 7.09 AED + 0.35 AED tax
expect order O2 succeeded captured 210.00 AED fee 7.09 AED

# A hold that is given up.
order O3 captured by hand
  line V2 105.00 AED tax 5% commission 10%
authorise O3 by stripe
cancel O3 because "out of stock"
expect order O3 cancelled captured 0.00 AED
capture O3 refused: wrong_state

# A webhook twice, another one late, and an answer that is lost on its way.
trouble at stripe on webhook duplicate event payment_intent.succeeded
order O4
  line V2 52.50 AED tax 5% commission 10%
pay O4 by stripe with three_d_secure
trouble at stripe on create lost_answer times 3
order O5
  line V2 52.50 AED tax 5% commission 10%
pay O5 by stripe
expect gateway stripe charged 420.00 AED

# A refund that takes its time, and one that comes back after it was confirmed.
on 2026-03-03
order O6
  line V3 105.00 AED tax 5% commission 10%
pay O6 by stripe with slow_refund
refund O6 21.00 AED named R1 left pending
expect refund R1 pending 21.00 AED
balances
  refunds_payable 21.00 AED
advance 1 hour
expect refund R1 succeeded 21.00 AED
order O7
  line V3 105.00 AED tax 5% commission 10%
pay O7 by razorpay
refund O7 105.00 AED named R2
bounce R2
expect refund R2 bounced 105.00 AED

repeat webhooks of stripe
# The bounced refund is owed to the customer again.
balances and nothing else
  gateway_clearing stripe 496.56 AED
  gateway_clearing razorpay 105.00 AED
  gateway_fees stripe 7.09 AED
  vat_input_recoverable AE 0.35 AED
  vendor_payable V1 pending 283.50 AED
  vendor_payable V2 pending 94.50 AED
  vendor_payable V3 pending 75.60 AED
  deferred_commission 48.00 AED
  vat_output_payable AE 2.40 AED
  refunds_payable 105.00 AED
