with scheme_classes as (
    select * from {{ ref('scheme_classes') }}
),

labelled as (
    select
        scheme,
        version,
        class_code,
        class_rank,
        label_en,
        label_zh
    from scheme_classes
)

select * from labelled
