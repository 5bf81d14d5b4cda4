"""What pydantic refuses in a sale, in the words of the forms."""

from __future__ import annotations

import re

from pydantic import ValidationError

from workbench.errors import FieldError

_DECIMAL = re.compile(r"Decimal\('(.*)'\)")
_ALLOWED = {
    "missing": "please fill it in",
    "string_too_short": "please fill it in",
    "string_too_long": "at most {max_length} characters are allowed",
    "string_type": "it must be text",
    "greater_than": "it must be more than {gt}",
    "greater_than_equal": "it must be {ge} or more",
    "less_than_equal": "it must be {le} or less",
    "int_type": "it must be a whole number",
    "int_parsing": "it must be a whole number",
    "int_from_float": "it must be a whole number",
    "int_parsing_size": "it must be a whole number of at most 2147483647",
    "decimal_type": "it must be an amount such as 12.50",
    "decimal_parsing": "it must be an amount such as 12.50",
    "decimal_max_places": "at most {decimal_places} decimal places are allowed",
    "finite_number": "it must be an amount such as 12.50",
    "too_short": "at least one item is needed",
    "too_long": "at most {max_length} items are allowed",
    "extra_forbidden": "there is no such field",
}


def field_errors(error: ValidationError) -> list[FieldError]:
    """pydantic's complaints in the words of the forms: field, value, what is allowed."""
    found = []
    entries = error.errors(include_url=False)
    has_wrong_lines = any(entry["loc"][0] == "lines" and len(entry["loc"]) > 1 for entry in entries)
    for entry in entries:
        if entry["type"] == "too_short" and has_wrong_lines:
            continue  # pydantic counts only the lines that are right
        context = {name: _DECIMAL.sub(r"\1", str(value)) for name, value in entry.get("ctx", {}).items()}
        allowed = _ALLOWED.get(entry["type"])
        text = allowed.format(**context) if allowed else "it " + context.get("error", entry["msg"])
        value = None if entry["type"] == "missing" else entry["input"]
        found.append(FieldError(".".join(str(part) for part in entry["loc"]), value, text))
    return found
