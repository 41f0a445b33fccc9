"""Which classes payloads may name."""

from __future__ import annotations

import sys

import pytest
from pydantic import ValidationError

from tests.sdk import classes_module
from waymark.compiler.annotations import signature_classes
from waymark.errors import ValueDecodingError
from waymark.sdk.actions import ActionRegistry, RegisteredAction
from waymark.sdk.classes import LiveClasses

MODULE = classes_module.__name__


def test_signatures_lead_to_classes_through_generics_and_fields() -> None:
    """Annotated, Optional, list and the fields of models and dataclasses; names that do not exist are passed over."""
    assert set(signature_classes(classes_module.act)) == {
        classes_module.Model,
        classes_module.Outer,
        classes_module.Inner,
        classes_module.Kind,
    }


def test_classes_of_the_modules_that_hold_actions_are_known() -> None:
    """Exceptions, and classes inside of classes that are values themselves."""
    live = LiveClasses(classes_module.registry, None)
    assert live.find(MODULE, "Oops") is classes_module.Oops
    assert live.find(MODULE, "Holder.Part") is classes_module.Holder.Part
    assert live.find(MODULE, "Plain") is None
    assert live.find(MODULE, "ActionRegistry") is None


def test_nothing_is_imported_or_looked_up_because_a_payload_says_so() -> None:
    """A module that nobody registered anything from stays unknown."""
    live = LiveClasses(classes_module.registry, None)
    assert live.find("subprocess", "Popen") is None
    assert live.find("wave", "Error") is None
    assert "wave" not in sys.modules
    assert live.find("builtins", "ValueError") is None


def test_the_table_follows_the_registry() -> None:
    """Modules may be imported after the first look."""
    registry = ActionRegistry()
    live = LiveClasses(registry, None)
    assert live.find(MODULE, "Model") is None
    registry.register(RegisteredAction(MODULE, "act", classes_module.act))
    assert live.find(MODULE, "Model") is classes_module.Model


def test_construct_calls_the_class_with_its_validation() -> None:
    """And raises what the class raises."""
    live = LiveClasses(classes_module.registry, None)
    assert live.construct(MODULE, "Model", (), {"limit": "5"}) == classes_module.Model(limit=5)
    with pytest.raises(ValidationError):
        live.construct(MODULE, "Model", (), {"limit": "many"})
    with pytest.raises(ValueDecodingError, match=r"class subprocess\.Popen is not known to this worker"):
        live.construct("subprocess", "Popen", (["true"],), {})
