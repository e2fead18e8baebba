"""The API's page for people: the OpenAPI document as plain HTML.

Ninja's own pages run scripts from elsewhere and break our Content-Security-Policy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from ninja import NinjaAPI
from ninja.openapi.docs import DocsBase

_LIMITS = {
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "minimum": "{} or more",
    "maximum": "{} or less",
    "pattern": "matches {}",
    "const": "always {}",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a table of fields; nested names are dotted, `[]` stands for each item."""

    name: str
    type: str
    required: bool
    notes: str


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    meaning: str
    fields: list[Field]


@dataclass(frozen=True, slots=True)
class Operation:
    anchor: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[Field]
    body: list[Field]
    answers: list[Answer]


class ReadableDocs(DocsBase):
    """Renders templates/api/docs.html; no script, nothing from elsewhere."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        document = api.get_openapi_schema(path_params=kwargs)
        context = {
            "info": document["info"],
            "operations": list(operations(document)),
            "schemes": document["components"]["securitySchemes"],
            "openapi_url": self.get_openapi_url(api, kwargs),
        }
        return TemplateResponse(request, "api/docs.html", context)


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    """What DOCUMENT (OpenAPI 3.1) offers, in its own order."""
    known = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, found in methods.items():
            yield Operation(
                anchor=found["operationId"],
                method=method.upper(),
                path=path,
                summary=found.get("summary", ""),
                description=_paragraphs(found.get("description", "")),
                parameters=[_parameter(each, known) for each in found.get("parameters", [])],
                body=_body_fields(found.get("requestBody", {}), known),
                answers=[
                    Answer(str(status), each["description"], _body_fields(each, known))
                    for status, each in sorted(found["responses"].items(), key=_status)
                ],
            )


def _paragraphs(text: str) -> str:
    """TEXT of a docstring with the line breaks inside its paragraphs undone."""
    return "\n\n".join(part.replace("\n", " ") for part in text.split("\n\n"))


def _status(item: tuple[Any, Any]) -> str:
    return str(item[0])


def _parameter(found: dict[str, Any], known: dict[str, Any]) -> Field:
    """A parameter is left out rather than null, so its type does not speak of null."""
    schema = {"description": found.get("description", ""), **found["schema"]}
    node = _plain(schema, known)
    notes = [f"in the {found['in']}", _notes(node, schema)]
    return Field(
        found["name"], _type_of(node, known), found["required"], "; ".join(filter(None, notes))
    )


def _body_fields(found: dict[str, Any], known: dict[str, Any]) -> list[Field]:
    """The fields of a JSON body; problem documents are described once, by the page."""
    schema = found.get("content", {}).get("application/json", {}).get("schema", {})
    return list(_fields(schema, known))


def _fields(schema: dict[str, Any], known: dict[str, Any], prefix: str = "") -> Iterator[Field]:
    schema = _plain(schema, known)
    if schema.get("type") == "array":
        yield from _fields(schema.get("items", {}), known, f"{prefix.rstrip('.')}[].")
    for name, found in schema.get("properties", {}).items():
        node = _plain(found, known)
        required = name in schema.get("required", ())
        yield Field(prefix + name, _type_of(found, known), required, _notes(node, found))
        yield from _fields(node, known, f"{prefix}{name}.")


def _plain(node: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """NODE without a reference and without the null that makes it optional."""
    if "$ref" in node:
        return _plain(known[node["$ref"].rpartition("/")[2]], known)
    choices = [each for each in node.get("anyOf", []) if each.get("type") != "null"]
    return _plain(choices[0], known) if len(choices) == 1 else node


def _type_of(node: dict[str, Any], known: dict[str, Any]) -> str:
    """What NODE may be, null included: `string or null`, `list of object`, `any`."""
    if "$ref" in node:
        return _type_of(_plain(node, known), known)
    if choices := node.get("anyOf") or node.get("oneOf"):
        return " or ".join(dict.fromkeys(_type_of(each, known) for each in choices))
    type_ = node.get("type", "any")
    if type_ == "array":
        return f"list of {_type_of(node.get('items', {}), known)}"
    return " or ".join(type_) if isinstance(type_, list) else str(type_)


def _notes(node: dict[str, Any], found: dict[str, Any]) -> str:
    notes = [found.get("description") or node.get("description", "")]
    notes += [text.format(node[key]) for key, text in _LIMITS.items() if key in node]
    if "enum" in node:
        notes.append("one of " + ", ".join(map(str, node["enum"])))
    if (default := found.get("default")) not in (None, "", [], {}):
        notes.append(f"default {default if isinstance(default, str) else json.dumps(default)}")
    return "; ".join(note.rstrip(".") for note in notes if note)
