story "One marketplace, many currencies"
# Two decimals, three, and none. No tax, so that the figures are plain.
on 2026-03-02
order O1
  line V1 100.00 AED commission 10%
order O2
  line V1 100.00 SAR commission 10%
order O3
  line V1 100.00 USD commission 10%
order O4
  line V1 100.00 EUR commission 10%
order O5
  line V1 100.00 GBP commission 10%
order O6
  line V1 100.00 INR commission 10%
order O7
  line V1 10000 JPY commission 10%
order O8
  line V1 100.000 KWD commission 10%
order O9
  line V1 100.000 BHD commission 10%
order O10
  line V1 100.000 OMR commission 10%
pay O1 by stripe fee 3.90 AED
pay O2 by stripe fee 3.90 SAR
pay O3 by stripe fee 3.20 USD
pay O4 by stripe fee 1.75 EUR
pay O5 by stripe fee 1.70 GBP
pay O6 by razorpay fee 2.00 INR
pay O7 by stripe fee 360 JPY
pay O8 by stripe fee 2.900 KWD
pay O9 by stripe fee 2.900 BHD
pay O10 by stripe fee 2.900 OMR

balances
  gateway_clearing stripe 96.10 AED
  gateway_clearing stripe 96.10 SAR
  gateway_clearing stripe 96.80 USD
  gateway_clearing stripe 98.25 EUR
  gateway_clearing stripe 98.30 GBP
  gateway_clearing razorpay 98.00 INR
  gateway_clearing stripe 9640 JPY
  gateway_clearing stripe 97.100 KWD
  gateway_clearing stripe 97.100 BHD
  gateway_clearing stripe 97.100 OMR
  vendor_payable V1 pending 89.50 AED
  vendor_payable V1 pending 89.500 KWD
  vendor_payable V1 pending 8950 JPY

# What is given back is in the order's own currency, to its last decimal.
on 2026-03-03
refund O7 1 JPY
refund O8 0.010 KWD
expect order O7 succeeded captured 10000 JPY refunded 1 JPY
expect order O8 succeeded captured 100.000 KWD refunded 0.010 KWD
