story "S05 One item goes back after delivery, before the payout"
# It is owed to the customer first, and paid when the gateway confirms. The money is taken from
# where the vendor's share sits.
on 2026-03-06
order O1
  line V1 210.00 AED tax 5% commission 10% item A
  line V1 105.00 AED tax 5% commission 10% item B
pay O1 by paytabs
balances
  gateway_clearing paytabs 315.00 AED
  vendor_payable V1 pending 283.50 AED
  deferred_commission 30.00 AED
  vat_output_payable AE 1.50 AED

on 2026-03-08
delivered O1
balances
  commission_revenue 30.00 AED

on 2026-03-10
refund O1 named R1
  line 2
expect refund R1 succeeded 105.00 AED
expect line 2 of O1 refunded 105.00 AED
balances
  vendor_payable V1 pending 189.00 AED
  commission_revenue 20.00 AED
  vat_output_payable AE 1.00 AED
  zero refunds_payable AED

on 2026-03-22
balances and nothing else
  gateway_clearing paytabs 210.00 AED
  vendor_payable V1 available 189.00 AED
  vat_output_payable AE 1.00 AED
  commission_revenue 20.00 AED
  zero vendor_payable V1 pending AED
  zero deferred_commission AED
  zero refunds_payable AED
