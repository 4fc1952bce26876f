"""Where settings come from: a file, the environment, the host; each value with its origin."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Final

CONFIG_FILE: Final = "dokstamp-ledger.toml"
PREFIX: Final = "DOKSTAMP_"
SECRETS: Final = frozenset({"client_secret", "password"})
SECRET_BYTES_MAX: Final = 64 * 1024
_FROM_FILE: Final = "_file"


@dataclass(frozen=True, slots=True)
class Given:
    """A value as it was given, and where."""

    value: object = field(repr=False)
    origin: str


@dataclass(slots=True)
class _Gathering:
    """What was given so far; a later source wins over an earlier one."""

    known: frozenset[str]
    given: dict[str, Given] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def take(self, source: Mapping[str, Given]) -> None:
        """Take what one source gives: each name once, secrets from their files."""
        taken: dict[str, Given] = {}
        for name, each in source.items():
            setting = name.removesuffix(_FROM_FILE)
            is_in_file = name != setting and setting in SECRETS
            target = setting if is_in_file else name
            if target not in self.known:
                self.faults.append(f"{name.upper()} ({each.origin}): {_unknown(name, self.known)}")
            elif target in taken:
                other = f"{target.upper()} and {target.upper()}_FILE"
                self.faults.append(
                    f"{target.upper()} ({each.origin}): set one of {other}, not both"
                )
            elif is_in_file:
                self._take_secret(target, each, taken)
            else:
                taken[target] = each
        self.given |= taken

    def _take_secret(self, name: str, each: Given, taken: dict[str, Given]) -> None:
        try:
            text = _read_text(Path(str(each.value)), limit=SECRET_BYTES_MAX)
        except (OSError, ValueError):
            expected = "must name a readable text file that holds the secret and nothing else"
            self.faults.append(f"{name.upper()}_FILE ({each.origin}): {expected}")
            return
        taken[name] = Given(text.rstrip("\r\n"), f"{each.origin} ({each.value})")


def gather(
    known: frozenset[str],
    *,
    config_file: Path | None,
    environment: Mapping[str, str],
    values: Mapping[str, object],
) -> tuple[dict[str, Given], list[str]]:
    """Return what every source gives, the strongest last, and a sentence for each fault."""
    gathering = _Gathering(known)
    from_file, faults = _read_config_file(config_file)
    gathering.faults += faults
    gathering.take(from_file)
    gathering.take(dict(_from_environment(environment)))
    gathering.take({name: Given(value, "given") for name, value in values.items()})
    return gathering.given, gathering.faults


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, Given]]:
    for name, value in sorted(environment.items()):
        # An empty variable is how compose files and shells say "not set".
        if name.startswith(PREFIX) and value:
            yield name.removeprefix(PREFIX).lower(), Given(value, f"environment {name}")


def _read_config_file(named: Path | None) -> tuple[dict[str, Given], list[str]]:
    path = named or Path(CONFIG_FILE)
    if named is None and not path.exists():
        return {}, []
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        return {}, [f"{path}: cannot be read ({error.strerror}); name another with --config"]
    except tomllib.TOMLDecodeError as error:
        return {}, [f"{path}: is not valid TOML: {_place(error)}"]
    except ValueError:
        return {}, [f"{path}: is not UTF-8 text"]
    return {name.lower(): Given(value, str(path)) for name, value in table.items()}, []


def _place(error: tomllib.TOMLDecodeError) -> str:
    # Only the place, because the text of the error may quote the line, a secret in it.
    _, separator, place = str(error).rpartition("(at ")
    return f"look {'at ' + place.removesuffix(')') if separator else 'at its end'}"


def _read_text(path: Path, *, limit: int) -> str:
    with path.open("rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit or not content.strip():
        raise ValueError
    return content.decode()


def _unknown(name: str, known: frozenset[str]) -> str:
    every = sorted(known | {f"{secret}{_FROM_FILE}" for secret in SECRETS})
    nearest = get_close_matches(name, every, n=1, cutoff=0.5)
    hint = f"; did you mean {nearest[0].upper()}?" if nearest else ""
    return f"there is no such setting{hint or '; `config show` lists every one'}"
