"""8-bit floats beside PyTorch's: float8_e4m3fn of w/scale, with scale = max|w|/448 of each group, all in f32. Writes
test/golden/fp8/golden.json, which fp8.test.ts reads. Run: python scripts/golden/fp8.py"""
import base64, json, pathlib
import torch

torch.manual_seed(11)
encode = lambda t: base64.b64encode(t.contiguous().view(torch.uint8).numpy().tobytes()).decode()

def case(name, weights, group):
    blocks = weights.reshape(-1, group)
    scale = blocks.abs().amax(1, keepdim=True) / 448
    scale = torch.where(scale == 0, torch.ones_like(scale), scale)
    codes = (blocks / scale).clamp(-448, 448).to(torch.float8_e4m3fn)
    values = codes.float() * scale
    return {"name": name, "columns": weights.shape[1], "group": group, "weights": encode(weights),
            "codes": encode(codes), "scales": encode(scale), "values": encode(values)}

normal = torch.randn(8, 64) * 0.02
outlier = normal.clone(); outlier[3, 5] = 4.0
ties = torch.arange(-256, 256).float().reshape(8, 64) / 16
every = torch.arange(256, dtype=torch.uint8).view(torch.float8_e4m3fn).float()
every = torch.where(every.isnan(), torch.zeros(()), every).reshape(4, 64)
cases = [case("ordinary weights, rows", normal, 64), case("groups of 32", normal, 32), case("an outlier", outlier, 64),
         case("ties", ties, 64), case("every value of the type", every, 64), case("zeros", torch.zeros(2, 64), 64),
         case("tiny", normal * 1e-36, 64)]
out = pathlib.Path(__file__).parents[2] / "test/golden/fp8/golden.json"
out.parent.mkdir(parents=True, exist_ok=True)
out.write_text(json.dumps({"torch": torch.__version__, "cases": cases}) + "\n")
