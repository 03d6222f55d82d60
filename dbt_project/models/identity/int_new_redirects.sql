with led as (

    select * from {{ ref('int_redirects') }}

),

redirects as (

    select * from {{ ref('stg_identity__redirects') }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by customer_id
            order by valid_from desc nulls last
        ) as redirect_rank
    from redirects

)

select
    led.customer_id,
    led.valid_from,
    led.redirected_to
from led
left join ranked on led.customer_id = ranked.customer_id and ranked.redirect_rank = 1
where coalesce(led.redirected_to, '') <> coalesce(ranked.redirected_to, '')
