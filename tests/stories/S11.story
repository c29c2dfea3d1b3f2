story "S11 An influencer's commission: earned, reduced by a refund, paid above the threshold"
# 8 % of the price before VAT, paid by the platform. The vendors' release is put off.
on 2026-01-31
vendor default released 365 days after delivery
affiliate A1 8% funded by platform window 30 days released 14 days after delivery
  code SARA8
payee affiliate A1
payout terms of affiliate A1 schedule manual minimum 50.00 AED by bank

on 2026-02-01
order O1 customer C1 affiliate code SARA8
  line V1 525.00 AED tax 5% commission 10%
pay O1 by stripe
on 2026-02-03
delivered O1
balances
  affiliate_expense 40.00 AED
  affiliate_payable A1 pending 40.00 AED

# 105.00 of the price go back, and 8 % of 100.00 with them.
on 2026-02-08
refund O1 105.00 AED
balances
  affiliate_expense 32.00 AED
  affiliate_payable A1 pending 32.00 AED

on 2026-02-17
expect affiliate A1 available 32.00 AED
# Below the threshold nothing is paid.
payout P0 to affiliate A1 refused: payout_gated
expect payout P0 gated 32.00 AED held back by minimum
cancel payout P0

on 2026-02-20
order O2 customer C2 affiliate code SARA8
  line V1 262.50 AED tax 5% commission 10%
pay O2 by stripe
on 2026-02-22
delivered O2
on 2026-03-08
expect affiliate A1 available 52.00 AED

on 2026-03-09
payout P1 to affiliate A1

balances and nothing else
  gateway_clearing stripe 682.50 AED
  vendor_payable V1 pending 614.25 AED
  payouts_in_transit bank 52.00 AED
  vat_output_payable AE 3.25 AED
  commission_revenue 65.00 AED
  affiliate_expense 52.00 AED
  zero affiliate_payable A1 available AED
  zero affiliate_payable A1 pending AED
  zero deferred_commission AED
# What is left of the commission: 65.00 less 52.00 are 13.00.
