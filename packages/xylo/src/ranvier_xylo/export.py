"""A configuration in the vendor's forms: RAM images, and the JSON of its SDK."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import FileError, InputError

from .config import XyloConfig
from .kernels import TRACES, CoreArrays, prepare, run

FORMS = ("ram", "json")
JSON_NAME = "xylo_configuration.json"
_NO_ALIAS = 0xFFF
_TRACE_FILES = {
    "v_mem": ("vmem/nmpram", 4),
    "i_syn": ("isyn/nscram", 4),
    "i_syn2": ("isyn2/nsc2ram", 4),
    "spikes": ("spk_res/rspkram", 2),
}


def export(config: XyloConfig, directory: Path, form: str) -> list[Path]:
    """Write a configuration in a vendor's form.

    Parameters
    ----------
    config : XyloConfig
    directory : Path
        Created if absent. Files of the same names are replaced, all or none.
    form : {"ram", "json"}
        ``ram``: hexadecimal images of the chip's memories, one file each; ``json``: the
        configuration as the vendor's SDK writes it, which needs the SDK.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    InputError
        The form is unknown.
    FileError
        A file cannot be written.
    MissingDependencyError, DeviceError
        ``json``: the SDK is missing, has no board of the target, or rejects the configuration.
    """
    if form == "ram":
        return write_files(directory, ram_images(config.core_arrays(), dt=config.dt))
    if form == "json":
        return write_files(directory, {JSON_NAME: vendor_json(config)})
    raise InputError(f"{config.target}: export: no form {form!r}; forms: {', '.join(FORMS)}")


def vendor_json(config: XyloConfig) -> str:
    """Return the configuration as the vendor's SDK writes it; see `export` for errors."""
    from .driver.configuration import vendor_configuration
    from .driver.vendor import speaking

    vendor = vendor_configuration(config)
    with speaking(config.target, "writing the vendor's JSON"):
        return str(vendor.to_json())


def ram_images(arrays: CoreArrays, *, dt: float) -> dict[str, str]:
    """Return the memories of a chip as hexadecimal text.

    One value per line, comment lines start with ``//``.

    Parameters
    ----------
    arrays : CoreArrays
        The registers; `XyloConfig.core_arrays` returns them.
    dt : float
        Step, in s, for ``basic_config.json``.

    Returns
    -------
    dict of str to str
        File name to content: weights of inputs (``iwtram``, ``iwt2ram``), of the hidden neurons
        (``rwtram``, ``rwt2ram`` with targets ``rforam`` and their numbers ``refocram``) and
        outputs (``owtram``); decays of membranes (``ndmram``) and currents (``ndsram``,
        ``rds2ram``), thresholds (``nthram``), biases (``nbram``, version 2), alias targets
        (``raram``) and roles (``rcram``: 2 for a source plus 1 for a target). Per-neuron memories
        hold the hidden, then the output neurons.

    Notes
    -----
    Targets of a source ascend and each is listed once for both synapses. The hardware may not find
    the same target in two successive entries of a source; with unique targets it never does, and
    no dummy entry is needed.

    References
    ----------
    Format of the files that ``xylosim.tools`` 0.1.3 writes; compared file by file.
    """
    weights_out = np.zeros((arrays.n_hidden, arrays.n_out), np.int64)
    weights_out[arrays.n_hidden - len(arrays.weights_out) :] = arrays.weights_out
    images = {
        **_input_images(arrays),
        **_recurrent_images(arrays),
        "owtram.ini": _blocks("owt for RSN", [_hex(row, 2) for row in weights_out]),
        **_neuron_images(arrays),
        **_alias_images(_aliases(arrays)),
    }
    return {**images, "basic_config.json": json.dumps(_basic_config(arrays, dt=dt))}


def activity_images(arrays: CoreArrays, counts: NDArray[Any]) -> dict[str, str]:
    """Return input, states and spikes of a run from rest as hexadecimal text.

    Parameters
    ----------
    arrays : CoreArrays
    counts : array of int, (time, n_in)
        Input spikes; each is one line of ``spk_in/inp_spks.txt``.

    Returns
    -------
    dict of str to str
        ``spk_in/inp_spks.txt`` and, per step ``t``: ``isyn/nscram_t``, ``isyn2/nsc2ram_t``,
        ``vmem/nmpram_t``, ``spk_res/rspkram_t`` (hidden), ``spk_out/ospkram_t`` (outputs), all
        ``.txt``. Currents and membranes hold the hidden, then the output neurons. Steps in which a
        version 2 chip sleeps (no input, everything at zero, no bias) have no files and no number.
    """
    result = run(prepare(arrays), np.asarray(counts)[None], record=TRACES)
    images = {"spk_in/inp_spks.txt": _input_spikes(np.asarray(counts))}
    for number, t in enumerate(_awake_steps(arrays, np.asarray(counts), result.traces)):
        for name, (stem, digits) in _TRACE_FILES.items():
            values = [result.traces[name][0, t]]
            if f"{name}_out" in result.traces:
                values.append(result.traces[f"{name}_out"][0, t])
            images[f"{stem}_{number}.txt"] = _lines(_hex(np.concatenate(values), digits))
        images[f"spk_out/ospkram_{number}.txt"] = _lines(_hex(result.spikes[0, t], 2))
    return images


def _awake_steps(
    arrays: CoreArrays, counts: NDArray[Any], traces: Mapping[str, NDArray[Any]]
) -> list[int]:
    if arrays.version == 1:  # it has no sleep
        return list(range(len(counts)))
    biased = np.any(arrays.bias) or np.any(arrays.bias_out)
    active = np.concatenate([values[0] for values in traces.values()], axis=1) != 0
    before = np.zeros(len(counts), dtype=bool)
    before[1:] = active[:-1].any(axis=1)
    return [int(t) for t in np.flatnonzero(biased | before | counts.any(axis=1))]


