story "One order, its gateway's fee and a refund"
# The books of 525.00 with 5 % VAT in it, at 10 % commission.
on 2026-03-02
order O1
  line V1 525.00 AED tax 5% commission 10%
pay O1 by stripe with three_d_secure fee 16.23 AED + 0.81 AED tax
expect order O1 succeeded captured 525.00 AED fee 16.23 AED
expect line 1 of O1 paid 525.00 AED tax 25.00 AED share 472.50 AED
  commission 50.00 AED + 2.50 AED tax
balances and nothing else
  gateway_clearing stripe 507.96 AED
  gateway_fees stripe 16.23 AED
  vat_input_recoverable AE 0.81 AED
  vendor_payable V1 pending 472.50 AED
  deferred_commission 50.00 AED
  vat_output_payable AE 2.50 AED
on 2026-03-03
refund O1 105.00 AED named R1
expect refund R1 succeeded 105.00 AED
# More than what is left is refused, and nothing is booked.
refund O1 420.01 AED refused: amount_exceeds_rest
repeat webhooks of stripe
balances and nothing else
  gateway_clearing stripe 402.96 AED
  gateway_fees stripe 16.23 AED
  vat_input_recoverable AE 0.81 AED
  vendor_payable V1 pending 378.00 AED
  deferred_commission 40.00 AED
  vat_output_payable AE 2.00 AED
  zero refunds_payable AED
expect gateway stripe charged 525.00 AED
expect gateway stripe refunded 105.00 AED
