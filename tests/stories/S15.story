story "S15 Paid in dollars out of a balance in dirhams"
on 2026-03-01
opening
  debit  bank aed_main 3672.50 AED
  credit vendor_payable V1 available 3672.50 AED
payee vendor V1 currency USD

# 3672.50 at the agreed 3.7100 are 989.89 dollars.
on 2026-03-02
payout P1 to vendor V1 3672.50 AED by wire in USD at 3.7100 source "agreed with the vendor"
balances
  zero vendor_payable V1 available AED
  fx_clearing 3672.50 AED credit
  fx_clearing 989.89 USD debit
  payouts_in_transit wire 989.89 USD

# The bank takes 3640.00 dirhams for them, and 25.00 for the wire.
on 2026-03-03
payout P1 paid from aed_main cost 3640.00 AED fee 25.00 AED
expect payout P1 paid 3672.50 AED gets 989.89 USD

balances and nothing else
  bank aed_main 7.50 AED
  fx_gain 32.50 AED
  payout_fees 25.00 AED
  zero fx_clearing AED
  zero fx_clearing USD
  zero vendor_payable V1 available AED
  zero payouts_in_transit wire USD
