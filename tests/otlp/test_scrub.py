"""Secrets are blanked, and what only looks like one to a hasty reader is not."""

import marshal
import time

import pytest
from hypothesis import given
from test_encode import LOGS

from runmill.journal.records import EVENT, LOG, Log
from runmill.otlp.scrub import SCRUBBED, scrub

PLAIN = Log(LOG, 1, None, "app", 20, "INFO", "", None, "f.py", 1, "f", 1, "t", None, None, 0, 0)

A, D = "Ab" * 30, "1f" * 30
SECRETS = {
    "password=hunter2": "password=[scrubbed]",
    'login with {"password": "two words", "user": "ann"}': 'login with {"password": [scrubbed], "user": "ann"}',
    "DB_PASSWORD = x;host=db": "DB_PASSWORD = [scrubbed];host=db",
    "export OPENAI_API_KEY=abc123 now": "export OPENAI_API_KEY=[scrubbed] now",
    "AWS_SECRET_ACCESS_KEY: abc/def+1": "AWS_SECRET_ACCESS_KEY: [scrubbed]",
    "apiKey='k1'": "apiKey=[scrubbed]",
    "AccountName=a;AccountKey=bGs=;End": "AccountName=a;AccountKey=[scrubbed];End",
    "Server=db;Uid=sa;Pwd=s3cret;": "Server=db;Uid=sa;Pwd=[scrubbed];",
    "Authorization: Basic YW5uOnB3": "Authorization: Basic [scrubbed]",
    "'authorization': 'Bearer abc'": "'authorization': 'Bearer [scrubbed]'",
    "sent bearer abcdefghij0123456789": "sent bearer [scrubbed]",
    "token=abcdefghij0123456789": "token=[scrubbed]",
    "https://x.blob/y?sp=r&sig=abcdefghij0123456789%3D": "https://x.blob/y?sp=r&sig=[scrubbed]",
    "postgresql://ann:hunter2@db/runs": "postgresql://ann:[scrubbed]@db/runs",
    f"cloned https://ghp_{'a1' * 20}@github.com/x": "cloned https://[scrubbed]@github.com/x",
    f"hf_{A} loaded": "[scrubbed] loaded",
    f"key sk-proj-{D} used": "key [scrubbed] used",
    "AKIAIOSFODNN7EXAMPLE": "[scrubbed]",
    f"eyJhbGciOiJIUzI1NiJ9.{A}.{A}": "[scrubbed]",
    "xoxb-12345678-abcdef": "[scrubbed]",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nrest": "[scrubbed]\nrest",
    "-----BEGIN PRIVATE KEY-----\ncut short": "[scrubbed]",
}
HARMLESS = [
    "step 12 loss 0.25 tokens=512 max_tokens: 2048",
    "num_tokens_per_second=1024.5",
    "tokenizer: internationalization",
    "token: internationalisation",
    "the secretary said: no",
    "commit 0a4d55a8d778e5022fab701977c5d840bbc486d0",
    "sha256=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "PWD=/home/ann",
    "bearer authentication is not configured",
    "basic understanding of 1234567890123456",
    "key=value keys: 3 monkey=1",
    "https://example.com:8080/a@b",
    "sk-learn-contrib-imbalanced-learn",
    "passed: 17, password_reset",
    "id 123e4567-e89b-12d3-a456-426614174000",
    "/home/ann/.cache/huggingface/hub/models--bert-base-uncased",
]


@pytest.mark.parametrize(("text", "expected"), SECRETS.items())
def test_a_secret_in_a_text_is_blanked(text: str, expected: str) -> None:
    """What says which secret it was stays; the secret is gone, from body, attributes and whatever is in them."""
    scrubbed = Log._make(scrub(PLAIN._replace(body=text, attributes={"nested": [{"deep": text}], "n": 1})))
    assert scrubbed.body == expected
    assert scrubbed.attributes == {"nested": [{"deep": expected}], "n": 1}


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(text: str) -> None:
    """The record is the very same."""
    record = PLAIN._replace(body=text, attributes={"text": text, "parts": (text,)})
    assert scrub(record) is record


@pytest.mark.parametrize(
    "name", ["password", "db_password", "apiKey", "x-api-key", "aws.secret_access_key", "Authorization", "Set-Cookie"]
)
def test_an_attribute_named_as_a_secret_is_blanked(name: str) -> None:
    """By its name alone, whatever the value looks like."""
    assert Log._make(scrub(PLAIN._replace(attributes={name: "x", "user": "ann"}))).attributes == {
        name: SCRUBBED,
        "user": "ann",
    }


def test_attributes_that_only_sound_like_secrets_stay() -> None:
    """Flags, counts, empty values, and the words a language model sees."""
    record = PLAIN._replace(
        attributes={
            "has_password": True,
            "password": "",
            "token": "Paris",
            "tokens": 512,
            "secret_count": "3",
            "api_key": None,
        }
    )
    assert scrub(record) is record


def test_an_exceptions_text_is_scrubbed() -> None:
    """A connection string in a traceback is where secrets really are."""
    stack = 'Traceback (most recent call last):\n  File "a.py", line 1\nOSError: postgresql://a:hunter2@db refused\n'
    scrubbed = Log._make(scrub(PLAIN._replace(attributes={"exception.stacktrace": stack})))
    assert scrubbed.attributes == {"exception.stacktrace": stack.replace("hunter2", SCRUBBED)}


def test_events_of_runs_stay_as_they_are() -> None:
    """A run's own words are its user's choice."""
    event = (EVENT, 1, "key", "run.updated", {"tags": {"password": "x"}}, None)
    assert scrub(event) is event


def test_a_long_text_is_scrubbed_in_pieces_and_in_time() -> None:
    """Ten megabytes without an end of line, and many lines with a secret in each."""
    lines = "password=hunter2 and more words to read\n" * 20_000
    scrubbed = Log._make(scrub(PLAIN._replace(body=lines)))
    assert scrubbed.body == lines.replace("hunter2", SCRUBBED)
    started = time.process_time()
    for text in ("a" * 10_000_000, "password=" * 100_000, "a://" * 200_000 + "@", "a.b-" * 200_000 + ":="):
        scrub(PLAIN._replace(body=text))
    assert time.process_time() - started < 20  # a pattern that goes back over the text would take minutes


@given(LOGS)
def test_any_record_can_be_scrubbed(log: Log) -> None:
    """It never raises, and what comes out is as plain as what went in."""
    marshal.dumps(tuple(scrub(tuple(log))))
