"""A picture in a thread: best effort.

Three requests, all within one short time: ask for an address, hand the bytes over, put the file into
the thread. Slack makes the preview some time after that, so nothing is waited for; a picture named in
a block of the message itself would be refused meanwhile.
"""

from __future__ import annotations

import json

from eventwatch.model.errors import DeliveryError
from eventwatch.model.faultpoint import faultpoint
from eventwatch.notifiers.address import checked_upload
from eventwatch.notifiers.slack_body import Place
from eventwatch.notifiers.slack_client import SlackClient, Stopwatch

LARGEST = 4 * 1024 * 1024
"""Bytes of a picture: a chart has a tenth of a megabyte."""


def put(client: SlackClient, place: Place, png: bytes, title: str, watch: Stopwatch) -> str:
    """The id of the file that now stands in the thread. Raises DeliveryError, and as
    ``SlackClient.call``."""
    if not 0 < len(png) <= LARGEST:
        raise DeliveryError(f"the picture has {len(png):,} bytes")
    faultpoint("upload.before")
    asked = {"filename": "chart.png", "length": str(len(png)), "alt_txt": title}
    named = client.call("files.getUploadURLExternal", asked, watch.left)
    url, file_id = str(named["upload_url"]), str(named["file_id"])
    faultpoint("upload.reserved")
    reply = client.upload(checked_upload(url, client.base_url), png, watch.left)
    if reply.status != 200:
        raise DeliveryError(f"the upload was refused (HTTP {reply.status})")
    faultpoint("upload.sent")
    shared = {
        "files": json.dumps([{"id": file_id, "title": title}]),
        "channel_id": place.channel,
        "thread_ts": place.ts,
    }
    client.call("files.completeUploadExternal", shared, watch.left)
    faultpoint("upload.after")
    return file_id
