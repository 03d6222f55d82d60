with parameters as (
    select as_of_date, model, parameter, value, standard_error
    from {{ source('analytics', 'lifetime_value_parameters') }}
)

select * from parameters
