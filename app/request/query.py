"""The base of all query strings: strict checking, one canonical spelling. Knows no endpoint."""

from typing import Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from app.request.error import FieldError, InvalidRequest, invalid
from app.request.parameter import spelled

MODEL = "model"  # the parameter that decides whether to draw, not what


class Query(BaseModel):
    """A query string. An unknown parameter is refused, never silently ignored.

    Validating one raises `InvalidRequest` with an entry for each parameter at fault.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    parameters: ClassVar[list[tuple[str, str, object]]] = []  # name, name of the field, default
    drawn: ClassVar[list[tuple[str, str, object]]] = []  # those that change what is drawn

    @model_validator(mode="wrap")
    @classmethod
    def _check_fields(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(values)
        except ValidationError as error:
            raise InvalidRequest(cls._field_errors(error)) from None

    @property
    def pixels(self) -> int:
        """Pixels of the picture, or of all frames of the animation; 0 where there is none."""
        return 0

    def check_pixels(self, most: int) -> None:
        """Check the size against the operator's limit, which may be lower than the contract's.

        Raises:
            InvalidRequest: there are more pixels than `most`.
        """
        if self.pixels > most:
            raise invalid(
                "scale",
                f"makes a picture of {self.pixels} pixels, at most {most} are drawn here; "
                "ask for less",
            )

    @property
    def asked_model(self) -> str | None:
        """The model that must draw; None where any may."""
        return getattr(self, MODEL, None)

    def check_model(self, draws: str) -> None:
        """Check that the model which draws is the one asked for, if one is.

        Raises:
            InvalidRequest: another one is asked for.
        """
        if self.asked_model not in (None, draws):
            raise invalid(
                "model",
                f"is not the model that draws here, which is {draws}; ask for that one, or for "
                "none",
            )

    def canonical(self, seed: int | None = None) -> str:
        """The shortest query string that draws the same: no defaults, one order, one spelling.

        All values are safe in an address as they are: the constraints of their fields see to it.

        Args:
            seed: takes the place of the request's own, unless None.
        """
        values = self.__dict__ if seed is None else {**self.__dict__, "seed": seed}
        parts = []
        for name, field, default in self.drawn:
            value = values[field]
            if value is not default and value != default:
                parts.append(f"{name}={spelled(value) if type(value) is float else value}")
        return "&".join(parts)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """List the parameters once for each class, because every drawing spells its query."""
        super().__pydantic_init_subclass__(**kwargs)
        fields = cls.model_fields.items()
        cls.parameters = [(field.alias or name, name, field.default) for name, field in fields]
        cls.drawn = [each for each in cls.parameters if each[0] != MODEL]

    @classmethod
    def names(cls) -> list[str]:
        """The names of all parameters."""
        return [name for name, _, _ in cls.parameters]

    @classmethod
    def _field_errors(cls, error: ValidationError) -> list[FieldError]:
        found: list[FieldError] = []
        for item in error.errors(include_url=False, include_input=False):
            name = str(item["loc"][0])
            # A name that the client made up is not repeated in the answer.
            field = name if name in cls.names() else "query"
            if found and found[-1].field == field:
                continue  # one entry is enough: the answer must not grow with the request
            found.append(FieldError(field=field, message=cls._message(item)))
        return found

    @classmethod
    def _message(cls, item: ErrorDetails) -> str:
        """The rest of a sentence that begins with the name of the parameter."""
        match item["type"]:
            case "missing":
                return "is required"
            case "extra_forbidden":
                return f"has an unknown parameter; known are {', '.join(cls.names())}"
            case "literal_error":
                return "must be " + str(item["ctx"]["expected"]).replace("'", "")
            case "string_unicode":
                return "must be text"
            case _:
                return item["msg"]
