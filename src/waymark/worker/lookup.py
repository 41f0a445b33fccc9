"""From the names in a dispatch to the user's function, importing its module the first time it is needed."""

from __future__ import annotations

import importlib
import logging
import sys

from waymark.sdk.actions import ActionRegistry, RegisteredAction
from waymark.worker.runner import ActionUnavailable

log = logging.getLogger(__name__)


class ActionLookup:
    """Actions of this process by module and name.

    A dispatch can name any module that this worker could import; what it can run is only what `@action` registered
    there. A module that fails to import is tried again by the next dispatch: the file may have been deployed since.
    """

    def __init__(self, registry: ActionRegistry) -> None:
        self._registry = registry

    def find(self, module: str, name: str) -> RegisteredAction:
        """The action.

        Raises:
            ActionUnavailable: No such module or action here; says which.
        """
        action = self._registry.find(module, name)
        if action is None:
            self.import_module(module, name)
            action = self._registry.find(module, name)
        if action is None:
            raise ActionUnavailable(
                f"module {module} of this worker has no action {name}{self._near(module, name)}"
            )
        return action

    def import_module(self, module: str, name: str) -> None:
        """Import a module that is not here yet, for the sake of `name` in it.

        Raises:
            ActionUnavailable: It cannot be imported; says why.
        """
        if module == "__main__":
            raise ActionUnavailable(
                f"{name} was defined in a script (__main__), which workers cannot import; "
                f"move it into a module"
            )
        if module in sys.modules or not all(part.isidentifier() for part in module.split(".")):
            return
        try:
            importlib.import_module(module)
        except BaseException as error:
            if isinstance(error, ModuleNotFoundError) and error.name == module:
                raise ActionUnavailable(f"this worker has no module {module}") from error
            # The user's own code ran and failed, in whatever way: the log of the worker is where they look.
            log.exception("importing module %s failed", module)
            raise ActionUnavailable(
                f"importing module {module} failed: {type(error).__name__}: {error}"
            ) from error

    def _near(self, module: str, name: str) -> str:
        elsewhere = sorted(action.module for action in self._registry if action.name == name)
        return f"; module {elsewhere[0]} has one of this name" if elsewhere else ""
