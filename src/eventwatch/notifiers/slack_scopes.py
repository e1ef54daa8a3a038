"""Which scope each method of Slack needs that eventwatch calls, and what is lost without it.

The manifest in deploy/ asks for exactly these; a test compares the three.
"""

from __future__ import annotations

METHODS: dict[str, tuple[str, ...]] = {
    "auth.test": (),
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "conversations.history": ("channels:history", "groups:history"),
    "conversations.replies": ("channels:history", "groups:history"),
    "conversations.info": ("channels:read", "groups:read"),
    "conversations.list": ("channels:read", "groups:read"),
    "users.conversations": ("channels:read", "groups:read"),
    "files.getUploadURLExternal": ("files:write",),
    "files.completeUploadExternal": ("files:write",),
    "usergroups.list": ("usergroups:read",),
    "usergroups.users.list": ("usergroups:read",),
}
"""Method → scopes of the bot token: all of them, or the one for the kind of channel it is about."""
APP_METHODS: dict[str, tuple[str, ...]] = {"apps.connections.open": ("connections:write",)}
"""The same of the app-level token."""
LOST: dict[str, str] = {
    "chat:write": "no message can be sent",
    "channels:history": "in public channels a message may come twice when a connection breaks",
    "groups:history": "in private channels a message may come twice when a connection breaks",
    "channels:read": "public channels given by #name cannot be asked whether a message arrived",
    "groups:read": "private channels given by #name cannot be asked whether a message arrived",
    "files:write": "there are no charts in threads",
    "usergroups:read": "nobody can be allowed to press a button",
}
"""Scope of the bot token → what is missing without it."""
ESSENTIAL = "chat:write"
