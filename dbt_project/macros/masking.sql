{#-
  How names, numbers and addresses look where they are published: a reader recognises whom they
  know already, and learns nothing else. An empty value stays empty.
-#}

{#- 王小明 -> 王*; john smith -> J. S.; anything else keeps its first character. -#}
{% macro mask_person_name(name_norm) -%}
    case
        when {{ regexp_like(name_norm, '^[a-z]') }}
            then upper({{ keep_initials(name_norm) }})
        else left({{ name_norm }}, 1) || '*'
    end
{%- endmacro %}

{#- 东方贸易有限公司 -> 东方***; Acme Ltd -> Ac***. -#}
{% macro mask_organisation_name(full_name) -%}
    left({{ full_name }}, 2) || '***'
{%- endmacro %}

{#- The last four digits of a telephone number. -#}
{% macro mask_phone(phone_norm) -%}
    '*******' || right({{ phone_norm }}, 4)
{%- endmacro %}

{#- The first letter and the domain of an e-mail address. -#}
{% macro mask_email(email_norm) -%}
    left({{ email_norm }}, 1) || '***@' || split_part({{ email_norm }}, '@', 2)
{%- endmacro %}
