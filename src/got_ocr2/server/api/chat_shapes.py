"""JSON of `/v1/chat/completions` and `/v1/models`, as OpenAI's clients know it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from .shapes import Address, Base64, Body, Box, Color, Options, Pages, exactly_one


class _Lenient(Body):
    """Clients send fields that mean nothing to a reader; they are left alone."""


class ImageUrl(_Lenient):
    url: Address = Field(description="An http(s) or data: address.")
    detail: str | None = None


class InputFile(_Lenient):
    model_config = ConfigDict(json_schema_extra=exactly_one("file_id", "file_data"))

    file_id: str | None = None
    file_data: Base64 | None = Field(None, description="A data: address, or base64.")
    filename: str | None = None


class TextContent(_Lenient):
    type: Literal["text"]
    text: str


class ImageContent(_Lenient):
    type: Literal["image_url"]
    image_url: ImageUrl


class FileContent(_Lenient):
    type: Literal["file"]
    file: InputFile


Part = Annotated[TextContent | ImageContent | FileContent, Field(discriminator="type")]


class Message(_Lenient):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Part] | None = None


class StreamOptions(_Lenient):
    include_usage: bool = False


class ChatBody(_Lenient):
    """A question about pictures and PDFs. Beside OpenAI's fields it takes the options of reading that follow `n`."""

    model: str
    messages: list[Message] = Field(min_length=1, max_length=1000)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    seed: int | None = Field(None, ge=0, lt=2**53)
    stop: str | Annotated[list[str], Field(json_schema_extra={"maxItems": 4})] | None = Field(
        None, description="The text ends before the first of these."
    )
    logprobs: bool | None = Field(None, description="With the log-probability of every token.")
    top_logprobs: int | None = Field(
        None,
        ge=0,
        le=20,
        description="With so many of the most probable tokens at each place; needs logprobs.",
    )
    n: Literal[1] | None = None
    format: bool | None = None
    box: Box | None = Field(None, description="In pixels of the page.")
    color: Color | None = None
    crop: bool | None = None
    multi_page: bool | None = None
    pages: Pages | None = None
    options: Options | None = Field(None, description="Any option of reading; the fields above come first.")


class TopLogprob(BaseModel):
    token: str
    logprob: float
    bytes: list[int] | None


class Logprob(TopLogprob):
    top_logprobs: list[TopLogprob]


class Logprobs(BaseModel):
    content: list[Logprob]
    refusal: None = None


class Answer(BaseModel):
    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class Choice(BaseModel):
    index: int = 0
    message: Answer
    finish_reason: Literal["stop", "length"]
    logprobs: Logprobs | None = None


class Usage(BaseModel):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Completion(BaseModel):
    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Usage


class Model(BaseModel):
    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "got-ocr2"


class Models(BaseModel):
    object: Literal["list"] = "list"
    data: list[Model]
