story "S12 Three decimals: a gateway that takes steps of 0.010 KWD"
# Kuwait has no VAT. 12.345 are charged as 12.350; commission is on the order's price.
on 2026-03-01
marketplace in KW vat 0%
payee vendor V1 currency KWD
order O1
  line V1 12.345 KWD commission 12.5%
pay O1 by stripe fee 0.358 KWD
expect gateway stripe charged 12.350 KWD
balances and nothing else
  gateway_clearing stripe 11.992 KWD
  vendor_payable V1 pending 10.802 KWD
  deferred_commission 1.543 KWD
  gateway_fees stripe 0.358 KWD
  rounding_difference 0.005 KWD credit

on 2026-03-02
delivered O1
on 2026-03-16
expect vendor V1 available 10.802 KWD

on 2026-03-17
payout P1 to vendor V1 currency KWD by bank

balances and nothing else
  gateway_clearing stripe 11.992 KWD
  payouts_in_transit bank 10.802 KWD
  commission_revenue 1.543 KWD
  gateway_fees stripe 0.358 KWD
  rounding_difference 0.005 KWD credit
  zero vendor_payable V1 available KWD
  zero vendor_payable V1 pending KWD
  zero deferred_commission KWD
