story "At each gateway one dispute is lost and one is won"
# Each order is 100.00 and 5 % tax. Of it 10.00 is commission, 0.50 the tax on it, 94.50 the vendor's.
on 2026-03-02
vendor default disputes borne by vendor dispute fees borne by platform
order O1
  line V1 105.00 AED tax 5% commission 10%
order O2
  line V1 105.00 AED tax 5% commission 10%
order O3
  line V2 1050.00 INR tax 5% commission 10%
order O4
  line V2 1050.00 INR tax 5% commission 10%
order O5
  line V3 105.00 AED tax 5% commission 10%
order O6
  line V3 105.00 AED tax 5% commission 10%
order O7
  line V4 525.00 AED tax 5% commission 10%
order O8
  line V4 525.00 AED tax 5% commission 10%
order O9
  line V5 105.00 USD tax 5% commission 10%
order O10
  line V5 105.00 USD tax 5% commission 10%
pay O1 by stripe
pay O2 by stripe
pay O3 by razorpay
pay O4 by razorpay
pay O5 by telr
pay O6 by telr
pay O7 by paytabs
pay O8 by paytabs
pay O9 by paypal
pay O10 by paypal

# Stripe takes money and fee at once, and gives both back.
on 2026-03-05
dispute D1 of O1 fee 55.00 AED because fraudulent
dispute D2 of O2 fee 55.00 AED
expect dispute D1 needs_response 105.00 AED
balances
  dispute_hold stripe 210.00 AED
  dispute_fees stripe 110.00 AED
  vendor_payable V1 held 189.00 AED
  zero vendor_payable V1 pending AED
dispute D1 lost
dispute D2 won fee returned 55.00 AED
expect dispute D1 lost 105.00 AED
expect dispute D2 won 105.00 AED
balances
  gateway_clearing stripe 50.00 AED
  dispute_fees stripe 55.00 AED
  vendor_payable V1 pending 94.50 AED
  zero vendor_payable V1 held AED
  zero dispute_hold stripe AED

# Razorpay takes the money of a dispute when it is lost. Its fee is booked by a journal.
on 2026-03-06
dispute D3 of O3 fee 200.00 INR
dispute D4 of O4 fee 200.00 INR funds later
expect dispute D3 needs_response 1050.00 INR
balances
  gateway_clearing razorpay 1700.00 INR
  dispute_fees razorpay 400.00 INR
  vendor_payable V2 pending 1890.00 INR
  zero dispute_hold razorpay INR
dispute D3 lost
evidence for dispute D4 "signed by the customer on 4 March"
expect dispute D4 under_review 1050.00 INR
dispute D4 won fee returned 200.00 INR
expect dispute D3 lost 1050.00 INR
expect dispute D4 won 1050.00 INR
balances
  gateway_clearing razorpay 850.00 INR
  dispute_fees razorpay 200.00 INR
  vendor_payable V2 pending 945.00 INR
  zero dispute_hold razorpay INR

# Telr writes a mail: somebody enters it. The money of D6 goes later.
on 2026-03-07
dispute D5 of O5 fee 75.00 AED because fraud
dispute D6 of O6 funds later
evidence for dispute D5 "signed by the customer on 4 March"
expect dispute D5 needs_response 105.00 AED
balances
  gateway_clearing telr 30.00 AED
  dispute_hold telr 105.00 AED
  dispute_fees telr 75.00 AED
  vendor_payable V3 held 94.50 AED
  vendor_payable V3 pending 94.50 AED
dispute D11 of O5 10.00 AED refused: amount_exceeds_rest
dispute D5 of O6 10.00 AED refused: reference_reused
dispute D5 lost
dispute D6 funds withdrawn fee 75.00 AED
dispute D6 funds withdrawn refused: wrong_state
balances
  dispute_hold telr 105.00 AED
  dispute_fees telr 150.00 AED
  vendor_payable V3 held 94.50 AED
  zero vendor_payable V3 pending AED
dispute D6 won fee returned 75.00 AED
dispute D6 lost refused: wrong_state
expect dispute D5 lost 105.00 AED
expect dispute D6 won 105.00 AED
balances
  gateway_clearing telr 30.00 AED
  dispute_fees telr 75.00 AED
  vendor_payable V3 pending 94.50 AED
  zero vendor_payable V3 held AED
  zero dispute_hold telr AED

# PayTabs as well. D7 takes its money with the loss; D8 is won, taken up again and won once more.
on 2026-03-08
dispute D7 of O7 fee 91.80 AED funds later
dispute D8 of O8 52.50 AED fee 91.80 AED
balances
  gateway_clearing paytabs 813.90 AED
  dispute_hold paytabs 52.50 AED
  dispute_fees paytabs 183.60 AED
  vendor_payable V4 held 47.25 AED
  vendor_payable V4 pending 897.75 AED
accept dispute D7
dispute D8 won
dispute D8 second round fee 91.80 AED
expect dispute D8 needs_response 52.50 AED
balances
  gateway_clearing paytabs 197.10 AED
  dispute_hold paytabs 52.50 AED
  dispute_fees paytabs 275.40 AED
dispute D8 won
expect dispute D7 lost 525.00 AED
expect dispute D8 won 52.50 AED

# PayPal hints and is asked. It takes the money with the loss, and begins with an inquiry.
on 2026-03-09
dispute D9 of O9 fee 20.00 USD
dispute D10 of O10 fee 20.00 USD as inquiry
expect dispute D9 needs_response 105.00 USD
expect dispute D10 warning 105.00 USD
balances
  gateway_clearing paypal 170.00 USD
  dispute_fees paypal 40.00 USD
  vendor_payable V5 pending 189.00 USD
  zero dispute_hold paypal USD
accept dispute D9
dispute D10 won fee returned 20.00 USD
repeat webhooks of paypal
expect dispute D9 lost 105.00 USD
expect dispute D10 won 105.00 USD

balances and nothing else
  gateway_clearing stripe 50.00 AED
  gateway_clearing razorpay 850.00 INR
  gateway_clearing telr 30.00 AED
  gateway_clearing paytabs 249.60 AED
  gateway_clearing paypal 85.00 USD
  dispute_fees stripe 55.00 AED
  dispute_fees razorpay 200.00 INR
  dispute_fees telr 75.00 AED
  dispute_fees paytabs 275.40 AED
  dispute_fees paypal 20.00 USD
  vendor_payable V1 pending 94.50 AED
  vendor_payable V2 pending 945.00 INR
  vendor_payable V3 pending 94.50 AED
  vendor_payable V4 pending 472.50 AED
  vendor_payable V5 pending 94.50 USD
  deferred_commission 70.00 AED
  deferred_commission 100.00 INR
  deferred_commission 10.00 USD
  vat_output_payable AE 3.50 AED
  vat_output_payable AE 5.00 INR
  vat_output_payable AE 0.50 USD
# In AED: 329.60 and 405.40 are 735.00, and so are 661.50, 70.00 and 3.50.
