story "S14 India, all in one state: GST, TCS, TDS, and what is remitted"
# Vendor, customer and platform are in one state, so GST is CGST and SGST. 0.25 % TCS of each and
# 0.1 % TDS of the value without GST are kept back when the vendor is credited.
on 2026-04-09
marketplace in IN vat 18% time zone Asia/Kolkata
tax IN gst 18% home KA tcs 0.5% tds 0.1% section ecommerce
vendor default released 365 days after delivery
vendor V1 in IN state KA released 365 days after delivery
customer C1 in state KA

on 2026-04-10
order O1 customer C1 prices exclusive
  line V1 10000.00 INR tax 18% commission 10%
pay O1 by razorpay fee 236.00 INR + 42.48 INR tax
expect gateway razorpay charged 11800.00 INR
balances and nothing else
  gateway_clearing razorpay 11521.52 INR
  gateway_fees razorpay 236.00 INR
  vat_input_recoverable IN 42.48 INR
  vendor_payable V1 pending 10560.00 INR
  deferred_commission 1000.00 INR
  gst_output_payable cgst 90.00 INR
  gst_output_payable sgst 90.00 INR
  gst_tcs_payable cgst 25.00 INR
  gst_tcs_payable sgst 25.00 INR
  tds_payable ecommerce 10.00 INR

on 2026-04-12
settlement razorpay 11521.52 INR into inr_main
on 2026-04-13
delivered O1

# TDS of April by the 7th, TCS by the 10th.
on 2026-05-07
remit tds_payable ecommerce 10.00 INR from inr_main
on 2026-05-10
remit gst_tcs_payable cgst 25.00 INR from inr_main
remit gst_tcs_payable sgst 25.00 INR from inr_main

balances and nothing else
  bank inr_main 11461.52 INR
  vat_input_recoverable IN 42.48 INR
  vendor_payable V1 pending 10560.00 INR
  gst_output_payable cgst 90.00 INR
  gst_output_payable sgst 90.00 INR
  commission_revenue 1000.00 INR
  gateway_fees razorpay 236.00 INR
  zero gateway_clearing razorpay INR
  zero gst_tcs_payable cgst INR
  zero gst_tcs_payable sgst INR
  zero tds_payable ecommerce INR
  zero deferred_commission INR
