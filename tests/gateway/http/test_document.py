"""Requests generated from the OpenAPI document: the API answers as the document says."""

from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.http.app import create_app
from tests.gateway.http.world import bearer, config, ports

schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", create_app(config(), ports()))


@schema.parametrize()
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
def test_every_answer_is_one_the_document_names(case: schemathesis.Case[Any]) -> None:
    """No 500, no status, media type or body that isn't described."""
    answer = case.call(headers=bearer("admin"))
    assert answer.status_code < 500
    case.validate_response(
        answer,
        checks=[content_type_conformance, response_schema_conformance, status_code_conformance],
    )
