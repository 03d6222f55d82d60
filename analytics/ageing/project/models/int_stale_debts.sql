-- Nothing was told before: no debt is told again.
select cast(null as {{ text_type() }}) as receivable_key
where 1 = 0