def write_files(directory: Path, contents: Mapping[str, str]) -> list[Path]:
    """Write text files, all or none: first under temporary names, then renamed.

    Raises
    ------
    FileError
        A file cannot be written; files of the same names are as before.
    """
    pairs: list[tuple[Path, Path]] = []
    try:
        for name, text in contents.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
            pairs.append((temporary, path))
            temporary.write_text(text, encoding="ascii")
        for temporary, path in pairs:
            temporary.replace(path)
    except OSError as error:
        raise FileError(
            f"{directory}: cannot write {len(contents)} file(s): {error}; check space and "
            "permissions"
        ) from error
    finally:
        for temporary, _ in pairs:
            temporary.unlink(missing_ok=True)
    return [path for _, path in pairs]


def _input_images(arrays: CoreArrays) -> dict[str, str]:
    weights = np.zeros((arrays.n_in, arrays.n_hidden, 2), np.int64)
    n_ien, n_synapses = arrays.weights_in.shape[1:]
    weights[:, :n_ien, :n_synapses] = arrays.weights_in
    names = ("iwt", "iwt2")
    return {
        f"{name}ram.ini": _blocks(f"{name} for IN", [_hex(row, 2) for row in weights[:, :, s]])
        for s, name in enumerate(names)
    }


def _recurrent_images(arrays: CoreArrays) -> dict[str, str]:
    weights = np.zeros((arrays.n_hidden, arrays.n_hidden, 2), np.int64)
    weights[:, :, : arrays.weights_rec.shape[2]] = arrays.weights_rec
    connected = np.asarray(weights.any(axis=2))
    targets = [np.flatnonzero(connected[i]) for i in range(arrays.n_hidden)]

    def by_source(synapse: int) -> list[list[str]]:
        return [_hex(weights[i, row, synapse], 2) for i, row in enumerate(targets)]

    return {
        "rwtram.ini": _blocks("rwt of RSN", by_source(0)),
        "rwt2ram.ini": _blocks("rwt2 of RSN", by_source(1)),
        "rforam.ini": _blocks("rfo of RSN", [_hex(row, 3) for row in targets]),
        "refocram.ini": _lines(_hex([len(row) for row in targets], 2)),
    }


def _neuron_images(arrays: CoreArrays) -> dict[str, str]:
    def both(hidden: Any, out: Any, digits: int) -> str:
        return _lines(_hex(np.concatenate([hidden, out]), digits))

    images = {
        "ndmram.ini": both(arrays.dash_mem, arrays.dash_mem_out, 1),
        "ndsram.ini": both(arrays.dash_syn[:, 0], arrays.dash_syn_out, 1),
        "rds2ram.ini": _lines(_hex(arrays.dash_syn[:, 1], 1)),
        "nthram.ini": both(arrays.threshold, arrays.threshold_out, 4),
    }
    if arrays.version == 2:
        images["nbram.ini"] = both(arrays.bias, arrays.bias_out, 2)
    return images


def _alias_images(aliases: NDArray[np.int64]) -> dict[str, str]:
    is_target = np.isin(np.arange(aliases.size), aliases[aliases >= 0])
    roles = 2 * (aliases >= 0) + is_target
    targets = np.where(aliases >= 0, aliases, _NO_ALIAS)
    return {"raram.ini": _lines(_hex(targets, 3)), "rcram.ini": _lines(_hex(roles, 1))}


def _basic_config(arrays: CoreArrays, *, dt: float) -> dict[str, Any]:
    second = [w.shape[2] == 2 and w[:, :, 1].any() for w in (arrays.weights_in, arrays.weights_rec)]
    document: dict[str, Any] = {
        "IN": arrays.n_in,
        "RSN": arrays.n_hidden,
        "ON": arrays.n_out,
        "IWBS": arrays.weight_shift_in,
        "RWBS": arrays.weight_shift_rec,
        "OWBS": arrays.weight_shift_out,
        "time_resolution_wrap": 0,
        "DT": dt,
        "N_SYNS": 2 if any(second) else 1,
        "RA": bool((_aliases(arrays) >= 0).any()),
    }
    if arrays.version == 2:
        biases = (arrays.bias, arrays.bias_out)
        document["BIAS"] = any(values is not None and bool(values.any()) for values in biases)
    return document


def _aliases(arrays: CoreArrays) -> NDArray[np.int64]:
    """Return the alias targets; CoreArrays fills the field in."""
    return np.asarray(arrays.aliases, dtype=np.int64)


def _input_spikes(counts: NDArray[Any]) -> str:
    lines: list[str] = []
    last = 0
    for t in np.flatnonzero(counts.any(axis=1)).tolist():
        lines.append(f"// time step {t}")
        lines += [f"idle {t - last}"] * (t > last)
        lines += [f"wr IN{c}" for c in np.repeat(np.arange(counts.shape[1]), counts[t])]
        last = t
    return _lines(lines)


def _blocks(heading: str, rows: Sequence[Sequence[str]]) -> str:
    lines: list[str] = []
    for number, row in enumerate(rows):
        lines += [f"// {heading}{number}", *row]
    return _lines(lines)


def _hex(values: Any, digits: int) -> list[str]:
    """Return values in two's complement, with a fixed number of hexadecimal digits."""
    mask = (1 << 4 * digits) - 1
    return [f"{int(value) & mask:0{digits}x}" for value in np.asarray(values).ravel()]


def _lines(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
