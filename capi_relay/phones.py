"""The documented normal form of a phone number: its country's calling code and the number, digits only.

Meta's rule (customer-information-parameters): no symbols, no letters, no leading zeros, and a country code always. So
what cannot be a calling code with a number of that country's usual length has no normal form. A trunk zero written
behind the calling code, as in ``+44 (0)20``, stays: the rule removes leading zeros only. One zero in front, as in
``020 7946 0018``, is a trunk zero: only its country tells the number, and without it there is no normal form.

Where the extra ``capi-relay[phone]`` is installed, national numbers and such trunk zeros are read by ``phonenumbers``
first. A plain international number means the same with and without it.
"""

import re
import unicodedata
from typing import Final, NamedTuple

from capi_relay import phone_library
from capi_relay.text import trimmed

# How many digits a subscriber has behind the calling code, land lines and mobiles: then country and calling code.
_PLANS: Final = """
4-7 nu683 tk690
4-5 sh290
5-5 ac247 ck682 fk500
5-7 sb677 to676 tv688 vu678 ws685
5-8 ki686
5-9 lu352
6-6 fo298 gl299 nc687 nf672 wf681
6-7 sr597
6-9 ad376 pm508
6-10 ax358 fi358 sm378
6-11 de49
7-7 aw297 bn673 bq599 bz501 cv238 er291 fj679 fm691 gy592 io246 is354 km269 mh692 mv960 nr674 pw680 sc248 st239
7-8 bt975 bw267 cw599 ee372 ga241 lb961 mu230 pa507 pg675 tl670
7-9 bg359 cd243 gm220 ie353 ke254 li423 lr231 mw265 py595 se46 so252 ye967
7-10 mm95 rs381
7-12 id62
7-13 at43
8-8 am374 bf226 bh973 bi257 bo591 cf236 cr506 cu53 cy357 dj253 dk45 gi350 gt502 hk852 hn504 ht509 kw965 ls266 lt370
8-8 lv371 md373 me382 mk389 ml223 mn976 mo853 mr222 mt356 ne227 ni505 no47 om968 pf689 qa974 sg65 si386 sj47 sl232 sv503
8-8 sz268 td235 tg228 tm993 tn216 uy598
8-9 ae971 al355 ba387 be32 dz213 ec593 gn224 hr385 hu36 il972 jo962 kh855 mc377 mz258 na264 pe51 ps970 sy963 th66 tw886
8-9 xk383
8-10 bd880 co57 eg20 iq964 kp850 kr82 la856 my60 np977 nz64 ph63
9-9 af93 ao244 au61 az994 bl590 by375 cc61 cg242 ch41 cl56 cm237 cx61 cz420 eh212 es34 et251 fr33 ge995 gf594
9-9 gh233 gp590 gq240 gw245 kg996 lk94 ly218 ma212 mf590 mg261 mq596 nl31 pl48 pt351 re262 ro40 rw250 sa966 sd249 sk421
9-9 sn221 ss211 tj992 tz255 ua380 ug256 uz998 yt262 za27 zm260 zw263
9-10 gb44 jp81 pk92 vn84
9-11 cn86 it39 va39
10-10 ag1 ai1 as1 bb1 bm1 bs1 ca1 dm1 do1 gd1 gu1 jm1 kn1 ky1 lc1 mp1 ms1 pr1 sx1 tc1 tt1 us1 vc1 vg1 vi1
10-10 bj229 ci225 gg44 gr30 im44 in91 ir98 je44 kz7 ng234 ru7 tr90 ve58
10-11 ar54 br55 mx52
"""
# What is dialled before a national number where that is not a zero.
_TRUNKS: Final = {"by": "80", "hu": "06", "kz": "8", "lt": "8", "ru": "8", "tm": "8"}
# Where the zero in front is part of the number.
_KEEPS_ZERO: Final = frozenset({"bj", "cg", "ci", "it", "sm", "va"})

_SHORTEST, _LONGEST = 7, 15  # ITU-T E.164 allows 15 digits
_EXTENSION: Final = re.compile(r"(?<=\d)[\s.,;(]*(?:ext(?:ension|n)?|x|#)[\s.:=]*\d{1,6}[\s)]*$", re.IGNORECASE)
_INTERNATIONAL: Final = re.compile(r"[^\d+\uff0b]*[+\uff0b]")
# A zero too many before a North American number. A German mobile, met far more often, is as long: 0151 23456789.
_NORTH_AMERICAN: Final = re.compile(r"01(?!5|6[023]|7)[2-9][0-8]\d[2-9]\d{6}")
_NO_DIGITS: Final = re.compile(r"\D+")
_ASCII_WITHOUT_DIGITS: Final = str.maketrans(
    "", "", "".join(char for char in map(chr, range(128)) if not char.isdigit())
)


class _Plan(NamedTuple):
    """A calling code and how many digits may follow it."""

    code: str
    shortest: int
    longest: int

    def holds(self, digits: int) -> bool:
        return self.shortest <= digits <= self.longest


