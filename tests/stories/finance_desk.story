story "The desk of finance: journals by two, settlements, payouts that are held back and come back"
on 2026-03-01
# What was carried over; one person enters it, another approves.
opening named OP because "carried over"
  debit  bank aed_main 1000.00 AED
  credit vendor_payable V2 available 1000.00 AED
opening
  debit  bank inr_main 10.00 INR
  credit tds_payable ecommerce 10.00 INR
# Nobody approves their own journal.
journal other named J1 left open
  debit  bank aed_main 1.00 AED
  credit suspense bank 1.00 AED
approve journal J1 by the maker refused: not_allowed
reject journal J1
journal correction named J2 corrects OP because "half of it"
  debit vendor_payable V2 available 10.00 AED
  credit bank aed_main 10.00 AED
gateway fee telr 4.90 AED + 0.25 AED tax
remit tds_payable ecommerce 10.00 INR from inr_main
rate 1 USD = 3.6725 AED source "central bank"
payee vendor V2
kyc of vendor V2 verified occurred 2026-02-15
  document licence L-1 expires 2027-01-01
payout terms of vendor V2 schedule weekly weekday monday minimum 50.00 AED by bank
order O1
  line V9 525.00 AED tax 5% commission 10%
pay O1 by stripe fee 16.23 AED + 0.81 AED tax
# New bank details rest for a day.
payout P0 to vendor V2 refused: payout_gated
expect payout P0 gated held back by cooling_time
cancel payout P0
on 2026-03-08
settlement stripe 507.96 AED reported reference po_1
on 2026-03-09
settlement stripe 507.96 AED into aed_main received as 505.96 AED reference po_1
bank aed_main gets 77.00 AED for suspense bank because "unknown credit"
payout run R1 on 2026-03-09
  payout P1 to vendor V2
expect payout P1 reserved 990.00 AED
on 2026-03-10
payout P1 paid from aed_main
on 2026-03-12
payout P1 returned because AC04 fee 10.00 AED
expect payout P1 returned 990.00 AED
# The account was closed: its details are blocked, and the money is the vendor's again.
payout terms of vendor V2 schedule manual
payout P3 to vendor V2 100.00 AED left open
expect payout P3 gated 100.00 AED held back by bank_details
payee vendor V2 iban AE770331234567890123457
on 2026-03-25
retry payout P1 as P2
block vendor V2 because "court order"
lift block of vendor V2
on 2026-03-26
payout P2 paid from aed_main
expect payout P2 paid 990.00 AED
journal other because "the unknown credit is a settlement of Telr"
  debit  suspense bank 77.00 AED
  credit gateway_clearing telr 77.00 AED
# Payees in other currencies.
payee vendor V3 currency INR
payee vendor V4 currency GBP
payee vendor V5 currency KWD
payee vendor V6 currency EUR
payee vendor V7 currency SAR
payee vendor V8 currency JPY
bank account of vendor V9 holder "Oud House LLC" iban AE070331234567890123456 country AE currency AED
verify bank account of vendor V9
on 2026-04-01
revalue USD into AED on 2026-03-31 at 3.6800
close through 2026-03-31
balances and nothing else
  bank aed_main 572.96 AED
  bank_charges 2.00 AED
  gateway_clearing telr 82.15 AED credit
  gateway_fees stripe 16.23 AED
  gateway_fees telr 4.90 AED
  payout_fees 10.00 AED
  vat_input_recoverable AE 1.06 AED
  vat_output_payable AE 2.50 AED
  vendor_payable V9 pending 472.50 AED
  deferred_commission 50.00 AED
  zero bank inr_main INR
  zero tds_payable ecommerce INR
  zero suspense bank AED
