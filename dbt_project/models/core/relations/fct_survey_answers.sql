with survey_answers as (

    select * from {{ ref('stg_service__survey_answers') }}

),

customer_records as (

    select source_record_id, customer_id from {{ ref('int_customer_records') }}
    where source_system = 'service'

)

select
    'service|survey_answer|' || cast(survey_answers.answer_no as {{ text_type() }}) as answer_key,
    customer_records.customer_id,
    'service' as source_system,
    survey_answers.caller_no as source_record_id,
    survey_answers.survey_code,
    survey_answers.item_no,
    survey_answers.dimension,
    survey_answers.score,
    survey_answers.answered_at,
    survey_answers.answered_date,
    survey_answers.source_timezone
from survey_answers
left join customer_records on survey_answers.caller_no = customer_records.source_record_id
