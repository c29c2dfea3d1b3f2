story "S02 Three vendors, and a coupon that the platform pays"
# The vendors are paid on their full prices; the coupon of 20.00 is the platform's own cost, and
# the commission is on the price before it.
on 2026-03-03
order O1
  line V1 99.99 AED tax 5% commission 12%
  line V2 49.99 AED tax 5% commission 15%
  line V3 33.33 AED tax 5% commission 10%
  discount 20.00 AED by platform
# 183.31 less 20.00. Telr tells its fee with the settlement only, so finance enters it.
pay O1 by telr fee 4.90 AED + 0.25 AED tax
expect order O1 succeeded captured 163.31 AED
# The coupon by largest remainder: 10.91, 5.45 and 3.64.
expect line 1 of O1 paid 89.08 AED tax 4.76 AED share 87.99 AED commission 11.43 AED + 0.57 AED tax
expect line 2 of O1 paid 44.54 AED tax 2.38 AED share 42.49 AED commission 7.14 AED + 0.36 AED tax
expect line 3 of O1 paid 29.69 AED tax 1.59 AED share 30.00 AED commission 3.17 AED + 0.16 AED tax

on 2026-03-06
delivered O1

balances and nothing else
  gateway_clearing telr 158.16 AED
  vat_input_recoverable AE 0.25 AED
  vendor_payable V1 pending 87.99 AED
  vendor_payable V2 pending 42.49 AED
  vendor_payable V3 pending 30.00 AED
  vat_output_payable AE 1.09 AED
  commission_revenue 21.74 AED
  promotions_expense 20.00 AED
  gateway_fees telr 4.90 AED
  zero deferred_commission AED
