{#-
  The only place where engines differ. Models call these; nothing here knows a table.
  `default__` is DuckDB's spelling, `spark__` Spark's.
-#}

{# ---- times: a source's local time, UTC, days ------------------------------------------- #}

{#- Local wall time in `zone` (an IANA name) as a UTC timestamp without zone. -#}
{% macro to_utc(local_time, zone) -%}
    {{ return(adapter.dispatch('to_utc')(local_time, zone)) }}
{%- endmacro %}

{% macro default__to_utc(local_time, zone) -%}
    timezone('UTC', timezone('{{ zone }}', {{ local_time }}))
{%- endmacro %}

{% macro spark__to_utc(local_time, zone) -%}
    cast(to_utc_timestamp({{ local_time }}, '{{ zone }}') as timestamp_ntz)
{%- endmacro %}

{#- The calendar day of a local time. -#}
{% macro local_date(local_time) -%}
    cast({{ local_time }} as date)
{%- endmacro %}

{#- Whole days from `earlier` to `later`; negative when they are the other way round. -#}
{% macro days_between(earlier, later) -%}
    {{ return(adapter.dispatch('days_between')(earlier, later)) }}
{%- endmacro %}

{% macro default__days_between(earlier, later) -%}
    date_diff('day', cast({{ earlier }} as date), cast({{ later }} as date))
{%- endmacro %}

{% macro spark__days_between(earlier, later) -%}
    cast(datediff(cast({{ later }} as date), cast({{ earlier }} as date)) as bigint)
{%- endmacro %}

{#- Whole minutes from `earlier` to `later`. -#}
{% macro minutes_between(earlier, later) -%}
    {{ return(adapter.dispatch('minutes_between')(earlier, later)) }}
{%- endmacro %}

{% macro default__minutes_between(earlier, later) -%}
    date_sub('minute', {{ earlier }}, {{ later }})
{%- endmacro %}

{% macro spark__minutes_between(earlier, later) -%}
    cast(timestampdiff(minute, {{ earlier }}, {{ later }}) as bigint)
{%- endmacro %}

{#- A day moved by whole days (negative moves back); a date again. -#}
{% macro add_days(day, days) -%}
    {{ return(adapter.dispatch('add_days')(day, days)) }}
{%- endmacro %}

{% macro default__add_days(day, days) -%}
    cast(cast({{ day }} as date) + to_days(cast({{ days }} as integer)) as date)
{%- endmacro %}

{% macro spark__add_days(day, days) -%}
    date_add(cast({{ day }} as date), cast({{ days }} as int))
{%- endmacro %}

{#- A day moved by whole months; the last day of the month when the month is shorter. -#}
{% macro add_months(day, months) -%}
    {{ return(adapter.dispatch('add_months')(day, months)) }}
{%- endmacro %}

{% macro default__add_months(day, months) -%}
    cast(cast({{ day }} as date) + to_months(cast({{ months }} as integer)) as date)
{%- endmacro %}

{% macro spark__add_months(day, months) -%}
    add_months(cast({{ day }} as date), cast({{ months }} as int))
{%- endmacro %}

{#- First and last day of the month a day lies in. -#}
{% macro month_start(day) -%}
    cast(date_trunc('month', cast({{ day }} as date)) as date)
{%- endmacro %}

{% macro month_end(day) -%}
    last_day(cast({{ day }} as date))
{%- endmacro %}

{#- Monday 1 to Sunday 7. -#}
{% macro iso_weekday(day) -%}
    {{ return(adapter.dispatch('iso_weekday')(day)) }}
{%- endmacro %}

{% macro default__iso_weekday(day) -%}
    cast(isodow(cast({{ day }} as date)) as integer)
{%- endmacro %}

{% macro spark__iso_weekday(day) -%}
    ((dayofweek(cast({{ day }} as date)) + 5) % 7 + 1)
{%- endmacro %}

{#- A select of one column `date_day`: every day from `first_day` to `last_day`, both included.
    Both are SQL expressions of constant days. -#}
{% macro date_spine(first_day, last_day) -%}
    {{ return(adapter.dispatch('date_spine')(first_day, last_day)) }}
{%- endmacro %}

{% macro default__date_spine(first_day, last_day) -%}
    select cast(date_day as date) as date_day
    from (
        select
            unnest(
                generate_series(
                    cast({{ first_day }} as date), cast({{ last_day }} as date), interval 1 day
                )
            ) as date_day
    ) as days
{%- endmacro %}

{% macro spark__date_spine(first_day, last_day) -%}
    select explode(
        sequence(cast({{ first_day }} as date), cast({{ last_day }} as date), interval 1 day)
    ) as date_day
{%- endmacro %}

{# ---- text ------------------------------------------------------------------------------ #}

{#- Values of a group in one text, sorted, each once. Nulls are left out. -#}
{% macro string_agg_distinct(value, separator=', ') -%}
    {{ return(adapter.dispatch('string_agg_distinct')(value, separator)) }}
{%- endmacro %}

{% macro default__string_agg_distinct(value, separator) -%}
    array_to_string(list_sort(list(distinct {{ value }}) filter (where {{ value }} is not null)), '{{ separator }}')
{%- endmacro %}

{% macro spark__string_agg_distinct(value, separator) -%}
    array_join(array_sort(collect_set({{ value }})), '{{ separator }}')
{%- endmacro %}

{#- Whether a text begins with another, which is written out. -#}
{% macro starts_with(value, prefix) -%}
    left({{ value }}, {{ prefix | length }}) = '{{ prefix }}'
{%- endmacro %}

{#- Whether a text holds a match of a regular expression (syntax both engines share: no \d). -#}
{% macro regexp_like(value, pattern) -%}
    {{ return(adapter.dispatch('regexp_like')(value, pattern)) }}
{%- endmacro %}

{% macro default__regexp_like(value, pattern) -%}
    regexp_matches({{ value }}, '{{ pattern }}')
{%- endmacro %}

{% macro spark__regexp_like(value, pattern) -%}
    regexp_like({{ value }}, '{{ pattern }}')
{%- endmacro %}

{#- Every match replaced; `replacement` is plain text. -#}
{% macro regexp_replace_all(value, pattern, replacement) -%}
    {{ return(adapter.dispatch('regexp_replace_all')(value, pattern, replacement)) }}
{%- endmacro %}

{% macro default__regexp_replace_all(value, pattern, replacement) -%}
    regexp_replace({{ value }}, '{{ pattern }}', '{{ replacement }}', 'g')
{%- endmacro %}

{% macro spark__regexp_replace_all(value, pattern, replacement) -%}
    regexp_replace({{ value }}, '{{ pattern }}', '{{ replacement }}')
{%- endmacro %}

{#- The first capture of a pattern; empty text when nothing matches. -#}
{% macro regexp_capture(value, pattern) -%}
    regexp_extract({{ value }}, '{{ pattern }}', 1)
{%- endmacro %}

{#- Each word of a text cut to its first character and a full stop: 'john smith' -> 'j. s.'. -#}
{% macro keep_initials(value) -%}
    {{ return(adapter.dispatch('keep_initials')(value)) }}
{%- endmacro %}

{% macro default__keep_initials(value) -%}
    regexp_replace({{ value }}, '([^ ])[^ ]*', '\1.', 'g')
{%- endmacro %}

{% macro spark__keep_initials(value) -%}
    regexp_replace({{ value }}, '([^ ])[^ ]*', '$1.')
{%- endmacro %}

{# ---- numbers and casts ----------------------------------------------------------------- #}

{#- The value in a type, or null when it does not fit. -#}
{% macro try_cast(value, type) -%}
    try_cast({{ value }} as {{ type }})
{%- endmacro %}

{#- Money: exact, four decimals where prices are multiplied, two where money moved. -#}
{% macro money(value, decimals=2) -%}
    cast({{ value }} as decimal(18, {{ decimals }}))
{%- endmacro %}

{#- A quotient as double, null where the divisor is 0: engines give quotients of decimals different
    scales, and some cut instead of rounding. -#}
{% macro ratio(dividend, divisor) -%}
    cast({{ dividend }} as double) / nullif(cast({{ divisor }} as double), 0)
{%- endmacro %}

{#- A double as decimal, halves away from zero. What is a half in decimals lies a little beside it in
    a double, and engines disagree on which side: so its tenth digit is rounded first. -#}
{% macro rounded(value, decimals, digits=18) -%}
    {{ return(adapter.dispatch('rounded')(value, decimals, digits)) }}
{%- endmacro %}

{#- DuckDB needs fifty times as long for more than 18 digits, so only values that fill them pay. -#}
{% macro default__rounded(value, decimals, digits) -%}
    {%- set type = 'decimal(' ~ digits ~ ', ' ~ decimals ~ ')' -%}
    {%- if digits - decimals + 10 <= 18 -%}
        cast(cast({{ value }} as decimal(18, 10)) as {{ type }})
    {%- else -%}
        coalesce(
            cast({{ try_cast(value, 'decimal(18, 10)') }} as {{ type }}),
            cast(cast({{ value }} as decimal(38, 10)) as {{ type }})
        )
    {%- endif -%}
{%- endmacro %}

{% macro spark__rounded(value, decimals, digits) -%}
    cast(cast({{ value }} as decimal(38, 10)) as decimal({{ digits }}, {{ decimals }}))
{%- endmacro %}

{#- A percentile of an aggregate, interpolated, as decimal with the given scale (engines differ on
    decimals). -#}
{% macro percentile(value, share, decimals=4) -%}
    {%- set exactly = 'percentile_cont(' ~ share ~ ') within group (order by cast(' ~ value ~ ' as double))' -%}
    {{ rounded(exactly, decimals) }}
{%- endmacro %}

{% macro median(value, decimals=4) -%}
    {{ percentile(value, 0.5, decimals) }}
{%- endmacro %}

{#- Value of `value` where `by` is greatest; rows without `value` are left out. -#}
{% macro max_by(value, by) -%}
    max_by({{ value }}, {{ by }}) filter (where {{ value }} is not null)
{%- endmacro %}

{#- Text type without a length. -#}
{% macro text_type() -%}
    {{ return(adapter.dispatch('text_type')()) }}
{%- endmacro %}

{% macro default__text_type() -%}
    varchar
{%- endmacro %}

{% macro spark__text_type() -%}
    string
{%- endmacro %}

{# ---- failing with a sentence ------------------------------------------------------------- #}

{#- Stops the statement with a message (a text expression) when a row reaches it. Use it in a
    where clause: a column that nobody reads may never be computed. -#}
{% macro raise_error(message) -%}
    {{ return(adapter.dispatch('raise_error')(message)) }}
{%- endmacro %}

{% macro default__raise_error(message) -%}
    error({{ message }}) is null
{%- endmacro %}

{% macro spark__raise_error(message) -%}
    raise_error({{ message }}) is null
{%- endmacro %}

{# ---- fingerprints, and what tables can do ------------------------------------------------ #}

{#- A whole number that changes when any of the values does, to be summed over rows; of one engine
    only. -#}
{% macro fingerprint(values) -%}
    {{ return(adapter.dispatch('fingerprint')(values)) }}
{%- endmacro %}

{% macro default__fingerprint(values) -%}
    hash({{ values | join(', ') }})
{%- endmacro %}

{% macro spark__fingerprint(values) -%}
    {#- The first 60 bits of an md5, as a decimal: Spark's sums of whole numbers overflow, and its
        own hash passes over nulls. -#}
    {%- set texts = [] -%}
    {%- for value in values -%}
        {%- do texts.append("coalesce(cast(" ~ value ~ " as string), '')") -%}
    {%- endfor -%}
    cast(
        conv(substring(md5({{ texts | join(" || '|' || ") }}), 1, 15), 16, 10) as decimal(20, 0)
    )
{%- endmacro %}

{#- What fingerprints hold for: DuckDB does not promise that its hash stays the next release's. -#}
{% macro fingerprint_release() -%}
    {{ return(adapter.dispatch('fingerprint_release')()) }}
{%- endmacro %}

{% macro default__fingerprint_release() -%}
    version()
{%- endmacro %}

{% macro spark__fingerprint_release() -%}
    'md5'
{%- endmacro %}

{#- Whether rows can be taken out of a table: plain Parquet on Spark cannot, and is built anew. -#}
{% macro tables_forget_rows() -%}
    {{ return(adapter.dispatch('tables_forget_rows')()) }}
{%- endmacro %}

{% macro default__tables_forget_rows() -%}
    {{ return(true) }}
{%- endmacro %}

{% macro spark__tables_forget_rows() -%}
    {{ return(env_var('KEHU_SPARK_TABLE_FORMAT', 'delta') != 'parquet') }}
{%- endmacro %}
