"""The scripted players as an Inspect model: `--model scripted/solver`, `--model scripted/random`."""

from typing import Any

from inspect_ai.model import ChatMessage, GenerateConfig, ModelAPI, ModelOutput, modelapi
from inspect_ai.tool import ToolChoice, ToolInfo

from textworlds.evaluation.scripted import CURRENT, find_player


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
