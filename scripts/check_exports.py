"""Compare what MLflow and TensorBoard read from an export with what glimpse reports.

    python3 -m venv venv && venv/bin/pip install mlflow tensorboard
    venv/bin/mlflow server --backend-store-uri sqlite:///ml.db &
    glimpse export --db DB --mlflow http://127.0.0.1:5000 --tensorboard events
    glimpse export --db DB --mlflow mlruns
    venv/bin/python scripts/check_exports.py glimpse DB --mlflow http://127.0.0.1:5000 --tensorboard events
    venv/bin/python scripts/check_exports.py glimpse DB --mlflow mlruns

The first argument is the glimpse program. The exit code is 1 if a value is missing, duplicated or
different. Tested with mlflow 3.17.2 and 2.22.1, and tensorboard 2.21.0.
"""

import argparse
import json
import math
import os
import subprocess
import sys
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("glimpse")
parser.add_argument("db")
parser.add_argument("--mlflow")
parser.add_argument("--tensorboard")
options = parser.parse_args()


def ask(*arguments):
    return json.loads(subprocess.check_output([options.glimpse, *arguments, "--json", "--db", options.db]))


def expected(run):
    """All curves of a run: {name: {step: value}}."""
    curves = {}
    for e in run["epoch_records"]:
        for key in ("loss", "lr", "captions_per_second"):
            curves.setdefault(f"train/{key}", {})[e["epoch"]] = float(e[key])
        for key, value in (e["val"] or {}).items():
            curves.setdefault(f"val/{key}", {})[e["epoch"]] = float(value)
    for split, scores in run["metrics"].items():
        for key, value in scores.items():
            curves[f"{'best_val' if split == 'val' else split}/{key}"] = {run["best_epoch"]: float(value)}
    return curves


runs = [ask("show", r["id"], "--captions", "0") for r in ask("runs") if r["state"] != "queued"]
wrong = compared = 0
largest = 0.0


def check(where, want, got, tolerance):
    global wrong, compared, largest
    compared += 1
    same = got is not None and (want == got or math.isnan(want) and math.isnan(got) or abs(want - got) <= tolerance * abs(want))
    if not same:
        wrong += 1
        print(f"{where}: want {want}, got {got}")
    elif want == want and not math.isinf(want) and want:
        largest = max(largest, abs(want - got) / abs(want))


def leaves(prefix, value):
    if isinstance(value, dict):
        for key, v in value.items():
            yield from leaves(f"{prefix}.{key}" if prefix else key, v)
    else:
        yield prefix, value


if options.mlflow:
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    import mlflow
    from mlflow.tracking import MlflowClient

    mlflow.set_tracking_uri(options.mlflow)
    client = MlflowClient(options.mlflow)
    for run in runs:
        for study in run["studies"]:
            experiment = client.get_experiment_by_name(study)
            found = client.search_runs([experiment.experiment_id], f"tags.`glimpse.run` = '{run['id']}'")
            if len(found) != 1:
                wrong += 1
                print(f"{run['id']} of {study}: {len(found)} runs in MLflow")
                continue
            info, data = found[0].info, found[0].data
            status = {"completed": "FINISHED", "failed": "FAILED", "pruned": "FINISHED", "interrupted": "KILLED"}.get(run["state"], "RUNNING")
            if info.status != status:
                wrong += 1
                print(f"{run['id']}: status {info.status}, want {status}")
            for path, value in leaves("", run["settings"]):
                got = data.params.get(path)
                compared += 1
                if str(value) != got and not (value == "" and got is None) and float(got) != value:
                    wrong += 1
                    print(f"{run['id']}: parameter {path} is {got}, want {value}")
            curves = expected(run)
            if set(curves) != set(data.metrics):
                wrong += 1
                print(f"{run['id']}: metrics {set(curves) ^ set(data.metrics)} on one side only")
            for name, curve in curves.items():
                history = client.get_metric_history(info.run_id, name)
                if len(history) != len(curve):
                    wrong += 1
                    print(f"{run['id']}: {name} has {len(history)} values, want {len(curve)}")
                got = {m.step: m.value for m in history}
                for step, value in curve.items():
                    check(f"{run['id']} {name} at {step}", value, got.get(step), 0)
            artifacts = [a.path for a in client.list_artifacts(info.run_id, "captions")]
            if run["captions_sha256"] and not artifacts:
                wrong += 1
                print(f"{run['id']}: no captions among the artifacts")

if options.tensorboard:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import plugin_data_pb2

    for run in runs:
        for study in run["studies"]:
            (folder,) = [f for f in (Path(options.tensorboard) / study).iterdir() if f.name.endswith(run["id"])]
            events = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
            curves = expected(run)
            if set(curves) != set(events.Tags()["scalars"]):
                wrong += 1
                print(f"{run['id']}: curves {set(curves) ^ set(events.Tags()['scalars'])} on one side only")
            for name, curve in curves.items():
                got = {s.step: s.value for s in events.Scalars(name)}
                for step, value in curve.items():
                    check(f"{run['id']} {name} at {step}", value, got.get(step), 6e-8)
            content = events.summary_metadata["_hparams_/session_start_info"].plugin_data.content
            hparams = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info.hparams
            for path, value in leaves("", run["settings"]):
                compared += 1
                kind = hparams[path].WhichOneof("kind")
                if getattr(hparams[path], kind) != value:
                    wrong += 1
                    print(f"{run['id']}: hyperparameter {path} is {hparams[path]}, want {value}")

print(f"{compared} values of {len(runs)} runs compared, {wrong} wrong, largest relative difference {largest:.2g}")
sys.exit(wrong > 0)
