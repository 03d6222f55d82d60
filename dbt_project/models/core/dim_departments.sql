with departments as (

    select * from {{ ref('stg_his__departments') }}

)

select
    'his|' || department_no as department_key,
    'his' as source_system,
    department_no,
    department_name,
    department_kind
from departments
