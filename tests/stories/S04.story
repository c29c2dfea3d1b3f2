story "S04 Wallet and card together, and a refund over both"
# Refunds go back in proportion to how it was paid; the gateway keeps its fee.
on 2026-03-01
marketplace refunds pro_rata
opening
  debit  bank aed_main 30.00 AED
  credit customer_wallet C1 cash 30.00 AED

on 2026-03-05
order O1 customer C1 wallet cash 30.00 AED
  line V1 105.00 AED tax 5% commission 10%
balances
  customer_wallet C1 cash held 30.00 AED
pay O1 by stripe fee 3.18 AED + 0.16 AED tax
balances
  zero customer_wallet C1 cash AED
  gateway_clearing stripe 71.66 AED

# A lower price is agreed before the delivery: 28.57 to the card, 11.43 to the wallet.
on 2026-03-06
refund O1 40.00 AED named R1
expect refund R1 succeeded 40.00 AED
expect gateway stripe refunded 28.57 AED
expect wallet C1 cash 11.43 AED

on 2026-03-07
delivered O1

balances and nothing else
  bank aed_main 30.00 AED
  gateway_clearing stripe 43.09 AED
  vat_input_recoverable AE 0.16 AED
  vendor_payable V1 pending 58.50 AED
  customer_wallet C1 cash 11.43 AED
  vat_output_payable AE 0.31 AED
  commission_revenue 6.19 AED
  gateway_fees stripe 3.18 AED
  zero deferred_commission AED
