story "The same order at every gateway, paid on its page, and a part of it back"
# Stripe and Razorpay tell their fee at once, and the tax on it.
on 2026-03-02
order O1
  line V1 105.00 AED tax 5% commission 10%
pay O1 by stripe fee 4.05 AED + 0.20 AED tax
order O2
  line V1 1050.00 INR tax 5% commission 10%
pay O2 by razorpay fee 21.00 INR + 3.78 INR tax
order O3
  line V2 105.00 AED tax 5% commission 10%
pay O3 by telr
order O4
  line V2 105.00 AED tax 5% commission 10%
pay O4 by paytabs
order O5
  line V3 105.00 USD tax 5% commission 10%
pay O5 by paypal fee 4.25 USD
balances and nothing else
  gateway_clearing stripe 100.75 AED
  gateway_clearing razorpay 1025.22 INR
  gateway_clearing telr 105.00 AED
  gateway_clearing paytabs 105.00 AED
  gateway_clearing paypal 100.75 USD
  gateway_fees stripe 4.05 AED
  gateway_fees razorpay 21.00 INR
  gateway_fees paypal 4.25 USD
  vat_input_recoverable AE 0.20 AED
  vat_input_recoverable AE 3.78 INR
  vendor_payable V1 pending 94.50 AED
  vendor_payable V1 pending 945.00 INR
  vendor_payable V2 pending 189.00 AED
  vendor_payable V3 pending 94.50 USD
  deferred_commission 30.00 AED
  deferred_commission 100.00 INR
  deferred_commission 10.00 USD
  vat_output_payable AE 1.50 AED
  vat_output_payable AE 5.00 INR
  vat_output_payable AE 0.50 USD

on 2026-03-03
refund O1 21.00 AED
refund O2 210.00 INR
refund O3 21.00 AED
refund O4 21.00 AED
refund O5 21.00 USD
expect gateway stripe refunded 21.00 AED
expect gateway razorpay refunded 210.00 INR
expect gateway telr refunded 21.00 AED
expect gateway paytabs refunded 21.00 AED
expect gateway paypal refunded 21.00 USD
balances
  gateway_clearing stripe 79.75 AED
  gateway_clearing razorpay 815.22 INR
  gateway_clearing telr 84.00 AED
  gateway_clearing paytabs 84.00 AED
  gateway_clearing paypal 79.75 USD
  vendor_payable V1 pending 75.60 AED
  vendor_payable V1 pending 756.00 INR
  vendor_payable V2 pending 151.20 AED
  vendor_payable V3 pending 75.60 USD
  zero refunds_payable AED
  zero refunds_payable INR
  zero refunds_payable USD
