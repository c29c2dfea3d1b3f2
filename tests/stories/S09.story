story "S09 Cashback: earned, vested, spent in part, the rest expires"
# The vendors' release is of no interest here and is put off.
on 2026-01-04
vendor default released 365 days after delivery
cashback 5% of paid named january vesting after 14 days expiring after 90 days

on 2026-01-05
order O1 customer C1
  line V1 420.00 AED tax 5% commission 10%
pay O1 by paytabs

# 5 % of 420.00, not spendable yet.
on 2026-01-07
delivered O1
expect wallet C1 pending_cashback 21.00 AED
expect wallet C1 promo 0.00 AED
balances
  cashback_expense 21.00 AED
  cashback_liability C1 21.00 AED

on 2026-01-21
expect wallet C1 pending_cashback 0.00 AED
expect wallet C1 promo 21.00 AED
on 2026-01-31
end cashback january

on 2026-02-01
order O2 customer C1 wallet promo 15.00 AED
  line V2 105.00 AED tax 5% commission 10%
pay O2 by paytabs
expect gateway paytabs charged 510.00 AED
expect wallet C1 promo 6.00 AED

# The campaign is over: this order earns nothing.
on 2026-02-03
delivered O2
expect wallet C1 pending_cashback 0.00 AED

# 90 days after it vested.
on 2026-04-21
expect wallet C1 promo 0.00 AED

balances and nothing else
  gateway_clearing paytabs 510.00 AED
  vendor_payable V1 pending 378.00 AED
  vendor_payable V2 pending 94.50 AED
  vat_output_payable AE 2.50 AED
  commission_revenue 50.00 AED
  breakage_income 6.00 AED
  cashback_expense 21.00 AED
  zero customer_wallet C1 promo AED
  zero cashback_liability C1 AED
  zero deferred_commission AED
