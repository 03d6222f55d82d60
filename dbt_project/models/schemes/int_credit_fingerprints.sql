{#- What a credit table of a day is told from, besides the facts and the schemes. -#}
{%- set seeds = {
    'scorecards': ['scorecard', 'version', 'valid_from', 'base_points', 'score_offset',
        'score_factor', 'lowest_score', 'highest_score'],
    'scorecard_bins': ['scorecard', 'version', 'feature', 'feature_no', 'bin', 'lower', 'upper',
        'category', 'is_missing', 'points'],
    'credit_bands': ['scorecard', 'class_code', 'lower', 'upper', 'class_rank', 'label_en',
        'label_zh', 'proposed_decision', 'limit_months', 'highest_limit', 'yearly_rate',
        'needs_review'],
    'reassessment_rules': ['event_type', 'threshold', 'text_en', 'text_zh'],
    'scheme_classes': ['scheme', 'version', 'class_code', 'label_en', 'label_zh',
        'review_interval_months'],
} -%}
with fingerprints as (
    {{ fingerprints_by_date('credit', seeds) }}
)

select * from fingerprints
