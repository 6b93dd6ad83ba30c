"""The base of all query strings: strict checking, one canonical spelling. Knows no endpoint."""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Self
from urllib.parse import quote

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from app.request.error import FieldError, InvalidRequest, invalid
from app.request.line import PARAMETERS, refusal
from app.request.parameter import spelled
from app.request.ranges import Size
from model.alphabet import DIGITS, Alphabet

TEXT = "text"  # the parameter that may have other signs than letters and digits
MODEL = "model"  # the parameter that decides whether to draw, not what
STYLE = "style"
SAFE = ",="  # in an address, beside letters, digits and _.-~


class Query(BaseModel):
    """A query string. An unknown parameter is refused, never silently ignored.

    Validating one raises `InvalidRequest` with an entry for each parameter at fault. A class is
    for models of one alphabet and one size of pictures: the ten digits of MNIST, or see
    `app.request.queries`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    parameters: ClassVar[list[tuple[str, str, object]]] = []  # name, name of the field, default
    drawn: ClassVar[list[tuple[str, str, object]]] = []  # those that change what is drawn
    alphabet: ClassVar[Alphabet] = Alphabet(DIGITS)
    named: ClassVar[bool] = False  # whether values may be names of labels
    cell: ClassVar[Size] = Size(28, 28)  # of each picture
    absent: ClassVar[frozenset[str]] = frozenset()  # parameters that the alphabet does without

    @model_validator(mode="wrap")
    @classmethod
    def _check_fields(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if cls.absent and isinstance(values, Mapping) and (given := cls.absent & values.keys()):
            raise InvalidRequest([cls._unknown(name) for name in sorted(given)])
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

    @property
    def asked_style(self) -> str | None:
        """The token of the hand to write in; None without one."""
        return getattr(self, STYLE, None)

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

        All values but the names of labels are safe in an address as they are: the constraints of
        their fields see to it.

        Args:
            seed: takes the place of the request's own, unless None.
        """
        values = self.__dict__ if seed is None else {**self.__dict__, "seed": seed}
        parts = []
        for name, field, default in self.drawn:
            value = values[field]
            if value is not default and value != default:
                if type(value) is float:
                    value = spelled(value)
                elif self.named or name == TEXT:
                    value = quote(str(value), safe=SAFE)
                parts.append(f"{name}={value}")
        return "&".join(parts)

    def __init_subclass__(
        cls,
        alphabet: Alphabet | None = None,
        cell: Size | None = None,
        absent: Collection[str] = (),
        **kwargs: Any,
    ) -> None:
        """Make a query for the models of an alphabet; by default, for those of its base."""
        super().__init_subclass__(**kwargs)
        cls.alphabet, cls.cell = alphabet or cls.alphabet, cell or cls.cell
        cls.absent = cls.absent | frozenset(absent)
        cls.named = cls.alphabet.kind in ("characters", "words")

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """List the parameters once for each class, because every drawing spells its query."""
        fields = [(field.alias or name, name, field) for name, field in cls.model_fields.items()]
        cls.parameters = [
            (alias, name, field.default) for alias, name, field in fields if alias not in cls.absent
        ]
        cls.drawn = [each for each in cls.parameters if each[0] != MODEL]

    @classmethod
    def names(cls) -> list[str]:
        """The names of all parameters."""
        return [name for name, _, _ in cls.parameters]

    @classmethod
    def _field_errors(cls, problem: ValidationError) -> list[FieldError]:
        found: list[FieldError] = []
        for item in problem.errors(include_url=False, include_input=False):
            name = str(item["loc"][0])
            if item["type"] == "extra_forbidden":
                error = cls._unknown(name)
            else:
                error = FieldError(field=name, message=cls._message(item))
            if found and found[-1].field == error.field:
                continue  # one entry is enough: the answer must not grow with the request
            found.append(error)
        return found

    @classmethod
    def _unknown(cls, name: str) -> FieldError:
        """The error of a parameter that there is not; one that the client made up has no name."""
        if name in PARAMETERS and cls.alphabet.kind != "digits":
            return FieldError(field=name, message=refusal(cls.alphabet, cls._instead()))
        known = ", ".join(cls.names())
        return FieldError(field="query", message=f"has an unknown parameter; known are {known}")

    @classmethod
    def _instead(cls) -> str:
        """What to do without a parameter of another alphabet."""
        for name, field, _ in cls.parameters:
            if name in PARAMETERS:
                return f"ask for {name}={(cls.model_fields[field].examples or [''])[0]}"
        return "leave it out"

    @classmethod
    def _message(cls, item: ErrorDetails) -> str:
        """The rest of a sentence that begins with the name of the parameter."""
        match item["type"]:
            case "missing":
                return "is required"
            case "literal_error":
                return "must be " + str(item["ctx"]["expected"]).replace("'", "")
            case "string_unicode":
                return "must be text"
            case _:
                return item["msg"]
