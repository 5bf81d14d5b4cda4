-- say: one row; for this transaction the log names who changes sales, and why.
select set_config('workbench.actor', :actor, true), set_config('workbench.reason', :reason, true)
