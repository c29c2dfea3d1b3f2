story "S17 A settlement that arrives short, an unknown receipt, a payout that comes back"
# V1's release is put off; V2 is released 14 days after delivery.
on 2026-03-01
vendor V1 released 365 days after delivery
payee vendor V2
order O1
  line V1 525.00 AED tax 5% commission 10%
order O2
  line V2 210.00 AED tax 5% commission 10%
pay O1 by stripe fee 16.23 AED + 0.81 AED tax
pay O2 by stripe fee 7.10 AED + 0.35 AED tax

on 2026-03-02
refund O2 105.00 AED
on 2026-03-04
delivered O1
delivered O2

# Stripe reports 525.00 + 210.00 - 24.49 - 105.00; the bank keeps 2.00 of it.
on 2026-03-08
settlement stripe 605.51 AED reported reference po_1
balances
  settlement_in_transit stripe 605.51 AED
  zero gateway_clearing stripe AED
on 2026-03-09
settlement stripe 605.51 AED into aed_main received as 603.51 AED reference po_1
bank aed_main gets 77.00 AED for suspense bank because "unknown credit"
balances
  bank aed_main 680.51 AED
  bank_charges 2.00 AED
  suspense bank 77.00 AED credit

on 2026-03-18
expect vendor V2 available 94.50 AED
on 2026-03-19
payout P1 to vendor V2 by bank
on 2026-03-20
payout P1 paid from aed_main

# The account was closed. The money goes back to the vendor's balance, the fee is ours.
on 2026-03-23
payout P1 returned because AC04 fee 10.00 AED
expect payout P1 returned 94.50 AED
expect vendor V2 available 94.50 AED
payee vendor V2 iban AE770331234567890123457

on 2026-03-25
retry payout P1 as P2
on 2026-03-26
payout P2 paid from aed_main
expect payout P2 paid 94.50 AED

on 2026-03-27
journal other because "the unknown credit is a settlement of Telr"
  debit  suspense bank 77.00 AED
  credit gateway_clearing telr 77.00 AED

balances and nothing else
  bank aed_main 576.01 AED
  gateway_clearing telr 77.00 AED credit
  vat_input_recoverable AE 1.16 AED
  vendor_payable V1 pending 472.50 AED
  vat_output_payable AE 3.00 AED
  commission_revenue 60.00 AED
  gateway_fees stripe 23.33 AED
  payout_fees 10.00 AED
  bank_charges 2.00 AED
  zero gateway_clearing stripe AED
  zero settlement_in_transit stripe AED
  zero suspense bank AED
  zero vendor_payable V2 available AED
  zero vendor_payable V2 pending AED
  zero payouts_in_transit bank AED
  zero deferred_commission AED
