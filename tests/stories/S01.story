story "S01 One vendor, from the order to the payout"
# 525.00 with 5 % VAT in it. The vendor sells, the marketplace is its disclosed agent.
# Commission: 10 % of 500.00 = 50.00, and 5 % VAT on it = 2.50. The vendor's share: 472.50.
on 2026-03-01
payee vendor V1

on 2026-03-02
order O1
  line V1 525.00 AED tax 5% commission 10%
# 2.9 % and 1.00 are 16.225; Stripe says 16.23, and VAT of 0.81 on it.
pay O1 by stripe fee 16.23 AED + 0.81 AED tax
balances and nothing else
  gateway_clearing stripe 507.96 AED
  gateway_fees stripe 16.23 AED
  vat_input_recoverable AE 0.81 AED
  vendor_payable V1 pending 472.50 AED
  deferred_commission 50.00 AED
  vat_output_payable AE 2.50 AED

# The commission is earned with the delivery.
on 2026-03-04
delivered O1
balances
  zero deferred_commission AED
  commission_revenue 50.00 AED

on 2026-03-09
settlement stripe 507.96 AED into aed_main

# 14 days after the delivery the vendor can be paid.
on 2026-03-18
balances
  zero vendor_payable V1 pending AED
  vendor_payable V1 available 472.50 AED

on 2026-03-20
payout P1 to vendor V1 by bank
balances
  payouts_in_transit bank 472.50 AED

on 2026-03-21
payout P1 paid from aed_main
expect payout P1 paid 472.50 AED

balances and nothing else
  bank aed_main 35.46 AED
  vat_input_recoverable AE 0.81 AED
  vat_output_payable AE 2.50 AED
  commission_revenue 50.00 AED
  gateway_fees stripe 16.23 AED
  zero gateway_clearing stripe AED
  zero vendor_payable V1 available AED
  zero vendor_payable V1 pending AED
  zero payouts_in_transit bank AED
  zero deferred_commission AED
expect statement of V1 AED from 2026-03-01 to 2026-03-31 sales 525.00 AED
  commission 50.00 AED + 2.50 AED tax refunds 0.00 AED paid out 472.50 AED closing 0.00 AED
# What stays with the marketplace: 50.00 commission less 16.23 of fees are 33.77.