def _plans() -> dict[str, _Plan]:
    plans: dict[str, _Plan] = {}
    for line in _PLANS.split("\n")[1:-1]:
        lengths, *entries = line.split(" ")
        shortest, longest = map(int, lengths.split("-"))
        plans |= {entry[:2]: _Plan(entry[2:], shortest, longest) for entry in entries}
    return plans


def _plans_by_code(plans: dict[str, _Plan]) -> dict[str, _Plan]:
    merged: dict[str, _Plan] = {}
    for plan in plans.values():
        other = merged.get(plan.code, plan)
        merged[plan.code] = _Plan(plan.code, min(plan.shortest, other.shortest), max(plan.longest, other.longest))
    return merged


_BY_COUNTRY: Final = _plans()
_BY_CODE: Final = _plans_by_code(_BY_COUNTRY)
_ZERO_CODES: Final = frozenset(_BY_COUNTRY[country].code for country in _KEEPS_ZERO)


def ph(value: str, default_country: str | None = None) -> str | None:
    """Return calling code and number as digits, or None when there is no calling code or no plausible number.

    Args:
        value: The number as a person wrote it; an extension at its end is left away.
        default_country: ISO alpha-2 code of the country whose calling code a national number gets. A number marked as
            international (``+``, ``00``), or without a zero in front and too long for that country, keeps its own.
    """
    digits, international = _written(value)
    country = (default_country or "").lower()
    by_rules = _by_the_rules(digits, country, international=international)
    if international:
        has_trunk_zero = by_rules is not None and without_trunk_zero(by_rules) is not None
        return (phone_library.read(f"+{by_rules}", None) if has_trunk_zero else None) or by_rules
    if country not in _BY_COUNTRY or by_rules == digits:  # complete as it stands: read again it must not change
        return by_rules
    read = phone_library.read(digits, country.upper())
    # Taken only if the rules leave it as it is: a number shorter than they know would get the calling code twice.
    return read if read and _by_the_rules(read, country, international=False) == read else by_rules


def by_the_rules(value: str, default_country: str | None = None) -> str | None:
    """Return the same by the documented rules alone, whatever is installed."""
    digits, international = _written(value)
    return _by_the_rules(digits, (default_country or "").lower(), international=international)


def without_trunk_zero(normal: str) -> str | None:
    """Return a normal form without the trunk zero behind its calling code, or None where it has none."""
    plan, rest = _split(normal)
    has_one = plan is not None and rest.startswith("0") and plan.code not in _ZERO_CODES
    return f"{plan.code}{rest[1:]}" if plan and has_one else None


def _written(value: str) -> tuple[str, bool]:
    """Return the number's digits without its extension, and whether it is marked as international."""
    text = trimmed(value)
    if "x" in text or "X" in text or "#" in text:  # no extension is written without one of them
        text = _EXTENSION.sub("", text)
    digits = _ascii_digits(text)
    return digits, text.startswith("+") or digits.startswith("00") or _INTERNATIONAL.match(text) is not None


def _by_the_rules(digits: str, country: str, *, international: bool) -> str | None:
    if not international:
        digits = _with_calling_code(digits, country)
        if digits.startswith("0") and not _is_complete_behind_zero(digits, country):
            return None  # some other country's national number: what follows its zero is no calling code
    digits = digits.lstrip("0")
    return digits if _carries_a_calling_code(digits) else None


def _ascii_digits(text: str) -> str:
    if text.isascii():
        return text.translate(_ASCII_WITHOUT_DIGITS)
    return "".join(str(unicodedata.decimal(digit)) for digit in _NO_DIGITS.sub("", text))


def _with_calling_code(digits: str, country: str) -> str:
    """Return the digits with the country's calling code, if they are a national number of that country."""
    plan = _BY_COUNTRY.get(country)
    if plan is None:
        return digits
    trunk = _TRUNKS.get(country)
    if trunk and digits.startswith(trunk) and plan.holds(len(digits) - len(trunk)):
        return plan.code + digits[len(trunk) :]
    national = digits if country in _KEEPS_ZERO else digits.lstrip("0")
    complete = digits.startswith(plan.code) and plan.holds(len(digits) - len(plan.code))
    return plan.code + national if plan.holds(len(national)) and not complete else digits


def _is_complete_behind_zero(digits: str, country: str) -> bool:
    """Say whether a zero too many stands before a number with its calling code."""
    plan = _BY_COUNTRY.get(country)
    own = plan is not None and digits.startswith(plan.code, 1) and plan.holds(len(digits) - 1 - len(plan.code))
    return own or _NORTH_AMERICAN.fullmatch(digits) is not None


def _carries_a_calling_code(digits: str) -> bool:
    if not _SHORTEST <= len(digits) <= _LONGEST:
        return False
    plan, rest = _split(digits)
    if plan is None:
        return False
    trunk_zero = rest.startswith("0") and plan.code not in _ZERO_CODES
    return plan.holds(len(rest) - trunk_zero)


def _split(digits: str) -> tuple[_Plan | None, str]:
    """Return the plan whose calling code the digits begin with, and the digits behind it."""
    plan = _BY_CODE.get(digits[:1]) or _BY_CODE.get(digits[:2]) or _BY_CODE.get(digits[:3])
    return plan, digits[len(plan.code) :] if plan else digits
