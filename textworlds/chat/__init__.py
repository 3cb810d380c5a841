"""Conversations: an episode as chat messages, the same for every model, harness and trainer."""

from textworlds.chat.conversation import Conversation
from textworlds.chat.replies import Reply, Usage
from textworlds.chat.transcripts import read_transcripts, replay, transcript, write_transcripts

__all__ = ["Conversation", "Reply", "Usage", "read_transcripts", "replay", "transcript", "write_transcripts"]
