# SPDX-License-Identifier: Apache-2.0
"""JUnit's XML as pipelines read it: the elements, attributes and numbers that Jenkins' xUnit plugin
takes in its strictest form (its schema junit-10.xsd), and what GitLab counts by.
"""
import re
import xml.etree.ElementTree

# Element: attributes it must have, those it may have, children it may have, whether it has text.
GRAMMAR = {
    "testsuites": ({"name", "tests", "failures", "errors", "time"}, set(), {"testsuite"}, False),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped", "time"}, {"timestamp", "hostname"},
                  {"properties", "testcase"}, False),
    "properties": (set(), set(), {"property"}, False),
    "property": ({"name", "value"}, set(), set(), False),
    "testcase": ({"classname", "name", "time"}, set(), {"failure", "skipped"}, False),
    "failure": ({"message", "type"}, set(), set(), True),
    "skipped": ({"message", "type"}, set(), set(), True),
}
NUMBERS = {"tests", "failures", "errors", "skipped"}


def check_element(element):
    needed, allowed, children, has_text = GRAMMAR[element.tag]
    given = set(element.attrib)
    assert needed <= given <= needed | allowed, (element.tag, given)
    for name, value in element.attrib.items():
        assert name not in NUMBERS or re.fullmatch(r"\d+", value), (element.tag, name, value)
        assert name != "time" or re.fullmatch(r"\d+\.\d{3}", value), (element.tag, value)
    assert element.get("name") != ""
    assert has_text == bool((element.text or "").strip()), (element.tag, element.text)
    for child in element:
        assert child.tag in children, (element.tag, child.tag)
        check_element(child)


def count(element, tag):
    return len(list(element.iter(tag)))


def read(path):
    """The root of a report that was checked: its form, its sums, and that each case has one end."""
    root = xml.etree.ElementTree.parse(path).getroot()
    assert root.tag == "testsuites"
    check_element(root)
    for suite in [root, *root]:
        assert suite.get("tests") == str(count(suite, "testcase"))
        assert suite.get("failures") == str(count(suite, "failure"))
        assert suite.get("errors") == "0"
        assert suite.get("skipped", str(count(suite, "skipped"))) == str(count(suite, "skipped"))
    cases = list(root.iter("testcase"))
    assert all(len(case) <= 1 for case in cases)
    # GitLab keeps one of those that are alike.
    names = [(case.get("classname"), case.get("name")) for case in cases]
    assert len(set(names)) == len(names)
    return root
