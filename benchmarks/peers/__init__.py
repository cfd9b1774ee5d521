"""Who is measured: one file for each, all with the face of `peer.Peer`."""

from peers.jax_scan import Jax
from peers.keras_jax import Keras
from peers.mlp_file import MlpFile
from peers.onnx_runtime import OnnxRuntime
from peers.ours import Reseau
from peers.peer import Peer, Setting
from peers.pytorch import PyTorch
from peers.scikit_learn import ScikitLearn

__all__ = ["PEERS", "Peer", "Reseau", "Setting"]

PEERS: list[Peer] = [Reseau(), ScikitLearn(), PyTorch(), Jax(), Keras(), OnnxRuntime(), MlpFile()]
