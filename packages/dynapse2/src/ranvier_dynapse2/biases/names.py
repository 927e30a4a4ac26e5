"""Names of biases, the transistor behind each, and their scale factors.

Sources: rockpool 3.1.0, devices/dynapse/lookup (scale factors, and which bias is which current of
the model); the names that only the laboratory scripts of Aramatos/dynapse2_adaptation use are
marked there as buffers.
"""

from __future__ import annotations

from types import MappingProxyType

from ranvier.errors import QuantizationError

_BY_FACTOR: dict[float, tuple[str, ...]] = {
    0.2: (
        "SOAD_TAU_P",
        "SOCA_TAU_P",
        "DEAM_ETAU_P",
        "DEAM_ITAU_P",
        "DENM_ETAU_P",
        "DENM_ITAU_P",
        "DEGA_ITAU_P",
        "DESC_ITAU_P",
        "SYAW_STDSTR_N",
    ),
    0.22: (
        "SYAM_W0_P",
        "SYAM_W1_P",
        "SYAM_W2_P",
        "SYAM_W3_P",
        "SYPD_DLY0_P",
        "SYPD_DLY1_P",
    ),
    0.38: ("SOIF_DC_P", "SOIF_SPKTHR_P"),
    0.385: ("SOAD_CASC_P", "DEAM_VRES_P", "DEAM_HRES_P", "DEAM_NRES_P"),
    0.57: ("LBWR_VB_P",),
    0.61: ("SOIF_LEAK_N",),
    0.66: ("SOIF_CC_N",),
    0.67: ("SYAM_STDW_N",),
    0.68: (
        "SOAD_GAIN_P",
        "SOCA_GAIN_P",
        "DEAM_EGAIN_P",
        "DEAM_IGAIN_P",
        "DENM_EGAIN_P",
        "DENM_IGAIN_P",
        "DEGA_IGAIN_P",
        "DESC_IGAIN_P",
        "SOHO_VREF_P",
    ),
    0.89: ("NCCF_PWLK_P",),
    0.92: ("SOAD_PWTAU_N", "SOAD_W_N", "SOCA_W_N", "SYPD_EXT_N"),
    1.0: ("NCCF_CAL_REFBIAS_V", "NCCF_CAL_OFFBIAS_P"),
    1.05: ("SOIF_GAIN_N", "SOIF_REFR_N", "DENM_NMREV_N"),
    1.47: (
        "SOHO_VB_P",
        "SOHO_VH_P",
        "SOHO_VREF_L_P",
        "SOHO_VREF_H_P",
        "SOHO_VREF_M_P",
        "NCCF_HYS_P",
        "NCCF_BIAS_P",
    ),
    1.6: ("SYPD_DLY2_P",),
    1.7: ("SYAM_STDWCCB", "R2R_BUFFER_CCB"),
    1.9: ("SYSA_VRES_N", "SYSA_VB_P"),
}
SCALE_FACTORS = MappingProxyType(
    {name: factor for factor, names in _BY_FACTOR.items() for name in names}
)
"""Factor by which the current of the table is scaled, by bias name."""

WEIGHT_BIASES = ("SYAM_W0_P", "SYAM_W1_P", "SYAM_W2_P", "SYAM_W3_P")
"""The four base currents of the weights of a core, in order of the mask's bits."""

PARAMETER_BIASES = MappingProxyType(
    {
        "i_dc": "SOIF_DC_P",
        "i_f_nmda": "DENM_NMREV_N",
        "i_gain_ahp": "SOAD_GAIN_P",
        "i_gain_ampa": "DEAM_EGAIN_P",
        "i_gain_gaba": "DEGA_IGAIN_P",
        "i_gain_nmda": "DENM_EGAIN_P",
        "i_gain_shunt": "DESC_IGAIN_P",
        "i_gain_mem": "SOIF_GAIN_N",
        "i_pulse_ahp": "SOAD_PWTAU_N",
        "i_pulse": "SYPD_EXT_N",
        "i_ref": "SOIF_REFR_N",
        "i_spkthr": "SOIF_SPKTHR_P",
        "i_tau_ahp": "SOAD_TAU_P",
        "i_tau_ampa": "DEAM_ETAU_P",
        "i_tau_gaba": "DEGA_ITAU_P",
        "i_tau_nmda": "DENM_ETAU_P",
        "i_tau_shunt": "DESC_ITAU_P",
        "i_tau_mem": "SOIF_LEAK_N",
        "i_w_ahp": "SOAD_W_N",
    }
)
"""Bias by the name of a neuron's current, as the node kind `ranvier_dynapse2.nodes.Dpi` has it."""

CORE_BIASES = (*PARAMETER_BIASES.values(), *WEIGHT_BIASES)
"""The 23 biases that every configuration sets, per core."""

BUFFER_BIASES = MappingProxyType(
    {
        "SYSA_VRES_N": (5, 254),
        "SYSA_VB_P": (5, 254),
        "LBWR_VB_P": (5, 255),
        "R2R_BUFFER_CCB": (5, 255),
    }
)
"""Codes that laboratory scripts set before use (Aramatos/dynapse2_adaptation); purpose not stated.

The first two belong to a core, ``LBWR_VB_P`` to the shared parameters of a chip, the last to its
global ones. ``PG_BUF_N`` and ``R2R_BUFFER_AMPB`` are set there too, but have no scale factor.
"""


def scale_factor(name: str) -> float:
    """Return the scale factor of a bias.

    Raises
    ------
    QuantizationError
        The name is unknown; the message lists the closest ones.
    """
    try:
        return SCALE_FACTORS[name]
    except KeyError as error:
        import difflib

        close = difflib.get_close_matches(name, SCALE_FACTORS, n=3) or sorted(SCALE_FACTORS)[:5]
        raise QuantizationError(
            f"dynapse2: unknown bias {name!r}; did you mean {', '.join(close)}?"
        ) from error


def transistor(name: str) -> str:
    """Return the transistor type of a bias: ``"N"`` or ``"P"``, its last letter.

    Buffers (``..._CCB``) and switchable biases (``..._V``) count as P; the sources do not say.
    """
    return "N" if name.endswith("_N") else "P"
