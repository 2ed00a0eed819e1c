"""The contract as a document: generated from the code, committed, and checked against drift."""

import json

from pydantic import SecretStr

from api.main import create_app
from settings import Settings

NO_SECRET = SecretStr("no secret is needed to describe an API")


def document() -> str:
    """Return `openapi.json` as it is committed."""
    described = create_app(Settings(secret_key=NO_SECRET)).openapi()
    return json.dumps(described, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
