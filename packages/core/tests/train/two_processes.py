"""Run by test_fit: two processes train one network; prints what each of them ends with."""

import json
import sys
from pathlib import Path

import torch
from lightning_fabric import Fabric

from ranvier.train import TensorBatches, fit


def main() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(40, 4, generator=generator)
    y = x.sum(1, keepdim=True)
    torch.manual_seed(1)
    network = torch.nn.Linear(4, 1)
    fabric = Fabric(accelerator="cpu", devices=2, strategy="ddp")
    result = fit(
        network,
        TensorBatches(x, y, batch_size=5),
        loss=torch.nn.functional.mse_loss,
        epochs=3,
        optimizer=torch.optim.SGD(network.parameters(), lr=0.1),
        fabric=fabric,
    )
    weights = [float(v) for p in network.parameters() for v in p.detach().ravel()]
    answer = {"weights": weights, "loss": result.history["train.loss"].tolist()}
    Path(sys.argv[1], f"rank{fabric.global_rank}.json").write_text(json.dumps(answer))
    fabric.barrier()
    torch.distributed.destroy_process_group()  # its threads must not outlive the interpreter


if __name__ == "__main__":
    main()
