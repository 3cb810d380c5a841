"""Models of Inspect: the scripted players as one (`--model scripted/solver`), and a guard around others that hides keys."""

from typing import Any

from inspect_ai.model import ChatMessage, GenerateConfig, Model, ModelAPI, ModelOutput, modelapi
from inspect_ai.tool import ToolChoice, ToolInfo
from pydantic import BaseModel

from textworlds.evaluation.scripted import CURRENT, find_player
from textworlds.evaluation.secrets import hide_keys, keys


@modelapi(name="scripted")
class Scripted(ModelAPI):
    """A player that looks at the conversation itself, not at its messages."""

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008
        **arguments: Any,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        self.player = find_player(model_name)

    async def generate(
        self, input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> ModelOutput:
        conversation = CURRENT.get(None)
        if conversation is None:
            raise ValueError("scripted models play the tasks of textworlds only")
        return ModelOutput.from_content(self.model_name, self.player(conversation))

    def max_connections(self) -> int:
        return 64

    async def count_tokens(self, *arguments: Any, **others: Any) -> int:
        """Say 1: the default would load a tokenizer over the network."""
        return 1


GUARDED = "_textworlds_guarded"


def guard(model: Model) -> Model:
    """Have what a model's endpoint answers cleaned from now on, errors too, before Inspect logs it; return the model."""
    api = model.api
    if getattr(api, GUARDED, False):
        return model
    unguarded = api.generate

    async def generate(*arguments: Any, **others: Any) -> Any:
        try:
            answer = await unguarded(*arguments, **others)
        except Exception as error:
            hide_in_error(error)
            raise
        return tuple(map(clean, answer)) if isinstance(answer, tuple) else clean(answer)

    vars(api).update({GUARDED: True, "generate": generate})
    return model


def clean(answer: Any) -> Any:
    """Return an answer of an endpoint in whose texts keys are replaced, and halves of surrogate pairs, which no file holds."""
    if isinstance(answer, Exception):
        hide_in_error(answer)
    if not isinstance(answer, BaseModel):
        return answer
    given = answer.model_dump()
    return answer if (said := cleaned(given, keys())) == given else type(answer).model_validate(said)


def cleaned(value: Any, found: list[str]) -> Any:
    """Return a value with all texts in it cleaned of what keys were found."""
    if isinstance(value, str):
        return hide_keys(value.encode(errors="replace").decode(), found)
    if isinstance(value, dict):
        return {cleaned(name, found): cleaned(one, found) for name, one in value.items()}
    return [cleaned(one, found) for one in value] if isinstance(value, list) else value


def hide_in_error(error: BaseException | None) -> None:
    """Replace keys in an error, in place: who retries goes by its type."""
    while error is not None:
        error.args = tuple(hide_keys(one) if isinstance(one, str) else one for one in error.args)
        for name, value in list(vars(error).items()):
            if isinstance(value, str):
                setattr(error, name, hide_keys(value))
        error = error.__cause__ or error.__context__
