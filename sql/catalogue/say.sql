-- say: one row; the changes of this transaction are by :actor, and take back the log's entry :undoes (empty: none).
select set_config('workbench.actor', :actor, true), set_config('workbench.undoes', :undoes, true)
