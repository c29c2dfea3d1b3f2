story "S03 Prices without VAT, a vendor's coupon, tax rounded line by line"
# Four lines of 1.22 less 10 %: 0.49 off, spread as 0.13, 0.12, 0.12, 0.12. VAT line by line is
# 0.05 + 0.06 + 0.06 + 0.06 = 0.23; on the whole document it would be 0.22.
on 2026-03-04
order O1 prices exclusive
  line V1 1.22 AED tax 5% commission 15%
  line V1 1.22 AED tax 5% commission 15%
  line V1 1.22 AED tax 5% commission 15%
  line V1 1.22 AED tax 5% commission 15%
  discount 10% by vendor
pay O1 by paytabs
expect order O1 succeeded captured 4.62 AED
expect line 1 of O1 paid 1.14 AED tax 0.05 AED
expect line 2 of O1 paid 1.16 AED tax 0.06 AED
expect line 3 of O1 paid 1.16 AED tax 0.06 AED
expect line 4 of O1 paid 1.16 AED tax 0.06 AED

on 2026-03-05
delivered O1

balances and nothing else
  gateway_clearing paytabs 4.62 AED
  vendor_payable V1 pending 3.92 AED
  vat_output_payable AE 0.03 AED
  commission_revenue 0.67 AED
  zero deferred_commission AED
