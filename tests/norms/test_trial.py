"""What counts as a test's own word, so that a removal which only breaks the code proves nothing."""

from __future__ import annotations

import pytest

from tests.norms.trial import Trial, why_no_proof

ASSERTED = "told = []\n\n>       assert told\nE       AssertionError\n\ntests/service/test_x.py:3: AssertionError"
NOT_RAISED = "E   Failed: DID NOT RAISE\n\ntests/service/test_x.py:9: Failed"
NOT_ONE = "E   ValueError: not enough values to unpack\n\ntests/service/test_x.py:9: ValueError"
IN_A_BUILDER = "tests/service/test_x.py:3: \n\ntests/stage.py:7: AssertionError"
BROKEN_CODE = "tests/service/test_x.py:3: \n\nservice/x.py:7: KeyError"
BROKEN_PROMISE_OF_CODE = "tests/service/test_x.py:3: \n\nservice/x.py:7: AssertionError"
BROKEN_TEST = "E   NameError: name 'x'\n\ntests/service/test_x.py:3: NameError"


def report(*failures: str, error: str = "") -> str:
    cases = [f"<testcase><failure>{failure}</failure></testcase>" for failure in failures]
    broken = f'<testcase><error message="{error}"/></testcase>' if error else ""
    return f"<testsuites><testsuite>{''.join(cases)}{broken}</testsuite></testsuites>"


@pytest.mark.parametrize("failure", [ASSERTED, NOT_RAISED, NOT_ONE, IN_A_BUILDER])
def test_a_test_that_says_so_is_a_proof(failure):
    assert why_no_proof(Trial(1, report(failure), "")) is None


@pytest.mark.parametrize(
    ("code", "said", "why"),
    [
        (0, report(), "no test failed"),
        (4, "", "exit code 4"),
        (1, report(error="collection failure"), "collection failure"),
        (2, report(ASSERTED, error="failed on teardown"), "failed on teardown"),
        (1, report(BROKEN_CODE), "KeyError in service/x.py"),
        (1, report(BROKEN_PROMISE_OF_CODE), "AssertionError in service/x.py"),
        (1, report(BROKEN_TEST), "NameError in tests/service/test_x.py"),
        (1, report("no place"), "nobody can say where"),
    ],
)
def test_whatever_else_went_wrong_is_none(code, said, why):
    assert why in str(why_no_proof(Trial(code, said, "")))
