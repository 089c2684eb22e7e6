"""silent_filesystem.py FOLDER COMMAND...: runs the command where the filesystem on the folder never answers.

It is one of FUSE (fuse(4)) whose requests nobody reads, seen by the command alone, which must be run by root in a mount
namespace of its own: `unshare --mount`. The filesystem goes with the command, which keeps its descriptor.
"""

import ctypes
import os
import sys

MS_BIND = 0x1000


def mount(source, target, kind, flags=0, options=""):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source.encode(), target.encode(), kind.encode(), flags, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), f"mount {target}")


def main():
    folder, *command = sys.argv[1:]
    requests = os.open("/dev/fuse", os.O_RDWR)
    os.set_inheritable(requests, True)
    mount("silent", folder, "fuse.silent", options=f"fd={requests},rootmode=40000,user_id=0,group_id=0")
    # The agent looks at the mounts of process 1, which has others.
    mount(f"/proc/{os.getpid()}/mountinfo", "/proc/1/mountinfo", "", MS_BIND)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
