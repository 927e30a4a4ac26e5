"""Calibration of a virtual chip in the manner of calix."""

from .bench import Bench as Bench, Record as Record, Stimulus as Stimulus
from .chip import CALIBRATED_TO as CALIBRATED_TO, CalibratedChip as CalibratedChip
from .file import load_calibration as load_calibration, save_calibration as save_calibration
from .result import QUANTITIES as QUANTITIES, CalibrationResult as CalibrationResult
from .routine import TOLERANCE as TOLERANCE, calibrate as calibrate
from .silicon import CodeModel as CodeModel, Silicon as Silicon
from .targets import DEFAULTS as DEFAULTS, CalibrationTargets as CalibrationTargets
