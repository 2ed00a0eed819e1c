"""Reads forms with files, as networks get them."""

from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import HTTP

from starlette.requests import Request


@dataclass
class Form:
    """A form's fields, and its files as (name, media type, content)."""

    fields: dict[str, str] = field(default_factory=dict)
    files: dict[str, tuple[str, str, bytes]] = field(default_factory=dict)


async def form_of(request: Request) -> Form:
    """Read a `multipart/form-data` body."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n"
    message = message_from_bytes(head.encode() + await request.body(), policy=HTTP)
    form = Form()
    for part in message.iter_parts():
        name = str(part.get_param("name", header="content-disposition"))
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        if (file_name := part.get_filename()) is not None:
            form.files[name] = (file_name, part.get_content_type(), content)
        else:
            form.fields[name] = content.decode()
    return form
