"""`service.yml`: what is read, and what is refused with its place."""

import pytest
import yaml

from covid_cxr.service.service_settings import ServiceSettings
from covid_cxr.service.settings_file import MalformedSettingsError, read_record


def _changed(stated, path, value):
    """Return what is stated with one value otherwise, at a path as "storage.folder"."""
    changed = yaml.safe_load(yaml.safe_dump(stated))
    *parents, last = path.split(".")
    record = changed
    for name in parents:
        record = record.setdefault(name, {})
    record[last] = value
    return changed


def test_what_is_not_stated_is_safe(stated, settings_of):
    node = settings_of(stated).sources.node
    settings = settings_of(_changed(stated, "monitor", {}))

    assert node.host == settings.monitor.host == "127.0.0.1"
    assert node.tls is None
    assert node.callers[0].addresses == ("127.0.0.1",)
    assert settings.storage.largest_instance_bytes == 250_000_000


WEB = {"url": "http://127.0.0.1:8042"}
SECRET = {"user": "u", "password_file": "/etc/hostname"}


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("sorces", {}, "'sorces' is not known here, perhaps sources"),
        ("storage.foldr", "x", "storage: 'foldr' is not known here, perhaps folder"),
        ("storage.folder", 7, "storage: folder must be text, got 7"),
        ("storage.most_bytes", 0, "most_bytes must be at least 1, got 0"),
        ("storage.most_bytes", "20 GB", "most_bytes must be a whole number"),
        ("storage.most_bytes", True, "most_bytes must be a whole number, got True"),
        ("storage", "x", "storage must be a record of folder"),
        ("sources", {}, "state one at least of node, dicomweb, orthanc, folder"),
        ("destinations", {}, "state one at least of peer, dicomweb, orthanc, folder"),
        ("destinations.folder.path", "/nowhere", "there is no folder /nowhere"),
        ("sources.node.callers", [], "callers must name one node at least"),
        ("sources.node.callers", {"a": 1}, "callers must be a list"),
        ("sources.node.ae_title", "SEVENTEENLETTERS_", "1 to 16 ASCII characters"),
        ("sources.node.ae_title", " COVID", "no space around it"),
        ("sources.node.port", 70000, "port must be from 1 to 65535, got 70000"),
        ("sources.node.timeout_seconds", 0, "timeout_seconds must be more than 0"),
        ("sources.node.timeout_seconds", float("nan"), "must be more than 0"),
        ("retries.longest_seconds", 0.01, "must be at least first_seconds"),
        ("answers", ["OT"], "answers must hold SR"),
        ("answers", ["SR", "XX"], "may hold OT, PR, got SR, XX"),
        ("retries.attempts", 0, "attempts must be at least 1"),
        ("sources.orthanc", {"url": "orthanc"}, "url must be http://… or https://…"),
        ("sources.orthanc", {"url": "http://a:b@h"}, "must not hold a name or pass"),
        ("sources.orthanc", {"url": "htps://a:b@h"}, "must not hold a name or pass"),
        ("sources.orthanc", WEB | {"user": "u"}, "stated both, or neither"),
        ("sources.orthanc", SECRET | {"url": "http://pacs"}, "would go .* unencrypted"),
        ("sources.orthanc", WEB | {"authority": "/nowhere"}, "there is no file"),
        ("destinations.peer", {"ae_title": "A"}, "calling, host, port is missing"),
    ],
)
def test_nonsense_is_refused_with_its_place(stated, path, value, said):
    text = yaml.safe_dump(_changed(stated, path, value), allow_unicode=True)

    with pytest.raises(MalformedSettingsError, match=f"service.yml.*{said}"):
        read_record(ServiceSettings, text, file="service.yml")


@pytest.mark.parametrize(
    ("address", "said"),
    [("10.0.0", "'10.0.0' does not appear"), ("10.0.0.1/8", "has host bits set")],
)
def test_what_is_no_network_is_refused(stated, settings_of, address, said):
    callers = [{"ae_title": "PACS", "addresses": [address]}]

    with pytest.raises(MalformedSettingsError, match=f"callers, number 1: .*{said}"):
        settings_of(_changed(stated, "sources.node.callers", callers))


def test_a_key_that_stands_twice_is_refused_with_its_line(stated):
    text = yaml.safe_dump(stated) + "\nstorage: {folder: elsewhere}\n"

    with pytest.raises(MalformedSettingsError, match=r"line \d+: storage stands twice"):
        read_record(ServiceSettings, text, file="service.yml")


def test_what_is_no_yaml_is_refused():
    with pytest.raises(MalformedSettingsError, match=r"service\.yml is no YAML"):
        read_record(ServiceSettings, "storage: [", file="service.yml")


def test_answers_do_not_go_where_radiographs_are_taken_from(
    stated, settings_of, tmp_path
):
    stated["sources"]["folder"] = {"path": str(tmp_path)}

    with pytest.raises(MalformedSettingsError, match="lies in the watched folder"):
        settings_of(stated)
