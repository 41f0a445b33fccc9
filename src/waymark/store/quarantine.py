"""What an instance shows when a claim has set it aside."""

from __future__ import annotations

from waymark.store.protocol import MAX_CLAIMS_WITHOUT_PROGRESS

QUARANTINE_TYPE = "Quarantined"
"""`InstanceView.error_type` of a quarantined instance."""

QUARANTINE_MESSAGE = (
    f"taken {MAX_CLAIMS_WITHOUT_PROGRESS} times without an accepted step: loading it or running its next step ends "
    f"its shard; look at the shards' logs of this instance before releasing it"
)
"""Its `error_message`."""
