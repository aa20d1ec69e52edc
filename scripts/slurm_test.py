"""Tests of scripts/slurm.py that need no Slurm."""

import unittest
from unittest import mock

import slurm


class SlurmTest(unittest.TestCase):
    def test_configuration(self):
        text = slurm.configuration("/tmp/x", "vm", [1, 2, 3], 4)
        self.assertIn("SlurmctldHost=vm(127.0.0.1)\nSlurmctldPort=1\n", text)
        self.assertIn("NodeName=n2 NodeHostname=vm NodeAddr=127.0.0.1 Port=3 CPUs=4 ", text)
        self.assertIn("StateSaveLocation=/tmp/x/state\n", text)

    def test_ports_differ(self):
        self.assertEqual(len(set(slurm.free_ports(5))), 5)

    def test_missing(self):
        with mock.patch("os.geteuid", return_value=1000), mock.patch("sys.platform", "linux"):
            self.assertEqual(slurm.missing(), "it needs root")
        with mock.patch("os.geteuid", return_value=0), mock.patch("shutil.which", return_value=None), mock.patch("sys.platform", "linux"):
            self.assertIn("missing: munged, slurmctld", slurm.missing())

    def test_install(self):
        for absent, steps in [([""], []), (["all", ""], ["install"]), (["all", "all", "all"], ["install", "update", "install"])]:
            with mock.patch("slurm.missing", side_effect=absent), mock.patch("subprocess.run") as run:
                slurm.install()
            self.assertEqual([call.args[0][2] for call in run.call_args_list], steps)


if __name__ == "__main__":
    unittest.main()
