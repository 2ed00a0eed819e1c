"""Where operators look at a conversation's workflow."""

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class TemporalLinks:
    """Where a conversation's workflow can be looked at; no UI: no links."""

    ui_url: str
    namespace: str

    def to(self, workflow_id: str, run_id: str | None) -> str | None:
        if not self.ui_url:
            return None
        place = f"{self.ui_url}/namespaces/{quote(self.namespace, safe='')}/workflows"
        run = f"/{quote(run_id, safe='')}/history" if run_id else ""
        return f"{place}/{quote(workflow_id, safe='')}{run}"
