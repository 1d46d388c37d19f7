"""What can go wrong here, beyond the errors of `attendance.errors`; pages for all of them are `dashboard.error_pages`."""

from __future__ import annotations

from attendance.errors import ForbiddenError, RollcallError, UnavailableError


class NotSignedInError(RollcallError):
    """Nobody is signed in (HTTP 401). ``had_session``: they were, and the session has ended."""

    code = "not_signed_in"

    def __init__(self, *, had_session: bool = False) -> None:
        super().__init__("sign in first")
        self.had_session = had_session


class BannedError(ForbiddenError):
    """Somebody whom the operators have banned wants to sign in (HTTP 403). ``reason`` is the operators'."""

    code = "banned"

    def __init__(self, reason: str) -> None:
        super().__init__("this account is banned")
        self.reason = reason


class SignInRefusedError(RollcallError):
    """A sign-in that cannot be finished (HTTP 400). ``why`` names its words: ``sign-in-<why>``.

    ``declined``: consent was refused; ``stale``: begun too long ago, elsewhere, or already finished; ``mismatch``: confirmed as
    somebody else.
    """

    code = "sign_in_refused"

    def __init__(self, why: str) -> None:
        super().__init__("the sign-in was not finished")
        self.why = why


class ConfirmationNeededError(RollcallError):
    """It must be confirmed again at Discord who is there (303 to ``/auth/confirm``)."""

    code = "confirmation_needed"


class ForgedRequestError(ForbiddenError):
    """A write without the token of its form (HTTP 403): perhaps another site's doing, perhaps a form from before a sign-in."""

    code = "forged"


class TooManyRequestsError(RollcallError):
    """HTTP 429. ``retry_after`` in whole seconds."""

    code = "too_many_requests"

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many requests")
        self.retry_after = retry_after


class NotOfferedError(RollcallError):
    """Something that this deployment is not set up for (HTTP 501)."""

    code = "not_offered"


class ApiAwayError(UnavailableError):
    """The API does not answer, or not in time (HTTP 503)."""

    code = "api_away"


class ApiSilentError(ApiAwayError):
    """The API took the question and has not begun to answer: perhaps it makes something large (HTTP 503)."""

    code = "api_silent"


class DiscordAwayError(UnavailableError):
    """Discord does not answer, or not as it should (HTTP 503)."""

    code = "discord_away"


class ApiRefused(RollcallError):  # noqa: N818  # it is an answer, and most pages show it beside a field
    """An answer of the API that is no success.

    Attributes:
        status: HTTP status.
        message: the API's one sentence, fit to be shown.
        details: by the name of the body's member or the parameter, what is wrong with it.
        retry_after: whole seconds, where the API names them.
    """

    code = "api_refused"

    def __init__(
        self, status: int, message: str, details: dict[str, str] | None = None, *, retry_after: int | None = None
    ) -> None:
        super().__init__(message, details=details)
        self.status = status
        self.retry_after = retry_after

    @property
    def is_about_input(self) -> bool:
        """Whether the form should be shown again with these words: what was typed cannot be taken (409, 422)."""
        return self.status in (409, 422)
