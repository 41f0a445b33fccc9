"""What runs print, as records of the logger `waymark.run`: one for each line, with the run's name and id."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from waymark.executor.active import ActiveInstance
from waymark.vm.events import Effect, WriteLog

log = logging.getLogger("waymark.run")

FIRST_EPOCH = 1
"""That of the first owner. What a run prints before its first wait is in no entry, so who comes later cannot know whether it was
written; it is not written again."""


def write_printed(instance: ActiveInstance, effects: Iterable[Effect]) -> None:
    """Write what a step printed. The step must be durable."""
    for effect in effects:
        if not isinstance(effect, WriteLog):
            continue
        facts = {"instance_id": str(instance.instance_id), "workflow_name": instance.workflow_name}
        for line in effect.text.removesuffix("\n").split("\n"):
            log.info("%s %s: %s", instance.workflow_name, instance.instance_id, line, extra=facts)
