story "S13 No decimals: one price shared by three vendors"
# 1000 yen with 10 % consumption tax in it: 334, 333 and 333.
on 2026-03-01
marketplace in JP vat 10%
order O1
  bundle 1000 JPY of V1, V2, V3 tax 10% commission 15%
pay O1 by stripe fee 36 JPY
expect gateway stripe charged 1000 JPY
expect line 1 of O1 paid 334 JPY share 283 JPY commission 46 JPY + 5 JPY tax
expect line 2 of O1 paid 333 JPY share 283 JPY commission 45 JPY + 5 JPY tax
expect line 3 of O1 paid 333 JPY share 283 JPY commission 45 JPY + 5 JPY tax

on 2026-03-03
delivered O1

balances and nothing else
  gateway_clearing stripe 964 JPY
  vendor_payable V1 pending 283 JPY
  vendor_payable V2 pending 283 JPY
  vendor_payable V3 pending 283 JPY
  vat_output_payable JP 15 JPY
  commission_revenue 136 JPY
  gateway_fees stripe 36 JPY
  zero deferred_commission JPY
