story "S10 The order that earned cashback goes back after a part of it was spent"
on 2026-01-04
vendor default released 365 days after delivery
cashback 5% of paid named january vesting after 14 days expiring after 90 days

on 2026-01-05
order O1 customer C1
  line V1 420.00 AED tax 5% commission 10%
pay O1 by paytabs
on 2026-01-07
delivered O1
expect wallet C1 pending_cashback 21.00 AED
on 2026-01-21
expect wallet C1 promo 21.00 AED

on 2026-01-22
order O2 customer C1 wallet promo 15.00 AED
  line V2 105.00 AED tax 5% commission 10%
pay O2 by paytabs
expect wallet C1 promo 6.00 AED

# The 6.00 that are left are taken back, and the 15.00 that were spent are kept back from the
# refund: 405.00 go to the card.
on 2026-01-25
refund O1 named R1
expect refund R1 succeeded
expect gateway paytabs refunded 405.00 AED
expect wallet C1 promo 0.00 AED

balances and nothing else
  gateway_clearing paytabs 105.00 AED
  vendor_payable V2 pending 94.50 AED
  vat_output_payable AE 0.50 AED
  deferred_commission 10.00 AED
  zero vendor_payable V1 pending AED
  zero customer_wallet C1 promo AED
  zero cashback_liability C1 AED
  zero commission_revenue AED
  zero cashback_expense AED
