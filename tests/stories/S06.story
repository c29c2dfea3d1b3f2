story "S06 Refunded after the vendor was paid: the next order pays the debt"
on 2026-03-01
payee vendor V1
order O1
  line V1 210.00 AED tax 5% commission 10%
pay O1 by stripe

on 2026-03-02
delivered O1
on 2026-03-08
settlement stripe 210.00 AED into aed_main
on 2026-03-16
balances
  vendor_payable V1 available 189.00 AED
on 2026-03-17
payout P1 to vendor V1 by bank
on 2026-03-18
payout P1 paid from aed_main
expect vendor V1 available 0.00 AED
expect vendor V1 debt 0.00 AED

# Goodwill at the vendor's cost. The vendor has nothing left, so it owes its share.
on 2026-03-20
refund O1
expect vendor V1 available 0.00 AED
expect vendor V1 debt 189.00 AED
balances
  vendor_receivable V1 189.00 AED
  zero vendor_payable V1 available AED

on 2026-03-21
order O2
  line V1 315.00 AED tax 5% commission 10%
pay O2 by stripe
on 2026-03-23
delivered O2

# The debt is taken out of the release before anything can be paid: 283.50 less 189.00.
on 2026-04-06
expect vendor V1 available 94.50 AED
expect vendor V1 debt 0.00 AED

on 2026-04-07
payout P2 to vendor V1 by bank
expect vendor V1 available 0.00 AED

balances and nothing else
  bank aed_main 21.00 AED
  gateway_clearing stripe 105.00 AED
  payouts_in_transit bank 94.50 AED
  vat_output_payable AE 1.50 AED
  commission_revenue 30.00 AED
  zero vendor_receivable V1 AED
  zero vendor_payable V1 available AED
  zero vendor_payable V1 pending AED
  zero deferred_commission AED
