-- macros of DuckDB: a text as amount, number or time, null where it is none of these; and whether a text is so plain that
-- the form takes it as it is. A text has no blanks around it, and no apostrophe before what our own CSV hides from
-- spreadsheets. The variables decimal_sign and date_formats say how the file is read.
create or replace macro bare_amount(text) as regexp_replace(text, '^[$€£¥]\s*|\s*[$€£¥]$', '', 'g');
create or replace macro amount_text(text) as case
    when getvariable('decimal_sign') = '.' and regexp_full_match(text, '\d+(\.\d+)?') then text
    when getvariable('decimal_sign') = ',' then case
        when regexp_full_match(bare_amount(text), '[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?')
            then replace(replace(bare_amount(text), '.', ''), ',', '.')
        else bare_amount(text)
    end
    when regexp_full_match(bare_amount(text), '[+-]?\d{1,3}(,\d{3})+(\.\d+)?') then replace(bare_amount(text), ',', '')
    else bare_amount(text)
end;
create or replace macro is_cents(text) as coalesce(regexp_full_match(text, '\d{1,7}(\.\d{1,2})?'), false);
create or replace macro is_id(text) as coalesce(
    regexp_full_match(text, '\d{1,9}(\.0+)?') and try_cast(text as decimal(18, 3)) >= 1, false
);
create or replace macro is_plain_text(text, length) as coalesce(
    length(text) between 1 and length
    and not regexp_matches(text, '[\p{C}\p{Zl}\p{Zp}]|^\p{Z}|\p{Z}$'), false
);
create or replace macro field_text(text) as nullif(case
    when starts_with(trim(text), '''') then regexp_replace(trim(text), '^''([=+\-@|])', '\1')
    else trim(text)
end, '');
create or replace macro dated(text) as case
    when regexp_matches(text, '^\d{4}|^\d{1,2}/\d{1,2}/\d{4}(\D|$)') then text
    else regexp_replace(
        regexp_replace(text, '^(\d{1,2})[./-](\d{1,2})[./-](\d{2}|\d{4})(\D|$)', '\1/\2/\3\4'),
        '^(\d{1,2}/\d{1,2}/)(\d{2})(\D|$)', '\120\2\3'
    )
end;
create or replace macro as_time(text) as try_strptime(dated(text), getvariable('date_formats'));
