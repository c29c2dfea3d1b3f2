story "S16 A plan of a year, recognised day by day, given up with a refund"
# 1200.00 and 5 % VAT for 365 days from 2026-03-15. What is recognised by a month's end is
# 1200.00 x days / 365, rounded, less what was before; finance enters it month by month.
on 2026-03-15
order O1 customer C1
  plan K1 1260.00 AED tax 5%
pay O1 by stripe
balances and nothing else
  gateway_clearing stripe 1260.00 AED
  deferred_revenue K1 1200.00 AED
  vat_output_payable AE 60.00 AED

on 2026-03-31
journal other because "revenue of March, 17 days"
  debit  deferred_revenue K1 55.89 AED
  credit subscription_revenue 55.89 AED
balances
  deferred_revenue K1 1144.11 AED
on 2026-04-30
journal other because "revenue of April, 30 days"
  debit  deferred_revenue K1 98.63 AED
  credit subscription_revenue 98.63 AED
balances
  deferred_revenue K1 1045.48 AED
on 2026-05-31
journal other because "revenue of May, 31 days"
  debit  deferred_revenue K1 101.92 AED
  credit subscription_revenue 101.92 AED
balances
  deferred_revenue K1 943.56 AED
on 2026-06-30
journal other because "revenue of June, 30 days"
  debit  deferred_revenue K1 98.63 AED
  credit subscription_revenue 98.63 AED
balances
  deferred_revenue K1 844.93 AED
  subscription_revenue 355.07 AED

# 257 days are not used: 844.93, and 42.25 VAT on them.
on 2026-07-01
refund O1 887.18 AED named R1
expect refund R1 succeeded 887.18 AED

balances and nothing else
  gateway_clearing stripe 372.82 AED
  vat_output_payable AE 17.75 AED
  subscription_revenue 355.07 AED
  zero deferred_revenue K1 AED
