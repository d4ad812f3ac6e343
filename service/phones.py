"""Telephone numbers as people write them → one spelling, so that the same number is the same text."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

HOME = "CN"  # a number without a country is one of this country, and is kept as it is dialled there
MOBILE = re.compile(r"1[3-9]\d{9}")
LOCAL = re.compile(r"(?:0\d{2,3})?[2-9]\d{6,7}")  # of a landline, with or without its area code


def may_be_rung(text: str) -> bool:
    """Whether a number makes sense, with its area code, its country, or without either."""
    return LOCAL.fullmatch(text) is not None or normalise(text) is not None


def normalise(text: str) -> str | None:
    """Write a number as it is kept: 13800138000, 07318888888, abroad with its country: +85223456789.

    Args:
        text: as written, with spaces, dashes, brackets or +86.

    Returns:
        None when it is no number that could be dialled from elsewhere: a digit too few, no area code.
    """
    if MOBILE.fullmatch(text):
        return text
    try:
        number = phonenumbers.parse(text, HOME)
    except NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    if number.country_code == phonenumbers.country_code_for_region(HOME):
        national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
        return re.sub(r"\D", "", national)
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
