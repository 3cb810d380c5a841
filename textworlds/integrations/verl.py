"""verl: an agent loop that plays an episode; rows of the data set say which id, which seed, how it is paid.

verl finds it by a file that `actor_rollout_ref.rollout.agent.agent_loop_config_path` names; CONFIG is what stands in it.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import uuid4

import ray
from verl.experimental.agent_loop.agent_loop import AgentLoopBase, AgentLoopOutput, _agent_loop_registry, register
from verl.utils.profiler import simple_timer

from textworlds.integrations import rows
from textworlds.integrations.play import SharedLimit
from textworlds.integrations.rows import NAME
from textworlds.wmact import METHODS

CONFIG = f"- name: {NAME}\n  _target_: {__name__}.TextWorldLoop\n"


def row(id: str, seed: int, **settings: Any) -> dict[str, Any]:
    """Return a row of a data set; settings as for integrations.play.Play, and turn_limit."""
    made = rows.row(id, seed, **settings)
    return {
        "prompt": made["prompt"],
        "data_source": made["data_source"],
        "agent_name": NAME,
        "reward_model": {"style": "rule", "ground_truth": ""},
        "extra_info": {"index": seed, NAME: made[NAME]},
    }


def text_of(ids: list[int], tokenizer: Any) -> str:
    """Return a reply as text, without the special tokens that end it; others stay, as <think> may be one."""
    end = len(ids)
    while end and ids[end - 1] in tokenizer.all_special_ids:
        end -= 1
    return str(tokenizer.decode(ids[:end]))


class Limit:
    """L_max of all workers, in a process of its own: it falls when the first episode of a later training step begins."""

    def __init__(self, **options: Any) -> None:
        self._shared, self._step = SharedLimit(METHODS["wmact"].limit(**options)), 0

    def begin(self, step: int) -> int:
        """Return L_max for an episode of a step."""
        if step > self._step:
            self._shared.record(self._shared.take())
            self._step = step
        return self._shared.limit.value

    def end(self, turns: int) -> None:
        self._shared.turns.append(turns)


@cache  # the actor lives as long as the handle of the worker that was first
def find_limit(**options: Any) -> Any:
    """Return the handle of the run's Limit, which the first worker makes."""
    actor: Any = ray.remote(num_cpus=0)(Limit)
    return actor.options(name=f"{NAME}-limit", get_if_exists=True).remote(**options)


class TextWorldLoop(AgentLoopBase):  # type: ignore[misc]
    """Plays the row's episode. A reply that goes beyond response_length is not played, and what was played is paid.

    Args:
        limit: options of a TurnLimit (start, tau, ...) of the rows whose method
            anneals and that have no turn_limit; needs verl's default trainer.
    """

    def __init__(self, *parts: Any, limit: Mapping[str, Any] | None = None, **others: Any) -> None:
        super().__init__(*parts, **others)
        self._limit = find_limit(**limit) if limit else None

    async def run(self, sampling_params: dict[str, Any], priority: int = 0, **row: Any) -> AgentLoopOutput:
        play, known = rows.make(row["extra_info"])
        limit = self._limit if play.method.anneals and "turn_limit" not in known else None
        messages = play.begin(known["seed"], limit and await limit.begin.remote(row["global_steps"]))
        request = f"det-{priority}" if self.rollout_config.full_determinism else uuid4().hex
        longest, outs = self.rollout_config.response_length, []
        timing: dict[str, float] = {}
        mask: list[int] = []
        logprobs: list[float] | None = None
        ids = await self.ct_build_initial_tokens(messages)
        while True:
            with simple_timer("generate_sequences", timing):
                out = await self.server_manager.generate(request, prompt_ids=ids, sampling_params=sampling_params)
            outs.append(out)
            if out.log_probs and logprobs is None:
                logprobs = []
            merged, mask, logprobs = await self.ct_merge_assistant_token(
                ids, out.token_ids, mask, logprobs, out.log_probs
            )
            ids = merged.token_ids
            if len(mask) > longest:
                break
            if play.reply(text_of(out.token_ids, self.tokenizer)).done:
                break
            said = play.conversation.all_messages
            merged, longer, scores = await self.ct_merge_context_msg(said[:-1], said, ids, mask, logprobs)
            if len(longer) >= longest:
                break
            ids, mask, logprobs = merged.token_ids, longer, scores
        if limit:
            await limit.end.remote(play.conversation.usage.turns)
        first = len(ids) - len(mask)
        return AgentLoopOutput(
            prompt_ids=ids[:first],
            response_ids=ids[first:][:longest],
            response_mask=mask[:longest],
            response_logprobs=logprobs and logprobs[:longest],
            reward_score=play.pay(),
            num_turns=2 * len(outs),
            metrics=timing,
            extra_fields={
                **outs[0].extra_fields,
                "max_global_steps": outs[-1].extra_fields.get("max_global_steps"),
                "reward_extra_info": play.metrics(),
            },
        )


if NAME not in _agent_loop_registry:  # else a worker has read the file with the loop's options, and imports it only now
    register(NAME)(TextWorldLoop)
