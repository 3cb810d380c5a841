"""verl: an agent loop that plays an episode; rows of the data set say which id, which seed, how it is paid.

verl finds it by a file that `actor_rollout_ref.rollout.agent.agent_loop_config_path` names; CONFIG is what stands in it.
"""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from verl.experimental.agent_loop.agent_loop import AgentLoopBase, AgentLoopOutput, register
from verl.utils.profiler import simple_timer

from textworlds.chat.replies import Message
from textworlds.integrations.play import Play

NAME = "textworlds"
CONFIG = f"- name: {NAME}\n  _target_: {__name__}.TextWorldLoop\n"


def row(id: str, seed: int, **settings: Any) -> dict[str, Any]:
    """Return a row of a data set; settings as for integrations.play.Play, and turn_limit."""
    extra_info = {"index": seed, NAME: {"id": id, "seed": seed, **settings}}
    return {
        "prompt": begin(extra_info)[1],
        "data_source": f"{NAME}/{id}",
        "agent_name": NAME,
        "reward_model": {"style": "rule", "ground_truth": ""},
        "extra_info": extra_info,
    }


def begin(extra_info: Mapping[str, Any]) -> tuple[Play, list[Message]]:
    """Begin the episode of a row, and return it with its first messages."""
    if not (chosen := extra_info.get(NAME)):
        raise ValueError(f"a row's extra_info has {NAME!r}, as integrations.verl.row writes it; got {list(extra_info)}")
    # A column of a file has the settings of all its rows, None where a row does not have them.
    known = {name: value for name, value in chosen.items() if value is not None}
    seed, play = known.pop("seed"), Play(**known)
    if play.conversation.history != "all":
        raise ValueError(f"a response of verl is one text, so history is 'all'; got {play.conversation.history!r}")
    return play, play.begin(seed)


def text_of(ids: list[int], tokenizer: Any) -> str:
    """Return a reply as text, without the special tokens that end it; others stay, as <think> may be one."""
    end = len(ids)
    while end and ids[end - 1] in tokenizer.all_special_ids:
        end -= 1
    return str(tokenizer.decode(ids[:end]))


@register(NAME)
class TextWorldLoop(AgentLoopBase):  # type: ignore[misc]
    """Plays the row's episode. A reply that goes beyond response_length is not played, and what was played is paid."""

    async def run(self, sampling_params: dict[str, Any], priority: int = 0, **row: Any) -> AgentLoopOutput:
        play, messages = begin(row["extra_info"])
        request = f"det-{priority}" if self.rollout_config.full_determinism else uuid4().hex
        longest, timing, outs = self.rollout_config.response_length, {}, []
        ids, mask, logprobs = await self.ct_build_initial_tokens(messages), [], None
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
