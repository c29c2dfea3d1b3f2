story "The ledger by hand: posted, taken back, closed"
on 2026-03-02
post stock.bought named T1
  debit  inventory 250.00 AED
  credit bank aed_main 250.00 AED
balances and nothing else
  inventory 250.00 AED
  bank aed_main 250.00 AED credit
reverse T1
balances and nothing else
  zero inventory AED
  zero bank aed_main AED
# An entry that does not balance is refused.
post stock.bought refused: amounts_do_not_add_up
  debit  inventory 250.00 AED
  credit bank aed_main 250.01 AED
on 2026-03-05
close through 2026-03-03
post stock.bought dated 2026-03-03 refused: period_closed
  debit  inventory 1.00 AED
  credit bank aed_main 1.00 AED
call GET "/v1/ledger/trial_balance"
expect "/v1/ledger/trial_balance" "/object" is "trial_balance"
