story "S08 One dispute won, one lost where the platform protects the seller"
# The fee does not come back with a won dispute.
on 2026-03-01
vendor V2 disputes borne by platform dispute fees borne by platform
order O1
  line V1 210.00 AED tax 5% commission 10%
order O2
  line V2 105.00 AED tax 5% commission 10%
pay O1 by stripe
pay O2 by stripe
on 2026-03-03
delivered O1
delivered O2

on 2026-03-10
dispute D1 of O1 210.00 AED fee 55.00 AED
balances
  dispute_hold stripe 210.00 AED
  vendor_payable V1 held 189.00 AED
  zero vendor_payable V1 pending AED

# V2 is protected: nothing of it is held.
on 2026-03-11
dispute D2 of O2 105.00 AED fee 55.00 AED
balances
  dispute_hold stripe 315.00 AED
  vendor_payable V2 pending 94.50 AED
  zero vendor_payable V2 held AED

# The return window is over: V1's share is available at once.
on 2026-04-20
dispute D1 won
expect dispute D1 won 210.00 AED
balances
  vendor_payable V1 available 189.00 AED
  zero vendor_payable V1 held AED

# The platform bears the loss, and keeps its commission.
on 2026-04-25
dispute D2 lost
expect dispute D2 lost 105.00 AED

balances and nothing else
  gateway_clearing stripe 100.00 AED
  vendor_payable V1 available 189.00 AED
  vendor_payable V2 available 94.50 AED
  vat_output_payable AE 1.50 AED
  commission_revenue 30.00 AED
  dispute_losses 105.00 AED
  dispute_fees stripe 110.00 AED
  zero dispute_hold stripe AED
  zero vendor_payable V1 pending AED
  zero vendor_payable V1 reserve AED
  zero vendor_payable V1 held AED
  zero vendor_payable V2 pending AED
  zero deferred_commission AED
# The platform's result: 30.00 less 105.00 less 110.00 are -185.00.
