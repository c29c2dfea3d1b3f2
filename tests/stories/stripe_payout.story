story "A vendor is paid over Stripe"
# The money stays where the customer paid it, and goes on to the vendor's account there.
on 2026-03-01
payee vendor V1 by stripe

on 2026-03-02
order O1
  line V1 525.00 AED tax 5% commission 10%
pay O1 by stripe fee 16.23 AED + 0.81 AED tax

on 2026-03-04
delivered O1

on 2026-03-20
# The answer is lost; Stripe's webhook is the reason to ask again, under the same key.
trouble at stripe on transfer lost_answer
payout P1 to vendor V1 by stripe
expect payout P1 paid 472.50 AED
expect gateway stripe balance 35.46 AED

balances and nothing else
  gateway_clearing stripe 35.46 AED
  gateway_fees stripe 16.23 AED
  vat_input_recoverable AE 0.81 AED
  vat_output_payable AE 2.50 AED
  commission_revenue 50.00 AED
  zero vendor_payable V1 available AED
  zero vendor_payable V1 pending AED
  zero payouts_in_transit stripe AED
  zero deferred_commission AED
