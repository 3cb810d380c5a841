"""Let verifiers find textworlds: it takes names of top-level modules, so run it where this file is on the path.

Needs verifiers (pip install "textworlds[verifiers]"). With any server that speaks the OpenAI protocol:

PYTHONPATH=examples vf-eval textworlds-vf -n 3 -r 2 -m MODEL --client.base-url http://127.0.0.1:8000/v1 \
    --client.api-key-var OPENAI_API_KEY --no-push --env.player.runtime.type subprocess
"""

from textworlds.integrations.verifiers import TextWorldEnv, TextWorldTaskset

__all__ = ["TextWorldEnv", "TextWorldTaskset"]
