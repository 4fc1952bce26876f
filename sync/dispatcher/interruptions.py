"""What makes an end of a conversation before its procedure does."""

from ledger.reference import OperationKey


class LeaseLostError(Exception):
    """The lane belongs to another host now: nothing may be sent or settled under it."""


class PersonErasedError(Exception):
    """The person was erased, or is being erased: what was sent is found out, nothing else is."""


class TargetTakenError(Exception):
    """A uuid was to be bound that another source record holds."""

    def __init__(self, operation: OperationKey) -> None:
        super().__init__()
        self.operation = operation
