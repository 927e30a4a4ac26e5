"""A board simulated from its registers, on the graph's names."""

from .board import Board as Board, prepare_board as prepare_board
from .options import SimulateOptions as SimulateOptions
from .session import Dynapse2Session as Dynapse2Session
