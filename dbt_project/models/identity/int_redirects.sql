{{ config(access='protected') }}

-- Ids given up before lead on where the customer they led to went; an id in use leads nowhere.
with redirects as (

    select * from {{ ref('stg_identity__redirects') }}

),

heirs as (

    select * from {{ ref('int_new_heirs') }}

),

current_customers as (

    select distinct customer_id from {{ ref('int_customer_records') }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by customer_id
            order by valid_from desc nulls last
        ) as redirect_rank
    from redirects

),

known as (

    select
        customer_id,
        redirected_to,
        valid_from
    from ranked
    where redirect_rank = 1

),

given_up as (

    select
        heirs.customer_id_before as customer_id,
        heirs.customer_id_after as redirected_to
    from heirs

    union all

    select
        known.customer_id,
        coalesce(heirs.customer_id_after, known.redirected_to) as redirected_to
    from known
    left join heirs on known.redirected_to = heirs.customer_id_before
    left join heirs as own_heirs on known.customer_id = own_heirs.customer_id_before
    where known.redirected_to is not null and own_heirs.customer_id_before is null

),

-- where it leads now: to a customer that exists, or nowhere
led as (

    select
        given_up.customer_id,
        case when back_in_use.customer_id is null then targets.customer_id end as redirected_to
    from given_up
    left join current_customers as targets on given_up.redirected_to = targets.customer_id
    left join current_customers as back_in_use on given_up.customer_id = back_in_use.customer_id

)

select
    led.customer_id,
    led.redirected_to,
    case
        when known.redirected_to = led.redirected_to then known.valid_from
        else {{ newest_as_of_date() }}
    end as valid_from
from led
left join known on led.customer_id = known.customer_id
