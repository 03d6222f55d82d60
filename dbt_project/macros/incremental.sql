{#-
  What a build of metrics and scores keeps, and what it tells again. Customers lie in buckets (the
  last three signs of their id, 4096 of them); for each bucket and month of events a fingerprint of the
  facts is kept, so that a late correction costs the customers of one bucket and the dates after it.
-#}

{% macro bucket_of(customer_id) -%}
    right({{ customer_id }}, 3)
{%- endmacro %}

{#- A relation of the last build by its name, none where nothing of it may be kept. Not by ref():
    the models that ask stand before the one they ask about. -#}
{% macro told_before(name) -%}
    {%- if not execute or flags.FULL_REFRESH or not tables_forget_rows() -%}
        {{ return(none) }}
    {%- endif -%}
    {{ return(adapter.get_relation(database=this.database, schema=this.schema, identifier=name)) }}
{%- endmacro %}

{#- Before new rows are written: those of the model (`told`) go that a row of `source` (`stale`) meets. -#}
{% macro forget_met(source, condition) -%}
    {%- if is_incremental() -%}
        merge into {{ this }} as told
        using {{ source }} as stale
            on {{ condition }}
        when matched then delete
    {%- else -%}
        select 1
    {%- endif -%}
{%- endmacro %}

{#- Rows of the dates (and buckets) that are told again. -#}
{% macro forget_told_again(stale, with_buckets) -%}
    {%- set in_bucket = ' and ' ~ bucket_of('told.customer_id') ~ ' = stale.bucket' -%}
    {{ forget_met(
        stale, 'told.as_of_date = stale.as_of_date' ~ (in_bucket if with_buckets else '')
    ) }}
{%- endmacro %}

{#- Rows of dates that nobody asks for any more. -#}
{% macro forget_unasked_dates() -%}
    {%- if is_incremental() -%}
        delete from {{ this }} where as_of_date not in (
            {%- for as_of_date in as_of_dates() -%}
                cast('{{ as_of_date }}' as date){{ ', ' if not loop.last }}
            {%- endfor -%}
        )
    {%- else -%}
        select 1
    {%- endif -%}
{%- endmacro %}

{#- One text for the code of the models of a folder: when it changes, all rows are told again. -#}
{% macro code_of(folder) -%}
    {%- set sums = [] -%}
    {%- if execute and graph.nodes is defined -%}
        {%- for node in graph.nodes.values()
                if node.resource_type == 'model' and node.fqn[1] == folder -%}
            {%- do sums.append(node.name ~ (node.checksum.checksum or '')) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(local_md5(sums | sort | join)) }}
{%- endmacro %}

{#- The dates from which periods are told: the last day on which they stand as told, marked, and
    those after it; none where nothing changed. `now` are the dates asked for, `stale` those told
    again, `told` the dates told before or none. -#}
{% macro dates_since_kept(now, stale, told) -%}
    with dates as (
        select as_of_date from {{ now }}
    ),

    -- A day that nobody asks for any more ends periods as a new one does.
    changed as (
        select min(as_of_date) as as_of_date
        from (
            select as_of_date from {{ stale }}
            {%- if told is not none %}
            union all
            select told.as_of_date
            from {{ told }} as told
            left join dates
                on told.as_of_date = dates.as_of_date
            where dates.as_of_date is null
            {%- endif %}
        ) as changed_dates
    ),

    kept as (
        select max(dates.as_of_date) as as_of_date
        from dates
        inner join changed
            on dates.as_of_date < changed.as_of_date
    )

    select
        dates.as_of_date,
        dates.as_of_date < changed.as_of_date as is_kept
    from dates
    cross join changed
    cross join kept
    where dates.as_of_date >= coalesce(kept.as_of_date, changed.as_of_date)
{%- endmacro %}

{#- Before periods are told from the last day on that stands: those that began after it go. -#}
{% macro forget_later_periods(dates, began) -%}
    {%- set days -%}
        (
            select max(case when is_kept then as_of_date end) as kept_date, count(*) as dates
            from {{ dates }}
        )
    {%- endset -%}
    {{ forget_met(
        days, 'stale.dates > 0 and coalesce(told.' ~ began ~ ' > stale.kept_date, true)'
    ) }}
{%- endmacro %}

{#- Of each as-of date what the marts of a folder are told from: facts of its months and before,
    schemes, seeds (name to columns), columns of the customers seen by then, code; and the days that
    its marts look back to: the one before, and on the last day of a month that of the month before. -#}
{% macro fingerprints_by_date(folder, seeds, customer_columns=none) -%}
    select
        as_of_dates.as_of_date,
        as_of_dates.previous_as_of_date,
        steps.previous_as_of_date as previous_month_date,
        cast(sum(by_month.facts) as bigint) as facts,
        cast(sum(by_month.fact_sum) as decimal(38, 0)) as fact_sum
    from {{ ref('int_as_of_dates') }} as as_of_dates
    inner join (
        select month, facts, fact_sum from {{ ref('int_fact_fingerprints') }}
        union all
        select month, facts, fact_sum from {{ ref('int_scheme_fingerprint') }}
        {%- for relation, columns in seeds.items() %}
        union all
        select
            cast('1900-01-01' as date) as month,
            count(*) as facts,
            sum({{ fingerprint(columns) }}) as fact_sum
        from {{ ref(relation) }}
        {%- endfor %}
        {%- if customer_columns %}
        union all
        select
            {{ month_start('first_seen_date') }} as month,
            count(*) as facts,
            sum({{ fingerprint(['customer_id'] + customer_columns) }}) as fact_sum
        from {{ ref('dim_customers') }}
        group by {{ month_start('first_seen_date') }}
        {%- endif %}
        union all
        select
            cast('1900-01-01' as date) as month,
            1 as facts,
            {{ fingerprint(["'" ~ code_of(folder) ~ "'"]) }} as fact_sum
    ) as by_month
        on as_of_dates.as_of_date >= by_month.month
    left join {{ ref('int_month_steps') }} as steps
        on as_of_dates.as_of_date = steps.as_of_date
    group by
        as_of_dates.as_of_date, as_of_dates.previous_as_of_date, steps.previous_as_of_date
{%- endmacro %}

{#- The dates of `now` that were not told before, or from something else: `told` is none or has the
    same columns, those of `columns` and as_of_date. -#}
{% macro dates_told_otherwise(now, told, columns) -%}
    select now_known.as_of_date
    from {{ now }} as now_known
    {%- if told is not none %}
    left join {{ told }} as told
        on now_known.as_of_date = told.as_of_date
        {%- for column in columns %}
            and now_known.{{ column }} is not distinct from told.{{ column }}
        {%- endfor %}
    where told.as_of_date is null
    {%- endif %}
{%- endmacro %}

{#- The columns of customer_metrics behind the name of a relation, as its YAML lists them. -#}
{% macro metric_columns(relation) -%}
    {%- set columns = [] -%}
    {%- if execute and graph.nodes is defined -%}
        {%- set node = graph.nodes['model.' ~ project_name ~ '.customer_metrics'] -%}
        {%- for column in node.columns.values() -%}
            {%- do columns.append(relation ~ '.' ~ column.name) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(columns or [relation ~ '.customer_id']) }}
{%- endmacro %}
