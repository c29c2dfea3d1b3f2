story "S07 A dispute is lost: the vendor bears it, the platform its fee"
on 2026-03-01
vendor V1 disputes borne by vendor dispute fees borne by platform
order O1
  line V1 210.00 AED tax 5% commission 10%
pay O1 by stripe
on 2026-03-02
delivered O1
on 2026-03-16
balances
  vendor_payable V1 available 189.00 AED

# The bank takes the money, Stripe keeps 55.00. The vendor's share is held while it is open.
on 2026-03-17
dispute D1 of O1 210.00 AED fee 55.00 AED because fraudulent
expect dispute D1 needs_response 210.00 AED
balances
  dispute_hold stripe 210.00 AED
  dispute_fees stripe 55.00 AED
  gateway_clearing stripe 55.00 AED credit
  vendor_payable V1 held 189.00 AED
  zero vendor_payable V1 available AED

# The commission and its VAT are given back to the vendor.
on 2026-05-10
dispute D1 lost
expect dispute D1 lost 210.00 AED

balances and nothing else
  gateway_clearing stripe 55.00 AED credit
  dispute_fees stripe 55.00 AED
  zero dispute_hold stripe AED
  zero vendor_payable V1 available AED
  zero vendor_payable V1 pending AED
  zero vendor_payable V1 reserve AED
  zero vendor_payable V1 held AED
  zero vat_output_payable AE AED
  zero deferred_commission AED
  zero commission_revenue AED
